"""The steward while the wall clock jumps: nothing is due because of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fabctl.believed_clock import BELIEVED_AFTER, BelievedClock
from fabctl.clock import ManualClock
from fabctl.hosting.machine_reports import Stamps
from fabctl.hosting.steward import Steward
from fabctl.messaging.lab_findings import steward_facts
from fabctl.messaging.lab_view import LabView
from fabctl.messaging.link import Received
from fabctl.ports import MachineKind, MachineProfile
from fabctl.services import bookings, certifications, people
from fabctl.services.doctor_lab import newest_moment
from fabctl.services.machines import sync_resources
from fabctl.store.engine import Database, open_database
from tests.databases import migrated_copy
from tests.machine_bench import TOPICS, KeptMessages

PRINTER = MachineProfile("m", "M", MachineKind.PRINTER, "opaque", "pi1", None, 9600)
DAY = timedelta(days=1)


class _Nobody:
    """Tells no machine what is on record."""

    def add(self, machine: str, boot: str, seq: int) -> None:
        """Tell nobody."""


class Office:
    """A steward whose computer's clock is moved by hand, with a reservation in an hour."""

    def __init__(self, folder: Path) -> None:
        url = f"sqlite:///{folder / 'lab.db'}"
        migrated_copy(url, folder / "backups")
        self.hand = ManualClock()
        self.synced = False
        self.database: Database = open_database(url, zone=ZoneInfo("Europe/Paris"))
        with self.database.transaction() as session:
            sync_resources(session, self.hand, [PRINTER])
            person = people.add_person(session, self.hand, display_name="Léa").id
            certifications.certify(session, self.hand, person_id=person, resource_id="m")
            start = self.hand.now() + timedelta(hours=1)
            zone, end = ZoneInfo("Europe/Paris"), start + timedelta(hours=1)
            bookings.book(
                session, self.hand, zone, person_id=person, resource_id="m", start=start,
                end=end, by=person,
            )  # fmt: skip
        self.log: list[str] = []
        self.messages = KeptMessages()
        self.begin()

    def begin(self) -> None:
        """Start a steward, as its process does."""
        self.clock = BelievedClock(
            self.hand,
            self.log.append,
            not_before=newest_moment(self.database),
            elapsed=self.hand.monotonic,
            synced=lambda: self.synced,
        )
        self.steward = Steward(
            TOPICS, self.database, self.messages, _Nobody(), Stamps(self.clock, "b"), self.clock,
            self.log.append, Path("files"), LabView(TOPICS.lab, {"m": "pi1"}, self.hand),
        )  # fmt: skip

    def work(self, seconds: float) -> None:
        """Let time pass, and have it do what is due."""
        self.hand.advance(seconds)
        self.steward._do_clock_work()

    def no_shows(self) -> int:
        return sum("nobody came" in line for line in self.log)

    def held(self) -> bool | None:
        """Return what a listener learns of it."""
        view = LabView(TOPICS.lab, {"m": "pi1"}, self.hand)
        said = [one for one in self.messages.said if one.topic == TOPICS.steward_status][-1]
        view.take(Received(said.topic, said.payload, 1, False))
        return steward_facts(view).clock_held


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.database.close()


def test_a_day_forward_and_back_makes_no_no_show(office: Office) -> None:
    office.hand.wall += DAY
    for _ in range(10):
        office.work(60)
    assert (office.no_shows(), office.held()) == (0, True)
    office.hand.wall -= DAY
    office.work(60)
    assert (office.no_shows(), office.held()) == (0, False)
    office.work(2 * 3600)
    assert office.no_shows() == 1, "the reservation's own time came and went"


def test_a_day_forward_that_stands_or_that_a_server_sets_is_followed(office: Office) -> None:
    office.hand.wall += DAY
    office.work(60)
    assert office.no_shows() == 0
    office.work(BELIEVED_AFTER)
    assert office.no_shows() == 1


def test_a_time_server_is_followed_at_once(office: Office) -> None:
    office.synced = True
    office.hand.wall += DAY
    office.work(60)
    assert office.no_shows() == 1


def test_a_steward_that_starts_in_1970_goes_on_from_the_record(office: Office) -> None:
    now = office.hand.now()
    office.hand.wall = office.hand.wall.replace(year=1970)
    office.begin()
    office.work(60)
    assert abs(office.clock.now() - now) < timedelta(minutes=2)
    assert office.no_shows() == 0
    office.work(2 * 3600)
    assert office.no_shows() == 1
