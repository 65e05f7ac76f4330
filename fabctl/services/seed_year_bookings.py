"""The reservations of a seeded lab, each where nothing else is, and the uses that came of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from fabctl.services.seed_year_lab import CLOSES, WEEK, Place, clean_up
from fabctl.services.seed_year_people import Crowd, Row, Sown, new_id

Taken = Mapping[tuple[str, date], Sequence[tuple[datetime, datetime]]]

_LENGTHS = (30, 60, 60, 90, 90, 120, 120, 180)
"""Minutes."""
_STEP = 30


@dataclass(frozen=True, slots=True)
class Free:
    """A slot that could be booked."""

    day: date
    start: datetime
    end: datetime
    place: Place


@dataclass(frozen=True, slots=True)
class Bookings:
    """The rows, by table."""

    claim: list[Row]
    reservation: list[Row]
    use: list[Row]
    audit: list[Row]


def slots(
    rng: Random, days: Sequence[date], places: Sequence[Place], zone: ZoneInfo, taken: Taken
) -> Iterator[Free]:
    """Yield slots that are in nobody's way, nor in that of the sessions in the same room."""
    favour = {place.id: rng.uniform(0.25, 1.5) for place in places}
    for day in days:
        for opens, closes in WEEK.get(day.weekday(), ()):
            midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
            for place in places:
                busy = taken.get((place.room, day), ())
                yield from _of_day(rng, Free(day, midnight, midnight, place), opens, closes, busy,
                                   favour[place.id])  # fmt: skip


def _of_day(  # one place on one day
    rng: Random,
    at: Free,
    opens: int,
    closes: int,
    busy: Sequence[tuple[datetime, datetime]],
    favour: float,
) -> Iterator[Free]:
    begins = opens + _STEP * int(rng.expovariate(1 / favour))
    after = clean_up(at.place)
    pause = _STEP if after else 0
    while begins < min(closes, CLOSES):
        length = min(rng.choice(_LENGTHS), closes - begins)
        start = at.start.replace(hour=begins // 60, minute=begins % 60)
        end = start + timedelta(minutes=length)
        if not any(start < last and first < end + after for first, last in busy):
            yield Free(at.day, start, end, at.place)
        begins += length + pause + _STEP * int(rng.expovariate(1 / favour))


def reservations(rng: Random, wanted: Sequence[Free], crowd: Crowd, now: datetime) -> Bookings:
    """Give every slot to somebody, nobody more than one a day, and say what became of it."""
    found = Bookings([], [], [], [])
    day, came = None, set[str]()
    for slot in sorted(wanted, key=lambda one: (one.start, one.place.id)):
        if slot.day != day:
            day, came = slot.day, set()
        who = _somebody(rng, slot, crowd, came)
        came.add(who.id)
        _book(rng, found, slot, who, now)
    return found


def _somebody(rng: Random, slot: Free, crowd: Crowd, came: set[str]) -> Sown:
    category = slot.place.category if slot.place.machine else ""
    for _ in range(200):
        who = crowd.somebody(rng, category)
        if who.id not in came and who.since < slot.start:
            return who
    people, _ = crowd.skilled[category]
    return next(one for one in people if one.id not in came)


def _book(rng: Random, found: Bookings, slot: Free, who: Sown, now: datetime) -> None:
    claim_id, reservation_id = new_id(rng), new_id(rng)
    made = max(who.since, slot.start - timedelta(minutes=rng.randint(20, 14 * 24 * 60)))
    made = min(made, now, slot.start)
    row: Row = {
        "id": reservation_id, "claim_id": claim_id, "person_id": who.id,
        "account_id": who.account_id, "made_by": who.id, "created_at": made,
        "cancelled_at": None, "cancelled_by": None, "checked_in_at": None, "no_show_at": None,
        "stopped_at": None, "series_id": None,
    }  # fmt: skip
    released = end = None
    fate = rng.random()
    if fate < 0.07 and made < slot.start:
        released = row["cancelled_at"] = min(made + (slot.start - made) * rng.random(), now)
        row["cancelled_by"] = who.id
    elif slot.start < now:
        end = _happened(rng, found, slot, who, row, now)
        released = row["no_show_at"]
    after = clean_up(slot.place)
    ends = end or slot.end
    found.claim.append({
        "id": claim_id, "resource_id": slot.place.id, "kind": "reservation",
        "start_at": slot.start, "end_at": ends, "free_at": ends + after if after else None,
        "released_at": released,
    })  # fmt: skip
    found.reservation.append(row)
    found.audit.append({
        "at": made, "who": who.id, "what": "reservation.made",
        "subject": f"reservation:{reservation_id}",
        "details": {"resource": slot.place.id, "start": slot.start.isoformat(),
                    "end": slot.end.isoformat()},
    })  # fmt: skip


def _happened(
    rng: Random, found: Bookings, slot: Free, who: Sown, row: Row, now: datetime
) -> datetime | None:
    """Let somebody come or not; return when they stopped, where that was before the end."""
    if rng.random() < 0.045 and slot.start + timedelta(minutes=15) < now:
        row["no_show_at"] = slot.start + timedelta(minutes=15)
        return None
    came = slot.start + timedelta(minutes=rng.randint(0, 9))
    row["checked_in_at"] = came
    end = slot.end
    if rng.random() < 0.12:
        end = came + (slot.end - came) * rng.uniform(0.4, 0.9)
        if end < now:
            row["stopped_at"] = end
        else:
            end = slot.end
    if slot.place.machine and end < now:
        ran = (end - came).total_seconds() * rng.uniform(0.5, 0.95)
        found.use.append({
            "id": new_id(rng), "resource_id": slot.place.id, "person_id": who.id,
            "account_id": who.account_id, "reservation_id": row["id"], "job_id": None,
            "opened_at": came, "closed_at": end,
            "outcome": rng.choices(("finished", "stopped", "failed"), (90, 7, 3))[0],
            "ran_s": round(ran, 1) if slot.place.category == "laser" else None,
        })  # fmt: skip
    return end if row["stopped_at"] else None
