"""Enrolments: taking a place, waiting for one, giving it back; partners name theirs later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import InputError, UnknownIdError
from fabctl.model.booking import Slot
from fabctl.model.booking_refusals import account_refusal
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.workshop_sessions import MOST_PLACES
from fabctl.model.workshops import (
    LIVE,
    EnrolmentFacts,
    EnrolmentState,
    Via,
    answer_refusals,
    cancel_refusals,
    enrolment_refusals,
    not_yours,
    takes_places,
)
from fabctl.services.audit import audit
from fabctl.services.enrolment_facts import (
    acts_for_partner,
    facts_of,
    may_answer,
    may_name,
    refusals_of,
    via_of,
)
from fabctl.services.enrolment_lists import EnrolmentView, enrolment_row, view_enrolment
from fabctl.services.rights import require_reason, runs_workshops
from fabctl.services.waiting_places import promote
from fabctl.services.workshops import HELD, counted, session_row
from fabctl.store.ids import new_id
from fabctl.store.tables import Account
from fabctl.store.tables_workshops import Enrolment, EnrolmentNeeds, WorkshopSession


def enrol(
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    session_id: str,
    person_ids: Sequence[str],
    by: str,
    override: str | None = None,
) -> list[EnrolmentView]:
    """Give people a place, or one on the waiting list: all of them together, or none.

    :param person_ids: one; or siblings and friends who are placed together or not at all.
    :param override: the staff's reason to let them in against age range or prerequisites.
    :raises RefusedError: every reason against any of them; nothing was changed.
    :raises UnknownIdError: no such session or person.
    """
    wanted = list(dict.fromkeys(person_ids))
    if not 1 <= len(wanted) <= MOST_PLACES:
        raise InputError("one person at least is enrolled", limit=f"1 to {MOST_PLACES}")
    row = session_row(session, session_id, lock=True)
    reason = require_reason(override) if override is not None else None
    found = [
        refusal
        for person_id in wanted
        for refusal in refusals_of(
            session, clock, zone, row, person_id, by, overridden=bool(reason)
        )
    ]
    if found:
        raise RefusedError(_each_once(found))
    places = [
        (person_id, via_of(session, clock, person_id, by) or Via.SELF) for person_id in wanted
    ]
    return _placed(session, clock, row, places, by, reason)


def _each_once(refusals: Iterable[Refusal]) -> list[Refusal]:
    """Return the refusals of a party, those that sound the same once."""
    return list({(one.code, str(one.message)): one for one in refusals}.values())


def hold_places(
    session: Session,
    clock: Clock,
    *,
    session_id: str,
    partner_id: str,
    count: int,
    by: str,
    override: str | None = None,
) -> list[EnrolmentView]:
    """Hold places for a partner, who gives the names later; together or not at all.

    :param count: 1 to 500.
    :param override: the staff's reason to hold them for a suspended group.
    :raises RefusedError: not-yours, account-suspended, session-over, session-begun,
        session-cancelled.
    :raises UnknownIdError: no such session or partner.
    """
    if not 1 <= count <= MOST_PLACES:
        raise InputError("no partner holds so many places", limit=f"1 to {MOST_PLACES}")
    row = session_row(session, session_id, lock=True)
    partner = session.get(Account, partner_id)
    if partner is None or partner.person_id is not None:
        raise UnknownIdError(f"there is no partner {partner_id!r}")
    reason = require_reason(override) if override is not None else None
    may = runs_workshops(session, by) if reason else acts_for_partner(session, partner_id, by)
    facts = EnrolmentFacts(
        now=clock.now(),
        session=Slot(row.start_at, row.end_at),
        on=clock.now().date(),  # asked of people only, and there are none yet
        may_act=may,
        cancelled=row.cancelled_at is not None,
        via=Via.PARTNER,
    )
    suspended = _suspended(partner) if may and not reason else []
    if refusals := suspended + enrolment_refusals(facts):
        raise RefusedError(refusals)
    unnamed: list[tuple[str | None, Via]] = [(None, Via.PARTNER)] * count
    return _placed(session, clock, row, unnamed, by, reason, partner_id)


def name_place(
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    enrolment_id: str,
    person_id: str,
    by: str,
    override: str | None = None,
) -> EnrolmentView:
    """Give a partner's place its name, or another one while the session has not begun.

    :param override: as for :func:`enrol` and :func:`hold_places`; a partner has none.
    :raises RefusedError: every reason against this person and their partner; of somebody whom
        the caller may not name, not-yours alone.
    """
    one = enrolment_row(session, enrolment_id)
    row = session_row(session, one.session_id, lock=True)
    session.refresh(one)
    reason = require_reason(override) if override is not None else None
    may = runs_workshops(session, by) if reason else True
    if not may or one.partner_id is None or not acts_for_partner(session, one.partner_id, by):
        raise RefusedError([not_yours()])
    if not may_name(session, clock, one.partner_id, person_id, by):
        raise RefusedError([not_yours()])
    if EnrolmentState(one.state) not in LIVE:
        raise RefusedError(cancel_refusals(EnrolmentState(one.state), _slot(row), clock.now()))
    facts = facts_of(session, clock, zone, row, person_id, Via.PARTNER, overridden=bool(reason))
    suspended = [] if reason else _suspended(session.get_one(Account, one.partner_id))
    if refusals := suspended + enrolment_refusals(facts):
        raise RefusedError(refusals)
    one.person_id = person_id
    session.execute(delete(EnrolmentNeeds).where(EnrolmentNeeds.enrolment_id == one.id))
    details = {"person": person_id, "override": reason}
    audit(session, clock, by, "enrolment.named", f"enrolment:{one.id}", details)
    session.flush()
    return view_enrolment(one)


def accept(session: Session, clock: Clock, *, enrolment_id: str, by: str) -> list[EnrolmentView]:
    """Accept an offered place, for the whole party; until the deadline, that moment included.

    :raises RefusedError: not-offered, offer-over, not-yours, account-suspended.
    """
    one = enrolment_row(session, enrolment_id)
    session_row(session, one.session_id, lock=True)
    session.refresh(one)
    if not may_answer(session, clock, one, by):
        raise RefusedError([not_yours()])
    refusals = answer_refusals(EnrolmentState(one.state), one.accept_by, clock.now())
    if one.partner_id is not None:
        refusals += _suspended(session.get_one(Account, one.partner_id))
    if refusals:
        raise RefusedError(refusals)
    rows = [row for row in _party(session, one) if row.state == EnrolmentState.OFFERED.value]
    for row in rows:
        row.state, row.accept_by = EnrolmentState.CONFIRMED.value, None
        audit(session, clock, by, "enrolment.accepted", f"enrolment:{row.id}")
    session.flush()
    return [view_enrolment(row) for row in rows]


def cancel_enrolment(
    session: Session, clock: Clock, *, enrolment_id: str, by: str, whole_party: bool = False
) -> None:
    """Give a place back, or decline one, or leave the waiting list; the next is offered it.

    :param whole_party: for all who are placed together and for whom they may decide.
    :raises RefusedError: already-cancelled, session-over, not-yours.
    """
    one = enrolment_row(session, enrolment_id)
    row = session_row(session, one.session_id, lock=True)
    session.refresh(one)
    if not may_answer(session, clock, one, by):
        raise RefusedError([not_yours()])
    if refusals := cancel_refusals(EnrolmentState(one.state), _slot(row), clock.now()):
        raise RefusedError(refusals)
    for member in _party(session, one) if whole_party else [one]:
        if EnrolmentState(member.state) in LIVE and may_answer(session, clock, member, by):
            member.state, member.accept_by = EnrolmentState.CANCELLED.value, None
            member.ended_at, member.ended_by = clock.now(), by
            audit(session, clock, by, "enrolment.cancelled", f"enrolment:{member.id}")
    session.flush()
    promote(session, clock, session_id=row.id)


# -- inside -----------------------------------------------------------------------------------


def _placed(
    session: Session,
    clock: Clock,
    row: WorkshopSession,
    wanted: Sequence[tuple[str | None, Via]],
    by: str,
    override: str | None,
    partner_id: str | None = None,
) -> list[EnrolmentView]:
    """Write a party's enrolments: confirmed when all fit, else waiting."""
    promote(session, clock, session_id=row.id)  # those who wait come first
    fits = takes_places(len(wanted), row.places - counted(session, row.id, HELD))
    state = EnrolmentState.CONFIRMED if fits else EnrolmentState.WAITING
    last = select(func.max(Enrolment.rank)).where(Enrolment.session_id == row.id)
    rank, party, rows = (session.scalar(last) or 0) + 1, new_id(), []
    for person_id, via in wanted:
        one = Enrolment(
            id=new_id(),
            session_id=row.id,
            person_id=person_id,
            partner_id=partner_id,
            party_id=party,
            via=via.value,
            state=state.value,
            rank=rank,
            made_at=clock.now(),
            made_by=by,
        )
        session.add(one)
        rows.append(one)
        details = {"session": row.id, "state": state.value, "via": via.value, "override": override}
        audit(session, clock, by, "enrolment.made", f"enrolment:{one.id}", details)
    session.flush()
    return [view_enrolment(one) for one in rows]


def _suspended(partner: Account) -> list[Refusal]:
    """Say that a partner takes no places while its account is suspended."""
    return [account_refusal(group=True)] if partner.suspended_at is not None else []


def _party(session: Session, one: Enrolment) -> list[Enrolment]:
    query = select(Enrolment).where(Enrolment.party_id == one.party_id).order_by(Enrolment.id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def _slot(row: WorkshopSession) -> Slot:
    return Slot(row.start_at, row.end_at)
