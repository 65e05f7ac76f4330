"""A lab that lives: an hour of it here; a week with ``make soak`` (SOAK_HOURS of simulated time).

Nothing grows, and the record equals what stand-ins and people did.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from fabctl.interlock import InterlockState as State
from fabctl.services.certifications import reinstate
from fabctl.store.engine import Database, open_database
from fabctl.store.metadata import METADATA
from tests.databases import migrated_copy
from tests.interlock_bench import MACHINE
from tests.interlock_day import Day
from tests.servers.test_interlock_day import AGREE_WITHIN_S, slot
from tests.soak_flat import Samples, open_descriptors, slope
from tests.soak_people import People
from tests.soak_record import compare
from tests.soak_week import ZONE, Week

SOAK_HOURS = float(os.environ.get("SOAK_HOURS", "0"))
LASER_H = 8.0
"""So long a laser works each day."""
asked_for = pytest.mark.skipif(not SOAK_HOURS, reason="make soak runs it")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/lab.db"
    migrated_copy(url, tmp_path / "backups")
    opened = open_database(url, zone=ZONE)
    yield opened
    opened.close()


def say(line: str) -> None:
    """Say what a person who waited wants to know; with pytest -s."""
    sys.stdout.write(f"\n{line}\n")


def say_progress(done: float, whole: float) -> None:
    """Say how far it is, on one line that is written over."""
    sys.stdout.write(f"\r{min(1.0, done / whole):7.1%} of {SOAK_HOURS:g} h")
    sys.stdout.flush()


def test_an_hour_of_a_lab_is_on_record_as_it_was(tmp_path: Path, database: Database) -> None:
    week = Week(tmp_path, database, seed=4)
    people = People(week)
    before = open_descriptors()
    list(people.live(3600.0))
    people.go()
    found = compare(week)
    assert found.outcomes.total() >= 2
    assert found.commands > 1000
    assert week.broker.readings > 1000
    assert rows(database) < week.broker.readings / 10, "telemetry is never on record"
    assert open_descriptors() <= before + 2  # a job's file, the database's log


def rows(database: Database) -> int:
    """Return how many rows all tables have."""
    with database.reading() as session:
        return sum(
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in METADATA.sorted_tables
        )


def test_a_slope_is_found_among_steps() -> None:
    assert slope([0.0, 1.0, 2.0, 3.0], [10.0, 10.0, 12.0, 12.0]) == pytest.approx(0.8)


def test_what_grows_is_seen() -> None:
    grows = Samples([n / 24 for n in range(168)], [100 + n / 10 for n in range(168)], [9] * 168)
    with pytest.raises(AssertionError):
        grows.must_be_flat()
    leaks = Samples(grows.days, [100.0] * 168, [9 + n // 20 for n in range(168)])
    with pytest.raises(AssertionError):
        leaks.must_be_flat()
    Samples(grows.days, [100.0 + n % 3 for n in range(168)], [9] * 168).must_be_flat()


@asked_for
@pytest.mark.timeout(0)
def test_a_week_of_a_lab(tmp_path: Path, database: Database) -> None:
    week = Week(tmp_path, database, seed=1)
    people, samples = People(week), Samples()
    for lived_s in people.live(SOAK_HOURS * 3600):
        samples.take(lived_s)
        say_progress(lived_s, SOAK_HOURS * 3600)
    people.go()
    found = compare(week)
    told = week.told
    say(
        f"{samples.told()}\n{found}\n{told.booked} booked, {told.cancelled} cancelled, "
        f"{len(told.never_came)} never came, refused {dict(told.refused)}, {told.pauses} pauses, "
        f"{week.broker.carried:,} messages"
    )
    samples.must_be_flat()


def _forgive(day: Day, everybody: list[str]) -> None:
    """Let those who were suspended work again: else nobody is left by Wednesday."""
    with day.database.transaction() as session:
        for person in set(everybody) - set(day.people):
            reinstate(session, day.clock, person_id=person, resource_id=MACHINE, by=None)
    day.people[:] = everybody


@asked_for
@pytest.mark.timeout(0)
def test_a_week_of_a_laser(tmp_path: Path, database: Database) -> None:
    day, samples = Day(database, 1), Samples()
    day.bench.chain.opened(day.bench.now)
    day.run(0.5)
    day.load()
    assert day.until(State.LOCKED, 30.0)
    end_ms = SOAK_HOURS / 24 * LASER_H * 3_600_000
    everybody = list(day.people)
    while day.bench.ms < end_ms:
        slot(day, day.random.choice(day.people))
        _forgive(day, everybody)
        samples.take(day.bench.ms / 1000 * 24 / LASER_H)
        say_progress(day.bench.ms, end_ms)
    day.kill_steward(for_s=1.0)
    day.run(1200.0)
    counted, uses = day.by_the_interlock(), day.by_the_lab()
    worked = {use: view.ran_s for use, view in uses.items() if view.ran_s}
    say(f"{samples.told()}\n{len(counted)} uses, {sum(counted.values()) / 3600:.2f} h at work")
    assert not day.untold
    assert worked.keys() == counted.keys()
    assert max(abs(s - counted[use]) for use, s in worked.items() if s) < AGREE_WITHIN_S
    samples.must_be_flat()
