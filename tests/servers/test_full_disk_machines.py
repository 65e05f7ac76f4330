"""A full disk below a machine's process, an interlock, the broker and the steward.

What runs goes on, nothing new is begun, everything is told once there is room.
"""

from __future__ import annotations

import itertools
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fabctl.errors import DeviceError, DiskFullError
from fabctl.hosting.journal import Journal
from fabctl.hosting.locks import FolderLock
from fabctl.hosting.mosquitto import write_private
from fabctl.hosting.preparation import NotReady, Preparation, Prepared
from fabctl.hosting.running_mark import Hold, HoldFile, MarkedJob, RunningMark
from fabctl.messaging.payloads import EventPayload, EventType, Stamp, StartOrder
from fabctl.ports import MachineKind, MachineProfile, Trouble
from fabctl.units import Seconds
from fabctl_drivers.interlock.causes import FaultCode, FaultRecord
from fabctl_drivers.interlock.fault_file import FaultFile
from fabctl_drivers.interlock.record import Record
from tests.brokers import LiveBroker, lab_config, running_broker, wait_until
from tests.machine_lab import MACHINE, ONE_MACHINE, MachineLab, machine_lab
from tests.small_disk import LEFT_KIB, SmallDisk, disk, small_disk

__all__ = ["disk"]
PATIENCE = Seconds(30.0)
FAULT = FaultRecord(FaultCode.LIDS_DIFFER, "lid_a high, lid_b low")
PROFILE = MachineProfile("a", "A", MachineKind.PRINTER, "marlin", "here", None, 115200)
ON_DISK = f'{ONE_MACHINE}[data]\ndirectory = "disk/data"\n'.replace("200", "0")
"""The data directory is on the disk; machine a confirms lines when a test says so."""


def event(seq: int) -> EventPayload:
    stamp = Stamp(datetime(2026, 11, 23, 9, 0, tzinfo=UTC), synced=True, boot="b", seq=seq)
    return EventPayload(EventType.JOB_STARTED, stamp, job="j", reason="x" * 300)


def until_refused(do: Callable[[], object], why: str) -> int:
    """Return how often something can be done until the disk is too full for it."""
    for done in range(2000):
        try:
            do()
        except DeviceError as error:
            assert why in str(error)  # noqa: PT017  # how often it went well counts too
            return done
    raise AssertionError("the disk is not full")


# -- each file -----------------------------------------------------------------------------------


@pytest.mark.parametrize("left", LEFT_KIB)
def test_the_journal_keeps_what_it_said_that_it_keeps(disk: SmallDisk, left: int) -> None:
    journal = Journal(disk.path / "journal.db")
    numbers = itertools.count()
    journal.add(event(next(numbers)))
    disk.fill(left)
    kept = range(until_refused(lambda: journal.add(event(next(numbers))), "cannot be kept") + 1)
    journal.close()
    again = Journal(disk.path / "journal.db")
    assert again.set_aside is None
    assert len(again) == len(kept)
    disk.make_room()
    again.add(event(5000))
    assert again.acknowledge(("b", seq) for seq in kept) == len(kept)
    assert [entry.seq for entry in again.untold()] == [5000]
    again.close()


def test_the_mark_and_the_hold_are_whole_or_as_they_were(disk: SmallDisk) -> None:
    disk.fill()
    new = RunningMark(disk.path)  # a machine's very first start, without room for its line
    new.reached(7)
    assert (new.line, new.left_behind()) == (7, None)
    disk.make_room()
    mark = RunningMark(disk.path)
    mark.begin("job-1", "part.gcode", None)
    mark.end()
    disk.fill()
    with pytest.raises(OSError, match="No space left"):
        mark.begin("job-2", "part.gcode", None)
    assert RunningMark(disk.path).left_behind() is None
    holds = HoldFile(disk.path)
    with pytest.raises(OSError, match="No space left"):
        holds.set(Hold("cable-lost", "The cable was pulled."))
    assert holds.hold is not None
    assert (holds.kept, HoldFile(disk.path).hold) == (False, None)
    disk.make_room()
    mark.begin("job-2", "part.gcode", None)
    disk.fill()
    assert RunningMark(disk.path).left_behind() == MarkedJob("job-2", "part.gcode", None, 0)
    mark.end()  # taking away needs no room
    assert RunningMark(disk.path).left_behind() is None


