"""One direction of a serial line: what was written, and when each byte of it arrives."""

from __future__ import annotations

import re
from collections import deque

LINE_END = re.compile(rb"[\r\n]")


class OneWay:
    """Bytes under way; each takes ``byte_s`` seconds, one after the other.

    :ivar lose_next: how many of the next bytes vanish on the wire.
    """

    def __init__(self, byte_s: float) -> None:
        self.byte_s = byte_s
        self._flying: deque[tuple[float, bytes]] = deque()
        self._free_at = 0.0
        self.lose_next = 0

    def survivors(self, data: bytes) -> bytes:
        """Return what is left of ``data`` after the bytes that were to be lost."""
        if not self.lose_next:
            return data
        gone = min(self.lose_next, len(data))
        self.lose_next -= gone
        return data[gone:]

    def send(self, data: bytes, now: float) -> float:
        """Put ``data`` on the line at ``now``, behind what is still on its way.

        :return: when its first byte begins.
        """
        start = max(now, self._free_at)
        self._flying.append((start, data))
        self._free_at = start + len(data) * self.byte_s
        return start

    def backlog(self, now: float) -> int:
        """Bytes written that have not arrived yet."""
        return max(0, int((self._free_at - now) / self.byte_s))

    def next_line_end(self) -> float | None:
        """When the next CR or LF arrives that has not arrived yet; None when none is coming."""
        for start, data in self._flying:
            found = LINE_END.search(data)
            if found:
                return start + found.end() * self.byte_s
        return None

    def arrived(self, until: float) -> bytes:
        """Take the bytes that arrive up to ``until`` (inclusive) off the line."""
        taken = b""
        while self._flying:
            start, data = self._flying[0]
            count = self._count_by(start, until)
            if count >= len(data):
                taken += data
                self._flying.popleft()
                continue
            if count > 0:
                taken += data[:count]
                self._flying[0] = (start + count * self.byte_s, data[count:])
            break
        return taken

    def _count_by(self, start: float, until: float) -> int:
        """Return how many bytes that began at ``start`` are there at ``until``.

        Told by the same sum as :meth:`next_line_end`: after days of uptime a quotient is off by
        more than any small allowance, and who waits for that moment would find nothing for ever.
        """
        count = int((until - start) / self.byte_s)
        while start + (count + 1) * self.byte_s <= until:
            count += 1
        while count > 0 and start + count * self.byte_s > until:
            count -= 1
        return count

    def forget(self) -> None:
        """Nothing is on its way any more."""
        self._flying.clear()
        self._free_at = 0.0


def line_end(data: bytes | bytearray) -> int:
    """Return where the first CR or LF is, -1 without one."""
    newline, carriage = data.find(b"\n"), data.find(b"\r")
    return newline if carriage < 0 or 0 <= newline < carriage else carriage
