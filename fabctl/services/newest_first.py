"""Lists by time, the newest first: what comes after the last one that was shown."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import InstrumentedAttribute


def before(
    at: InstrumentedAttribute[datetime],
    number: InstrumentedAttribute[str],
    last: tuple[datetime, str],
) -> ColumnElement[bool]:
    """Return the condition for rows after ``last`` in a list by time and id, both going down."""
    moment, shown = last
    return or_(at < moment, and_(at == moment, number < shown))
