"""Putting workshop sessions on: one, or every week; cancelling them.

What a session uses is claimed in the one table of claims, so the database keeps it apart from
reservations.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.booking import Slot
from fabctl.model.notice import Code
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.workshop_sessions import (
    SessionFacts,
    series_refusals,
    session_refusals,
    session_slot,
    weekly,
)
from fabctl.model.workshops import (
    HOLDS_A_PLACE,
    EnrolmentState,
    session_full,
)
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.rights import require_reason, require_workshop_staff
from fabctl.services.session_claims import (
    busy_names,
    claim_for,
    free_claims,
    locked,
    taken,
)
from fabctl.services.session_notices import tell_all
from fabctl.services.waiting_places import promote
from fabctl.services.workshops import (
    HELD,
    SessionView,
    counted,
    session_row,
    view_session,
    workshop_row,
)
from fabctl.store.ids import new_id
from fabctl.store.tables_workshops import (
    Enrolment,
    SessionAnimator,
    WorkshopSession,
)


@dataclass(frozen=True, slots=True)
class RefusedDate:
    """A date of a series that cannot be, and why."""

    day: date
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class SeriesReport:
    """What became of a series."""

    made: tuple[SessionView, ...]
    refused: tuple[RefusedDate, ...]


def schedule(
    session: Session,
    clock: Clock,
    *,
    workshop_id: str,
    slot: Slot,
    resource_ids: Iterable[str] = (),
    animators: Iterable[str] = (),
    places: int | None = None,
    by: str | None,
) -> SessionView:
    """Put a session on, and claim the machines and spaces it uses.

    :param places: None: as many as the workshop has.
    :raises RefusedError: session-over, session-length, places-impossible, overlap, staff-only.
    :raises UnknownIdError: no such workshop, machine or person.
    """
    require_workshop_staff(session, by)
    machines = locked(session, resource_ids)
    count = workshop_row(session, workshop_id).places if places is None else places
    if refusals := _refusals(session, clock, slot, count, machines):
        raise RefusedError(refusals)
    row = _write(session, workshop_id, slot, count, machines, list(animators))
    _audit_made(session, clock, row, machines, by)
    return view_session(session, row)


def schedule_weekly(  # noqa: PLR0913  # what a poster of a series says
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    workshop_id: str,
    first: date,
    until: date,
    starts: time,
    ends: time,
    resource_ids: Iterable[str] = (),
    animators: Iterable[str] = (),
    places: int | None = None,
    skip_refused: bool = False,
    by: str | None,
) -> SeriesReport:
    """Put a session on every week, at the same time by the lab's clocks.

    :param skip_refused: put the others on when some dates cannot be; else nothing is put on.
    :raises RefusedError: series-length, staff-only.
    :raises UnknownIdError: no such workshop, machine or person.
    """
    require_workshop_staff(session, by)
    dates = weekly(first, until)
    if refusals := series_refusals(len(dates)):
        raise RefusedError(refusals)
    machines, leaders = locked(session, resource_ids), list(animators)
    count = workshop_row(session, workshop_id).places if places is None else places
    slots = {day: session_slot(day, starts, ends, zone) for day in dates}
    refused = {
        day: tuple(found)
        for day, slot in slots.items()
        if (found := _refusals(session, clock, slot, count, machines))
    }
    report = tuple(RefusedDate(day, why) for day, why in refused.items())
    if refused and not skip_refused:
        return SeriesReport((), report)
    series_id, made = new_id(), []
    for day, slot in slots.items():
        if day not in refused:
            row = _write(session, workshop_id, slot, count, machines, leaders, series_id)
            _audit_made(session, clock, row, machines, by)
            made.append(view_session(session, row))
    return SeriesReport(tuple(made), report)


def set_places(
    session: Session, clock: Clock, *, session_id: str, places: int, by: str | None
) -> SessionView:
    """Change how many places a session has; those who wait are offered what became free.

    :raises RefusedError: session-full (more people hold one), places-impossible, staff-only.
    """
    require_workshop_staff(session, by)
    row = session_row(session, session_id, lock=True)
    facts = SessionFacts(clock.now(), Slot(row.start_at, row.end_at), places)
    refusals = session_refusals(facts)
    if places < counted(session, session_id, HELD):
        refusals.append(session_full())
    if refusals:
        raise RefusedError(refusals)
    row.places = places
    audit(session, clock, by, "session.places", f"session:{session_id}", {"places": places})
    session.flush()
    promote(session, clock, session_id=session_id)
    return view_session(session, row)


def cancel_session(
    session: Session, clock: Clock, *, session_id: str, reason: str, by: str | None
) -> list[str]:
    """Cancel a session: its claims are free, its machines closed, its enrolments ended.

    :return: the ids of the people who lost their place; they are told.
    :raises RefusedError: staff-only.
    :raises InputError: no reason was given.
    """
    require_workshop_staff(session, by)
    said, now = require_reason(reason), clock.now()
    row = session_row(session, session_id, lock=True)
    if row.cancelled_at is not None:
        return []
    row.cancelled_at, row.cancelled_reason = now, said
    free_claims(session, clock, session_id)
    told = []
    enrolled = session.scalars(live_enrolments(session_id)).all()
    for one in enrolled:
        one.state, one.accept_by = EnrolmentState.CANCELLED.value, None
        one.ended_at = now
        told += [one.person_id] if one.person_id else []
    audit(session, clock, by, "session.cancelled", f"session:{session_id}", {"reason": said})
    session.flush()
    code = Code.SESSION_CANCELLED
    tell_all(session, clock, code, session_id, enrolled, by=by, words=said)
    return told


def live_enrolments(session_id: str) -> Select[Enrolment]:
    """Return the query for those who hold a place, or wait for one. For services only."""
    live = [*HOLDS_A_PLACE, EnrolmentState.WAITING]
    query = select(Enrolment).where(Enrolment.session_id == session_id, Enrolment.state.in_(live))
    return query.order_by(Enrolment.rank, Enrolment.id)


def _refusals(
    session: Session, clock: Clock, slot: Slot, places: int, machines: Sequence[str]
) -> list[Refusal]:
    found = taken(session, slot, machines, None)
    busy = busy_names(session, dict.fromkeys(machines, slot), None) if found else []
    return session_refusals(SessionFacts(clock.now(), slot, places, found, busy=busy))


def _write(
    session: Session,
    workshop_id: str,
    slot: Slot,
    places: int,
    machines: Sequence[str],
    animators: Sequence[str],
    series_id: str | None = None,
) -> WorkshopSession:
    row = WorkshopSession(
        id=new_id(),
        workshop_id=workshop_id,
        series_id=series_id,
        start_at=slot.start,
        end_at=slot.end,
        places=places,
    )
    session.add(row)
    session.flush()
    claim_for(session, row, machines)
    for person_id in dict.fromkeys(animators):
        lookups.person(session, person_id)
        session.add(SessionAnimator(session_id=row.id, person_id=person_id))
    session.flush()
    return row


def _audit_made(
    session: Session, clock: Clock, row: WorkshopSession, machines: Sequence[str], by: str | None
) -> None:
    details = {
        "workshop": row.workshop_id,
        "start": row.start_at.isoformat(),
        "end": row.end_at.isoformat(),
        "resources": list(machines),
    }
    audit(session, clock, by, "session.scheduled", f"session:{row.id}", details)
