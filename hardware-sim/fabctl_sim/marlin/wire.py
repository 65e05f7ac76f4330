"""The receiving half of the serial line: bytes take time, and a full buffer loses them silently."""

from __future__ import annotations

import math
import random
import re
from collections import deque

_FLOOR = 1e-6  # a millionth of a byte's time: keeps a byte's own arrival time inclusive
_EMERGENCY = re.compile(rb"\s*(?:N-?\d*\s*)?M(108|112|410)(?!\d)")
_END = re.compile(rb"[\r\n]")


class Wire:
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
        self.byte_s = byte_s
        self.capacity = capacity
        self.flip_every = 0
        self.lose_every = 0
        self.lose_next = 0
        self.overrun = 0
        self.emergencies: deque[tuple[float, int]] = deque()
        self._noise = noise
        self._emergency_parser = emergency_parser
        self._flying: deque[tuple[float, bytes]] = deque()
        self._free_at = 0.0
        self._line = b""
        self.buffer = bytearray()

    def put(self, data: bytes, now: float) -> None:
        """The host writes ``data`` at ``now``; it follows what is still on its way."""
        data = self._damaged(data)
        if not data:
            return
        start = max(now, self._free_at)
        self._flying.append((start, data))
        self._free_at = start + len(data) * self.byte_s
        if self._emergency_parser:
            self._look_for_emergencies(start, data)

    def backlog(self, now: float) -> int:
        """Bytes written that have not arrived yet."""
        return max(0, int((self._free_at - now) / self.byte_s))

    def next_line_end(self) -> float | None:
        """When the next CR or LF arrives that has not arrived yet; None when none is coming."""
        for start, data in self._flying:
            found = _END.search(data)
            if found:
                return start + found.end() * self.byte_s
        return None

    @property
    def next_emergency(self) -> float:
        """When the receive interrupt notices an emergency command; infinity when none comes."""
        return self.emergencies[0][0] if self.emergencies else math.inf

    def arrived(self, until: float) -> bytes:
        """Take the bytes that arrive up to ``until`` (inclusive) off the wire."""
        taken = b""
        while self._flying:
            start, data = self._flying[0]
            count = int((until - start) / self.byte_s + _FLOOR)
            if count >= len(data):
                taken += data
                self._flying.popleft()
                continue
            if count > 0:
                taken += data[:count]
                self._flying[0] = (start + count * self.byte_s, data[count:])
            break
        return taken

    def fill(self, until: float) -> None:
        """Nobody reads until ``until``: what does not fit into the buffer is lost."""
        data = self.arrived(until)
        room = self.capacity - len(self.buffer)
        self.buffer += data[:room]
        self.overrun += max(0, len(data) - room)

    def clear(self) -> None:
        """Forget everything: the board was reset or the cable pulled."""
        self._flying.clear()
        self.emergencies.clear()
        self.buffer.clear()
        self._line = b""
        self._free_at = 0.0

    def _damaged(self, data: bytes) -> bytes:
        if self.lose_next:
            lost = min(self.lose_next, len(data))
            self.lose_next -= lost
            data = data[lost:]
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
        for end in _END.finditer(data):
            line = self._line + data[begin : end.start()]
            self._line = b""
            begin = end.end()
            found = _EMERGENCY.match(line)
            if found:
                self.emergencies.append((start + begin * self.byte_s, int(found[1])))
        self._line = (self._line + data[begin:])[:32]
