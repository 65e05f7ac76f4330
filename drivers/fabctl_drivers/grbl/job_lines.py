"""What goes to Grbl: lines of a file made sendable, and what is special about each. Pure.

Sources: Grbl ``doc/markdown/interface.md`` (blanks and comments are ignored; EEPROM writers; the
line buffer of 80 bytes, closing NUL included: error:11), ``commands.md`` (real-time bytes are
picked out of the stream wherever they stand, comments included; ``$`` commands need Idle);
RS274/NGC report, section 3.6.1 (M0, M1, M2, M30).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum, auto
from typing import NamedTuple

from fabctl.errors import InputError
from fabctl_drivers.grbl.realtime import TAKEN_OUT
from fabctl_drivers.job_text import sendable, shorten


class Kind(IntEnum):
    """How a line is said."""

    PLAIN = auto()
    ALONE = auto()
    """It writes to the EEPROM: interrupts are off meanwhile, and bytes that come are lost."""
    DOLLAR = auto()
    """A ``$`` command: only when Idle, and alone."""
    PAUSE = auto()
    """M0 or M1: the machine waits for a person."""
    END = auto()
    """M2 or M30: the end of the program, whatever follows in the file."""


class JobLine(NamedTuple):
    """A line of the job on its way."""

    line: int
    """In the file, from 1; 0 outside one."""
    data: bytes
    """As it is sent, newline included."""
    kind: Kind
    note: str | None = None
    """The comment beside an M0: what the person is asked to do."""

    @property
    def text(self) -> str:
        """The line for a message to people."""
        return shorten(self.data.rstrip())


_OUT_AND_BLANKS = bytes([*TAKEN_OUT, *b" \t\r\n"])
_OUT_OF_DOLLARS = bytes([*TAKEN_OUT, *b"\r\n"])
_SPECIAL = re.compile(
    rb"(?P<alone>G0*(?:10|28\.10*|30\.10*)(?![\d.]))|(?P<pause>M0*[01](?![\d.]))"
    rb"|(?P<end>M0*(?:2|30)(?![\d.]))"
)
_KINDS = {"alone": Kind.ALONE, "pause": Kind.PAUSE, "end": Kind.END}
PASSED_OVER = b" \t/"
"""What Grbl leaves out of every line while it reads it (``protocol.c``)."""
_FOR_A_PERSON = re.compile(rb"\$(?:C|X|SLP|RST=.*|J=.*)$", re.IGNORECASE)
"""Unlocking, sleeping, check mode, restoring and jogs belong to a person, not into a file: while it
jogs, Grbl takes no G-code (error:9)."""
_NOTE = re.compile(rb"\(\s*(?:MSG\s*,)?\s*([^)]*)\)?|;\s*(.*)", re.IGNORECASE)
_DWELL = re.compile(rb"G0*4(?![\d.]).*?P(\d*\.?\d+)")


def job_lines(raw_lines: Iterable[bytes], longest: int) -> Iterator[JobLine]:
    """Yield every line of a file that holds something to send, lazily.

    :param longest: bytes of a line at most, newline not counted (79 on Grbl).
    :raises InputError: a line is too long for the controller, or none that a file may send.
    """
    for number, raw in enumerate(raw_lines, start=1):
        line = job_line(raw, number, longest)
        if line is not None:
            yield line


def job_line(raw: bytes, number: int | None, longest: int) -> JobLine | None:
    """Return one line made sendable; None where nothing is left of it.

    :param number: in the file, from 1; None for a line that a person typed, who may say more.
    :raises InputError: it is too long for the controller, or none that a file may send.
    """
    data = sendable(raw)
    if data[:1] in _NO_LETTERS and _is_dollar(data):
        data = data.translate(None, _OUT_OF_DOLLARS).strip()
        kind, note = Kind.DOLLAR, None
        if number is not None:
            _check_dollar(data, number)
    else:
        data = data.translate(None, _OUT_AND_BLANKS).upper()
        special = _SPECIAL.search(data)
        kind = Kind.PLAIN if special is None else _KINDS[str(special.lastgroup)]
        note = _note(raw) if kind is Kind.PAUSE else None
    if len(data) > longest:
        which = "the line" if number is None else f"line {number}"
        raise InputError(
            f"{which} has {len(data)} bytes to send: {shorten(data)}",
            limit=f"{longest} bytes, the controller's line buffer",
            next_step="shorten the line, or let the CAM program write fewer decimals",
        )
    return JobLine(number or 0, data + b"\n", kind, note) if data else None


_DOLLARS = frozenset({b"$", b"["})
"""``[`` begins commands of the ESP firmwares; blanks inside may matter in both."""
_NO_LETTERS = frozenset({*_DOLLARS, b"/", *(bytes([byte]) for byte in TAKEN_OUT)})
"""How a line may begin that is a ``$`` command to Grbl, once it left out what it leaves out."""


def _is_dollar(data: bytes) -> bool:
    return data.translate(None, TAKEN_OUT).lstrip(PASSED_OVER)[:1] in _DOLLARS


def _check_dollar(data: bytes, number: int) -> None:
    if _FOR_A_PERSON.match(data.translate(None, PASSED_OVER)):
        raise InputError(
            f"line {number} is {shorten(data)}, which a file may not send",
            next_step="take the line out; a person unlocks or restores the machine",
        )


def _note(raw: bytes) -> str | None:
    found = _NOTE.search(raw)
    if found is None:
        return None
    return (found[1] or found[2] or b"").decode("utf-8", "replace").strip() or None


def dwell_s(line: JobLine) -> float:
    """Return how long the line itself waits without moving, in s (``G4 P``; 0 for all else)."""
    found = _DWELL.search(line.data)
    return 0.0 if found is None else float(found[1])


def is_homing(line: JobLine) -> bool:
    """Return whether the line homes: Grbl answers nothing at all meanwhile."""
    return line.data.translate(None, PASSED_OVER)[:2].upper() == b"$H"
