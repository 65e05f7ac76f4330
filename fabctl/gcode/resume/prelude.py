"""The commands that bring a machine to where a line of a file expects it, in a safe order. Pure.

One command per line: Marlin obeys only a line's first, and Grbl takes them so too. The order is
ours; Marlin's own recovery after a power loss (``feature/powerloss.cpp``, marlinfw.org M413) heats
before it lifts, too, and homes X and Y alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from fabctl.errors import InputError
from fabctl.gcode.resume.resume_at import ResumePoint
from fabctl.gcode.resume.standing import AXES, Standing
from fabctl.gcode.state import MARLIN_FIRST_FEED
from fabctl.ports import MachineKind

LIFT_MM = 5.0
"""A printer's nozzle over the part while it homes and travels."""
TRAVEL_MM_PER_MIN = 3000.0
Z_MM_PER_MIN = 300.0
"""Slow enough for the leadscrews of small printers."""
SPIN_UP_S = 5.0
"""A spindle gets so long before the tool goes down. Longer than most need; it only costs time."""


class Step(NamedTuple):
    """A command and why it is there."""

    command: str
    why: str

    def __str__(self) -> str:
        return f"{self.command} ; {self.why}"


class Choices(NamedTuple):
    """What only the person at the machine knows."""

    home: bool | None = None
    """Whether a printer homes X and Y (None: yes); else it still knows where it is."""
    z_now_mm: float | None = None
    """How high a printer's nozzle stands over the bed now; None: as before the line."""
    safe_z_mm: float | None = None
    """At which a mill's tool clears everything; None: the file's own height for rapids."""


def prelude(point: ResumePoint, kind: MachineKind, choices: Choices) -> list[Step]:
    """Return the commands to say before the line.

    :raises InputError: the choices do not fit the machine, or no safe height is known.
    """
    s = point.standing
    if kind is MachineKind.PRINTER:
        if choices.safe_z_mm is not None:
            raise InputError("--safe-z is for mills", next_step=f"a nozzle lifts {LIFT_MM:g} mm")
        return [*_heat(s), *_lift_and_home(s, choices), *_printer_settings(s), *_back(s)]
    if choices.z_now_mm is not None or choices.home is not None:
        raise InputError("--z-now and --home are for printers", next_step="home a mill beforehand")
    if kind is MachineKind.LASER:
        return [*_ready(s), *_outputs(s, spindle=False), *_laser_place(s), *_laser_end(s, point)]
    return [*_ready(s), *_outputs(s, spindle=True), *_mill_place(s, choices), *_modes(s)]


def number(value: float) -> str:
    """Return a number as G-code takes it, to 0.00001."""
    text = f"{value:.5f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


# ---- printers


def _heat(s: Standing) -> list[Step]:
    """Bed first, then the nozzle: it is hot only when it is about to lift off the part."""
    steps = []
    if s.chamber:
        steps.append(Step(f"M141 S{number(s.chamber)}", "chamber"))
    if s.bed:
        steps.append(Step(f"M190 S{number(s.bed)}", "bed, and wait"))
    hot = {tool: target for tool, target in sorted(s.nozzles.items()) if target}
    several = len(s.nozzles) > 1 or (s.tool or 0) > 0
    for tool, target in hot.items():
        which = f" T{tool}" if several else ""
        steps.append(Step(f"M109{which} S{number(target)}", "nozzle, and wait: it frees itself"))
    return steps


def _lift_and_home(s: Standing, choices: Choices) -> list[Step]:
    homes = choices.home is not False
    steps = [Step("G21", "mm"), Step("G90", "absolute")]
    height = s.real("Z") if choices.z_now_mm is None else choices.z_now_mm
    if height is not None and (homes or choices.z_now_mm is not None):
        steps.append(Step(f"G92 Z{number(height)}", "the nozzle stands this high now"))
    steps += [
        Step("G91", "relative"),
        Step(f"G1 Z{number(LIFT_MM)} F{number(Z_MM_PER_MIN)}", "lift"),
        Step("G90", "absolute"),
    ]
    if homes:
        steps.append(Step("G28 X Y", "home X and Y; never Z, the part is in its way"))
    return steps


def _printer_settings(s: Standing) -> list[Step]:
    steps = []
    if s.levelled is not None:
        steps.append(Step(f"M420 S{int(s.levelled)}", "bed levelling"))
    if s.tool is not None:
        steps.append(Step(f"T{s.tool}", "tool"))
    steps += [Step(command, "as set before") for command in s.settings.values()]
    steps += [Step(command, "fan") for command in s.fans.values()]
    return steps


