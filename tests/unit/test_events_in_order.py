"""A machine's events keep their order whatever the network does, and have a limit on the disk."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from fabctl.errors import DeviceError
from fabctl.hosting.journal import FOR_JOBS_UNDER_WAY, MOST_KEPT, Journal
from fabctl.messaging.payloads import EventType
from tests.machine_bench import MachineBench
from tests.unit.test_machine_disk import event


@pytest.fixture
def bench(tmp_path: Path) -> MachineBench:
    made = MachineBench(tmp_path)
    made.become_idle()
    return made


def said(bench: MachineBench) -> list[int]:
    return [one["seq"] for one in bench.events()]


def happens(bench: MachineBench) -> int:
    """Let something happen; return its number."""
    bench.reports.event(EventType.MACHINE_CLEARED, by=None)
    return bench.journal.untold()[-1].seq


def test_what_happens_right_after_a_cut_is_not_said_before_what_the_cut_swallowed(
    bench: MachineBench,
) -> None:
    first = happens(bench)
    assert said(bench) == [first]
    bench.messages.said.clear()
    bench.messages.losses += 1  # it went with its connection; another is there already
    second = happens(bench)
    assert said(bench) == []
    bench.reports.connected()
    third = happens(bench)
    assert said(bench) == []
    bench.step()
    assert said(bench) == [first, second, third]
    assert happens(bench) == said(bench)[-1]


def test_a_new_event_waits_until_a_long_absence_is_told(bench: MachineBench) -> None:
    bench.messages.connected = False
    kept = [happens(bench) for _ in range(50)]
    for _ in range(10):
        bench.reports.event(EventType.MACHINE_CLEARED, by=None)
    bench.messages.connected = True
    bench.reports.connected()
    bench.step()
    assert said(bench) == kept
    bench.reports.event(EventType.MACHINE_CLEARED, by=None)
    assert said(bench) == kept
    bench.reports.recorded([(bench.boot, seq) for seq in kept])
    assert said(bench) == sorted(said(bench))
    assert len(said(bench)) == len(kept) + 10 + 1


def test_events_of_the_process_before_come_first(tmp_path: Path) -> None:
    before = MachineBench(tmp_path)
    before.messages.connected = False
    before.reports.event(EventType.MACHINE_CLEARED, by=None)
    after = MachineBench(tmp_path, boot="boot-2")
    after.reports.event(EventType.MACHINE_CLEARED, by=None)
    assert after.events() == []
    after.reports.everything()
    assert [one["boot"] for one in after.events()] == ["boot-1", "boot-2"]


def test_what_waits_in_memory_for_room_keeps_its_place(bench: MachineBench) -> None:
    bench.journal._db.execute("PRAGMA query_only = ON")
    for _ in range(3):
        bench.reports.event(EventType.MACHINE_CLEARED, by=None)
    bench.journal._db.execute("PRAGMA query_only = OFF")
    bench.reports.event(EventType.MACHINE_CLEARED, by=None)
    kept = [one.seq for one in bench.journal.untold()]
    assert kept == sorted(kept)
    assert len(kept) == 4


def fill(folder: Path, count: int) -> None:
    """Put so many events into a machine's journal."""
    file = folder / "machine" / "journal.db"
    Journal(file).close()
    with sqlite3.connect(file) as database:
        database.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            "INSERT INTO event (type, boot, seq, payload) "
            "SELECT 'machine-cleared', 'old', i, ? FROM n",
            (count, event(1).encode()),
        )
    database.close()


def test_a_full_journal_takes_no_more_until_some_are_on_record(tmp_path: Path) -> None:
    fill(tmp_path, MOST_KEPT)
    journal = Journal(tmp_path / "machine" / "journal.db")
    with pytest.raises(DeviceError, match="10000 events wait"):
        journal.add(event(1))
    assert journal.acknowledge([("old", 1)]) == 1
    journal.add(event(1))
    assert len(journal) == MOST_KEPT
    journal.close()


def test_no_job_begins_while_so_many_events_wait_and_what_runs_still_has_room(
    tmp_path: Path,
) -> None:
    fill(tmp_path, MOST_KEPT - FOR_JOBS_UNDER_WAY)
    bench = MachineBench(tmp_path)
    bench.become_idle()
    answer = bench.ask_signed("start", bench.order())
    assert (answer["accepted"], answer["code"]) == (False, "machine-refused")
    assert "9000 events" in answer["reason"]
    assert len(bench.journal) == MOST_KEPT - FOR_JOBS_UNDER_WAY + 1  # the refusal is one, too
    bench.reports.recorded([("old", seq) for seq in range(1, 200)])
    assert bench.ask_signed("start", bench.order())["accepted"] is True
