"""The line between a machine's process and its interlock's daemon: a Unix socket, JSON lines.

A thread of its own reads and writes; it never waits for the main one, nor the main one for it.
Permits go through unread: they are signed, and the key is not ours. What the daemon says is read
strictly; a line that is not its form counts as silence.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fabctl.clock import Clock
from fabctl.complaint import Complaint
from fabctl.descriptors import ready
from fabctl.messaging.fields import PayloadError, decode
from fabctl.messaging.interlocks import InterlockPayload
from fabctl.permits import MAX_BYTES
from fabctl.units import Seconds

RECONNECT_EVERY_S = 0.5
SILENCE = Seconds(1.5)
"""The daemon speaks every 0.5 s; after three times that, nobody knows what it does."""
MOST_LINE = 16_384
MOST_WAITING = 8
"""Messages to the daemon; more are dropped, oldest first: only the newest permit matters."""
MOST_HEARD = 256
MOST_UNSENT = 4096
"""Bytes for a daemon that does not read, besides what the kernel holds."""
CHUNK = 65_536


class Heard(NamedTuple):
    """One word of the daemon."""

    at: Seconds
    """When it came, by our own clock."""
    said: InterlockPayload
    asked: int = 0
    """The newest :meth:`InterlockLine.ask` that the daemon had answered before it said this."""


class InterlockLine:
    """The client of one daemon's socket.

    :param path: the socket; it may come and go with the daemon.
    :param wake: ends the main thread's waiting.
    """

    def __init__(
        self, path: Path, clock: Clock, wake: Callable[[], None], log: Callable[[str], None]
    ) -> None:
        self._path = path
        self._clock = clock
        self._wake = wake
        self._log = log
        self._heard: deque[Heard] = deque(maxlen=MOST_HEARD)
        self._waiting: deque[tuple[bytes, int | None]] = deque(maxlen=MOST_WAITING)
        """Lines for the daemon; with the number of the question, where it is one."""
        self._asks = 0
        self._unanswered: deque[int] = deque()
        self._answered = 0
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._ending = False
        self._complaint = ""
        self._thread = threading.Thread(target=self._run, name="interlock", daemon=True)

    # -- the main thread -------------------------------------------------------------------------

    def begin(self) -> None:
        """Start; returns at once."""
        self._thread.start()

    def end(self) -> None:
        """Hang up, and wait for the thread."""
        self._ending = True
        os.eventfd_write(self._event, 1)
        self._thread.join(2.0)

    def take(self) -> list[Heard]:
        """Return what the daemon said since the last call, oldest first, with our own time."""
        heard = []
        while self._heard:
            heard.append(self._heard.popleft())
        return heard

    def forward(self, permit: bytes) -> bool:
        """Hand a permit on as it came; False: no daemon would read it (too long, no text)."""
        if len(permit) > MAX_BYTES:
            return False
        try:
            text = permit.decode()
        except UnicodeDecodeError:
            return False
        self._say({"permit": text})
        return True

    def drop(self, why: str) -> None:
        """Have the daemon take its permission away."""
        self._say({"drop": why[:100]})

    def ask(self) -> int:
        """Ask for the daemon's state; return the question's number.

        A word whose ``asked`` is as high was said after the daemon had read the question. One that
        is lost with the line is never answered: ask again.
        """
        self._asks += 1
        self._say({"hello": 1}, self._asks)
        return self._asks

    def _say(self, message: dict[str, object], question: int | None = None) -> None:
        self._waiting.append((json.dumps(message).encode() + b"\n", question))
        os.eventfd_write(self._event, 1)

    # -- its own thread --------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ending:
            try:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                    connection.connect(str(self._path))
                    connection.setblocking(False)
                    self._complain("")
                    self._talk(connection)
            except OSError as error:
                self._complain(f"the interlock does not answer: {error}")
            except Exception as error:  # noqa: BLE001  # top of the thread: silence shows as unknown
                self._complain(f"the interlock's line failed: {type(error).__name__}: {error}")
            self._waiting.clear()  # a permit that waited is too old for the next daemon
            if not self._ending:
                self._rest(RECONNECT_EVERY_S)

    def _talk(self, connection: socket.socket) -> None:
        """Read and write until the daemon hangs up, or we do."""
        rest, unsent = b"", b'{"hello": 1}\n'
        self._unanswered = deque([0])
        line = connection.fileno()
        while not self._ending:
            while self._waiting and len(unsent) < MOST_UNSENT:
                text, question = self._waiting.popleft()
                unsent += text
                if question is not None:
                    self._unanswered.append(question)
            readable, writable = ready([line, self._event], [line] if unsent else [])
            if self._event in readable:
                os.eventfd_read(self._event)
            if writable:
                unsent = unsent[connection.send(unsent) :]
            if line in readable:
                data = connection.recv(CHUNK)
                if not data:
                    raise ConnectionResetError("it hung up")
                rest = self._lines(rest + data)

    def _lines(self, data: bytes) -> bytes:
        """Hand on the whole lines; return the unfinished one."""
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._line(line)
        if len(rest) > MOST_LINE:
            raise PayloadError("a line without an end", limit=f"{MOST_LINE} bytes")
        return rest

    def _rest(self, seconds: float) -> None:
        """Wait for the next try, or for the end; what is said meanwhile ends it early too."""
        readable, _ = ready([self._event], timeout_s=seconds)
        if readable:
            os.eventfd_read(self._event)

    def _line(self, line: bytes) -> None:
        if line.startswith(b'{"hello"'):
            if self._unanswered:  # answers come in the order of the questions
                self._answered = self._unanswered.popleft()
            return
        try:
            said = _state(line)
        except PayloadError as error:
            self._complain(f"what the interlock says cannot be read: {error}")
            return
        if said is not None:
            self._heard.append(Heard(self._clock.monotonic(), said, self._answered))
            self._wake()

    def _complain(self, complaint: str) -> None:
        if complaint and complaint != self._complaint:
            self._log(Complaint(complaint))
        self._complaint = complaint


def _state(line: bytes) -> InterlockPayload | None:
    """Return the state that a line tells; None for an answer.

    :raises PayloadError: it is malformed.
    """
    if len(line) > MOST_LINE:
        raise PayloadError(f"a line of {len(line)} bytes", limit=f"{MOST_LINE} bytes")
    if b'"state"' not in line:  # {"permit_answer": …}: no version, nothing to keep
        return None
    fields = decode(line)
    return InterlockPayload.read(fields, boot=fields.text("boot", limit=64))
