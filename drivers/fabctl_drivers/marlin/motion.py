"""Where a job is and in which modes, as its confirmed lines say. A pause brings it back. Pure.

Moves are kept unread, a few hundred at a time: reading each would cost more than sending it.
Sources: marlinfw.org G0/G1, G20, G21, G28, G90, G91, G92, M82, M83, M104, M106, M107, M109,
M140, M190, T.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from fabctl_drivers.marlin.patience import code

AXES = "XYZE"

_MOVES = (b"G1 ", b"G0 ")
_ARCS = {b"G0", b"G1", b"G2", b"G3"}
_NUMBER = re.compile(rb"\s*([-+]?(?:\d+\.?\d*|\.\d+))")
_WORDS = re.compile(rb"([XYZE])\s*([-+]?(?:\d+\.?\d*|\.\d+))?")
_HEAT = re.compile(rb"[SR]\s*(\d+\.?\d*)")
HEATS = {b"M104": b"M109", b"M109": b"M109", b"M140": b"M190", b"M190": b"M190"}
"""What tells a heater its target → what tells it and waits."""
_TOOL = re.compile(rb"T\d+$")


@dataclass(slots=True)
class Motion:
    """The modal state after the lines noted so far."""

    feed: bytes | None = None
    """The last F word, as the file writes it."""
    fan: bytes | None = None
    """The last M106 or M107, whole."""
    tool: bytes | None = None
    inches: bool = False
    homed: bool = False
    """Whether a G28 was confirmed: before it, nothing is moved on our own account."""
    positioning: tuple[bytes, ...] = (b"G90", b"M82")
    """G90 or G91, M82 or M83, in the order in which they were said: with Marlin 2 a later G90
    overrules M83, with Marlin 1 it does not, and the same order gives the same modes."""
    heat: dict[bytes, float] = field(default_factory=dict)
    """``M109`` and ``M190`` → °C: what the tool in use and the bed were told."""
    at: dict[str, float | None] = field(default_factory=lambda: dict.fromkeys(AXES))
    """Axis → coordinate as the file says it, None where it does not (relative, just homed)."""
    _unread: list[bytes] = field(default_factory=list)

    READ_AT = 256  # not annotated: a constant of the class, no field

    def note(self, command: bytes) -> None:
        """Take in one confirmed command."""
        if command.startswith(_MOVES):
            self._unread.append(command)
            if len(self._unread) >= self.READ_AT:
                self.read()
        else:
            self._note_other(command)

    def read(self) -> None:
        """Read the moves that were kept unread."""
        if not self._unread:
            return
        moves = b" ".join(self._unread)
        self._unread.clear()
        for axis in AXES:
            last = _last_value(moves, axis.encode())
            if last is not None:
                self.at[axis] = None if self._is_relative(axis) else float(last)
        self.feed = _last_value(moves, b"F") or self.feed

    def _is_relative(self, axis: str) -> bool:
        if axis == "E":
            return b"M83" in self.positioning or b"G91" in self.positioning
        return b"G91" in self.positioning

    def _note_other(self, command: bytes) -> None:
        self.read()
        word = code(command)
        if word in _ARCS:
            self._unread.append(command)
        elif word in {b"G90", b"G91"}:
            self._set_mode(word, (b"G90", b"G91"))
        elif word in {b"M82", b"M83"}:
            self._set_mode(word, (b"M82", b"M83"))
        elif word == b"G92":
            self._set_position(command)
        elif word == b"G28":
            self.homed = True
            self.at.update(X=None, Y=None, Z=None)
        elif word in {b"G20", b"G21"}:
            self.inches = word == b"G20"
        elif word in {b"M106", b"M107"}:
            self.fan = command
        elif word in HEATS:
            self._set_heat(HEATS[word], command)
        elif _TOOL.match(command):
            self.tool = command

    def _set_heat(self, wait: bytes, command: bytes) -> None:
        told = _HEAT.search(command)
        if told is not None and b"T" not in command:
            self.heat[wait] = float(told[1])

    def _set_mode(self, mode: bytes, alternatives: tuple[bytes, bytes]) -> None:
        others = (kept for kept in self.positioning if kept not in alternatives)
        self.positioning = (*others, mode)

    def _set_position(self, command: bytes) -> None:
        for axis, value in _WORDS.findall(command[3:]):
            self.at[axis.decode()] = float(value or 0)


def _last_value(moves: bytes, letter: bytes) -> bytes | None:
    """Return the number after the last ``letter``, None where there is none."""
    at = moves.rfind(letter)
    if at < 0:
        return None
    number = _NUMBER.match(moves, at + 1)
    return None if number is None else number[1]
