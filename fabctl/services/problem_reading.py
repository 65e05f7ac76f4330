"""Problem reports, as somebody may read them: the staff all of it, others what is for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.errors import UnknownIdError
from fabctl.model.upkeep import ProblemKind
from fabctl.services.audit import person_in
from fabctl.services.newest_first import before
from fabctl.services.rights import is_staff
from fabctl.store.tables_upkeep import MachineStop, ProblemReport, UpkeepTask


@dataclass(frozen=True, slots=True)
class ProblemView:
    """One report, as somebody may see it."""

    id: str
    resource_id: str
    kind: ProblemKind
    summary: str
    """For everybody in the lab; empty where one tap said it all."""
    details: str | None
    """None: not for this reader, who is neither of the staff nor the one who reported it."""
    person_id: str | None
    """None: the same, or a command in a shell."""
    use_id: str | None
    at: datetime
    stops_machine: bool
    """Whether the machine is out of order for it now."""
    in_hand: bool
    """Whether somebody of the team has it as a task that is still to be done."""
    settled_at: datetime | None
    outcome: str | None
    """What was done about it."""


def get_problem(session: Session, *, problem_id: str, by: str | None) -> ProblemView:
    """Return a report, as this reader may see it. :raises UnknownIdError: there is none."""
    return _views(session, [_row(session, problem_id)], by)[0]


def list_problems(
    session: Session,
    *,
    by: str | None,
    resource_id: str | None = None,
    open_only: bool = True,
    limit: int = 50,
    after: tuple[datetime, str] | None = None,
) -> list[ProblemView]:
    """Return reports, newest first.

    :param after: when and which the last one of the page before was.
    """
    query = select(ProblemReport).order_by(ProblemReport.at.desc(), ProblemReport.id.desc())
    if resource_id is not None:
        query = query.where(ProblemReport.resource_id == resource_id)
    if open_only:
        query = query.where(ProblemReport.settled_at.is_(None))
    if after is not None:
        query = query.where(before(ProblemReport.at, ProblemReport.id, after))
    return _views(session, session.scalars(query.limit(limit)).all(), by)


def _row(session: Session, problem_id: str) -> ProblemReport:
    row = session.get(ProblemReport, problem_id)
    if row is None:
        raise UnknownIdError(f"there is no problem {problem_id!r}")
    return row


def _stopping(session: Session, problem_ids: list[str]) -> set[str]:
    """Return those for which a machine is out of order now."""
    query = select(MachineStop.report_id).where(
        MachineStop.report_id.in_(problem_ids), MachineStop.ended_at.is_(None)
    )
    return {found for found in session.scalars(query) if found is not None}


def _in_hand(session: Session, problem_ids: list[str]) -> set[str]:
    """Return those that somebody has as a task."""
    query = select(UpkeepTask.report_id).where(
        UpkeepTask.report_id.in_(problem_ids), UpkeepTask.ended_at.is_(None)
    )
    return {found for found in session.scalars(query) if found is not None}


@dataclass(frozen=True, slots=True)
class _Reader:
    person_id: str | None
    staff: bool


def _views(session: Session, rows: Sequence[ProblemReport], by: str | None) -> list[ProblemView]:
    ids = [row.id for row in rows]
    stopping, in_hand = _stopping(session, ids), _in_hand(session, ids)
    reader = _Reader(person_in(by), is_staff(session, by))
    return [_view(row, reader, stops=row.id in stopping, in_hand=row.id in in_hand) for row in rows]


def _view(row: ProblemReport, reader: _Reader, *, stops: bool, in_hand: bool) -> ProblemView:
    own = row.person_id is not None and row.person_id == reader.person_id
    whole = reader.staff or own
    return ProblemView(
        id=row.id,
        resource_id=row.resource_id,
        kind=ProblemKind(row.kind),
        summary=row.summary,
        details=row.details if whole else None,
        person_id=row.person_id if whole else None,
        use_id=row.use_id if whole else None,
        at=row.at,
        stops_machine=stops,
        in_hand=in_hand,
        settled_at=row.settled_at,
        outcome=row.outcome,
    )
