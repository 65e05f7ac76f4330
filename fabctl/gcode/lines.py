"""One raw line of a file: what of it is sent to a controller, and the words it holds.

What is dropped before sending: ``;`` comments, ``(…)`` comments, blanks at both ends, a line
number ``N…`` in front, a checksum ``*…`` behind, and lines of ``%`` marks. Sources: Marlin
``gcode/parser.cpp`` (the command ends at the first asterisk; N is skipped), Grbl
``doc/markdown/interface.md`` and the RS274/NGC report, section 3.3 (``%``, comments).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO

from fabctl.gcode.blocks import blocks

_COMMENT = re.compile(rb"\([^)\n]*\)?|;[^\n]*")
_SHOWN = re.compile(rb"\s*(?:[Nn]\s*-?\d+\s*)?[Mm]0*11[78](?![\d.])")
_NUMBER = re.compile(rb"[Nn]\s*-?\d+\s*")
_WORD = re.compile(r"([A-Z])\s*([-+]?[\d.]+)?|(\S[^A-Z]*)")
_CLEARLY_SENT = re.compile(rb"[GMTXYZS][\w .+-]*+\r?\n?", re.ASCII)
"""Lines whose first byte already says that something is sent, without any comment to strip."""

ABSURD = 1e7
"""No word of a machine's program has a value this large: not mm, not mm/min, not °C, not rpm."""


def sendable(raw: bytes, *, printer: bool = False) -> bytes:
    """Return what of one raw line is sent, without its newline; empty when nothing is.

    :param printer: parentheses stay in what M117 and M118 show (Marlin ``gcode/queue.cpp``: they
        are comments only where the build asks for it).
    """
    line = raw
    if b"(" in line and printer and _SHOWN.match(line):
        line = line.partition(b";")[0]
    elif b";" in line or b"(" in line:
        line = _COMMENT.sub(b"", line)
    line = line.strip()
    if line[:1] in (b"N", b"n") and (numbered := _NUMBER.match(line)):
        line = line[numbered.end() :]
    if b"*" in line:
        before, _, checksum = line.rpartition(b"*")
        if not checksum.strip(b" \t0123456789"):
            line = before.rstrip()
    return b"" if line[:1] == b"%" and not line.strip(b"% \t") else line


@dataclass(frozen=True, slots=True)
class LineCount:
    """How long a file is: lines (comments and blanks included), lines sent, bytes."""

    lines: int
    commands: int
    size: int


def count(stream: BinaryIO) -> LineCount:
    """Count the lines of a file in bounded memory: the same figures as a preflight's report."""
    lines = commands = size = 0
    for block in blocks(stream):
        size += block.size
        rows = block.data.split(b"\n")[:-1]
        lines += len(rows)
        commands += sum(1 for row in rows if _CLEARLY_SENT.fullmatch(row) or sendable(row))
    return LineCount(lines=lines, commands=commands, size=size)


@dataclass(slots=True)
class Words:
    """The words of one command line."""

    order: list[tuple[str, str]]
    """Letter and value as written, in order; the value may be empty."""
    values: dict[str, float | None]
    """Each letter's first value; None where there is no number that a machine could mean."""
    junk: str | None
    """The first thing that is no word at all."""

    def __contains__(self, letter: str) -> bool:
        return letter in self.values

    def number(self, letter: str) -> float | None:
        """Return a letter's value; None when it is absent, bare, or no usable number."""
        return self.values.get(letter)

    def unreadable(self, letters: str) -> str | None:
        """Return the first word with one of these letters and no usable number, as written."""
        if None not in self.values.values():
            return None
        return next(
            (
                letter + value[:20]
                for letter, value in self.order
                if letter in letters and self.values[letter] is None
            ),
            None,
        )


def split_words(command: str) -> Words:
    """Take a command in upper case apart; blanks between a letter and its number are allowed."""
    order: list[tuple[str, str]] = []
    values: dict[str, float | None] = {}
    junk: str | None = None
    for letter, value, other in _WORD.findall(command):
        if other:
            junk = junk or other.strip()[:20]
            continue
        order.append((letter, value))
        if letter not in values:
            values[letter] = _number(value)
    return Words(order, values, junk)


def _number(value: str) -> float | None:
    try:
        found = float(value)
    except ValueError:
        return None
    return found if -ABSURD < found < ABSURD else None
