"""The sessions of a seeded lab: when, where, who came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from fabctl.model.workshops import EnrolmentState, Via
from fabctl.services.seed_year_lab import OFFERS, Offer
from fabctl.services.seed_year_people import Crowd, Row, Sown, new_id

_BEGINS: Mapping[int, Sequence[int]] = {
    0: (18,), 1: (14, 18), 2: (10, 14, 17), 3: (14, 18), 4: (14, 18), 5: (10, 14),
}  # fmt: skip
"""At which full hours sessions begin, by weekday."""
_PARTNERS_SHARE = 0.2


@dataclass(slots=True)
class Meetings:
    """The rows of sessions, by table, and when rooms are taken by them."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    taken: dict[tuple[str, date], list[tuple[datetime, datetime]]] = field(default_factory=dict)

    def add(self, table: str, row: Row) -> None:
        """Keep one row."""
        self.rows.setdefault(table, []).append(row)


@dataclass(frozen=True, slots=True)
class Guests:
    """Who may come to which workshop, by its number; and the lab's own people."""

    crowd: Crowd
    fitting: Sequence[Sequence[Sown]]

    @staticmethod
    def of(crowd: Crowd, year: int) -> Guests:
        """Sort everybody by the ages that workshops are for."""
        return Guests(crowd, [[p for p in crowd.people if _fits(p, one, year)] for one in OFFERS])


def _fits(person: Sown, offer: Offer, year: int) -> bool:
    if person.birth_year is None:
        return offer.ages == (None, None)
    least, most = offer.ages
    # one year on either side: a birthday may be still to come, and the year changes within
    age = year - person.birth_year
    return (least is None or age > least) and (most is None or age < most)


def workshops(rng: Random, began: datetime) -> list[Row]:
    """Return the rows of the workshops on offer."""
    return [
        {
            "id": new_id(rng), "title": one.title, "description": one.description, "bring": "",
            "places": one.places, "price_cents": one.price_cents, "age_least": one.ages[0],
            "age_most": one.ages[1], "accept_hours": 24, "consent_needed": True,
            "course_id": None, "created_at": began, "retired_at": None,
        }
        for one in OFFERS
    ]  # fmt: skip


def sessions(  # all that a year of sessions hangs on
    rng: Random,
    days: Sequence[date],
    many: int,
    zone: ZoneInfo,
    now: datetime,
    shops: Sequence[Row],
    guests: Guests,
    found: Meetings,
) -> None:
    """Draw ``many`` sessions on these days, and put them with all that belongs to them."""
    begins = [(day, hour) for day in days for hour in _BEGINS.get(day.weekday(), ())]
    for day, hour in sorted(rng.sample(begins, many)):
        number = rng.randrange(len(OFFERS))
        offer = OFFERS[number]
        start = datetime(day.year, day.month, day.day, hour, tzinfo=zone)
        slot = (start, start + timedelta(hours=offer.hours))
        busy = found.taken.setdefault((offer.room, day), [])
        if any(slot[0] < end and begin < slot[1] for begin, end in busy):
            offer_free = [n for n, one in enumerate(OFFERS) if (one.room, day) not in found.taken]
            number = rng.choice(offer_free)
            offer = OFFERS[number]
            slot = (start, start + timedelta(hours=offer.hours))
            busy = found.taken.setdefault((offer.room, day), [])
        busy.append(slot)
        _one(rng, found, _Planned(shops[number]["id"], offer, *slot, now), guests, number)


@dataclass(frozen=True, slots=True)
class _Planned:
    workshop_id: str
    offer: Offer
    start: datetime
    end: datetime
    now: datetime

    @property
    def over(self) -> bool:
        return self.end < self.now


