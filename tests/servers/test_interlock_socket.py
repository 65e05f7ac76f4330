"""The daemon's sockets under slow, fast and hostile clients: refused, counted, never waited for."""

from __future__ import annotations

import json
import os
import socket
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fabctl.errors import LocalError
from fabctl.units import Seconds
from fabctl_drivers.interlock.socket_server import (
    BURST,
    MOST_CLIENTS,
    MOST_LINE,
    MOST_MESSAGES,
    SILENT_S,
    Message,
    SocketServer,
)

Connect = Callable[[], socket.socket]
NOW = Seconds(1000.0)


class Heard:
    """A server that answers {"hello": 1} and keeps what it heard."""

    def __init__(self, folder: Path, only_users: frozenset[int] | None = None) -> None:
        self.messages: list[Message] = []
        self.server = SocketServer(folder / "socket", 0o660, self._answer, only_users)
        self.path = folder / "socket"

    def _answer(self, message: Message, now: Seconds) -> Message | None:
        assert now >= NOW
        self.messages.append(message)
        return {"answer": 1} if "hello" in message else None

    def turn(self, now: float = NOW, times: int = 1) -> None:
        for _ in range(times):
            self.server.turn(Seconds(now))


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[Heard]:
    it = Heard(tmp_path)
    yield it
    it.server.close()


@pytest.fixture
def connect(heard: Heard) -> Iterator[Connect]:
    clients: list[socket.socket] = []

    def connect() -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(5)
        client.connect(str(heard.path))
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.close()


def is_hung_up(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        while data := client.recv(65536):
            assert data
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    return True


def test_the_socket_is_for_its_group_only(heard: Heard) -> None:
    assert stat.S_IMODE(heard.path.stat().st_mode) == 0o660


def test_a_message_is_answered(heard: Heard, connect: Connect) -> None:
    client = connect()
    client.sendall(b'{"hello": 1}\n')
    heard.turn(times=2)
    assert client.recv(100) == b'{"answer": 1}\n'
    assert heard.messages == [{"hello": 1}]


def test_a_message_may_come_in_pieces(heard: Heard, connect: Connect) -> None:
    client = connect()
    for byte in b'{"hello": 1}\n':
        client.sendall(bytes([byte]))
        heard.turn(times=2)
    assert heard.messages == [{"hello": 1}]


def test_everybody_is_told(heard: Heard, connect: Connect) -> None:
    clients = [connect(), connect()]
    heard.turn(times=2)
    heard.server.tell(b"state")
    assert [client.recv(100) for client in clients] == [b"state\n", b"state\n"]


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe\x00",
        b"not json",
        b"[1, 2]",
        b"null",
        b"{}",
        b'{"press": "reset"}',
        b"[" * 1500,
        b'{"hello":' * 200,
        b"9" * 2000,
        b"NaN",
        b"",
    ],
)
def test_nonsense_is_hung_up_on_and_counted(heard: Heard, connect: Connect, line: bytes) -> None:
    client = connect()
    client.sendall(line + b"\n")
    heard.turn(times=3)
    assert is_hung_up(client)
    assert heard.server.refused == {"garbage": 1}
    assert len(heard.server) == 0


@pytest.mark.parametrize("size", [MOST_LINE, MOST_LINE + 1, 3 * MOST_LINE, 1_000_000])
def test_a_line_that_is_too_long_is_not_kept(heard: Heard, connect: Connect, size: int) -> None:
    client = connect()
    client.setblocking(False)
    sent = 0
    line = b'{"hello": "' + b"a" * (size - 13) + b'"}\n'
    for _ in range(2000):
        try:
            sent += client.send(line[sent:])
        except (BlockingIOError, ConnectionError):
            heard.turn()
        if heard.server.refused:
            break
        heard.turn()
    assert heard.server.refused == {"oversize": 1}
    assert heard.messages == []


def test_the_longest_line_is_taken(heard: Heard, connect: Connect) -> None:
    client = connect()
    line = b'{"hello": "' + b"a" * (MOST_LINE - 14) + b'"}\n'
    assert len(line) == MOST_LINE
    client.sendall(line)
    heard.turn(times=3)
    assert len(heard.messages) == 1


def test_many_messages_at_once_are_a_flood(heard: Heard, connect: Connect) -> None:
    client = connect()
    client.sendall(b'{"hello": 1}\n' * (MOST_MESSAGES + 1))
    heard.turn(times=3)
    assert is_hung_up(client)
    assert heard.server.refused == {"flood": 1}
    assert len(heard.messages) == MOST_MESSAGES


