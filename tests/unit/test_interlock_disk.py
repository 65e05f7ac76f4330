"""What the interlock's daemon keeps on its disk: the fault, the record, and who writes them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fabctl.errors import DeviceError
from fabctl.interlock import InterlockState
from fabctl.units import Seconds
from fabctl_drivers.interlock.causes import Cause, FaultCode, FaultRecord
from fabctl_drivers.interlock.chain import Chain
from fabctl_drivers.interlock.clerk import Clerk
from fabctl_drivers.interlock.fault_file import FaultFile, _content
from fabctl_drivers.interlock.pace import Pace
from fabctl_drivers.interlock.record import Record
from fabctl_drivers.interlock.table import Event
from fabctl_drivers.interlock.talk import Talk
from fabctl_drivers.interlock.telling import entry
from fabctl_drivers.interlock.view import ChainEvent
from tests.interlock_bench import KEY, profile

FAULT = FaultRecord(FaultCode.LIDS_DIFFER, "lid_a high, lid_b low", Cause.LID_OPEN)
FULL = Path("/dev/full")
"""The kernel's own full disk: every write to it fails with ENOSPC (full(4))."""


@pytest.fixture
def faults(tmp_path: Path) -> FaultFile:
    return FaultFile(tmp_path / "fault.json")


@pytest.mark.parametrize("fault", [None, FAULT, FaultRecord(FaultCode.INTERNAL, "é\n\x00")])
def test_a_fault_comes_back_as_it_was(faults: FaultFile, fault: FaultRecord | None) -> None:
    faults.write(FAULT)
    faults.write(fault)
    assert faults.read(has_run_before=True) == fault


def test_the_very_first_start_has_no_fault(faults: FaultFile) -> None:
    assert faults.read(has_run_before=False) is None


def test_a_file_that_is_gone_is_a_fault(faults: FaultFile) -> None:
    found = faults.read(has_run_before=True)
    assert found is not None
    assert found.code is FaultCode.FAULT_FILE


@given(st.binary(max_size=300))
@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # the file is overwritten
def test_whatever_else_is_in_the_file_is_a_fault(faults: FaultFile, content: bytes) -> None:
    faults.path.write_bytes(content)
    found = faults.read(has_run_before=True)
    assert found is not None
    assert found.code is FaultCode.FAULT_FILE


@given(st.integers(0, 200), st.integers(0, 7))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])  # the same
def test_one_bit_that_flips_never_makes_a_fault_disappear(
    faults: FaultFile, place: int, bit: int
) -> None:
    content = bytearray(_content(FAULT))
    content[place % len(content)] ^= 1 << bit
    faults.path.write_bytes(content)
    assert faults.read(has_run_before=True) is not None


def test_a_disk_that_takes_nothing_new_empties_the_file_and_says_so(faults: FaultFile) -> None:
    faults.write(None)
    faults.path.with_name(".fault.json.new").mkdir()  # in the way of every write
    with pytest.raises(DeviceError, match="cannot be written") as caught:
        faults.write(FAULT)
    assert "emptied instead" in str(caught.value)
    found = faults.read(has_run_before=True)
    assert found is not None
    assert found.code is FaultCode.FAULT_FILE


def test_a_disk_that_takes_nothing_new_forgets_nothing(faults: FaultFile) -> None:
    faults.write(FAULT)
    faults.path.with_name(".fault.json.new").mkdir()  # in the way of every write
    with pytest.raises(DeviceError, match="cannot be written"):
        faults.write(None)
    assert faults.read(has_run_before=True) == FAULT


# -- the record ----------------------------------------------------------------------------------


def test_the_record_counts_on_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    assert [Record(path).append({"event": "x"}) for _ in range(3)] == [1, 2, 3]
    assert [entry["n"] for entry in Record(path).entries()] == [1, 2, 3]


def test_the_record_stays_small_and_loses_its_oldest_only(tmp_path: Path) -> None:
    record = Record(tmp_path / "record.jsonl", most_bytes=500)
    for _ in range(60):
        record.append({"event": "x" * 50})
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) <= 2
    assert sum(sizes) <= 2 * 600
    numbers = [entry["n"] for entry in record.entries()]
    assert numbers == list(range(60 - len(numbers) + 1, 61))
    assert Record(tmp_path / "record.jsonl").append({}) == 61


def test_a_line_that_was_cut_off_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    Record(path).append({"event": "one"})
    with path.open("ab") as file:
        file.write(b'{"n": 2, "event": "tw')
    assert Record(path).append({"event": "three"}) == 2
    assert [entry["event"] for entry in Record(path).entries()] == ["one", "three"]


def test_a_record_on_a_full_disk_says_so(tmp_path: Path) -> None:
    (tmp_path / "record.jsonl").symlink_to(FULL)
    record = Record(tmp_path / "record.jsonl")
    with pytest.raises(DeviceError, match="No space left"):
        record.append({"event": "x"})


# -- the clerk -----------------------------------------------------------------------------------


class Broken(Record):
    """A record on a disk that fails as long as it is told to."""

    fails = True

    def append(self, entry: Any) -> int:
        if self.fails:
            raise DeviceError("no room")
        return super().append(entry)


@pytest.fixture
def clerk(tmp_path: Path, faults: FaultFile) -> Clerk:
    return Clerk(Record(tmp_path / "record.jsonl"), faults)


def done(clerk: Clerk) -> Clerk:
    """Let the clerk do all that it was given, and end."""
    clerk.start()
    assert clerk.end(10.0)
    return clerk