def test_a_machines_process_takes_its_lock_on_a_full_disk(disk: SmallDisk) -> None:
    """Else it could not start again, and nobody would command the heaters off."""
    FolderLock(disk.path / "lock").give_back()
    disk.fill()
    lock = FolderLock(disk.path / "lock")
    lock.take("the machine a")
    with pytest.raises(Exception, match="in use by another fabctl"):
        FolderLock(disk.path / "lock").take("the machine a")
    lock.give_back()


@pytest.mark.parametrize("left", [0, 16])
def test_a_job_whose_file_finds_no_room_is_not_begun(
    disk: SmallDisk, tmp_path: Path, left: int
) -> None:
    source = tmp_path / "part.gcode"  # on another disk: it must be copied
    source.write_bytes(b"G1 X10 F600\n" * 4000)
    order = StartOrder("j", "0" * 64, source.stat().st_size, "part.gcode", 4000, 4000, None)
    disk.fill(left)
    results: list[Prepared] = []
    ended = threading.Event()

    def done(prepared: Prepared) -> None:
        results.append(prepared)
        ended.set()

    Preparation(order, PROFILE, source, disk.path, done).begin()
    assert ended.wait(PATIENCE)
    (prepared,) = results
    assert isinstance(prepared.result, NotReady)
    assert prepared.result.trouble is Trouble.DISK_FULL
    assert f"free some space on the disk mounted at {disk.path}" in prepared.result.reason
    assert disk.names() == set()


def test_an_interlocks_fault_is_remembered_whatever_the_disk_takes(disk: SmallDisk) -> None:
    faults, record = FaultFile(disk.path / "fault.json"), Record(disk.path / "record.jsonl")
    faults.write(None)
    record.append({"to": "locked"})
    disk.fill()
    with pytest.raises(DeviceError, match=r"No space left.*emptied instead"):
        faults.write(FAULT)
    found = faults.read(has_run_before=True)
    assert found is not None
    assert found.code is FaultCode.FAULT_FILE
    disk.fill()
    more = until_refused(lambda: record.append({"why": "x" * 500}), "cannot be written")
    assert [one["n"] for one in record.entries()] == list(range(1, more + 2))
    disk.make_room()
    faults.write(FAULT)
    assert faults.read(has_run_before=True) == FAULT
    assert record.append({"to": "locked"}) == more + 2


def test_the_private_brokers_files_are_whole_or_as_they_were(disk: SmallDisk) -> None:
    write_private(disk.path / "acl", "user desk\n")
    disk.fill()
    with pytest.raises(DiskFullError, match="free some space"):
        write_private(disk.path / "acl", "topic read #\n" * 1000)
    assert (disk.path / "acl").read_text() == "user desk\n"
    assert disk.names() == {"acl"}


# -- processes -----------------------------------------------------------------------------------


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[tuple[MachineLab, SmallDisk]]:
    """Database, broker, journal, marks and files of a lab on a small disk; the cables elsewhere."""
    with (
        small_disk(tmp_path, 6144) as disk,
        machine_lab(tmp_path, ON_DISK) as found,
    ):
        found.start_steward()
        found.start("machine", MACHINE)
        found.wait_state("idle")
        yield found, disk