def _back(s: Standing) -> list[Step]:
    x, y, z = (number(s.real(axis) or 0.0) for axis in AXES)
    steps = [
        Step(f"G92 E{number(s.e)}", "filament"),
        Step(f"G1 X{x} Y{y} F{number(TRAVEL_MM_PER_MIN)}", "over the place"),
        Step(f"G1 Z{z} F{number(Z_MM_PER_MIN)}", "down"),
    ]
    e_mode = Step("M82", "E absolute") if s.e_absolute else Step("M83", "E relative")
    return [*steps, *_modes(replace(s, feed=s.feed or MARLIN_FIRST_FEED)), e_mode]


# ---- mills and lasers


def _ready(s: Standing) -> list[Step]:
    steps = [
        Step("G21", "mm"),
        Step("G90", "absolute"),
        Step("G94", "feed per minute"),
        Step("G17", "plane"),
        Step(f"G{s.system or '54'}", "the file's zero"),
    ]
    if s.tool_length:
        steps.append(Step(f"G43.1 Z{number(s.tool_length)}", "tool length"))
    if s.tool is not None:
        steps.append(Step(f"T{s.tool}", "tool"))
    return steps


def _outputs(s: Standing, *, spindle: bool) -> list[Step]:
    power = "" if s.power is None else f" S{number(s.power)}"
    steps = []
    if not spindle:
        steps.append(Step("M5", "no power on the way"))
    elif s.spinning:
        steps.append(Step(f"M{s.spindle}{power}", "spindle"))
    elif power:
        steps.append(Step(f"M5{power}", "spindle speed for later"))
    if s.mist:
        steps.append(Step("M7", "mist"))
    if s.flood:
        steps.append(Step("M8", "coolant"))
    return steps


def _mill_place(s: Standing, choices: Choices) -> list[Step]:
    x, y, z = (s.real(axis) or 0.0 for axis in AXES)
    safe = _safe_z(s, z, choices)
    steps = [
        Step(f"G0 Z{number(safe)}", "to the safe height"),
        Step(f"G0 X{number(x)} Y{number(y)}", "over the place"),
    ]
    if s.spinning:
        steps.append(Step(f"G4 P{number(SPIN_UP_S)}", "until the spindle has its speed"))
    if s.feed is None:  # the file has only made rapids so far, this one too
        return [*steps, Step(f"G0 Z{number(z)}", "down")]
    feed = min(s.plunge_feed or s.feed, s.feed)
    return [*steps, Step(f"G1 Z{number(z)} F{number(feed)}", "down, at the feed for it")]


def _safe_z(s: Standing, z: float, choices: Choices) -> float:
    if choices.safe_z_mm is not None:
        if choices.safe_z_mm < z:
            raise InputError(
                f"--safe-z {choices.safe_z_mm:g} lies below the place to go on from",
                limit=f"{z:g} mm or more",
            )
        return choices.safe_z_mm
    if s.top is None or s.top < z or (s.cut_top is not None and s.top <= s.cut_top):
        raise InputError(
            "the lines before never lift the tool clear of its work",
            next_step="say with --safe-z how high (mm, the file's zero) it clears everything",
        )
    return s.top


def _laser_place(s: Standing) -> list[Step]:
    x, y, z = (s.real(axis) for axis in AXES)
    steps = [Step(f"G0 X{number(x or 0.0)} Y{number(y or 0.0)}", "to the place, dark")]
    return steps if z is None else [*steps, Step(f"G0 Z{number(z)}", "focus")]


def _laser_end(s: Standing, point: ResumePoint) -> list[Step]:
    """Power comes last. Standing in G0 a laser stays dark even in M3 (Grbl ``laser_mode.md``)."""
    power = "" if s.power is None else f" S{number(s.power)}"
    on = Step(f"M{s.spindle}{power}", "power, for the moves that follow" if s.spinning else "off")
    modes = _modes(s)
    dark = point.own_motion and s.feed is not None
    return [*modes, *([Step("G0", "dark until the first cut")] if dark else []), on]


# ---- all


def _modes(s: Standing) -> list[Step]:
    """The modes last: what came before is in mm and absolute."""
    steps = []
    shifted = [axis for axis in AXES if s.shift[axis] and s.place[axis] is not None]
    if shifted:
        words = " ".join(f"{axis}{number(s.place[axis] or 0.0)}" for axis in shifted)
        steps.append(Step(f"G92 {words}", "places named as before"))
    motion = "0" if s.motion == "0" else "1"
    if s.feed is not None:
        steps.append(Step(f"G1 F{number(s.feed)}", "feed"))
        if motion == "0":
            steps.append(Step("G0", "rapid, until another G word"))
    if s.plane != "17":
        steps.append(Step(f"G{s.plane}", "plane"))
    if s.scale != 1.0:
        steps.append(Step("G20", "inches"))
    if not s.absolute:
        steps.append(Step("G91", "relative"))
    if s.arc_absolute:
        steps.append(Step("G90.1", "arc centres"))
    if s.inverse_time:
        steps.append(Step("G93", "inverse time"))
    return steps