def test_the_clerk_writes_in_order(clerk: Clerk, tmp_path: Path, faults: FaultFile) -> None:
    for number in range(20):
        clerk.record({"event": number})
    clerk.remember(FAULT)
    assert done(clerk).trouble is None
    lines = (tmp_path / "record.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == list(range(20))
    assert faults.read(has_run_before=True) == FAULT


def test_what_was_forgotten_is_told(clerk: Clerk, faults: FaultFile) -> None:
    faults.write(FAULT)
    clerk.forget()
    assert done(clerk).forgot is True
    assert faults.read(has_run_before=True) is None


def test_a_memory_that_cannot_be_cleared_is_told(clerk: Clerk, faults: FaultFile) -> None:
    faults.write(FAULT)
    faults.path.with_name(".fault.json.new").mkdir()  # in the way of every write
    clerk.forget()
    assert done(clerk).forgot is False
    assert faults.read(has_run_before=True) == FAULT


def test_a_clerk_in_trouble_keeps_a_bounded_number_of_entries(
    tmp_path: Path, faults: FaultFile
) -> None:
    record = Broken(tmp_path / "record.jsonl")
    clerk = Clerk(record, faults)
    for number in range(1100):
        clerk.record({"event": number})
    done(clerk)
    assert clerk.trouble == "no room"
    assert clerk.lost == 100


def test_a_clerk_that_fails_unforeseen_says_so(tmp_path: Path, faults: FaultFile) -> None:
    class Odd(Record):
        def append(self, entry: Any) -> int:
            raise ZeroDivisionError(entry)

    clerk = Clerk(Odd(tmp_path / "record.jsonl"), faults)
    clerk.record({"event": 1})
    clerk.remember(FAULT)
    done(clerk)
    assert clerk.trouble is not None
    assert "ZeroDivisionError" in clerk.trouble
    assert faults.read(has_run_before=True) == FAULT


def test_a_fault_goes_before_every_entry(tmp_path: Path, faults: FaultFile) -> None:
    seen: list[FaultRecord | None] = []

    class Looks(Record):
        def append(self, entry: Any) -> int:
            seen.append(faults.read(has_run_before=True))
            return super().append(entry)

    clerk = Clerk(Looks(tmp_path / "record.jsonl"), faults)
    for number in range(5):
        clerk.record({"event": number})
    clerk.remember(FAULT)
    done(clerk)
    assert seen == [FAULT] * 5


def test_a_fault_is_kept_once_it_is_on_the_disk(clerk: Clerk, faults: FaultFile) -> None:
    told = [clerk.kept]
    clerk.remember(FAULT)
    told.append(clerk.kept)
    assert [*told, done(clerk).kept] == [True, False, True]


def test_a_fault_that_the_disk_did_not_take_is_not_kept(clerk: Clerk, faults: FaultFile) -> None:
    faults.path.with_name(".fault.json.new").mkdir()  # in the way of every write
    clerk.remember(FAULT)
    assert not done(clerk).kept


def test_without_its_thread_a_fault_is_written_all_the_same(
    clerk: Clerk, faults: FaultFile
) -> None:
    assert not done(clerk).is_alive
    clerk.remember(FAULT)
    assert clerk.kept
    assert faults.read(has_run_before=True) == FAULT


def test_what_a_supervisor_has_seen_is_no_trouble_any_more(
    tmp_path: Path, faults: FaultFile
) -> None:
    class Odd(Record):
        def append(self, entry: Any) -> int:
            raise ZeroDivisionError(entry)

    clerk = Clerk(Odd(tmp_path / "record.jsonl"), faults)
    clerk.start()
    clerk.record({"event": 1})
    end = time.monotonic() + 10.0
    while clerk.trouble is None:
        assert time.monotonic() < end
    clerk.forget()
    assert clerk.end(10.0)
    assert clerk.trouble is None


# -- whatever strangers say, down to the disk ----------------------------------------------------

ANY_TEXT = st.text(st.characters(), max_size=150)  # half surrogates and control characters too
ANY_LINE = st.one_of(
    st.fixed_dictionaries({"drop": ANY_TEXT}),
    st.fixed_dictionaries({"permit": ANY_TEXT}),
    st.dictionaries(ANY_TEXT, ANY_TEXT | st.integers() | st.none(), max_size=3),
)
NUMBERS = count()


@pytest.fixture
def talk(tmp_path: Path, clerk: Clerk) -> Iterator[Talk]:
    wired = replace(profile(), folder=tmp_path)
    chain = Chain(wired, key=KEY, boot="boot", now=0.0)
    talk = Talk(wired, chain, clerk, Pace(Seconds(0.01)), lambda _: None)
    clerk.start()
    yield talk
    talk.close()
    assert clerk.end(10.0)


@given(st.lists(ANY_LINE, min_size=1, max_size=4))
@settings(
    max_examples=100,
    deadline=None,
    # one daemon for all examples is meant: what one line did must not hurt the next
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_line_on_the_socket_keeps_a_fault_from_the_disk(
    talk: Talk, clerk: Clerk, faults: FaultFile, lines: list[dict[str, Any]]
) -> None:
    """Neither on its way through the sockets, nor as it is in an entry."""
    for line in lines:
        talk._heard(json.loads(json.dumps(line)), Seconds(1.0))
        why = str(next(iter(line.values()), ""))
        event = ChainEvent(
            1.0,
            Event.PERMIT_ENDED,
            InterlockState.ARMED,
            InterlockState.LOCKED,
            None,
            None,
            why,
            why,
        )
        clerk.record(entry(event, "boot", datetime.now(UTC)))
    fault = FaultRecord(FaultCode.LIDS_DIFFER, str(next(NUMBERS)))
    clerk.remember(fault)
    end = time.monotonic() + 10.0
    while not clerk.kept:
        assert time.monotonic() < end
    assert faults.read(has_run_before=True) == fault
    assert (clerk.trouble, clerk.is_alive) == (None, True)
