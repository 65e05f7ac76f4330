"""The daemon's Unix sockets: JSON lines in, state out, and the scan waits for nobody.

It is served from the scan loop's own thread, between two scans, and does a bounded amount of work
each time: at most :data:`MOST_READY` connections are looked at, each with one read of at most
:data:`MOST_LINE` bytes, and none is read once :data:`MOST_MESSAGES` messages were dealt with.
Whoever sends too much, too fast or nonsense is hung up on and counted; whoever does not read is
dropped. (A thread of its own would compete for the interpreter's lock in the middle of a scan.)
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabctl.errors import LocalError
from fabctl.units import Seconds

MOST_LINE = 2048
"""Bytes of one message, its newline included."""
MOST_CLIENTS = 16
MOST_READY = 8
MOST_MESSAGES = 8
MOST_UNSENT = 32 * 1024
"""Bytes that a reader may be behind, besides what the kernel holds."""
BURST = 50.0
PER_S = 20.0
"""Messages that one client may send at once, and then per s."""
SILENT_S = Seconds(10.0)
"""A connection that said nothing sensible for so long makes room for a new one."""
_UCRED = struct.Struct("3i")

Message = dict[str, Any]


@dataclass(eq=False)
class Client:
    """One connection."""

    connection: socket.socket
    heard_at: Seconds
    """When it last said something sensible; at first when it came."""
    tokens: float = BURST
    counted_at: Seconds = Seconds(0.0)
    line: bytearray = field(default_factory=bytearray)
    unsent: bytearray = field(default_factory=bytearray)
    gone: bool = False

    def may_speak(self, now: Seconds) -> bool:
        """Take one message off its allowance; False when it has none left."""
        self.tokens = min(BURST, self.tokens + PER_S * (now - self.counted_at))
        self.counted_at = now
        self.tokens -= 1.0
        return self.tokens >= 0.0


Answer = Callable[[Message, Seconds], Message | None]
"""Deals with one message; the answer goes to its sender. None: the message makes no sense."""


class SocketServer:
    """One listening socket.

    :param path: where; a socket that an earlier daemon left there is replaced.
    :param mode: who may connect, ``0o660`` or ``0o600``.
    :param answer: see :data:`Answer`.
    :param only_users: user ids whose connections are taken (SO_PEERCRED); None: whoever may open
        the file.
    :raises LocalError: the socket cannot be made.
    """

    def __init__(
        self, path: Path, mode: int, answer: Answer, only_users: frozenset[int] | None = None
    ) -> None:
        self.refused: Counter[str] = Counter()
        """What was refused, by reason: oversize, garbage, flood, slow, crowd, user."""
        self._path = path
        self._answer = answer
        self._only_users = only_users
        self._clients: dict[int, Client] = {}
        self._poll = select.epoll()
        self._listener = _listen(path, mode)
        self._poll.register(self._listener.fileno(), select.EPOLLIN)

    def __len__(self) -> int:
        return len(self._clients)

    def turn(self, now: Seconds) -> None:
        """Do what can be done at once: take in, read, answer, send on. It never waits.

        :param now: monotonic clock, s.
        """
        budget = MOST_MESSAGES
        for fd, what in self._poll.poll(0, MOST_READY):
            client = self._clients.get(fd)
            if client is None:
                self._accept(now)
                continue
            if what & select.EPOLLOUT:
                self._flush(client)
            if not client.gone and what & ~select.EPOLLOUT and budget > 0:
                budget -= self._read(client, now)
            if client.gone:
                self._hang_up(client)

    def tell(self, words: bytes) -> None:
        """Send one line to everybody, as far as they take it.

        :param words: without its newline.
        """
        for client in list(self._clients.values()):
            self._send(client, words)
            if client.gone:
                self._hang_up(client)

    def close(self) -> None:
        """Hang up on everybody and remove the socket."""
        for client in list(self._clients.values()):
            self._hang_up(client)
        self._listener.close()
        self._poll.close()
        self._path.unlink(missing_ok=True)

    # -- one client ----------------------------------------------------------------------------

    def _accept(self, now: Seconds) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # gone again before we came to it
        connection.setblocking(False)
        if self._only_users is not None and _user(connection) not in self._only_users:
            self.refused["user"] += 1
            connection.close()
        elif len(self._clients) >= MOST_CLIENTS and not self._made_room(now):
            self.refused["crowd"] += 1
            connection.close()
        else:
            self._clients[connection.fileno()] = Client(connection, now, counted_at=now)
            self._poll.register(connection.fileno(), select.EPOLLIN)

    def _made_room(self, now: Seconds) -> bool:
        quietest = min(self._clients.values(), key=lambda client: client.heard_at)
        if now - quietest.heard_at < SILENT_S:
            return False
        self._hang_up(quietest)
        return True

    def _read(self, client: Client, now: Seconds) -> int:
        """Read once and deal with the whole lines; return how many there were."""
        try:
            data = client.connection.recv(MOST_LINE)
        except BlockingIOError:
            return 0
        except OSError:
            data = b""
        if not data:
            client.gone = True
            return 0
        client.line += data
        done = 0
        while not client.gone and (end := client.line.find(b"\n")) >= 0:
            if done >= MOST_MESSAGES:
                self._refuse(client, "flood")
                break
            line = bytes(client.line[:end])
            del client.line[: end + 1]
            done += 1
            self._heard(client, line, now)
        if not client.gone and len(client.line) >= MOST_LINE:
            self._refuse(client, "oversize")
        return done

    def _heard(self, client: Client, line: bytes, now: Seconds) -> None:
        if len(line) >= MOST_LINE:
            self._refuse(client, "oversize")
            return
        if not client.may_speak(now):
            self._refuse(client, "flood")
            return
        message = _message(line)
        answer = self._answer(message, now) if message is not None else None
        if answer is None:
            self._refuse(client, "garbage")
            return
        client.heard_at = now
        self._send(client, json.dumps(answer).encode())

    def _refuse(self, client: Client, reason: str) -> None:
        self.refused[reason] += 1
        client.gone = True

    def _send(self, client: Client, words: bytes) -> None:
        waiting = bool(client.unsent)
        client.unsent += words
        client.unsent += b"\n"
        if not waiting:
            self._flush(client)
        if len(client.unsent) > MOST_UNSENT:
            self._refuse(client, "slow")

    def _flush(self, client: Client) -> None:
        try:
            del client.unsent[: client.connection.send(client.unsent)]
        except BlockingIOError:
            pass  # its buffer is full: EPOLLOUT below says when it is not
        except OSError:
            client.gone = True
            return
        wanted = select.EPOLLIN | (select.EPOLLOUT if client.unsent else 0)
        self._poll.modify(client.connection.fileno(), wanted)

    def _hang_up(self, client: Client) -> None:
        fd = client.connection.fileno()
        self._poll.unregister(fd)
        del self._clients[fd]
        client.connection.close()


def _listen(path: Path, mode: int) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o777 & ~mode)  # never wider open, not even for a moment
    try:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        listener.listen(MOST_CLIENTS)
    except OSError as error:
        listener.close()
        raise LocalError(f"the socket {path} cannot be made: {error}") from error
    finally:
        os.umask(before)
    listener.setblocking(False)
    return listener


def _user(connection: socket.socket) -> int:
    """Return who is at the other end (SO_PEERCRED, unix(7)): its effective user id."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    return int(_UCRED.unpack(raw)[1])


def _message(line: bytes) -> Message | None:
    with contextlib.suppress(ValueError, RecursionError):
        message = json.loads(line)
        if isinstance(message, dict):
            return message
    return None
