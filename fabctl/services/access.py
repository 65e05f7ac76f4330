"""May this person use this machine now?"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model import access as rules
from fabctl.model.access import Condition, Holder, UseFacts
from fabctl.model.booking_slots import Slot
from fabctl.model.certification import Standing
from fabctl.model.group_use import GroupFacts
from fabctl.services import bookings, lookups
from fabctl.services.bookings import MOMENT
from fabctl.services.certifications import standing_at
from fabctl.services.gathering import taken_around
from fabctl.services.group_use import group_facts, trainer_here
from fabctl.services.stops import stop_of
from fabctl.store.tables import Use

__all__ = ["Condition", "may_go_on", "may_use"]


def may_use(
    session: Session, clock: Clock, *, person_id: str, resource_id: str, machine_state: str
) -> list[Condition]:
    """Return every condition with met True, False or None (nobody knows); only all True permits.

    :param machine_state: as the machine says it (``MachineView.state``), ``unknown`` when old.
    :raises UnknownIdError: no such person or machine.
    """
    return rules.conditions(_facts(session, clock, person_id, resource_id, machine_state))


def may_go_on(
    session: Session, clock: Clock, *, person_id: str, resource_id: str
) -> list[Condition]:
    """Return every condition of a use that has begun; all of them True lets it go on.

    It is the same answer as :func:`may_use`, without what the machine is doing.

    :raises UnknownIdError: no such person or machine.
    """
    return rules.conditions_to_go_on(_facts(session, clock, person_id, resource_id, "unknown"))


def _facts(
    session: Session, clock: Clock, person_id: str, resource_id: str, machine_state: str
) -> UseFacts:
    account = lookups.own_account(session, lookups.person(session, person_id).id)
    resource, now = lookups.resource(session, resource_id), clock.now()
    standing = standing_at(session, person_id, resource_id, now)
    group = group_facts(session, now, person_id=person_id, resource_id=resource_id)
    stop = stop_of(session, resource)
    return UseFacts(
        account_suspended=account.suspended_at is not None,
        certification=standing,
        holder=_holder(session, clock, person_id, resource_id, group),
        out_of_order=stop is not None,
        stop=stop,
        open_use=_open_use(session, person_id, resource_id),
        machine_state=machine_state,
        trainer_here=standing is Standing.SUPERVISED
        and trainer_here(session, now, person_id=person_id, resource_id=resource_id),
        group=group,
    )


def _holder(
    session: Session, clock: Clock, person_id: str, resource_id: str, group: GroupFacts | None
) -> Holder:
    """Say who has the machine now; holding what it is within is holding it too."""
    if group is not None and group.lends_the_machine:
        return Holder.THIS_PERSON
    held = bookings.current(session, clock, resource_id=resource_id)
    if held is not None and held.person_id == person_id:
        return Holder.THIS_PERSON
    now = clock.now()
    at_once = Slot(now, now + MOMENT)
    taken = taken_around(session, lookups.resource(session, resource_id), at_once)
    return Holder.SOMEBODY_ELSE if taken else Holder.NOBODY


def _open_use(session: Session, person_id: str, resource_id: str) -> bool:
    """Say whether the machine is taken. A person's own use without a job is theirs to work in."""
    query = select(Use).where(Use.resource_id == resource_id, Use.closed_at.is_(None))
    use = session.scalars(query).first()
    return use is not None and (use.job_id is not None or use.person_id != person_id)
