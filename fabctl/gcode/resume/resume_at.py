"""Reads a file up to a line and says what the machine must be like there, or why it cannot. Pure.

What other senders are blamed for, and what is done about it here: a fixed height above a zero
that lies at the bottom of the work (gSender 155: the height is the file's own), state that is left
to the person (LinuxCNC 246), lines that were confirmed but still in the planner (grbl 305:
the person is told).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from fabctl.errors import InputError
from fabctl.gcode.lines import Words, sendable, split_words
from fabctl.gcode.resume.follow import CYCLES, MOVES, block_codes, follow
from fabctl.gcode.resume.standing import AXES, Standing
from fabctl.ports import MachineKind

LONGEST_RAW_LINE = 65536
"""Bytes of one line of a file, comment included."""
_FOR_A_WHILE = frozenset({"2", "3", "5"})
_G2_AND_G3 = (b"G2", b"G3")
"""How the commands begin that home: no others are taken apart."""
_HOMES = frozenset({"G28", "G29", "G30", "G33", "G34"})


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """A line of a file to go on from."""

    line: int
    """1-based."""
    text: str
    """The line as it stands in the file, without blanks at its ends."""
    offset: int
    """Bytes of the file before it."""
    standing: Standing
    """What the machine would be like before it."""
    own_motion: bool
    """The first move from there on names its own G0 to G3."""
    warnings: tuple[str, ...]
    """Sentences for the person who decides."""


def find(stream: BinaryIO, line: int, kind: MachineKind) -> ResumePoint:
    """Read a file and return what its lines before ``line`` leave behind.

    :param stream: read to its end, a line at a time.
    :param line: 1-based.
    :raises InputError: the file has no such line, nothing comes after it, or the machine's state
        there cannot be known or brought back.
    """
    printer = kind is MachineKind.PRINTER
    standing = Standing()
    offset = 0
    rows = enumerate(iter(partial(stream.readline, LONGEST_RAW_LINE), b""), start=1)
    number = 0
    for number, raw in rows:
        if number == line:
            break
        offset += len(raw)
        if sent := sendable(raw).decode("latin-1"):
            follow(standing, number, sent, printer=printer)
    if number < line:
        raise InputError(f"there is no line {line}", limit=f"the file has {number} lines")
    rest = _Rest(printer)
    rest.read(number, raw)
    for number, later in rows:
        rest.read(number, later)
    if not rest.sends:
        raise InputError(f"there is nothing to send from line {line} on")
    _refuse_unknown(standing, line, kind)
    _refuse_arc_mode(standing, line, rest)
    return ResumePoint(
        line=line,
        text=raw.decode("utf-8", "replace").strip(),
        offset=offset,
        standing=standing,
        own_motion=rest.own_motion is not False,
        warnings=tuple(_warnings(standing, rest)),
    )


class _Rest:
    """What the lines from the chosen one on hold."""

    def __init__(self, printer: bool) -> None:  # private
        self._printer = printer
        self.sends = False
        self.own_motion: bool | None = None
        """Whether the first move names its own G word; None while there was no move."""
        self.homes: int | None = None
        """The first line that homes Z or measures the bed."""

    def read(self, number: int, raw: bytes) -> None:
        sent = sendable(raw)
        if not sent:
            return
        self.sends = True
        may_home = self._printer and self.homes is None and sent[:2].upper() in _G2_AND_G3
        if self.own_motion is None or may_home:
            words = split_words(sent.decode("latin-1").upper())
            codes = block_codes(words)
            if self.own_motion is None:
                self.own_motion = _names_its_motion(codes, words)
            if self.homes is None and self._printer and codes and _homes_z(codes[0], words):
                self.homes = number


def _names_its_motion(codes: list[str], words: Words) -> bool | None:
    if any(code in MOVES or code in CYCLES for code in codes):
        return True
    return False if not codes and any(axis in words for axis in AXES) else None


def _homes_z(code: str, words: Words) -> bool:
    return code in _HOMES and (code != "G28" or "Z" in words or not ("X" in words or "Y" in words))


def _refuse_unknown(s: Standing, line: int, kind: MachineKind) -> None:
    """Refuse a line before which the machine is somewhere, or somehow, that nobody can know."""
    if s.ended is not None:
        raise InputError(f"the program ends at line {s.ended}, before line {line}")
    if s.retracted is not None:
        raise InputError(
            f"before line {line} the filament is pulled back (G10 in line {s.retracted})",
            next_step="choose a line after the next G11",
        )
    for axis in AXES:
        if s.shift[axis] is None:
            raise InputError(
                f"before line {line} a G92 gave {axis} a name where its place was not known",
                next_step="this file can only be started at its beginning",
            )
    needed = "XY" if kind is MachineKind.LASER and s.place["Z"] is None else AXES
    unknown = [axis for axis in needed if s.real(axis) is None]
    if unknown:
        raise InputError(
            f"before line {line} nobody can know where {' and '.join(unknown)} should be",
            next_step="choose a line after the first moves to a place (G90 G0 X… Y… Z…)",
        )
    if kind is MachineKind.PRINTER and s.spinning:
        raise InputError(
            f"before line {line} a spindle or laser is on", next_step="say --kind mill or laser"
        )


def _refuse_arc_mode(s: Standing, line: int, rest: _Rest) -> None:
    if rest.own_motion is False and (s.motion in _FOR_A_WHILE or "G" + s.motion in CYCLES):
        raise InputError(
            f"line {line} goes on with the G{s.motion} of a line before it",
            next_step="choose the nearest line that has a G word of its own",
        )


def _warnings(s: Standing, rest: _Rest) -> list[str]:
    found = []
    if s.strange:
        names = ", ".join(f"{code} (line {line})" for code, line in list(s.strange.items())[:5])
        found.append(f"not repeated, because it is not known what it leaves behind: {names}")
    if s.measured_bed is not None:
        found.append(
            f"the bed was measured in line {s.measured_bed}; it is not measured again,"
            " and what was measured is only there where the printer stored it"
        )
    if rest.homes is not None:
        found.append(f"line {rest.homes} homes Z or touches the bed, where the part stands")
    return found
