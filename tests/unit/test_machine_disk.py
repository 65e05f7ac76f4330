"""What a machine's process leaves on its disk: journal, mark, hold, keys."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fabctl.config import DataPaths
from fabctl.errors import DeviceError, LocalError
from fabctl.hosting.durable import read_durable, write_durably
from fabctl.hosting.journal import Journal
from fabctl.hosting.running_mark import Hold, HoldFile, MarkedJob, RunningMark
from fabctl.messaging.keys import make_keys, make_secret, read_key
from fabctl.messaging.payloads import EventPayload, EventType, Stamp


def event(seq: int, type_: EventType = EventType.JOB_STARTED) -> EventPayload:
    """Return an event of boot ``b``."""
    return EventPayload(type_, Stamp(datetime(2026, 1, 1, tzinfo=UTC), True, "b", seq), job="j")


def test_events_come_back_in_order_until_they_are_acknowledged(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    added = [journal.add(event(seq)) for seq in (3, 1, 2)]
    assert journal.untold() == added
    assert journal.acknowledge([("b", 3), ("b", 9), ("other", 1)]) == 1
    assert [entry.seq for entry in journal.untold()] == [1, 2]
    assert len(journal) == 2
    journal.close()


def test_a_journal_is_there_in_the_next_process(tmp_path: Path) -> None:
    first = Journal(tmp_path / "journal.db")
    first.add(event(1))  # and the process is killed: nothing is closed
    second = Journal(tmp_path / "journal.db")
    assert [EventPayload.decode(entry.payload) for entry in second.untold()] == [event(1)]
    first.close()
    second.close()


def test_at_most_50_events_are_told_at_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    for seq in range(60):
        journal.add(event(seq))
    assert [entry.seq for entry in journal.untold()] == list(range(50))
    journal.close()


def test_a_journal_that_cannot_be_read_is_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "journal.db"
    file.write_bytes(b"not a database, but long enough to look like one" * 100)
    journal = Journal(file)
    assert journal.set_aside == tmp_path / "journal.db.unreadable"
    assert journal.untold() == []
    journal.add(event(1))
    journal.close()
    file.write_bytes(b"damaged once more, and what was set aside is evidence too" * 100)
    again = Journal(file)
    assert again.set_aside == tmp_path / "journal.db.unreadable.2"
    assert (tmp_path / "journal.db.unreadable").read_bytes().startswith(b"not a database")
    again.close()


def test_a_journal_that_cannot_be_opened_is_not_taken_for_a_damaged_one(tmp_path: Path) -> None:
    file = tmp_path / "journal.db"
    file.mkdir()  # "unable to open database file", as for a lack of rights or of descriptors
    with pytest.raises(DeviceError, match=r"journal\.db cannot be opened"):
        Journal(file)
    assert file.is_dir()


def test_a_mark_is_there_exactly_while_a_job_runs(tmp_path: Path) -> None:
    mark = RunningMark(tmp_path)
    assert mark.left_behind() is None
    mark.begin("job-1", "ring.gcode", "person-1")
    mark.reached(41)
    mark.reached(42)
    assert RunningMark(tmp_path).left_behind() == MarkedJob("job-1", "ring.gcode", "person-1", 42)
    mark.end()
    assert RunningMark(tmp_path).left_behind() is None


def test_a_new_job_begins_at_line_0(tmp_path: Path) -> None:
    mark = RunningMark(tmp_path)
    mark.begin("job-1", "a", None)
    mark.reached(2**40)
    assert mark.line == 2**40
    mark.begin("job-2", "b", None)
    assert RunningMark(tmp_path).left_behind() == MarkedJob("job-2", "b", None, 0)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"job": 7}'])
def test_a_mark_that_cannot_be_read_still_says_that_something_ran(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "running.json").write_bytes(content)
    left = RunningMark(tmp_path).left_behind()
    assert left is not None
    assert left.job is None


def test_a_hold_outlives_the_process_and_the_first_reason_stays(tmp_path: Path) -> None:
    first = Hold("cable-lost", "The cable was pulled.", "job-1", 12)
    HoldFile(tmp_path).set(first)
    again = HoldFile(tmp_path)
    again.set(Hold("interrupted", "Something later."))
    assert HoldFile(tmp_path).hold == first
    again.clear()
    assert HoldFile(tmp_path).hold is None


def test_a_hold_that_cannot_be_read_holds(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    hold = HoldFile(tmp_path).hold
    assert hold is not None
    assert hold.trouble == "interrupted"


def test_half_a_file_is_never_read(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    write_durably(file, {"a": 1})
    (tmp_path / ".x.json.new").write_text("{half")
    assert read_durable(file) == {"a": 1}
    write_durably(file, {"a": 2})
    assert read_durable(file) == {"a": 2}
    assert [one.name for one in tmp_path.iterdir()] == ["x.json"]


def test_keys_are_made_once_and_only_for_their_owner(tmp_path: Path) -> None:
    paths = DataPaths(tmp_path)
    assert make_keys(paths, ["printer-a", "mill"]) == ["printer-a", "mill", "the web's secret"]
    key = read_key(paths.machine_key("mill"))
    assert (len(key), stat.S_IMODE(paths.machine_key("mill").stat().st_mode)) == (32, 0o600)
    assert make_keys(paths, ["printer-a", "mill", "laser"]) == ["laser"]
    assert read_key(paths.machine_key("mill")) == key
    assert not make_secret(paths.secret)


@pytest.mark.parametrize("content", ["", "00", "zz" * 32])
def test_a_key_that_cannot_be_used_is_explained(tmp_path: Path, content: str) -> None:
    file = tmp_path / "x.key"
    file.write_text(content)
    with pytest.raises(LocalError, match=r"x\.key"):
        read_key(file)
    with pytest.raises(LocalError, match="fabctl run"):
        read_key(tmp_path / "none.key")
