"""Problem reports: what people saw on a machine. They stay when it is repaired."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.model.certification import Standing
from fabctl.model.notice import Code
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.upkeep import (
    LONG,
    SHORT,
    ProblemKind,
    StopperFacts,
    settled_refusal,
    stopper_refusals,
    words_refusals,
)
from fabctl.services import lookups, notices
from fabctl.services.audit import audit, person_in
from fabctl.services.certifications import standing_at
from fabctl.services.newest_first import before
from fabctl.services.notices import About
from fabctl.services.rights import is_staff, require_staff
from fabctl.services.stops import begin_stop, end_stops
from fabctl.store.ids import new_id
from fabctl.store.tables import Use
from fabctl.store.tables_upkeep import MachineStop, ProblemReport
from fabctl.store.upsert import insert_unless_there

SAME_WITHIN = timedelta(minutes=10)


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
    settled_at: datetime | None
    outcome: str | None
    """What was done about it."""


def report_problem(  # what is wrong, where, and what is asked
    session: Session,
    clock: Clock,
    *,
    resource_id: str,
    summary: str,
    details: str = "",
    kind: ProblemKind = ProblemKind.OTHER,
    stop_machine: bool = False,
    by: str | None,
) -> ProblemView:
    """Report a problem; anybody may. Who knows the machine can put it out of order with it.

    :param summary: for everybody, 1 to 120 characters; it is the reason that others read.
    :param details: for the staff, 4,000 characters at most.
    :param by: None: somebody at a screen of the lab who did not sign in.
    :raises RefusedError: the words, or this person may not stop this machine.
    :raises UnknownIdError: no such person or resource.
    """
    lookups.resource(session, resource_id, lock=True)
    summary, details = summary.strip(), details.strip()
    refusals = words_refusals(summary, SHORT) + words_refusals(details, LONG, needed=False)
    if stop_machine:
        refusals += _stopper_refusals(session, clock, resource_id, by)
    if refusals:
        raise RefusedError(refusals)
    row = ProblemReport(
        id=new_id(),
        resource_id=resource_id,
        person_id=person_in(by),
        kind=kind.value,
        by_answer=False,
        summary=summary,
        details=details,
        at=clock.now(),
    )
    session.add(row)
    session.flush()
    facts = {"resource": resource_id, "kind": kind.value, "stops": stop_machine}
    audit(session, clock, by, "problem.reported", f"problem:{row.id}", facts)
    if stop_machine:
        begin_stop(session, clock, resource_id=resource_id, reason=summary, report_id=row.id)
        audit(
            session,
            clock,
            by,
            "resource.out-of-order",
            f"resource:{resource_id}",
            {"problem": row.id},
        )
    return get_problem(session, problem_id=row.id, by=by)


def report_once(
    session: Session,
    clock: Clock,
    *,
    resource_id: str,
    summary: str,
    details: str = "",
    kind: ProblemKind,
) -> ProblemView:
    """Report a problem from a screen of the lab, without a name.

    The same without words within ten minutes is the same report: a screen may be tapped often.

    :raises RefusedError: the words.
    :raises UnknownIdError: no such resource.
    """
    lookups.resource(session, resource_id, lock=True)
    since = clock.now() - SAME_WITHIN
    query = select(ProblemReport.id).where(
        ProblemReport.resource_id == resource_id,
        ProblemReport.kind == kind.value,
        ProblemReport.person_id.is_(None),
        ProblemReport.by_answer.is_(False),
        ProblemReport.settled_at.is_(None),
        ProblemReport.at > since,
    )
    same = session.scalars(query).first() if not details.strip() else None
    if same is not None:
        return get_problem(session, problem_id=same, by=None)
    return report_problem(
        session,
        clock,
        resource_id=resource_id,
        summary=summary,
        details=details,
        kind=kind,
        by=None,
    )


def may_stop(session: Session, clock: Clock, *, resource_id: str, by: str | None) -> bool:
    """Say whether somebody may put a machine out of order with a report."""
    return not _stopper_refusals(session, clock, resource_id, by)


def _stopper_refusals(
    session: Session, clock: Clock, resource_id: str, by: str | None
) -> list[Refusal]:
    now = clock.now()
    person_id = person_in(by)
    standing = standing_at(session, person_id, resource_id, now) if person_id else Standing.NONE
    last = select(func.max(func.coalesce(Use.closed_at, now))).where(
        Use.person_id == person_id, Use.resource_id == resource_id
    )
    return stopper_refusals(
        StopperFacts(
            now=now,
            staff=is_staff(session, by),
            certified=standing in {Standing.VALID, Standing.SUPERVISED},
            last_used_at=session.scalar(last) if person_id else None,
        )
    )


def report_answer(
    session: Session, clock: Clock, *, use: Use, clean: bool, sound: bool, by: str
) -> None:
    """Make a "no" after a use a report, once for each use and kind. For services only."""
    wrong = [(clean, ProblemKind.DIRTY), (sound, ProblemKind.DAMAGED)]
    for kind in (kind for fine, kind in wrong if not fine):
        values = {
            "id": new_id(),
            "resource_id": use.resource_id,
            "use_id": use.id,
            "person_id": person_in(by),
            "kind": kind.value,
            "by_answer": True,
            "summary": "",
            "details": "",
            "at": clock.now(),
        }
        if insert_unless_there(session, ProblemReport, values):
            facts = {"resource": use.resource_id, "kind": kind.value, "use": use.id}
            audit(session, clock, by, "problem.reported", f"problem:{values['id']}", facts)
    session.flush()


def settle_problem(
    session: Session, clock: Clock, *, problem_id: str, outcome: str, by: str
) -> ProblemView:
    """Say what was done about a problem. What it put out of order is in order again, unless
    something else holds it.

    :raises RefusedError: not of the staff, settled already, or no words.
    :raises UnknownIdError: no such report.
    """
    require_staff(session, by)
    row = session.get(ProblemReport, problem_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise UnknownIdError(f"there is no problem {problem_id!r}")
    outcome = outcome.strip()
    refusals = [settled_refusal()] if row.settled_at else []
    refusals += words_refusals(outcome, LONG)
    if refusals:
        raise RefusedError(refusals)
    row.settled_at, row.settled_by, row.outcome = clock.now(), person_in(by), outcome
    session.flush()
    left = end_stops(session, clock, resource_id=row.resource_id, report_id=row.id)
    details = {"resource": row.resource_id, "in_order": left is None}
    audit(session, clock, by, "problem.settled", f"problem:{row.id}", details)
    if row.person_id is not None and row.person_id != row.settled_by:
        subject = f"problem:{row.id}"
        about = About(resource_id=row.resource_id, subject=subject, words=outcome)
        notices.tell(session, clock, row.person_id, Code.REPORT_ANSWERED, about)
    session.flush()
    return get_problem(session, problem_id=row.id, by=by)


def get_problem(session: Session, *, problem_id: str, by: str | None) -> ProblemView:
    """Return a report, as this reader may see it. :raises UnknownIdError: there is none."""
    return _view(_row(session, problem_id), _stopping(session, [problem_id]), _reader(session, by))


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
    rows = session.scalars(query.limit(limit)).all()
    stopping, reader = _stopping(session, [row.id for row in rows]), _reader(session, by)
    return [_view(row, stopping, reader) for row in rows]


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


@dataclass(frozen=True, slots=True)
class _Reader:
    person_id: str | None
    staff: bool


def _reader(session: Session, by: str | None) -> _Reader:
    return _Reader(person_in(by), is_staff(session, by))


def _view(row: ProblemReport, stopping: set[str], reader: _Reader) -> ProblemView:
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
        stops_machine=row.id in stopping,
        settled_at=row.settled_at,
        outcome=row.outcome,
    )
