"""Reading the audit trail: the staff's, in pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.services.rights import require_staff
from fabctl.store.tables import Audit


@dataclass(frozen=True, slots=True)
class TrailLine:
    """One line of the trail, with its number: later lines have larger ones."""

    number: int
    at: datetime
    who: str | None
    what: str
    subject: str
    details: Mapping[str, Any]


def trail(  # noqa: PLR0913  # what may narrow a search
    session: Session,
    *,
    by: str,
    subject: str | None = None,
    who: str | None = None,
    what: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[TrailLine]:
    """Return lines of the trail, the newest first.

    :param subject: only what was done to this, for instance ``person:k3j…``.
    :param who: only what this person (or ``shell:<Unix user>``) did.
    :param what: only lines of this kind, ``noun.participle``.
    :param since: only from this moment on.
    :param until: only before this moment.
    :param before: the number of the last line that was shown already.
    :raises RefusedError: staff-only.
    """
    require_staff(session, by)
    query = select(Audit).order_by(Audit.id.desc()).limit(limit)
    if subject is not None:
        query = query.where(Audit.subject == subject)
    if who is not None:
        query = query.where(Audit.who == who)
    if what is not None:
        query = query.where(Audit.what == what)
    if since is not None:
        query = query.where(Audit.at >= since)
    if until is not None:
        query = query.where(Audit.at < until)
    if before is not None:
        query = query.where(Audit.id < before)
    return [
        TrailLine(row.id, row.at, row.who, row.what, row.subject, row.details)
        for row in session.scalars(query)
    ]
