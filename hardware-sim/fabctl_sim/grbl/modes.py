"""The parser's state between lines (commands.md, "$G"), and which code is in which group."""

from __future__ import annotations

from dataclasses import dataclass, field

INCH_MM = 25.4
AXES = "XYZ"
COORDINATES = ("G54", "G55", "G56", "G57", "G58", "G59")
PROBES = frozenset({"G38.2", "G38.3", "G38.4", "G38.5"})
ARCS = frozenset({"G2", "G3"})

GROUPS: dict[str, str] = {
    **dict.fromkeys(("G4", "G10", "G28", "G28.1", "G30", "G30.1", "G53", "G92", "G92.1"), "once"),
    **dict.fromkeys(("G0", "G1", "G2", "G3", "G80", *PROBES), "motion"),
    **dict.fromkeys(("G17", "G18", "G19"), "plane"),
    **dict.fromkeys(("G90", "G91"), "distance"),
    "G91.1": "arc distance",
    **dict.fromkeys(("G93", "G94"), "feed"),
    **dict.fromkeys(("G20", "G21"), "units"),
    "G40": "cutter",
    **dict.fromkeys(("G43.1", "G49"), "tool length"),
    **dict.fromkeys(COORDINATES, "coordinates"),
    "G61": "control",
    **dict.fromkeys(("M0", "M1", "M2", "M30"), "program"),
    **dict.fromkeys(("M3", "M4", "M5"), "spindle"),
    **dict.fromkeys(("M7", "M8", "M9"), "coolant"),
}

USES_AXES: dict[str, str] = {
    **dict.fromkeys(("G10", "G28", "G30", "G92"), "once"),
    **dict.fromkeys(("G0", "G1", "G2", "G3", "G80", *PROBES), "motion"),
    **dict.fromkeys(("G43.1", "G49"), "tool length"),
}
"""Who asks for the axis words when the code stands in the block; two of them are error:24."""

PLANES: dict[str, tuple[int, int, int]] = {"G17": (0, 1, 2), "G18": (2, 0, 1), "G19": (1, 2, 0)}
"""First and second axis of the plane, and the one across it."""


@dataclass
class Modes:
    """What a line leaves behind for the next; lengths in mm, feed in mm/min (or 1/min in G93)."""

    motion: str = "G0"
    coordinates: str = "G54"
    plane: str = "G17"
    units: str = "G21"
    distance: str = "G90"
    feed_mode: str = "G94"
    tool_length: str = "G49"
    spindle: str = "M5"
    flood: bool = False
    mist: bool = False
    tool: int = 0
    feed: float = 0.0
    speed: float = 0.0
    tool_offset: float = 0.0
    shift: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    position: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])

    def end_program(self) -> None:
        """M2 and M30 (commands.md, defaults in bold; the motion mode becomes G1)."""
        self.motion, self.plane, self.distance = "G1", "G17", "G90"
        self.feed_mode, self.coordinates = "G94", "G54"
        self.spindle, self.flood, self.mist = "M5", False, False

    def listed(self, *, inches: bool) -> str:
        """Return what ``$G`` shows."""
        coolant = ["M7"] * self.mist + ["M8"] * self.flood or ["M9"]
        feed = f"{self.feed / INCH_MM:.1f}" if inches else f"{self.feed:.0f}"
        parts = (
            self.motion, self.coordinates, self.plane, self.units, self.distance, self.feed_mode,
            self.spindle, *coolant, f"T{self.tool}", f"F{feed}", f"S{self.speed:.0f}",
        )  # fmt: skip
        return " ".join(parts)
