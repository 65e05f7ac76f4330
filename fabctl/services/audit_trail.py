"""Reading the audit trail: the staff's, in pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.services.audit import NAMED, SAID_BY_MACHINES
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

    @property
    def named(self) -> str | None:
        """Who asked, as the machine says that the line is of; nobody checked it."""
        said = self.details.get(NAMED) if self.what.startswith(SAID_BY_MACHINES) else None
        return said if isinstance(said, str) else None


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
    :param who: only what this person (or ``shell:<Unix user>``) did; not what a machine says of
        them.
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
        query = query.where(Audit.who == who, ~Audit.what.startswith(SAID_BY_MACHINES))
    if what is not None:
        query = query.where(Audit.what == what)
    if since is not None:
        query = query.where(Audit.at >= since)
    if until is not None:
        query = query.where(Audit.at < until)
    if before is not None:
        query = query.where(Audit.id < before)
    return [_line(row) for row in session.scalars(query)]


def _line(row: Audit) -> TrailLine:
    """Return a row; in old ones whom a machine named stands where others have who did it."""
    who, details = row.who, row.details
    if who is not None and row.what.startswith(SAID_BY_MACHINES):
        who, details = None, {**details, NAMED: who}
    return TrailLine(row.id, row.at, who, row.what, row.subject, details)
