"""The steward's work on a real database, without a broker: what is said is kept in lists."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fabctl.clock import ManualClock
from fabctl.hosting.machine_reports import Stamps
from fabctl.hosting.steward import Steward
from fabctl.messaging.lab_view import LabView
from fabctl.messaging.link import Received
from fabctl.messaging.payloads import (
    EventPayload,
    EventType,
    MachineState,
    PayloadError,
    Stamp,
    StatePayload,
)
from fabctl.ports import MachineKind, MachineProfile
from fabctl.services import bookings, certifications, maintenance, notices, people, using
from fabctl.services.machines import sync_resources
from fabctl.store.engine import Database, open_database
from fabctl.units import Seconds
from tests.databases import migrated_copy
from tests.machine_bench import TOPICS, KeptMessages

PRINTER = MachineProfile("m", "M", MachineKind.PRINTER, "opaque", "pi1", None, 9600)
TOPIC = TOPICS.event("m", "job-started")


class Acknowledged:
    """Notes what is to be acknowledged."""

    def __init__(self) -> None:
        self.names: list[tuple[str, str, int]] = []

    def add(self, machine: str, boot: str, seq: int) -> None:
        """Note it."""
        self.names.append((machine, boot, seq))


class Office:
    """A steward with everything it needs, worked by hand."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "lab.db"
        url = f"sqlite:///{self.file}"
        migrated_copy(url, folder / "backups")
        self.clock = ManualClock()
        self.database: Database = open_database(url, zone=ZoneInfo("Europe/Paris"))
        with self.database.transaction() as session:
            sync_resources(session, self.clock, [PRINTER])
        self.messages = KeptMessages()
        self.acknowledged = Acknowledged()
        self.log: list[str] = []
        self.view = LabView(TOPICS.lab, {"m": "pi1"}, self.clock)
        self.steward = Steward(
            TOPICS, self.database, self.messages, self.acknowledged,
            Stamps(self.clock, "steward"), self.clock, self.log.append, folder / "files",
            self.view,
        )  # fmt: skip

    def hear(self, seq: int, type_: EventType = EventType.JOB_STARTED, topic: str = TOPIC) -> None:
        """Have the steward hear an event."""
        stamp = Stamp(self.clock.now(), synced=True, boot="b", seq=seq)
        payload = EventPayload(type_, stamp, job="j", by="p").encode()
        self.messages.send(Received(topic, payload, 1, False))

    def work(self) -> None:
        """Have it do what is to be done now."""
        self.steward._do_clock_work()
        while not self.steward._events.empty():
            self.steward._record_next(Seconds(0.0))

    def booking(self) -> list[dict[str, object]]:
        """Return what was said about the machine's bookings."""
        return self.messages.on(TOPICS.booking("m"))

    def health(self) -> dict[str, object]:
        """Return what it last said about itself."""
        return self.messages.on(TOPICS.steward_status)[-1]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Return a steward whose work is done by hand."""
    office = Office(tmp_path)
    yield office
    office.database.close()


def test_an_event_is_recorded_once_and_acknowledged_every_time(office: Office) -> None:
    for seq in (1, 2, 1):
        office.hear(seq)
    office.work()
    assert (office.steward.recorded, office.steward.repeated) == (2, 1)
    assert office.acknowledged.names == [("m", "b", 1), ("m", "b", 2), ("m", "b", 1)]


def test_an_event_on_another_topic_is_malformed(office: Office) -> None:
    with pytest.raises(PayloadError, match="job-started"):
        office.hear(1, topic=TOPICS.event("m", "job-finished"))


def test_what_cannot_be_recorded_is_not_acknowledged_and_shows(office: Office) -> None:
    office.work()
    with sqlite3.connect(office.file) as spoiler:
        spoiler.execute("ALTER TABLE machine_event RENAME TO gone")
    office.hear(1)
    office.work()
    assert office.acknowledged.names == []
    assert office.health()["failures"] == 1
    assert "recording job-started of m" in str(office.health()["last_failure"])
    with sqlite3.connect(office.file) as spoiler:
        spoiler.execute("ALTER TABLE gone RENAME TO machine_event")
    office.hear(1)  # the machine says it again
    office.work()
    assert office.acknowledged.names == [("m", "b", 1)]


def test_bookings_are_said_on_change_and_every_minute(office: Office) -> None:
    office.work()
    assert [said["busy_until"] for said in office.booking()] == [None]
    office.clock.advance(5.0)
    office.work()
    assert len(office.booking()) == 1
    book_now(office)
    office.clock.advance(5.0)
    office.work()
    assert [said["busy_until"] for said in office.booking()] == [None, "2026-11-23T10:00:05.000Z"]
    office.clock.advance(60.0)
    office.work()
    assert len(office.booking()) == 3


def book_now(office: Office) -> None:
    """Book the machine for an hour from now."""
    start = office.clock.now()
    with office.database.transaction() as session:
        person = people.add_person(session, office.clock, display_name="A")
        certifications.certify(session, office.clock, person_id=person.id, resource_id="m")
        zone, end = ZoneInfo("Europe/Paris"), start + timedelta(hours=1)
        bookings.book(
            session, office.clock, zone, person_id=person.id, resource_id="m", start=start, end=end,
            by=person.id,
        )  # fmt: skip


def test_who_does_not_come_loses_the_slot_once(office: Office) -> None:
    book_now(office)
    office.work()
    office.clock.advance(24 * 3600.0)
    office.work()
    office.clock.advance(60.0)
    office.work()
    said = [line for line in office.log if line.startswith("nobody came for reservation")]
    assert len(said) == 1
    assert said[0].endswith(": m is free again")


def test_files_that_no_job_needs_go_once_an_hour(office: Office) -> None:
    office.work()
    stray = office.file.parent / "files" / f"{'0' * 64}.gcode"
    stray.parent.mkdir()
    stray.write_text("G28\n")
    two_days_ago = (office.clock.now() - timedelta(days=2)).timestamp()
    os.utime(stray, (two_days_ago, two_days_ago))
    office.clock.advance(3599.0)
    office.work()
    assert stray.exists()
    office.clock.advance(1.0)
    office.work()
    assert not stray.exists()
    assert any(stray.name in line for line in office.log)


def test_after_a_day_away_what_is_due_in_training_is_done_once(office: Office) -> None:
    with office.database.transaction() as session:
        person = people.add_person(session, office.clock, display_name="Lea").id
        end = office.clock.now() + timedelta(days=30, hours=1)
        certifications.certify(
            session, office.clock, person_id=person, resource_id="m", expires_at=end
        )
    office.work()
    assert office.log == []
    office.clock.advance(24 * 3600)
    office.work()
    office.clock.advance(60)
    office.work()
    assert [line.split()[0] for line in office.log] == ["expiry-warned"]
    assert office.health()["failures"] == 0


def test_after_days_away_people_are_reminded_once_of_what_is_to_come(office: Office) -> None:
    zone, now = ZoneInfo("Europe/Paris"), office.clock.now()
    with office.database.transaction() as session:
        person = people.add_person(session, office.clock, display_name="A").id
        certifications.certify(session, office.clock, person_id=person, resource_id="m")
        for hours in (30, 96):
            start = now + timedelta(hours=hours)
            bookings.book(
                session, office.clock, zone, person_id=person, resource_id="m", start=start,
                end=start + timedelta(hours=1), by=person,
            )  # fmt: skip
    office.work()
    office.clock.advance(73 * 3600)
    for _ in range(3):
        office.work()
        office.clock.advance(60)
    assert office.log.count("reminders written: 1") == 1
    with office.database.reading() as session:
        told = [one.code for one in notices.of_person(session, person_id=person)]
    assert sorted(told) == ["no-show", "reminder"]
    assert office.health()["failures"] == 0


def test_after_a_day_away_a_maintenance_has_its_task_once(office: Office) -> None:
    with office.database.transaction() as session:
        awa = people.add_person(session, office.clock, display_name="Awa", role="staff").id
        certifications.certify(session, office.clock, person_id=awa, resource_id="m")
        maintenance.plan_maintenance(
            session, office.clock, resource_id="m", title="Grease", every_hours=0.5,
            owner_id=awa, by=awa,
        )  # fmt: skip
    office.work()
    with office.database.transaction() as session:
        bookings.use_now(
            session, office.clock, ZoneInfo("Europe/Paris"), person_id=awa, resource_id="m", by=awa,
        )  # fmt: skip
        using.begin_use(
            session, office.clock, ZoneInfo("Europe/Paris"), person_id=awa, resource_id="m",
            machine_state="idle",
        )  # fmt: skip
    office.clock.advance(24 * 3600)
    for _ in range(3):
        office.work()
        office.clock.advance(600)
    said = [line for line in office.log if line.startswith("maintenance-due of task:")]
    assert len(said) == 1
    assert "due 2026-11-23T09:30:00" in said[0]
    assert office.health()["failures"] == 0


def test_after_a_connect_everything_is_said_again(office: Office) -> None:
    office.work()
    before = len(office.booking())
    office.steward.connected()
    office.work()
    assert len(office.booking()) == before + 1


def test_a_machine_is_asked_by_its_last_word_whether_it_has_a_job(office: Office) -> None:
    def says(state: MachineState, job: str | None = None) -> None:
        payload = StatePayload(state, job=job).encode(Stamp(office.clock.now(), True, "b", 1))
        office.view.take(Received(TOPICS.state("m"), payload, 0, False))

    has_job = office.steward._has_job
    assert has_job("m", "j") is None  # nothing heard yet
    says(MachineState.PREPARING, "j")
    assert has_job("m", "j") is True
    assert has_job("m", "other") is False
    says(MachineState.IDLE)
    assert has_job("m", "j") is False
    office.clock.advance(11)
    assert has_job("m", "j") is None  # too old to be believed
    says(MachineState.OFFLINE)
    assert has_job("m", "j") is None


def test_what_the_broker_kept_of_a_removed_machine_is_cleared(office: Office) -> None:
    for machine, kept in (("gone", True), ("m", True), ("newcomer", False)):
        office.steward.heard_kept(Received(TOPICS.meta(machine), b'{"v":1}', 0, kept))
    office.work()
    cleared = [one.topic for one in office.messages.said if one.payload == b""]
    assert cleared == list(TOPICS.kept("gone"))
    assert all(one.retain for one in office.messages.said if one.payload == b"")
    office.steward.heard_kept(Received(TOPICS.meta("gone"), b"", 0, True))
    office.clock.advance(5.0)
    office.work()
    assert [one.topic for one in office.messages.said if one.payload == b""] == cleared
