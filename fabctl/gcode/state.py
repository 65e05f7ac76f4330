"""What a controller would know at one point of a file: modes, position, feed, power."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

from fabctl.ports import MachineKind

MARLIN_FIRST_FEED = 1500.0
"""mm/min until the first F word (Marlin ``gcode/gcode.cpp``: feedrate_mm_s)."""

Hot: TypeAlias = tuple[
    float, float, float, float, str, float, float, float, float, float, bool, int,
    float, float, float, float,
]  # fmt: skip
"""The part of the state that plain moves change, in the order of :meth:`State.hot`."""


@dataclass(slots=True)
class State:
    """Modes and positions. Positions are in mm, NaN while unknown.

    Positions are machine coordinates where the file's coordinates are (printers), else counted
    from the zero of the chosen work coordinate system.
    """

    x: float = math.nan
    y: float = math.nan
    z: float = math.nan
    e: float = 0.0
    motion: str = "0"
    """The modal motion: "0", "1", "2", "3"; "" after G80."""
    feed: float = 0.0
    """mm/min; 0 while none was given."""
    speed: float = 0.0
    """The same in mm/s, at most what the machine can do."""
    power: float = 0.0
    """The last S word of a spindle or laser."""
    pushed: float = 0.0
    """Filament pushed so far less what was pulled back, mm."""
    most_pushed: float = 0.0
    working: bool = False
    """The last move extruded or cut."""
    commands: int = 0
    dx: float = 0.0
    dy: float = 0.0
    dz: float = 0.0
    length: float = 0.0
    """The last move's vector and length, mm; length 0 when the machine stands."""

    absolute: bool = True
    e_absolute: bool = True
    arc_absolute: bool = False
    scale: float = 1.0
    """mm per unit of the file."""
    offset_x: float = 0.0
    offset_y: float = 0.0
    offset_z: float = 0.0
    """Added to a position in the file (G92), mm."""
    plane: str = "17"
    inverse_time: bool = False
    spindle: str = "5"
    """The last of M3, M4, M5."""
    nozzle_c: float = 0.0
    bed_c: float = 0.0
    """Targets, °C."""
    homed: bool = False

    def hot(self) -> Hot:
        """Return what plain moves change."""
        return (
            self.x, self.y, self.z, self.e, self.motion, self.feed, self.speed, self.power,
            self.pushed, self.most_pushed, self.working, self.commands,
            self.dx, self.dy, self.dz, self.length,
        )  # fmt: skip

    def set_hot(self, hot: Hot) -> None:
        """Take back what plain moves changed."""
        (
            self.x, self.y, self.z, self.e, self.motion, self.feed, self.speed, self.power,
            self.pushed, self.most_pushed, self.working, self.commands,
            self.dx, self.dy, self.dz, self.length,
        ) = hot  # fmt: skip

    @property
    def plain(self) -> bool:
        """Whether a line of G1, axis words, a feed and a power is a move like any other."""
        return not self.inverse_time and self.feed > 0.0

    @property
    def direct(self) -> bool:
        """Whether axis words are just what they say: mm, absolute, no offset."""
        return (
            self.absolute
            and self.scale == 1.0
            and not (self.offset_x or self.offset_y or self.offset_z)
        )

    @property
    def spinning(self) -> bool:
        """Whether the spindle or the laser is on (at whatever power)."""
        return self.spindle != "5"


def first_state(kind: MachineKind) -> State:
    """Return the state before a file's first line."""
    if kind is MachineKind.PRINTER:
        return State(motion="1", feed=MARLIN_FIRST_FEED, speed=MARLIN_FIRST_FEED / 60.0)
    return State()
