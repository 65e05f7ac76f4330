"""A year of a lab's life, for demos and benchmarks: the same from the same seed and day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from fabctl.clock import ManualClock
from fabctl.errors import LocalError
from fabctl.services import seed_year_bookings, seed_year_sessions
from fabctl.services.opening import french_holidays
from fabctl.services.seed_year_lab import WEEK, Place, furnish
from fabctl.services.seed_year_people import Crowd, Row, crowd
from fabctl.services.seed_year_sessions import Guests, Meetings
from fabctl.store.metadata import METADATA
from fabctl.store.tables import Person

AHEAD = timedelta(days=28)
"""So much of the last year is still to come."""
_ORDER = (
    "person", "account", "certification", "guardianship", "consent_form", "workshop",
    "workshop_session", "claim", "session_claim", "session_animator", "enrolment",
    "attendance_mark", "certificate", "reservation", "use", "audit",
)  # fmt: skip
_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything, and from when to when."""

    today: date
    seed: int = 1
    years: int = 1
    people: int = 3000
    reservations: int = 30_000
    """A year."""
    sessions: int = 300
    """A year."""
    more_people: int = 1000
    """For every further year."""

    @property
    def first(self) -> date:
        """The first day."""
        return self.today + AHEAD - timedelta(days=365 * self.years)


@dataclass(slots=True)
class Sown:
    """How many rows of which table were written."""

    rows: dict[str, int] = field(default_factory=dict)


def seed_year(session: Session, zone: ZoneInfo, plan: Plan, *, by: str) -> Sown:
    """Fill a lab whose machines are on record and that has no people yet.

    :param by: for the audit, ``shell:…``.
    :raises LocalError: the lab has people already, or too little room for so many reservations.
    """
    if session.scalars(select(Person.id).limit(1)).first() is not None:
        raise LocalError(
            "this lab has people already", next_step="name the lab.toml of a lab without any"
        )
    rng = Random(plan.seed)  # noqa: S311  # the same every time is what is wanted
    now = datetime.combine(plan.today, time(12), zone)
    began = datetime.combine(plan.first, time(8), zone)
    places = furnish(session, ManualClock(began), by)
    session.flush()
    people = plan.people + plan.more_people * (plan.years - 1)
    everybody = crowd(rng, plan.first, plan.today, people, places)
    done = Sown()
    _write(session, everybody.rows, done)
    shops = seed_year_sessions.workshops(rng, began)
    _write(session, {"workshop": shops}, done)
    for year in range(plan.years):
        _year(session, rng, zone, _Year(plan, year, now, places, everybody, shops), done)
    return done


@dataclass(frozen=True, slots=True)
class _Year:
    plan: Plan
    number: int
    now: datetime
    places: Sequence[Place]
    everybody: Crowd
    shops: Sequence[Row]

    def days(self) -> list[date]:
        """Return the days on which the lab is open."""
        first = self.plan.first + timedelta(days=365 * self.number)
        every = (first + timedelta(days=ahead) for ahead in range(365))
        return [day for day in every if day.weekday() in WEEK and not _is_holiday(day)]


def _is_holiday(day: date) -> bool:
    return day in french_holidays(day.year)


def _year(session: Session, rng: Random, zone: ZoneInfo, year: _Year, done: Sown) -> None:
    """Write one year: its sessions first, for they take whole rooms; reservations around them."""
    days, plan = year.days(), year.plan
    guests = Guests.of(year.everybody, days[len(days) // 2].year)
    held = Meetings()
    seed_year_sessions.sessions(rng, days, plan.sessions, zone, year.now, year.shops, guests, held)
    free = list(seed_year_bookings.slots(rng, days, year.places, zone, held.taken))
    if len(free) < plan.reservations:
        raise LocalError(f"{len(year.places)} places have room for {len(free)} reservations only")
    wanted = rng.sample(free, plan.reservations)
    made = seed_year_bookings.reservations(rng, wanted, year.everybody, year.now)
    _write(session, held.rows, done)
    booked = {"claim": made.claim, "reservation": made.reservation, "use": made.use}
    _write(session, {**booked, "audit": made.audit}, done)


def _write(session: Session, rows: dict[str, list[Row]], done: Sown) -> None:
    for table in (name for name in _ORDER if name in rows):
        for some in _portions(rows[table]):
            session.execute(insert(METADATA.tables[table]), some)
        done.rows[table] = done.rows.get(table, 0) + len(rows[table])


def _portions(rows: list[Row]) -> Iterable[list[Row]]:
    return (rows[at : at + _AT_ONCE] for at in range(0, len(rows), _AT_ONCE))
