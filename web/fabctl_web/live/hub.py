"""What changed, for every open stream: one condition variable between MQTT's thread and theirs.

A stream sleeps until something changed or its next heartbeat is due; nobody polls. The hub
knows only *that* a machine changed; what to show is read from the lab view afterwards.
"""

from __future__ import annotations

import threading

MOST_STREAMS = 40
"""Open streams; each holds one of the server's 64 threads. Above, pages poll every 10 s."""


class TooManyStreamsError(Exception):
    """Every place is taken; the page polls instead."""


class Hub:
    """Counts changes per machine and wakes the streams. Safe from any thread."""

    def __init__(self, most_streams: int = MOST_STREAMS) -> None:
        self._condition = threading.Condition()
        self._version = 0
        self._changed: dict[str, int] = {}
        self._streams = 0
        self._most_streams = most_streams
        self._closed = False

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

    def note(self, machine: str, _kind: str = "") -> None:
        """Say that something about ``machine`` changed."""
        with self._condition:
            self._version += 1
            self._changed[machine] = self._version
            self._condition.notify_all()

    def wait(self, after: int, timeout: float) -> int:
        """Return the version once it is above ``after``, or after ``timeout`` s, or at the end."""
        with self._condition:
            self._condition.wait_for(lambda: self._version > after or self._closed, timeout)
            return self._version

    def changed_since(self, after: int) -> frozenset[str]:
        """Return the machines that changed after version ``after``."""
        with self._condition:
            return frozenset(machine for machine, at in self._changed.items() if at > after)

    def close(self) -> None:
        """End every stream now: the server is stopping."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def enter(self) -> None:
        """Take a place for one stream; :meth:`leave` gives it back.

        :raises TooManyStreamsError: none is left.
        """
        with self._condition:
            if self._streams >= self._most_streams or self._closed:
                raise TooManyStreamsError
            self._streams += 1

    def leave(self) -> None:
        """Give a stream's place back."""
        with self._condition:
            self._streams -= 1
