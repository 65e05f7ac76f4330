"""May this person use this machine now? One answer for screens, the API, a start and permits."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model import access as rules
from fabctl.model.access import Condition, Holder, UseFacts
from fabctl.model.access_house import HouseFacts
from fabctl.model.booking_facts import ClaimKind
from fabctl.model.booking_slots import Slot
from fabctl.model.certification import Standing
from fabctl.model.group_use import GroupFacts
from fabctl.model.person_rights import rights_on
from fabctl.services import accounts, bookings, lookups, opening, person_rights, presence
from fabctl.services.births import birth_of
from fabctl.services.booking_record import ReservationView
from fabctl.services.bookings import MOMENT
from fabctl.services.certifications import standing_at
from fabctl.services.gathering import taken_around
from fabctl.services.group_use import group_facts, trainer_here
from fabctl.services.participants import consents_of
from fabctl.services.policies import all_policies, rules_of
from fabctl.services.stops import stop_of
from fabctl.store.tables import Account, Resource, Use

__all__ = ["Condition", "charged_to", "held_now", "may_go_on", "may_use"]

_NOT_SOMEBODYS = frozenset({ClaimKind.CLOSURE, ClaimKind.MAINTENANCE})
"""Claims that have words of their own."""


def may_use(  # who, what, and what the machine says
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    person_id: str,
    resource_id: str,
    machine_state: str,
) -> list[Condition]:
    """Return every condition with met True, False or None (nobody knows); only all True permits.

    :param zone: the lab's, for opening hours and ages.
    :param machine_state: as the machine says it (``MachineView.state``), ``unknown`` when old.
    :raises UnknownIdError: no such person or machine.
    """
    return rules.conditions(_facts(session, clock, zone, person_id, resource_id, machine_state))


def may_go_on(
    session: Session, clock: Clock, zone: ZoneInfo, *, person_id: str, resource_id: str
) -> list[Condition]:
    """Return every condition of a use that has begun; all of them True lets it go on.

    It is the same answer as :func:`may_use`, without what the machine is doing.

    :raises UnknownIdError: no such person or machine.
    """
    facts = _facts(session, clock, zone, person_id, resource_id, "unknown")
    return rules.conditions_to_go_on(facts)


def held_now(
    session: Session, clock: Clock, *, person_id: str, resource_id: str
) -> ReservationView | None:
    """Return the reservation by which a person has a machine at this moment; None: there is none.

    It is theirs, or a group's for which they act; holding what a machine is within is holding it.
    """
    held = bookings.current(session, clock, resource_id=resource_id)
    if held is None or held.person_id == person_id:
        return held
    acts = accounts.acts_for(session, held.account_id, person_id)
    return held if acts else None


def charged_to(session: Session, person_id: str, held: ReservationView | None) -> str:
    """Return the account that a use is counted on: the reservation's, else the person's own."""
    return held.account_id if held else lookups.own_account(session, person_id).id


def _facts(  # who, what, and what the machine says
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    person_id: str,
    resource_id: str,
    machine_state: str,
) -> UseFacts:
    account = lookups.own_account(session, lookups.person(session, person_id).id)
    resource, now = lookups.resource(session, resource_id), clock.now()
    standing = standing_at(session, person_id, resource_id, now)
    group = group_facts(session, now, person_id=person_id, resource_id=resource_id)
    held = held_now(session, clock, person_id=person_id, resource_id=resource_id)
    stop = stop_of(session, resource)
    house = _house(session, clock, zone, person_id, resource, group, held)
    return UseFacts(
        account_suspended=account.suspended_at is not None,
        group_suspended=held is not None and _suspended(session, held.account_id),
        certification=standing,
        holder=_holder(group, held, house),
        out_of_order=stop is not None,
        stop=stop,
        open_use=_open_use(session, person_id, resource_id),
        machine_state=machine_state,
        house=house,
        trainer_here=standing is Standing.SUPERVISED
        and trainer_here(session, now, person_id=person_id, resource_id=resource_id),
        group=group,
    )


def _house(  # who, what, and by what right
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    person_id: str,
    resource: Resource,
    group: GroupFacts | None,
    held: ReservationView | None,
) -> HouseFacts:
    now, policies = clock.now(), all_policies(session)
    at_once = Slot(now, now + MOMENT)
    tree = {row.id: row for row in session.scalars(select(Resource))}
    spans = opening.spans_for(session, zone, [resource], tree, policies, at_once)
    claims = taken_around(session, resource, at_once)
    rights = person_rights.held_by(session, person_id=person_id)
    lent = group is not None and group.lends_the_machine
    return HouseFacts(
        now=now,
        zone=zone,
        rules=rules_of(policies, resource),
        open=spans[resource.id],
        claims=frozenset(one.kind for one in claims),
        rights=rights_on(rights, now, resource.id, resource.category),
        let_in=lent or (held is not None and held.outside_hours),
        in_lab=len(presence.in_lab(session, now) | {person_id}),
        birth=birth_of(session, person_id),
        consents=consents_of(session, person_id),
    )


def _holder(group: GroupFacts | None, held: ReservationView | None, house: HouseFacts) -> Holder:
    if held is not None or (group is not None and group.lends_the_machine):
        return Holder.THIS_PERSON
    return Holder.SOMEBODY_ELSE if house.claims - _NOT_SOMEBODYS else Holder.NOBODY


def _suspended(session: Session, account_id: str) -> bool:
    account = session.get_one(Account, account_id)
    return account.group_kind is not None and account.suspended_at is not None


def _open_use(session: Session, person_id: str, resource_id: str) -> bool:
    """Say whether the machine is taken. A person's own use without a job is theirs to work in."""
    query = select(Use).where(Use.resource_id == resource_id, Use.closed_at.is_(None))
    use = session.scalars(query).first()
    return use is not None and (use.job_id is not None or use.person_id != person_id)
