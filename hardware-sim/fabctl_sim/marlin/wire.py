"""The receiving half of the serial line: bytes take time, and a full buffer loses them silently."""

from __future__ import annotations

import math
import random
import re
from collections import deque

from fabctl_sim.one_way import LINE_END, OneWay

_EMERGENCY = re.compile(rb"\s*(?:N-?\d*\s*)?M(108|112|410)(?!\d)")


class Wire(OneWay):
    """Host to board: what was written, when it arrives, and what the receive buffer holds.

    :param byte_s: seconds per byte.
    :param capacity: bytes the receive buffer can hold; AVR's ring keeps one place free.
    :param noise: for a damaged cable; passed in, so that two runs can be equal.
    :param emergency_parser: note when M108, M112 and M410 arrive, in :attr:`emergencies`.
    """

    def __init__(
        self,
        byte_s: float,
        capacity: int,
        noise: random.Random,
        *,
        emergency_parser: bool = False,
    ) -> None:
        super().__init__(byte_s)
        self.capacity = capacity
        self.flip_every = 0
        self.lose_every = 0
        self.overrun = 0
        self.emergencies: deque[tuple[float, int]] = deque()
        self._noise = noise
        self._emergency_parser = emergency_parser
        self._line = b""
        self.buffer = bytearray()

    def put(self, data: bytes, now: float) -> None:
        """The host writes ``data`` at ``now``; it follows what is still on its way."""
        data = self._damaged(data)
        if not data:
            return
        start = self.send(data, now)
        if self._emergency_parser:
            self._look_for_emergencies(start, data)

    @property
    def next_emergency(self) -> float:
        """When the receive interrupt notices an emergency command; infinity when none comes."""
        return self.emergencies[0][0] if self.emergencies else math.inf

    def fill(self, until: float) -> None:
        """Nobody reads until ``until``: what does not fit into the buffer is lost."""
        data = self.arrived(until)
        room = self.capacity - len(self.buffer)
        self.buffer += data[:room]
        self.overrun += max(0, len(data) - room)

    def clear(self) -> None:
        """Forget everything: the board was reset or the cable pulled."""
        self.forget()
        self.emergencies.clear()
        self.buffer.clear()
        self._line = b""

    def _damaged(self, data: bytes) -> bytes:
        data = self.survivors(data)
        if not (self.flip_every or self.lose_every):
            return data
        return bytes(self._through_noise(data))

    def _through_noise(self, data: bytes) -> bytearray:
        out = bytearray()
        for byte in data:
            if self.lose_every and self._noise.randrange(self.lose_every) == 0:
                continue
            flip = self.flip_every and self._noise.randrange(self.flip_every) == 0
            out.append(byte ^ (1 << self._noise.randrange(7)) if flip else byte)
        return out

    def _look_for_emergencies(self, start: float, data: bytes) -> None:
        begin = 0
        for end in LINE_END.finditer(data):
            line = self._line + data[begin : end.start()]
            self._line = b""
            begin = end.end()
            found = _EMERGENCY.match(line)
            if found:
                self.emergencies.append((start + begin * self.byte_s, int(found[1])))
        self._line = (self._line + data[begin:])[:32]
