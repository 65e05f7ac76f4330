"""The lines that were said, kept for as long as the firmware may want them again. Pure."""

from __future__ import annotations

from typing import NamedTuple

from fabctl_drivers.marlin.frames import frame


class Sent(NamedTuple):
    """A line as it went out."""

    frame: bytes
    command: bytes
    ref: object
    begin: int
    """Bytes of all frames before it."""


class Kept:
    """Numbered lines, the newest :attr:`KEEP` of them.

    :param last: the last line number that the firmware knows.
    """

    KEEP = 128
    """A firmware asks at most for as far back as it can hold: a few lines."""

    def __init__(self, last: int) -> None:
        self.last = last
        self._lines: dict[int, Sent] = {}
        self._bytes = 0
        self._prepared: tuple[int, bytes, bytes] = (-1, b"", b"")

    def __getitem__(self, number: int) -> Sent:
        return self._lines[number]

    @property
    def oldest(self) -> int:
        """The number of the oldest line kept; ``last + 1`` when there is none."""
        return self.last + 1 - len(self._lines)

    def prepare(self, command: bytes) -> None:
        """Number a command ahead of time, so that it can leave at once."""
        number = self.last + 1
        self._prepared = (number, command, frame(number, command))

    def add(self, command: bytes, ref: object) -> bytes:
        """Give a command the next number, keep it, and return its frame."""
        number = self.last = self.last + 1
        prepared_number, prepared_command, framed = self._prepared
        if prepared_number != number or prepared_command is not command:
            framed = frame(number, command)
        self._lines[number] = Sent(framed, command, ref, self._bytes)
        self._bytes += len(framed)
        self._lines.pop(number - self.KEEP, None)
        return framed

    def size(self, first: int, end: int) -> int:
        """Return the bytes of the frames ``first`` to ``end - 1``."""
        if first >= end:
            return 0
        after = self._bytes if end > self.last else self._lines[end].begin
        return after - self._lines[first].begin

    def find(self, command: bytes, first: int, end: int) -> int | None:
        """Return the number of the first line from ``first`` to ``end - 1`` that is ``command``."""
        wanted = (n for n in range(first, end) if self._lines[n].command == command)
        return next(wanted, None)

    def find_start(self, start: bytes, first: int, end: int) -> int | None:
        """Return the number of the first line from ``first`` to ``end - 1`` that begins so."""
        wanted = (n for n in range(first, end) if self._lines[n].command.startswith(start))
        return next(wanted, None)
