"""Character counting: never more bytes under way than the receive buffer holds. Pure.

Source: Grbl ``doc/markdown/interface.md``, "Streaming Protocol: Character-Counting". Every ok and
every error frees one line, first in, first out. An overrun loses bytes without a word, so one
byte of the buffer stays unused.
"""

from __future__ import annotations

from collections import deque

DEFAULT_BYTES = 127
"""Grbl's 128 (``RX_BUFFER_SIZE``) minus one: until ``$I`` says more, and where it says nothing."""


class Counting:
    """The lines under way, each with its bytes (newline included) and what it is for."""

    def __init__(self, limit: int = DEFAULT_BYTES) -> None:
        self.limit = limit
        """Bytes under way at most, > 0."""
        self.bytes = 0
        """Bytes under way."""
        self._lines: deque[tuple[int, object]] = deque()

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def oldest(self) -> object:
        """What the oldest line is for; None without one."""
        return self._lines[0][1] if self._lines else None

    def fits(self, size: int) -> bool:
        """Return whether a line of ``size`` bytes may go out. Alone, every line may."""
        return self.bytes + size <= self.limit or not self._lines

    def add(self, size: int, ref: object) -> None:
        """A line went out."""
        self._lines.append((size, ref))
        self.bytes += size

    def free(self) -> object:
        """The oldest line was answered: return what it was for. There must be one."""
        size, ref = self._lines.popleft()
        self.bytes -= size
        return ref

    def clear(self) -> None:
        """All that was under way is void."""
        self._lines.clear()
        self.bytes = 0
