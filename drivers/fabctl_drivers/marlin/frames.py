"""What goes to Marlin: lines of a file made sendable, numbered and checksummed. Pure.

Sources: RepRap wiki "G-code", sections "N: Line number" and "*: Checksum"; Marlin
``gcode/queue.cpp`` (``MAX_CMD_SIZE`` 96: what does not fit is dropped in silence).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import xor

from fabctl.errors import InputError
from fabctl_drivers.job_text import sendable_to_marlin, shorten

FRAME_MAX_BYTES = 95
"""Longest numbered line, without its newline: Marlin keeps 96 bytes, the last one a zero."""


def checksum(line: bytes) -> int:
    """Return the exclusive or of all bytes, 0 to 255."""
    return reduce(xor, line, 0)


def frame(number: int, command: bytes) -> bytes:
    """Return ``N<number> <command>*<checksum>`` with its newline."""
    line = b"N%d %b" % (number, command)
    return b"%b*%d\n" % (line, reduce(xor, line))


_NEWLINES = frozenset({0, *(0x0A ^ 1 << bit for bit in range(8))})
"""What a newline can become on its way: nothing, or another byte."""


def hides_a_lost_newline(framed: bytes) -> bool:
    """Return whether this frame and the next one, run together, may have a good checksum.

    With the newline between them damaged, Marlin takes both for one line. Its checksum is the
    next frame's, so it is good where this frame with what is left of the newline sums up to 0.
    """
    return framed.endswith(_HIDING)


_HIDING = tuple(
    b"*%d\n" % check for check in range(256) if check ^ reduce(xor, b"*%d" % check) in _NEWLINES
)
"""Ends of such frames: the sum of all before the star is the checksum itself."""


def commands(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield (line in the file from 1, what to send) for every line that holds something to send.

    Lazily: a file is never whole in memory.

    :raises InputError: a line is too long for the firmware, which would cut it in silence.
    """
    for number, raw in enumerate(lines, start=1):
        command = sendable_to_marlin(raw)
        if command:
            if len(command) > LONGEST_COMMAND:
                raise InputError(
                    f"line {number} has {len(command)} bytes to send: {shorten(command)}",
                    limit=f"{LONGEST_COMMAND} bytes, the rest of Marlin's 96 is the line number",
                    next_step="shorten the line, or let the slicer do it",
                )
            yield number, command


LONGEST_COMMAND = FRAME_MAX_BYTES - len(b"N9999999 *255")
"""Bytes of a command that always fit, up to line number 9,999,999."""
