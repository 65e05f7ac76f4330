"""Changing a session that is planned: when it is, what it uses, who leads it.

A change is one step: where anything of it is refused, the session stays as it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.booking import Slot
from fabctl.model.booking_facts import ResourceKind
from fabctl.model.notice import Code
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.workshop_sessions import SessionFacts, session_over, session_refusals
from fabctl.model.workshops import session_cancelled
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.group_use import claims_machine
from fabctl.services.places import lock_tree
from fabctl.services.rights import require_workshop_staff
from fabctl.services.session_claims import (
    busy_names,
    claim_for,
    claims_of,
    close_machines,
    locked,
    taken,
)
from fabctl.services.session_notices import tell_all
from fabctl.services.sessions import live_enrolments
from fabctl.services.workshops import SessionView, session_row, view_session
from fabctl.store.tables import Claim, Resource
from fabctl.store.tables_workshops import (
    SessionAnimator,
    SessionClaim,
    SessionOpening,
    WorkshopSession,
)


def change(
    session: Session,
    clock: Clock,
    *,
    session_id: str,
    slot: Slot | None = None,
    resource_ids: Iterable[str] | None = None,
    animators: Iterable[str] | None = None,
    by: str | None,
) -> SessionView:
    """Change a session; None: this stays. Those who have a place, or wait for one, and those who
    lead it are told of another time and of another place.

    Machines close for the group that it claims no more, and all of them when it begins at another
    time. What it uses from now on is claimed from now on.

    :param resource_ids: all that it uses then.
    :param animators: all who lead it then.
    :raises RefusedError: session-over, session-length, session-cancelled, overlap, staff-only.
    :raises UnknownIdError: no such session, machine or person.
    """
    require_workshop_staff(session, by)
    row = session_row(session, session_id, lock=True)
    before = view_session(session, row)
    wanted = slot or before.slot
    uses = before.resource_ids if resource_ids is None else tuple(resource_ids)
    machines = list(uses)
    if slot is not None or resource_ids is not None:
        lock_tree(session, *before.resource_ids, *uses)
        machines = locked(session, uses)
    planned = wanted != before.slot or set(machines) != set(before.resource_ids)
    if refusals := _refusals(session, clock, row, wanted, machines, planned=planned):
        raise RefusedError(refusals)
    if planned:
        _claim_anew(session, clock, row, wanted, machines)
    leaders = before.animators if animators is None else tuple(dict.fromkeys(animators))
    _lead(session, row, before.animators, leaders)
    after = view_session(session, row)
    _put_on_record(session, clock, before, after, by)
    _tell(session, clock, before, after, by)
    return after


def _refusals(
    session: Session,
    clock: Clock,
    row: WorkshopSession,
    wanted: Slot,
    machines: Sequence[str],
    *,
    planned: bool,
) -> list[Refusal]:
    found = [session_cancelled()] if row.cancelled_at is not None else []
    if not planned:
        return found
    if row.end_at <= clock.now():
        return [*found, session_over()]
    held = {claim.resource_id: claim for claim in claims_of(session, row.id)}
    windows = {one: _window(clock, row, wanted, held.get(one)) for one in machines}
    found += session_refusals(
        SessionFacts(
            clock.now(),
            wanted,
            row.places,
            [
                one
                for machine in machines
                for one in taken(session, windows[machine], [machine], row.id)
            ],
            busy=busy_names(session, windows, row.id),
        )
    )
    return found


def _window(clock: Clock, row: WorkshopSession, wanted: Slot, held: Claim | None) -> Slot:
    """Return for how long a session claims a machine: what is past is not claimed any more."""
    if held is None:
        return Slot(max(clock.now(), wanted.start), wanted.end)
    return Slot(held.start_at if wanted.start == row.start_at else wanted.start, wanted.end)


def _claim_anew(
    session: Session, clock: Clock, row: WorkshopSession, wanted: Slot, machines: Sequence[str]
) -> None:
    """Let go what it uses no more, move what it keeps, claim what is new: in this order."""
    held = {claim.resource_id: claim for claim in claims_of(session, row.id)}
    for resource_id in held.keys() - set(machines):
        _let_go(session, clock, held[resource_id])
    session.flush()
    kept = [held[one] for one in machines if one in held]
    windows = {claim.id: _window(clock, row, wanted, claim) for claim in kept}
    moved = wanted.start != row.start_at
    row.start_at, row.end_at = wanted.start, wanted.end
    for claim in kept:
        claim.start_at, claim.end_at = windows[claim.id].start, windows[claim.id].end
    session.flush()
    since = max(clock.now(), wanted.start)
    claim_for(session, row, [one for one in machines if one not in held], since)
    session.flush()
    if moved:
        close_machines(session, clock, row.id)
    else:
        _close_unclaimed(session, row.id, clock.now())


def _let_go(session: Session, clock: Clock, claim: Claim) -> None:
    """End a claim now; what was used of it stays on record, but is the session's no more."""
    session.execute(delete(SessionClaim).where(SessionClaim.claim_id == claim.id))
    now = clock.now()
    if claim.start_at >= now:
        claim.released_at = now
    else:
        claim.end_at = min(claim.end_at, now)


def _close_unclaimed(session: Session, session_id: str, now: datetime) -> None:
    query = select(SessionOpening).where(
        SessionOpening.session_id == session_id, SessionOpening.closed_at.is_(None)
    )
    for opening in session.scalars(query).all():
        if not claims_machine(session, session_id, opening.resource_id):
            opening.closed_at = now


def _lead(
    session: Session, row: WorkshopSession, before: Collection[str], after: Collection[str]
) -> None:
    gone = sorted(set(before) - set(after))
    session.execute(
        delete(SessionAnimator).where(
            SessionAnimator.session_id == row.id, SessionAnimator.person_id.in_(gone)
        )
    )
    for person_id in after:
        if person_id not in before:
            lookups.person(session, person_id)
            session.add(SessionAnimator(session_id=row.id, person_id=person_id))
    session.flush()


def _put_on_record(
    session: Session, clock: Clock, before: SessionView, after: SessionView, by: str | None
) -> None:
    subject = f"session:{after.id}"
    if after.slot != before.slot:
        details = {"start": after.start.isoformat(), "end": after.end.isoformat()}
        audit(session, clock, by, "session.moved", subject, details)
    lists: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "resources": (before.resource_ids, after.resource_ids),
        "animators": (before.animators, after.animators),
    }
    changed = {name: list(now) for name, (was, now) in lists.items() if was != now}
    if changed:
        audit(session, clock, by, "session.changed", subject, changed)
    session.flush()


def _tell(
    session: Session, clock: Clock, before: SessionView, after: SessionView, by: str | None
) -> None:
    codes = [Code.SESSION_MOVED] if after.slot != before.slot else []
    if _where(session, after.resource_ids) != _where(session, before.resource_ids):
        codes.append(Code.SESSION_ELSEWHERE)
    for code in codes:
        live = session.scalars(live_enrolments(after.id)).all()
        tell_all(session, clock, code, after.id, live, by=by)


def _where(session: Session, resource_ids: Iterable[str]) -> set[str]:
    """Return the spaces that a session is in; a machine is where it stands."""
    rows = [session.get_one(Resource, one) for one in resource_ids]
    spaces = {row.id if row.kind == ResourceKind.SPACE else row.parent_id for row in rows}
    return {one for one in spaces if one is not None}
