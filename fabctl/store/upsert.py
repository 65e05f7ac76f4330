"""Insert a row unless its key is there already, in either database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from fabctl.store.tables import Base


def insert_unless_there(session: Session, table: type[Base], values: Mapping[str, Any]) -> bool:
    """Insert one row; return False, and change nothing, when a unique key is taken."""
    kind = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = kind.insert(table).values(**values).on_conflict_do_nothing().returning(*_key(table))
    return session.execute(statement).first() is not None


def _key(table: type[Base]) -> tuple[Any, ...]:
    return tuple(table.__table__.primary_key)
