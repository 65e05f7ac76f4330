"""The receiving side: the buffer, what overruns it, and bytes that never enter it."""

from __future__ import annotations

import math
import re
from collections import deque

from fabctl_sim.one_way import OneWay

_REALTIME = re.compile(rb"[?!~\x18\x80-\xff]")
_OUT_OF_BAND = bytes([0x18, 0x21, 0x3F, 0x7E, *range(0x80, 0x100)])
_FIFO_BYTES = 2
"""What the chip keeps by itself while interrupts are off (ATmega328P data sheet, USART)."""


class Receiver(OneWay):
    """Host to board.

    :ivar realtime: (when, byte) of the real-time bytes still on their way; commands.md: they are
        intercepted when they are received and never placed in a buffer.
    :ivar lost: bytes that found no place, or came while interrupts were off.
    """

    def __init__(self, byte_s: float, capacity: int) -> None:
        super().__init__(byte_s)
        self.capacity = capacity
        self.buffer = bytearray()
        self.realtime: deque[tuple[float, int]] = deque()
        self.lost = 0

    def put(self, data: bytes, now: float) -> None:
        """The host writes ``data`` at ``now``."""
        data = self.survivors(data)
        if not data:
            return
        start = self.send(data, now)
        for found in _REALTIME.finditer(data):
            self.realtime.append((start + found.end() * self.byte_s, data[found.start()]))

    @property
    def next_realtime(self) -> float:
        """When the next real-time byte arrives; infinity when none is on its way."""
        return self.realtime[0][0] if self.realtime else math.inf

    def fill(self, until: float) -> None:
        """Nobody reads until ``until``: what does not fit is lost."""
        data = self.arrived(until).translate(None, _OUT_OF_BAND)
        room = self.capacity - len(self.buffer)
        self.buffer += data[:room]
        self.lost += max(0, len(data) - room)

    def read(self, until: float) -> None:
        """Somebody reads all the time until ``until``: nothing is lost."""
        self.buffer += self.arrived(until).translate(None, _OUT_OF_BAND)

    def deaf(self, until: float) -> None:
        """Interrupts are off until ``until``: the chip keeps two bytes, the rest is gone."""
        data = self.arrived(until)
        kept = data[:_FIFO_BYTES]
        self.lost += len(data) - len(kept)
        gone = len(_REALTIME.findall(data[_FIFO_BYTES:]))
        heard = len(_REALTIME.findall(kept))
        passed = [self.realtime.popleft() for _ in range(min(heard + gone, len(self.realtime)))]
        for _, byte in reversed(passed[:heard]):
            self.realtime.appendleft((until, byte))
        room = self.capacity - len(self.buffer)
        self.buffer += kept.translate(None, _OUT_OF_BAND)[:room]

    def clear(self) -> None:
        """Forget what is in the buffer, not what is under way (a soft reset)."""
        self.buffer.clear()

    def unplug(self) -> None:
        """Forget everything."""
        self.forget()
        self.buffer.clear()
        self.realtime.clear()
