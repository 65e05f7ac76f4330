"""The machine process's line to its interlock: it comes back, and neither side waits for it."""

from __future__ import annotations

import json
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl.clock import SystemClock
from fabctl.hosting.interlock_line import MOST_LINE, MOST_WAITING, InterlockLine
from fabctl.messaging.interlocks import InterlockPayload
from tests.brokers import wait_until

WORD = b'{"v": 1, "boot": "b", "state": "ready", "since_s": 1.0, "uptime_s": 2.0}\n'


class Daemon:
    """Listens where a daemon does, and is as rude as a test wants."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(4)
        self.listener.settimeout(10.0)
        self.client: socket.socket | None = None
        self.heard = b""

    def accept(self) -> socket.socket:
        client, _ = self.listener.accept()
        client.settimeout(10.0)
        if self.client is not None:
            self.client.close()
        self.client, self.heard = client, b""
        return client

    def next_line(self) -> dict[str, object]:
        assert self.client is not None
        while b"\n" not in self.heard:
            data = self.client.recv(65_536)
            assert data, "the line hung up"
            self.heard += data
        line, _, self.heard = self.heard.partition(b"\n")
        found = json.loads(line)
        assert isinstance(found, dict)
        return found

    def close(self) -> None:
        if self.client is not None:
            self.client.close()
        self.listener.close()


class Host:
    """The machine's main thread, as far as the line sees it."""

    def __init__(self, path: Path) -> None:
        self.woken = 0
        self.log: list[str] = []
        self.heard: list[InterlockPayload] = []
        self.line = InterlockLine(path, SystemClock(), self._wake, self.log.append)

    def _wake(self) -> None:
        self.woken += 1

    def wait_for(self, count: int) -> None:
        def heard() -> bool:
            self.heard += [word.said for word in self.line.take()]
            return len(self.heard) >= count

        wait_until(heard, f"{count} words heard; {self.log}")


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="line") as folder:
        yield Path(folder) / "socket"


@pytest.fixture
def daemon(path: Path) -> Iterator[Daemon]:
    it = Daemon(path)
    yield it
    it.close()


@pytest.fixture
def host(path: Path, daemon: Daemon) -> Iterator[Host]:
    it = Host(path)
    it.line.begin()
    daemon.accept()
    assert daemon.next_line() == {"hello": 1}
    yield it
    it.line.end()


def test_words_come_and_permits_go(host: Host, daemon: Daemon) -> None:
    assert daemon.client is not None
    daemon.client.sendall(WORD[:20])
    daemon.client.sendall(WORD[20:] + b'{"permit_answer": {"accepted": false}}\n' + WORD)
    host.wait_for(2)
    assert [said.state for said in host.heard] == ["ready", "ready"]
    assert host.woken >= 2
    assert host.line.forward(b'{"v": 1}')
    assert daemon.next_line() == {"permit": '{"v": 1}'}
    host.line.drop("because")
    assert daemon.next_line() == {"drop": "because"}


def test_a_word_tells_which_question_it_comes_after(host: Host, daemon: Daemon) -> None:
    """The first hello is the line's own; a line that breaks answers nothing it was asked."""
    assert daemon.client is not None
    answer = b'{"hello": 1}\n'

    def asked(count: int) -> list[int]:
        words: list[int] = []

        def heard() -> bool:
            words.extend(word.asked for word in host.line.take())
            return len(words) >= count

        wait_until(heard, f"{count} words")
        return words

    daemon.client.sendall(WORD + answer + WORD)
    assert asked(2) == [0, 0]
    assert (host.line.ask(), host.line.ask()) == (1, 2)
    assert daemon.next_line() == daemon.next_line() == {"hello": 1}
    daemon.client.sendall(WORD + answer + WORD + answer + WORD)
    assert asked(3) == [0, 1, 2]
    assert host.line.ask() == 3
    assert daemon.next_line() == {"hello": 1}
    daemon.client.close()
    daemon.accept().sendall(answer + WORD)
    assert asked(1) == [0]
    assert daemon.next_line() == {"hello": 1}
    assert host.line.ask() == 4
    assert daemon.next_line() == {"hello": 1}
    daemon.client.sendall(answer + WORD)
    assert asked(1) == [4]


@pytest.mark.parametrize("permit", [b"\xff", b"x" * 1025])
def test_what_no_daemon_would_read_is_not_handed_on(
    host: Host, daemon: Daemon, permit: bytes
) -> None:
    assert not host.line.forward(permit)
    host.line.drop("next")
    assert daemon.next_line() == {"drop": "next"}


@pytest.mark.parametrize(
    "line",
    [
        b'{"state": ' + b"[" * 5000 + b"\n",
        b'{"v": 1, "boot": "b", "state": "safe"}\n',
        b'{"v": 1, "state": "ready"}\n',
        b'"state" \xff\xfe\n',
        b'{"v": 1, "boot": "b", "state": "ready", "since_s": NaN}\n',
        b'"state"' + b"x" * (MOST_LINE + 10) + b"\n",
    ],
)
def test_words_that_make_no_sense_are_told_once_and_left_out(
    host: Host, daemon: Daemon, line: bytes
) -> None:
    assert daemon.client is not None
    daemon.client.sendall(line + line + WORD)
    host.wait_for(1)
    assert len(host.heard) == 1
    assert len(host.log) == 1


def test_a_line_without_an_end_is_hung_up_on(host: Host, daemon: Daemon) -> None:
    assert daemon.client is not None
    daemon.client.sendall(b"x" * (MOST_LINE + 1))
    daemon.accept()
    assert daemon.next_line() == {"hello": 1}


def test_it_comes_back_by_itself(host: Host, daemon: Daemon) -> None:
    assert daemon.client is not None
    for count in (1, 2):
        daemon.client.close()
        wait_until(lambda: host.log, "the loss was told")
        daemon.accept().sendall(WORD)
        assert daemon.next_line() == {"hello": 1}
        host.wait_for(count)
        host.line.drop("new")
        assert daemon.next_line() == {"drop": "new"}


def test_a_daemon_that_does_not_read_stops_nobody(host: Host, daemon: Daemon) -> None:
    began = time.monotonic()
    for _ in range(50_000):
        host.line.forward(b"x" * 1000)
    assert time.monotonic() - began < 10.0
    assert len(host.line._waiting) <= MOST_WAITING
    host.line.drop("last")
    kept = 0
    while daemon.next_line() != {"drop": "last"}:
        kept += 1
    assert kept < 2000, "2 MB at most, of 50"


def test_nobody_there_is_told_once(path: Path) -> None:
    host = Host(path)
    host.line.begin()
    wait_until(lambda: host.log, "it was told")
    end = time.monotonic() + 1.5
    wait_until(lambda: time.monotonic() > end, "it tried again")
    assert len(host.log) == 1
    began = time.monotonic()
    host.line.end()
    assert time.monotonic() - began < 1.0
