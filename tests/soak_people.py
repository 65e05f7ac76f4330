"""The people of a lab in simulated time: day by day they book, come or do not, print, and go."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from fabctl.model.refusal import RefusedError
from fabctl.services import bookings, changes, presence
from fabctl.services.booking_record import ReservationView
from fabctl.units import Seconds
from tests.soak_week import MOVE_S, PRINTERS, ZONE, Week

OPENS_H, CLOSES_H = 9, 19
COMES, NEVER_COMES = 0.7, 0.85
"""Below the first somebody comes, below the second nobody does, above it they cancel."""
FIXED_S = 150.0
"""Until a printer is hot and its head is home."""
NO_SHOW_S = 17.0 * 60
"""After so long everybody knows who did not come (15 min, and a steward's turn)."""
LATE_S = 240.0
"""So late people come at most."""


class People:
    """Fills the days of a lab; every act is noted in ``week.told``."""

    def __init__(self, week: Week) -> None:
        self.week = week
        self._chance = week.chance
        self._is_over = False

    def live(self, seconds: float, hours: tuple[int, int] = (OPENS_H, CLOSES_H)) -> Iterator[float]:
        """Live for so long; yield the seconds lived after every hour of them."""
        for machine in PRINTERS:
            self._next_slot(machine, hours)
        end = self.week.elapsed_s + seconds
        while self.week.elapsed_s < end - 1e-6:
            self.week.run(min(3600.0, end - self.week.elapsed_s))
            yield self.week.elapsed_s

    def go(self) -> None:
        """Let those who are there finish what they began; nobody comes any more."""
        self._is_over = True
        self.week.run(NO_SHOW_S)
        while self.week.is_working():
            self.week.run(60.0)
        self.week.run(60.0)

    def _next_slot(self, machine: str, hours: tuple[int, int]) -> None:
        """Begin one person's time at a machine now, or when the lab opens; then the next one."""
        if self._is_over:
            return
        wait_s = _until_open(self.week.clock.now(), hours)
        if wait_s:
            self.week.at(wait_s, lambda: self._next_slot(machine, hours))
            return
        minutes = self._chance.randrange(20, 90)
        self._slot(machine, minutes)
        pause_s = 60.0 * (minutes + self._chance.randrange(1, 8))
        self.week.at(pause_s, lambda: self._next_slot(machine, hours))

    def _slot(self, machine: str, minutes: int) -> None:
        week, person = self.week, self._chance.choice(self.week.people)
        start = week.clock.now()
        try:
            with week.database.transaction() as session:
                booked = bookings.book(
                    session, week.clock, ZONE, person_id=person, resource_id=machine,
                    start=start, end=start + timedelta(minutes=minutes), by=person,
                )  # fmt: skip
        except RefusedError as error:
            week.told.refused[error.refusals[0].code] += 1
            return
        week.told.booked += 1
        fate = self._chance.random()
        if fate < COMES:
            late_s = self._chance.uniform(5, LATE_S)
            week.at(late_s, lambda: self._come(machine, booked, 60.0 * minutes - late_s))
        elif fate < NEVER_COMES:
            week.told.never_came.add(booked.id)
        else:
            with week.database.transaction() as session:
                changes.cancel(session, week.clock, ZONE, reservation_id=booked.id, by=person)
            week.told.cancelled += 1

    def _come(self, machine: str, booked: ReservationView, left_s: float) -> None:
        week, person = self.week, booked.person_id
        with week.database.transaction() as session:
            presence.check_in(session, week.clock, person_id=person, by=person)
        week.told.visits += 1
        prints_s = self._chance.uniform(0.2, 0.8) * left_s - FIXED_S
        week.at(left_s, lambda: self._leave(person))
        try:
            job = week.start(machine, person, max(40, round(2 * prints_s / MOVE_S)))
        except RefusedError as error:
            week.told.refused[error.refusals[0].code] += 1
            job = None
        if job is not None:
            self._meddle(machine, person, job, max(60.0, prints_s))
        else:
            self._say_here(booked.id, person)

    def _say_here(self, reservation: str, person: str) -> None:
        """Tap “I'm here”: what keeps a machine from starting is no reason to be a no-show."""
        week = self.week
        with week.database.transaction() as session:
            changes.check_in(session, week.clock, reservation_id=reservation, by=person)

    def _leave(self, person: str) -> None:
        week = self.week
        with week.database.transaction() as session:
            presence.check_out(session, week.clock, person_id=person, by=person)

    def _meddle(self, machine: str, person: str, job: str, prints_s: float) -> None:
        """Let some jobs be stopped, some paused, and some lose their cable."""
        week, fate = self.week, self._chance.random()
        when_s = FIXED_S + prints_s * self._chance.uniform(0.2, 0.8)
        if fate < 0.12:
            week.at(when_s, lambda: self._stop(machine, person, job))
        elif fate < 0.22:
            week.at(when_s, lambda: self._pause(machine, person, job))
        elif fate < 0.27:
            week.at(when_s, lambda: self._pull(machine, job))

    def _stop(self, machine: str, person: str, job: str) -> None:
        if self.week.runs(machine, job):
            assert self.week.machines[machine].ask("stop", {"by": person, "job": job}).accepted
            self.week.told.ends[job] = "stopped"

    def _pause(self, machine: str, person: str, job: str) -> None:
        week, target = self.week, self.week.machines[machine]
        if week.runs(machine, job) and target.ask("pause", {"by": person, "job": job}).accepted:
            week.told.pauses += 1
            week.at(90.0, lambda: self._resume(machine, person, job))

    def _resume(self, machine: str, person: str, job: str) -> None:
        if self.week.runs(machine, job):
            self.week.machines[machine].ask("resume", {"by": person})

    def _pull(self, machine: str, job: str) -> None:
        week = self.week
        if week.runs(machine, job):
            week.machines[machine].driver.plugged = False
            week.told.ends[job] = "failed"
            week.at(45.0, lambda: week.look_after(machine))


def _until_open(now: datetime, hours: tuple[int, int]) -> Seconds:
    """Return how long the lab is still closed, s; 0 while it is open."""
    here = now.astimezone(ZONE)
    opens, closes = hours
    if opens <= here.hour < closes:
        return Seconds(0.0)
    day = here if here.hour < opens else here + timedelta(days=1)
    then = day.replace(hour=opens, minute=0, second=0, microsecond=0)
    return Seconds(max(1.0, math.ceil((then.astimezone(UTC) - now).total_seconds())))