def test_a_job_goes_on_nothing_is_begun_and_all_is_told_with_room(
    lab: tuple[MachineLab, SmallDisk],
) -> None:
    found, disk = lab
    order = found.order(300, "job-2")
    assert found.begin(lines=300).accepted
    found.wait_recorded("job-started")
    found.wait_state("running")
    disk.fill()
    found.confirm(300)
    found.wait_state("idle")
    wait_until(lambda: "Events cannot be kept" in str(found.seen().reason), "the page says it")
    refused = found.requests.send(MACHINE, "start", order, PATIENCE)
    assert (refused.accepted, refused.code) == (False, "local-fault")
    assert found.kinds().count("job-started") == 1
    disk.make_room()
    told = ("job-started", "job-finished", "request-refused")
    found.wait_recorded(*told)
    wait_until(lambda: found.seen().reason is None, "the page says nothing more")
    assert found.requests.send(MACHINE, "start", order, PATIENCE).accepted
    found.wait_recorded(*told, "job-started", "job-finished")


def test_a_process_that_dies_on_a_full_disk_makes_the_machine_safe_and_tells_later(
    lab: tuple[MachineLab, SmallDisk],
) -> None:
    found, disk = lab
    assert found.begin(lines=2000).accepted
    found.wait_recorded("job-started")
    disk.fill()
    found.kill(MACHINE)
    before = found.sent().count("heaters off")
    found.start("machine", MACHINE)
    wait_until(lambda: found.sent().count("heaters off") > before, "it is made safe")
    found.wait_state("broken")
    disk.make_room()
    found.wait_recorded("job-started", "machine-broken", "job-interrupted")
    found.kill(MACHINE)
    found.wait_state("offline")
    found.start("machine", MACHINE)
    found.wait_state("broken")


@pytest.mark.parametrize(("size", "left"), [(60_000, 0), (3000, 0), (5000, 4)])
def test_the_broker_goes_on_and_starts_again(tmp_path: Path, size: int, left: int) -> None:
    """mosquitto 2.0.11 keeps the file of before, leaves an empty one, or one that ends too early.

    It does not ask whether the last bytes, fewer than 4096, found room.
    """
    with small_disk(tmp_path) as disk, running_broker(lab_config(tmp_path, ON_DISK)) as broker:
        kept = broker.plan.memory
        say(broker, "desk-1", b"before")
        save(broker)
        wait_until(lambda: kept.exists() and b"before" in kept.read_bytes(), "it is saved")
        file = kept.stat().st_ino
        say(broker, "desk-2", b"x" * size)
        disk.fill(left)
        save(broker)
        wait_until(lambda: kept.stat().st_ino != file or "No space" in log(broker), "it has tried")
        is_torn = b"before" not in kept.read_bytes()
        say(broker, "desk-3", b"still here")
        broker.kill()
        broker.start()
        assert kept.with_name("mosquitto.db.unreadable").exists() == is_torn
        assert any("was not whole" in one for one in broker.said) == is_torn
        say(broker, "desk-4", b"again")
        disk.make_room()
        save(broker)
        wait_until(lambda: kept.exists() and b"again" in kept.read_bytes(), "it is saved again")


def test_debians_broker_is_looked_after_too(tmp_path: Path) -> None:
    torn = tmp_path / "mosquitto.db"
    torn.write_bytes(bytes(4096))
    text = (Path(__file__).parents[2] / "deploy/mosquitto-start.conf").read_text()
    (command,) = re.findall(
        r"^ExecStartPre=-\S+/python (.+) /var/lib/mosquitto/mosquitto.db$", text, re.MULTILINE
    )
    words = [sys.executable, *command.split(), str(torn)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "was not whole; the broker starts without it" in done.stdout
    assert not torn.exists()


def say(broker: LiveBroker, client: str, words: bytes) -> None:
    """Have the broker keep something, and hear it from there."""
    desk, heard, topic = broker.link("desk", client), [], "fab/v1/lab/m/printer-a/booking"
    desk.subscribe(topic, lambda message: heard.append(message.payload))
    desk.publish(topic, words, retain=True)
    wait_until(lambda: words in heard, "it is heard")
    desk.stop()


def save(broker: LiveBroker) -> None:
    """Have it write what it keeps, as it does every half hour and when it ends."""
    assert broker.process is not None
    broker.process.send_signal(signal.SIGUSR1)


def log(broker: LiveBroker) -> str:
    return (broker.config.paths.broker / "log").read_text()
