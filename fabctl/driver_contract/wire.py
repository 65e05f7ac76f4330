"""Bytes between two descriptors, neither of which may block."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Sequence

_CHUNK = 4096
_MOST_WAITING = 65536
"""Bytes that wait for one end before the other is read no more."""


class Way:
    """One direction.

    :param heard: told what passes.
    """

    def __init__(self, source: int, sink: int, heard: Callable[[bytes], None]) -> None:
        self.source = source
        self.sink = sink
        self.held = False
        self._heard = heard
        self._waiting = bytearray()

    def put(self, data: bytes) -> None:
        """Add bytes that the source never said."""
        self._waiting += data

    @property
    def takes(self) -> bool:
        """Whether the source is read."""
        return not self.held and len(self._waiting) < _MOST_WAITING

    @property
    def gives(self) -> bool:
        """Whether something waits for the sink."""
        return bool(self._waiting)

    def take(self) -> bool:
        """Read what the source says; False when it has ended.

        :raises OSError: it is gone.
        """
        try:
            data = os.read(self.source, _CHUNK)
        except BlockingIOError:
            return True
        self._heard(data)
        self._waiting += data
        return bool(data)

    def give(self) -> None:
        """Write what the sink takes now.

        :raises OSError: it is gone.
        """
        try:
            sent = os.write(self.sink, self._waiting)
        except BlockingIOError:
            return
        del self._waiting[:sent]


class Wire:
    """Both directions: ``down`` to the machine, ``up`` from it."""

    def __init__(self, near: int, far: int, heard: Callable[[bytes], None]) -> None:
        for descriptor in (near, far):
            os.set_blocking(descriptor, False)
        self.down = Way(near, far, heard)
        self.up = Way(far, near, lambda _: None)

    def watched(self) -> tuple[list[int], list[int]]:
        """Return what to select on, for reading and for writing."""
        ways = (self.down, self.up)
        return [w.source for w in ways if w.takes], [w.sink for w in ways if w.gives]

    def serve(self, readable: Sequence[int], writable: Sequence[int]) -> bool:
        """Carry what is there; False when one end is gone."""
        try:
            for way in (self.down, self.up):
                if way.source in readable and not way.take():
                    return False
                if way.gives and (way.sink in writable or way.source in readable):
                    way.give()
        except OSError:
            return False
        return True


def wait(
    reading: Sequence[int], writing: Sequence[int], seconds: float
) -> tuple[list[int], list[int]]:
    """Return which descriptors are ready, after at most ``seconds``."""
    readable, writable, _ = select.select(reading, writing, [], max(0.0, seconds))
    return readable, writable