def _one(rng: Random, found: Meetings, plan: _Planned, guests: Guests, number: int) -> None:
    session_id, claim_id = new_id(rng), new_id(rng)
    leaders = rng.sample(guests.crowd.staff(), 2)
    found.add("workshop_session", {
        "id": session_id, "workshop_id": plan.workshop_id, "series_id": None,
        "start_at": plan.start, "end_at": plan.end, "places": plan.offer.places,
        "cancelled_at": None, "cancelled_reason": None,
    })  # fmt: skip
    found.add("claim", {
        "id": claim_id, "resource_id": plan.offer.room, "kind": "workshop",
        "start_at": plan.start, "end_at": plan.end, "free_at": None, "released_at": None,
    })  # fmt: skip
    found.add("session_claim", {"claim_id": claim_id, "session_id": session_id})
    for one in leaders:
        found.add("session_animator", {"session_id": session_id, "person_id": one.id})
    there = [p for p in guests.fitting[number] if p.since < plan.start]
    wanted = min(len(there), round(plan.offer.places * rng.uniform(0.55, 1.25)))
    party = _party(rng, guests, plan)
    for rank, person in enumerate(rng.sample(there, wanted), start=1):
        via = _via(person, leaders[0], party if rank <= 5 else None)
        _enrol(rng, found, plan, session_id, rank, person, via, leaders[0])


def _party(rng: Random, guests: Guests, plan: _Planned) -> tuple[str, str] | None:
    """Return a partner and its party's id where a partner takes places, mostly for the young."""
    young = plan.offer.ages[1] is not None
    if rng.random() > _PARTNERS_SHARE * (2 if young else 0.5):
        return None
    return rng.choice(guests.crowd.partners), new_id(rng)


def _via(person: Sown, leader: Sown, party: tuple[str, str] | None) -> Row:
    if party is not None:
        return {"partner_id": party[0], "party_id": party[1], "via": Via.PARTNER.value,
                "made_by": leader.id}  # fmt: skip
    if person.guardian_id:
        via, by = Via.GUARDIAN, person.guardian_id
    elif person.weight:
        via, by = Via.SELF, person.id
    else:
        via, by = Via.STAFF, leader.id
    return {"partner_id": None, "party_id": "", "via": via.value, "made_by": by}


def _enrol(  # one enrolment and all that follows from it
    rng: Random,
    found: Meetings,
    plan: _Planned,
    session_id: str,
    rank: int,
    person: Sown,
    via: Row,
    leader: Sown,
) -> None:
    made = max(person.since, plan.start - timedelta(hours=rng.randint(3, 500)))
    state, ended = EnrolmentState.CONFIRMED, None
    if rank > plan.offer.places:
        state = EnrolmentState.LAPSED if plan.over else EnrolmentState.WAITING
        ended = plan.start if plan.over else None
    elif rng.random() < 0.07:
        state, ended = EnrolmentState.CANCELLED, made + (plan.start - made) / 2
    there = state is EnrolmentState.CONFIRMED and plan.over
    presence = rng.choices(("present", "late", "absent", None), (78, 8, 10, 4))[0]
    came = there and presence in {"present", "late"}
    passed = came and plan.offer.hands_out
    enrolment_id = new_id(rng)
    found.add("enrolment", {
        "id": enrolment_id, "session_id": session_id, "person_id": person.id, **via,
        "party_id": via["party_id"] or new_id(rng), "state": state.value, "rank": rank,
        "accept_by": None, "made_at": made, "ended_at": ended, "ended_by": None,
        "passed_at": plan.end if passed else None, "passed_by": leader.id if passed else None,
    })  # fmt: skip
    if there and presence is not None:
        tapped = plan.start + timedelta(minutes=rng.randint(0, 20))
        found.add("attendance_mark", {
            "id": new_id(rng), "enrolment_id": enrolment_id, "presence": presence,
            "undoes": None, "at": tapped, "recorded_at": tapped, "by": leader.id,
        })  # fmt: skip
    if passed:
        found.add("certificate", {
            "id": new_id(rng), "enrolment_id": enrolment_id, "person_id": person.id,
            "title": plan.offer.title, "issued_at": plan.end, "issued_by": leader.id,
        })  # fmt: skip
