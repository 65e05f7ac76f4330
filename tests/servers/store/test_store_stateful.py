"""Whatever people do in whatever order: claims stay apart, uses stay single, refusals are true."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from fabctl.clock import ManualClock
from fabctl.model.refusal import RefusedError
from fabctl.services import bookings, machines, people
from fabctl.services.bookings import ReservationView
from fabctl.services.certifications import certify, suspend
from fabctl.store.engine import Database, open_database
from fabctl.store.tables import Claim
from tests.databases import PostgreSQL
from tests.servers.store.conftest import profile

PARIS = ZoneInfo("Europe/Paris")
MACHINES = ("printer-a", "printer-b")
PEOPLE = range(3)
machine_names = st.sampled_from(MACHINES)
numbers = st.sampled_from(PEOPLE)
minutes = st.integers(0, 48).map(lambda step: step * 5)


@dataclass
class Known:
    """A live reservation, as somebody with pencil and paper would keep it."""

    id: str
    person: int
    machine: str
    start: datetime
    end: datetime


class LabLife(RuleBasedStateMachine):
    """Books, cancels, suspends, lets time pass; keeps a list of its own beside the database."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self.clock = ManualClock()
        self.known: list[Known] = []
        self.certified = {(person, machine) for person in PEOPLE for machine in MACHINES}
        with database.transaction() as session:
            machines.sync_resources(session, self.clock, [profile(name) for name in MACHINES])
            self.ids = [
                people.add_person(session, self.clock, display_name=f"P{number}").id
                for number in PEOPLE
            ]
        for person, machine in self.certified:
            self._certify(person, machine)

    def _certify(self, person: int, machine: str) -> None:
        with self.database.transaction() as session:
            certify(session, self.clock, person_id=self.ids[person], resource_id=machine)

    @rule(person=numbers, machine=machine_names, after=minutes, lasts=minutes)
    def book(self, person: int, machine: str, after: int, lasts: int) -> None:
        start = self.clock.now() + timedelta(minutes=after)
        end = start + timedelta(minutes=lasts)
        expected = self._expected(person, machine, start, end)
        if expected:
            with pytest.raises(RefusedError) as refused:
                self._book(person, machine, start, end)
            assert refused.value.codes == expected
        else:
            made = self._book(person, machine, start, end)
            self.known.append(Known(made.id, person, machine, start, end))

    def _book(self, person: int, machine: str, start: datetime, end: datetime) -> ReservationView:
        with self.database.transaction() as session:
            return bookings.book(
                session,
                self.clock,
                PARIS,
                person_id=self.ids[person],
                resource_id=machine,
                start=start,
                end=end,
                by=self.ids[person],
            )

    def _expected(self, person: int, machine: str, start: datetime, end: datetime) -> set[str]:
        taken = any(
            one.machine == machine and one.start < end and start < one.end for one in self.known
        )
        elsewhere = any(
            (one.person, one.machine != machine) == (person, True)
            and one.start < end
            and start < one.end
            for one in self.known
        )
        return {
            code
            for code, holds in {
                "overlap": taken,
                "own-overlap": elsewhere,
                "too-short": end - start < timedelta(minutes=5),
                "certification-suspended": (person, machine) not in self.certified,
            }.items()
            if holds
        }

    @rule(number=st.integers(0, 20))
    def cancel(self, number: int) -> None:
        coming = [one for one in self.known if one.end > self.clock.now()]
        if not coming:
            return
        one = coming[number % len(coming)]
        with self.database.transaction() as session:
            bookings.cancel(
                session, self.clock, PARIS, reservation_id=one.id, by=self.ids[one.person]
            )
        self.known.remove(one)  # nobody checks in here: of one that has begun nothing was used

    @rule(person=numbers, machine=machine_names)
    def suspend(self, person: int, machine: str) -> None:
        self.certified.discard((person, machine))
        with self.database.transaction() as session:
            suspend(
                session, self.clock, person_id=self.ids[person], resource_id=machine, reason="x"
            )

    @rule(person=numbers, machine=machine_names)
    def certify(self, person: int, machine: str) -> None:
        self.certified.add((person, machine))
        self._certify(person, machine)

    @rule(passed=st.integers(1, 90))
    def wait(self, passed: int) -> None:
        self.clock.advance(passed * 60)

    @invariant()
    def claims_stay_apart_and_are_those_on_paper(self) -> None:
        with self.database.reading() as session:
            live = session.scalars(
                select(Claim).where(Claim.released_at.is_(None)).order_by(Claim.start_at)
            ).all()
        for machine in MACHINES:
            here = [
                (claim.start_at, claim.end_at) for claim in live if claim.resource_id == machine
            ]
            assert all(before[1] <= after[0] for before, after in pairwise(here))
            paper = sorted((one.start, one.end) for one in self.known if one.machine == machine)
            assert here == paper

    @invariant()
    def proposals_can_be_booked(self) -> None:
        with self.database.reading() as session:
            for slot in bookings.proposals(session, self.clock, PARIS, MACHINES[0]):
                taken = [one for one in self.known if one.machine == MACHINES[0]]
                assert all(slot.end <= one.start or one.end <= slot.start for one in taken)

    def teardown(self) -> None:
        """Close the database."""
        self.database.close()


def live(new_url: Callable[[], str], examples: int) -> None:
    class Life(LabLife):
        def __init__(self) -> None:
            super().__init__(open_database(new_url()))

    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking here takes minutes
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


def test_a_labs_life_in_sqlite(tmp_path: Path, migrated_sqlite: Path) -> None:
    numbering = count()

    def new_url() -> str:
        file = tmp_path / f"{next(numbering)}.db"
        shutil.copyfile(migrated_sqlite, file)
        return f"sqlite:///{file}"

    live(new_url, examples=30)


def test_a_labs_life_in_postgresql(postgresql_server: PostgreSQL) -> None:
    live(
        lambda: postgresql_server.url(
            postgresql_server.new_database(like=postgresql_server.migrated)
        ),
        examples=8,
    )
