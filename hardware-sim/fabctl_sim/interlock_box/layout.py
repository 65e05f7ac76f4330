"""The file that cabinet and controller both map: one byte per pin and direction, and stamps.

======  =======  =====================================================================
offset  type     what
======  =======  =====================================================================
0       8 bytes  ``FABCAB`` ``1`` newline
8       u64      the cabinet's last turn, CLOCK_MONOTONIC in ns
16      u64      pulses of the flow meter so far, as the meter itself counts them
24      u8       1 while the GPIO chip answers
32      u64      nothing is read or written before then, CLOCK_MONOTONIC in ns
64      u8 × 64  what arrives at each pin, written by the cabinet: see :class:`Level`
128     u8 × 64  what the controller drives: 0 low, 1 high, 255 nothing
192     u8 × 64  1: writing this pin fails
256     u32 × 64 how often the controller changed that level
512     u64 × 64 when it last did, CLOCK_MONOTONIC in ns
1024             the end
======  =======  =====================================================================

Numbers have this machine's byte order. Each is written in one go, by one side only.
"""

from __future__ import annotations

import mmap
from enum import IntEnum
from pathlib import Path

MAGIC = b"FABCAB1\n"
SIZE = 1024
PINS = 64
NOT_DRIVEN = 255
_BEAT, _FLOW, _WAITS = 1, 2, 4
"""Counted in u64."""
_CHIP = 24
_IN, _OUT, _WRITE_FAILS, _EDGES, _CHANGED = 64, 128, 192, 256, 512


class Level(IntEnum):
    """What arrives at a pin."""

    LOW = 0
    HIGH = 1
    FLOATING = 2
    """Nothing: the pin's own resistor decides; without one, noise."""
    NOISE = 3
    """High and low by turns, faster than anybody can look."""
    FAILS = 255
    """Reading this pin fails."""


class Memory:
    """The cabinet's side of the file.

    :param path: is made anew unless it is a cabinet's file already: a controller that has it
        mapped keeps its pins when the cabinet is started again.
    :raises OSError: the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        if not _is_cabinet(path):
            path.write_bytes(MAGIC + bytes(SIZE - len(MAGIC)))
            path.chmod(0o600)
            fresh = True
        else:
            fresh = False
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), SIZE)
        whole = memoryview(self._map)
        self._bytes = whole
        self._words = whole[:64].cast("Q")
        self._edges = whole[_EDGES:_CHANGED].cast("I")
        self._changed = whole[_CHANGED:SIZE].cast("Q")
        if fresh:
            whole[_OUT:_WRITE_FAILS] = bytes([NOT_DRIVEN]) * PINS
        whole[_IN:_OUT] = bytes([Level.FLOATING]) * PINS
        whole[_WRITE_FAILS:_EDGES] = bytes(PINS)
        self._words[_FLOW] = self._words[_WAITS] = 0
        self.chip(present=True)

    def beat(self, now_ns: int) -> None:
        """Say that the cabinet is alive."""
        self._words[_BEAT] = now_ns

    def arrives(self, pin: int, level: Level) -> None:
        """Put a level on an input."""
        self._bytes[_IN + pin] = level

    def pulse(self) -> None:
        """Count one pulse of the flow meter."""
        self._words[_FLOW] += 1

    @property
    def pulses(self) -> int:
        """How many pulses the flow meter has made."""
        return self._words[_FLOW]

    def chip(self, *, present: bool) -> None:
        """Let the GPIO chip vanish or come back."""
        self._bytes[_CHIP] = present

    def waits_until(self, end_ns: int) -> None:
        """Let whoever reads or writes a pin wait until then."""
        self._words[_WAITS] = end_ns

    def writing_fails(self, pin: int, *, fails: bool) -> None:
        """Let every write to an output fail."""
        self._bytes[_WRITE_FAILS + pin] = fails

    def driven_high(self, pin: int) -> bool:
        """Return whether an output is driven high; one that nobody drives is pulled down."""
        return self._bytes[_OUT + pin] == 1

    def edges(self, pin: int) -> int:
        """Return how often an output was changed (modulo 2³²)."""
        return self._edges[pin]

    def changed(self, pin: int) -> float:
        """Return when an output last changed, CLOCK_MONOTONIC in s."""
        return self._changed[pin] * 1e-9


def _is_cabinet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC and path.stat().st_size == SIZE
    except FileNotFoundError:
        return False