def test_too_many_messages_a_second_are_a_flood(heard: Heard, connect: Connect) -> None:
    client = connect()
    heard.turn()
    for _ in range(int(BURST) + 1):
        client.sendall(b'{"hello": 1}\n')
        heard.turn()
    assert heard.server.refused == {"flood": 1}
    assert len(heard.messages) == BURST


def test_a_permit_every_second_is_no_flood(heard: Heard, connect: Connect) -> None:
    client = connect()
    for second in range(500):
        client.sendall(b'{"hello": 1}\n')
        heard.turn(NOW + second, times=2)
        client.recv(100)
    assert len(heard.messages) == 500


def test_a_client_that_does_not_read_is_dropped_and_nobody_waits(
    heard: Heard, connect: Connect
) -> None:
    slow, good = connect(), connect()
    good.setblocking(False)
    heard.turn(times=3)
    line = b"s" * 1000
    longest = 0.0
    for _ in range(2000):
        began = time.perf_counter()
        heard.server.tell(line)
        heard.turn()
        longest = max(longest, time.perf_counter() - began)
        assert good.recv(65536)
        if heard.server.refused:
            break
    assert heard.server.refused == {"slow": 1}
    assert len(heard.server) == 1
    assert is_hung_up(slow)
    assert longest < 0.5


def test_a_client_that_reads_late_gets_everything_in_order(heard: Heard, connect: Connect) -> None:
    late = connect()
    heard.turn(times=2)
    (client,) = heard.server._clients.values()
    lines: list[bytes] = []
    while not client.unsent:  # until the kernel holds no more
        lines.append(f"{len(lines):0999}".encode())
        heard.server.tell(lines[-1])
    lines += [b"more", b"still more"]
    for line in lines[-2:]:
        heard.server.tell(line)
    got = b""
    while got.count(b"\n") < len(lines):
        data = late.recv(65536)
        assert data
        got += data
        heard.turn()
    assert got.split(b"\n")[:-1] == lines
    assert not heard.server.refused


def test_a_crowd_is_refused_until_somebody_has_been_silent(heard: Heard, connect: Connect) -> None:
    first = connect()
    for _ in range(MOST_CLIENTS - 1):
        connect()
    heard.turn(times=MOST_CLIENTS)
    connect()
    heard.turn()
    assert heard.server.refused == {"crowd": 1}
    last = connect()
    heard.turn(NOW + SILENT_S)
    assert len(heard.server) == MOST_CLIENTS
    assert is_hung_up(first)
    assert not is_hung_up(last)


def test_a_client_that_speaks_keeps_its_place(heard: Heard, connect: Connect) -> None:
    first = connect()
    for _ in range(MOST_CLIENTS - 1):
        connect()
    heard.turn(times=MOST_CLIENTS)
    first.sendall(b'{"hello": 1}\n')
    heard.turn(NOW + SILENT_S)
    connect()
    heard.turn(NOW + SILENT_S)
    assert not is_hung_up(first)


def test_only_named_users_are_let_in(tmp_path: Path) -> None:
    nobody = Heard(tmp_path, frozenset({os.geteuid() + 1}))
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(nobody.path))
    nobody.turn()
    assert is_hung_up(client)
    assert nobody.server.refused == {"user": 1}
    nobody.server.close()
    client.close()


def test_own_user_is_let_in(tmp_path: Path) -> None:
    own = Heard(tmp_path, frozenset({0, os.geteuid()}))
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(own.path))
    own.turn()
    assert len(own.server) == 1
    own.server.close()
    client.close()


def test_a_socket_left_behind_is_replaced_and_removed_at_the_end(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "socket"))
    left.close()
    it = Heard(tmp_path)
    it.server.close()
    assert not it.path.exists()


def test_a_socket_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="cannot be made"):
        Heard(tmp_path / "nowhere")


@given(st.lists(st.binary(max_size=3000), max_size=12))
@settings(
    max_examples=300,
    deadline=None,
    # the same server for all examples is meant: what one client did must not hurt the next
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_bytes_come_nothing_is_raised(heard: Heard, chunks: list[bytes]) -> None:
    client = socket.socket(socket.AF_UNIX)
    client.setblocking(False)
    client.connect(str(heard.path))
    try:
        for chunk in chunks:
            try:
                client.send(chunk)
            except (BlockingIOError, ConnectionError):
                break
            heard.turn(times=3)
    finally:
        client.close()
    heard.turn(times=3)
    assert len(heard.server) == 0
    assert all(json.dumps(message) for message in heard.messages)
