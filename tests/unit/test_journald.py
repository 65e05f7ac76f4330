"""Lines for systemd's journal, as its native protocol wants them."""

from __future__ import annotations

import logging
import os
import socket
import struct
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from fabctl.believed_clock import BelievedClock
from fabctl.clock import ManualClock
from fabctl.hosting import logs
from fabctl.journald import LONGEST, Journal, encoded, leads_to_journal
from fabctl.journald_handler import JournalHandler


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[socket.socket]:
    """Return a socket that stands where the journal's would."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "socket"))
        made.settimeout(5)
        yield made


def test_fields_of_one_line_and_of_several() -> None:
    assert encoded({"MESSAGE": "a=b", "PRIORITY": "6"}) == b"MESSAGE=a=b\nPRIORITY=6\n"
    assert encoded({"MESSAGE": "a\nb"}) == b"MESSAGE\n" + struct.pack("<Q", 3) + b"a\nb\n"


def test_a_line_cannot_forge_a_field() -> None:
    sent = encoded({"MESSAGE": "x\nPRIORITY=0\n", "PRIORITY": "6"})
    assert sent == b"MESSAGE\n" + struct.pack("<Q", 13) + b"x\nPRIORITY=0\n\nPRIORITY=6\n"


def test_a_line_says_which_process_and_machine(heard: socket.socket, tmp_path: Path) -> None:
    journal = Journal("machine", "mill", tmp_path / "socket")
    assert journal.write("the port closed")
    assert heard.recv(10_000).decode().splitlines() == [
        "MESSAGE=the port closed", "PRIORITY=6", "SYSLOG_IDENTIFIER=fabctl",
        "FABCTL_PROCESS=machine", "FABCTL_MACHINE=mill",
    ]  # fmt: skip
    assert journal.write("x" * 2 * LONGEST)
    assert len(heard.recv(10 * LONGEST)) < LONGEST + 200
    assert journal.write("x" + LONGEST * "é")
    assert "éé\n" in heard.recv(10 * LONGEST).decode(), "no character is cut"
    journal.close()


def test_a_journal_that_is_not_there_is_said(tmp_path: Path) -> None:
    journal = Journal("web", path=tmp_path / "none")
    assert not journal.write("x")
    journal.close()


def test_what_says_that_something_is_wrong_is_a_warning(
    heard: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that jumps, and is followed."""
    journal = Journal("steward", path=tmp_path / "socket")
    monkeypatch.setattr(logs, "_JOURNALS", [journal])
    hand = ManualClock()
    clock = BelievedClock(hand, logs.log, elapsed=hand.monotonic, synced=lambda: True)
    hand.wall += timedelta(days=1)
    clock.now()
    told = [heard.recv(1000).decode().splitlines()[:2] for _ in range(2)]
    assert told[0][0].startswith("MESSAGE=the wall clock jumped 86400 s")
    assert told[1][0].startswith("MESSAGE=the wall clock is believed")
    assert [priority for _, priority in told] == ["PRIORITY=4", "PRIORITY=6"]
    journal.close()


@pytest.mark.parametrize(
    ("level", "priority"), [(logging.INFO, 6), (logging.WARNING, 4), (logging.CRITICAL, 3)]
)
def test_levels_of_libraries(
    heard: socket.socket, tmp_path: Path, level: int, priority: int
) -> None:
    journal = Journal("web", path=tmp_path / "socket")
    JournalHandler(journal).handle(logging.LogRecord("x", level, "f", 1, "m", None, None))
    assert f"PRIORITY={priority}" in heard.recv(1000).decode().splitlines()
    journal.close()


def test_only_a_stderr_that_leads_there(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        found = os.fstat(file.fileno())
        stream = f"{found.st_dev}:{found.st_ino}"
        assert leads_to_journal(file.fileno(), {"JOURNAL_STREAM": stream})
        assert not leads_to_journal(file.fileno(), {"JOURNAL_STREAM": f"1{stream}"})
        assert not leads_to_journal(file.fileno(), {})
        assert not leads_to_journal(file.fileno(), {"JOURNAL_STREAM": "x:y"})
