"""What changed, for every open stream: one condition variable between MQTT's thread and theirs.

A stream sleeps until something changed or its next heartbeat is due; nobody polls. The hub
knows only *that* a machine changed, and whether that presses; what to show is read from the lab
view afterwards.
"""

from __future__ import annotations

import secrets
import threading
from collections import Counter

MOST_STREAMS = 240
"""Open streams; each holds one of the server's threads, made when it is needed first. Above, pages
poll every 10 s."""
MOST_OF_ONE_ADDRESS = 120
"""A whole lab may share one address; but no single one leaves the others without a place."""


class TooManyStreamsError(Exception):
    """Every place is taken; the page polls instead."""


class Hub:
    """Counts changes per machine and wakes the streams. Safe from any thread."""

    def __init__(self, most_streams: int = MOST_STREAMS) -> None:
        self._condition = threading.Condition()
        self._version = 0
        self._changed: dict[str, int] = {}
        self._pressing: dict[str, int] = {}
        self._pressed = 0
        self._streams = 0
        self._of: Counter[str] = Counter()
        self._most_streams = most_streams
        self._closed = False
        self._own = secrets.token_hex(4)

    @property
    def mark(self) -> str:
        """What a page keeps of the moment it was made; :meth:`since` reads it."""
        return f"{self._own}-{self.version}"

    def since(self, mark: str | None) -> int | None:
        """Return the version at which a page was made; without a mark, that of now.

        None: another web process made the page, or this one before it was started again. Its
        numbers say nothing here.
        """
        if mark is None:
            return self.version
        own, _, number = mark.partition("-")
        if own != self._own or not number.isascii() or not number.isdigit():
            return None
        return min(int(number[:18]), self.version)

    @property
    def version(self) -> int:
        """A number that grows with every change."""
        with self._condition:
            return self._version

    def version_of(self, machine: str) -> int:
        """Return the version at which ``machine`` changed last; 0 if it never did."""
        with self._condition:
            return self._changed.get(machine, 0)

    @property
    def closed(self) -> bool:
        """Whether streams have to end."""
        with self._condition:
            return self._closed

    @property
    def streams(self) -> int:
        """How many streams are open."""
        with self._condition:
            return self._streams

    def note(self, machine: str, *, calm: bool = False) -> None:
        """Say that something about ``machine`` changed.

        :param calm: it may wait until the streams look by themselves: they do once a second. Two
            hundred streams that wake for each of a hundred machines' figures do nothing else.
        """
        with self._condition:
            self._version += 1
            self._changed[machine] = self._version
            if not calm:
                self._pressing[machine] = self._pressed = self._version
                self._condition.notify_all()

    def wait(self, after: int, timeout: float) -> int:
        """Wait for what presses; return the version then, or after ``timeout`` s, or at the end."""
        with self._condition:
            self._condition.wait_for(lambda: self._pressed > after or self._closed, timeout)
            return self._version

    def pressing(self, machine: str) -> int:
        """Return the version of the last change of ``machine`` that pressed; 0 for none."""
        with self._condition:
            return self._pressing.get(machine, 0)

    def pressing_since(self, after: int) -> frozenset[str]:
        """Return the machines of which something pressed after version ``after``."""
        with self._condition:
            return frozenset(machine for machine, at in self._pressing.items() if at > after)

    def changed_since(self, after: int) -> frozenset[str]:
        """Return the machines that changed after version ``after``."""
        with self._condition:
            return frozenset(machine for machine, at in self._changed.items() if at > after)

    def close(self) -> None:
        """End every stream now: the server is stopping."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def enter(self, address: str | None = None) -> None:
        """Take a place for one stream; :meth:`leave` gives it back.

        :param address: whose stream it is; None: nobody's in particular.
        :raises TooManyStreamsError: none is left, or none for this address.
        """
        with self._condition:
            if self._streams >= self._most_streams or self._closed:
                raise TooManyStreamsError
            if address is not None:
                if self._of[address] >= MOST_OF_ONE_ADDRESS:
                    raise TooManyStreamsError
                self._of[address] += 1
            self._streams += 1

    def leave(self, address: str | None = None) -> None:
        """Give a stream's place back; with the address that took it."""
        with self._condition:
            self._streams -= 1
            if address is not None:
                self._of[address] -= 1
                if not self._of[address]:
                    del self._of[address]
