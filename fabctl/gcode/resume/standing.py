"""What a controller would be like after some lines of a file: all that a later line relies on."""

from __future__ import annotations

from dataclasses import dataclass, field

AXES = "XYZ"


@dataclass(slots=True)
class Standing:
    """Modes, place and outputs. Lengths in mm, feeds in mm/min; None: nobody can know."""

    place: dict[str, float | None] = field(default_factory=lambda: dict.fromkeys(AXES))
    """Where the tool is, as the file names places."""
    shift: dict[str, float | None] = field(default_factory=lambda: dict.fromkeys(AXES, 0.0))
    """What G92 took away from the name of a place: place + shift is where it really is."""
    e: float = 0.0
    absolute: bool = True
    e_absolute: bool = True
    arc_absolute: bool = False
    scale: float = 1.0
    """mm per unit of the file."""
    plane: str = "17"
    system: str | None = None
    """The work coordinate system that was chosen, such as 54."""
    inverse_time: bool = False
    motion: str = "0"
    """The modal motion: "0", "1", "2", "3", "5"; "" after G80; a canned cycle by its number."""
    feed: float | None = None
    plunge_feed: float | None = None
    """The feed of the last move that cut downwards."""
    top: float | None = None
    """The highest place that a rapid went to in Z."""
    cut_top: float | None = None
    """The highest Z at which something was cut sideways."""
    power: float | None = None
    """The last S word of a spindle or laser."""
    spindle: str = "5"
    """The last of M3, M4, M5."""
    mist: bool = False
    flood: bool = False
    tool: int | None = None
    tool_length: float = 0.0
    """G43.1, mm."""
    nozzles: dict[int, float] = field(default_factory=dict)
    """Tool → target in °C."""
    bed: float | None = None
    chamber: float | None = None
    fans: dict[str, str] = field(default_factory=dict)
    """Which fan → the command that it last got."""
    settings: dict[str, str] = field(default_factory=dict)
    """Which setting → the command that last changed it, oldest first."""
    levelled: bool | None = None
    """Whether bed levelling is on; None: the file never said."""
    measured_bed: int | None = None
    """The line that measured the bed (G29)."""
    retracted: int | None = None
    """The line that pulled the filament back (G10), while no G11 came."""
    ended: int | None = None
    """The line that ended the program (M2, M30)."""
    strange: dict[str, int] = field(default_factory=dict)
    """Commands whose effect nobody here can repeat → their first line."""

    def real(self, axis: str) -> float | None:
        """Return where an axis is without G92, mm."""
        place, shift = self.place[axis], self.shift[axis]
        return None if place is None or shift is None else place + shift

    def forget(self, axes: str = AXES) -> None:
        """The tool went somewhere on these axes that the file does not name."""
        for axis in axes:
            self.place[axis] = None

    @property
    def spinning(self) -> bool:
        """Whether the spindle or laser is on."""
        return self.spindle != "5"
