"""Problem reports: what people saw on a machine. They stay when it is repaired."""

from __future__ import annotations

from datetime import timedelta

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
from fabctl.services.notices import About
from fabctl.services.problem_reading import ProblemView, get_problem, list_problems
from fabctl.services.repairs import end_repairs
from fabctl.services.rights import is_staff, require_staff
from fabctl.services.stops import begin_stop, end_stops
from fabctl.store.ids import new_id
from fabctl.store.tables import Use
from fabctl.store.tables_upkeep import ProblemReport
from fabctl.store.upsert import insert_unless_there

__all__ = [
    "ProblemView",
    "get_problem",
    "list_problems",
    "may_stop",
    "report_answer",
    "report_once",
    "report_problem",
    "settle_problem",
]

SAME_WITHIN = timedelta(minutes=10)


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
    something else holds it; a task that was made of it is done.

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
    end_repairs(session, clock, problem_id=row.id, note=outcome, by=by)
    if row.person_id is not None and row.person_id != row.settled_by:
        subject = f"problem:{row.id}"
        about = About(resource_id=row.resource_id, subject=subject, words=outcome)
        notices.tell(session, clock, row.person_id, Code.REPORT_ANSWERED, about)
    session.flush()
    return get_problem(session, problem_id=row.id, by=by)
