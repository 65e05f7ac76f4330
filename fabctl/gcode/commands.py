"""What single commands do to the state, one small function each, in one table."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fabctl.gcode.lines import Words
from fabctl.gcode.problems import figure
from fabctl.model.texts import text

if TYPE_CHECKING:
    from fabctl.gcode.interpret import Interpreter

Command = Callable[["Interpreter", int, Words], None]


def _dwell(i: Interpreter, _line: int, words: Words) -> None:
    """G4: Marlin takes P in ms and S in s, Grbl P in s."""
    seconds = words.number("S") if i.printer else None
    if seconds is None:
        seconds = (words.number("P") or 0.0) / (1000.0 if i.printer else 1.0)
    i.mover.stop()
    i.mover.planner.dwell(max(0.0, seconds), i.state.commands)


def _inches(i: Interpreter, _line: int, _words: Words) -> None:
    i.state.scale = 25.4


def _millimetres(i: Interpreter, _line: int, _words: Words) -> None:
    i.state.scale = 1.0


def _absolute(i: Interpreter, _line: int, _words: Words) -> None:
    """G90 makes E absolute too (Marlin ``gcode/gcode.h``: set_relative_mode)."""
    i.state.absolute = i.state.e_absolute = True


def _relative(i: Interpreter, _line: int, _words: Words) -> None:
    i.state.absolute = i.state.e_absolute = False


def _e_absolute(i: Interpreter, _line: int, _words: Words) -> None:
    i.state.e_absolute = True


def _e_relative(i: Interpreter, _line: int, _words: Words) -> None:
    i.state.e_absolute = False


def _home(i: Interpreter, _line: int, words: Words) -> None:
    """G28: a printer stands at its home afterwards; a mill somewhere in machine coordinates."""
    i.mover.stop()
    if not i.printer:
        _park(i, _line, words)
        return
    axes = [axis for axis in "XYZ" if axis in words] or list("XYZ")
    s = i.state
    s.homed = True
    if "X" in axes:
        s.x, s.offset_x = i.home[0], 0.0
    if "Y" in axes:
        s.y, s.offset_y = i.home[1], 0.0
    if "Z" in axes:
        s.z, s.offset_z = i.home[2], 0.0


def _park(i: Interpreter, line: int, words: Words) -> None:
    """G28 and G30 on a mill: by way of the point given to a stored place that no file knows."""
    if any(axis in words for axis in "XYZ"):
        i.territory.grow(line, *i.mover.target(words), False)
    i.mover.stop()
    i.forget_position()


def _set_position(i: Interpreter, _line: int, words: Words) -> None:
    """G92: the tool stays, its coordinates change."""
    s = i.state
    e, x, y, z = (words.number(letter) for letter in "EXYZ")
    if "E" in words:
        s.e = (e or 0.0) * s.scale
    if x is not None:
        s.x, s.offset_x = _renamed(s.x, x * s.scale)
    if y is not None:
        s.y, s.offset_y = _renamed(s.y, y * s.scale)
    if z is not None:
        s.z, s.offset_z = _renamed(s.z, z * s.scale)


def _renamed(place: float, name: float) -> tuple[float, float]:
    """Return (position, offset) after G92 calls a place ``name``."""
    return (name, 0.0) if math.isnan(place) else (place, place - name)


def _forget_offsets(i: Interpreter, _line: int, _words: Words) -> None:
    i.state.offset_x = i.state.offset_y = i.state.offset_z = 0.0


def _plane(number: str) -> Command:
    def choose(i: Interpreter, _line: int, _words: Words) -> None:
        i.state.plane = number

    return choose


def _system(number: str) -> Command:
    def choose(i: Interpreter, _line: int, _words: Words) -> None:
        if not i.printer:
            i.mover.stop()
            i.territory.select(number)
            i.forget_position()

    return choose


def _inverse_time(i: Interpreter, _line: int, _words: Words) -> None:
    i.state.inverse_time = True


def _feed_per_minute(i: Interpreter, _line: int, _words: Words) -> None:
    i.state.inverse_time = False


def _no_motion(i: Interpreter, _line: int, _words: Words) -> None:
    i.state.motion = ""


def _arc_absolute(i: Interpreter, _line: int, _words: Words) -> None:
    i.state.arc_absolute = True


def _arc_relative(i: Interpreter, _line: int, _words: Words) -> None:
    i.state.arc_absolute = False


def _sync(i: Interpreter, _line: int, _words: Words) -> None:
    i.mover.stop()


def _wait(i: Interpreter, _line: int, _words: Words) -> None:
    i.mover.stop()
    i.waits += 1


def _spindle(number: str) -> Command:
    def turn(i: Interpreter, line: int, words: Words) -> None:
        i.mover.stop()
        i.state.spindle = number
        i.spindle_used |= number != "5"
        power = words.number("S")
        i.mover.set_power(line, i.state.power if power is None else power)

    return turn


def _end(i: Interpreter, _line: int, _words: Words) -> None:
    """M2 and M30 on a mill end the program, spindle and laser off (RS274/NGC, section 3.6.1)."""
    if not i.printer:
        i.mover.stop()
        i.state.spindle = "5"


def _heat_nozzle(i: Interpreter, line: int, words: Words) -> None:
    """M104 and M109, S or R in °C."""
    target = words.number("R") if "R" in words else words.number("S")
    if target is None:
        return
    i.state.nozzle_c = target
    i.nozzle.note(line, target)
    if i.nozzle.limit is not None and target > i.nozzle.limit:
        i.problems.error(
            line,
            "nozzle-too-hot",
            text(
                "Line {line}: the nozzle would be heated to {found} °C; at most {limit} °C"
                " are allowed.",
                line=line, found=figure(target), limit=figure(i.nozzle.limit),
            ),
        )  # fmt: skip


def _heat_nozzle_and_wait(i: Interpreter, line: int, words: Words) -> None:
    i.mover.stop()
    _heat_nozzle(i, line, words)


def _heat_bed(i: Interpreter, line: int, words: Words) -> None:
    """M140 and M190, S or R in °C."""
    target = words.number("R") if "R" in words else words.number("S")
    if target is None:
        return
    i.state.bed_c = target
    i.bed.note(line, target)
    if i.bed.limit is not None and target > i.bed.limit:
        i.problems.error(
            line,
            "bed-too-hot",
            text(
                "Line {line}: the bed would be heated to {found} °C; at most {limit} °C"
                " are allowed.",
                line=line, found=figure(target), limit=figure(i.bed.limit),
            ),
        )  # fmt: skip


def _heat_bed_and_wait(i: Interpreter, line: int, words: Words) -> None:
    i.mover.stop()
    _heat_bed(i, line, words)


def _tune_heater(i: Interpreter, line: int, words: Words) -> None:
    """M303 heats on its own: E-1 is the bed, else a nozzle."""
    (_heat_bed if (words.number("E") or 0.0) < 0.0 else _heat_nozzle)(i, line, words)


def _accelerations(i: Interpreter, _line: int, words: Words) -> None:
    """M204: P printing, T travel, R retracting; S the first two (marlinfw.org/docs/gcode/M204)."""
    both = words.number("S")
    values = {
        "acceleration": _positive(words.number("P"), both),
        "travel_acceleration": _positive(words.number("T"), both),
        "retract_acceleration": _positive(words.number("R")),
    }
    i.mover.change_settings(**{name: value for name, value in values.items() if value})


def _positive(*values: float | None) -> float | None:
    return next((value for value in values if value is not None and value > 0.0), None)


def _top_accelerations(i: Interpreter, _line: int, words: Words) -> None:
    """M201: only Z's limit lies below what M204 asks for, so only Z's is kept."""
    if z := _positive(words.number("Z")):
        i.mover.change_settings(z_acceleration=z)


def _top_feeds(i: Interpreter, _line: int, words: Words) -> None:
    """M203, mm/s."""
    flat = [v for v in (words.number("X"), words.number("Y")) if v is not None and v > 0.0]
    values = {
        "feed_max_mm_per_min": min(flat) if flat else None,
        "z_feed_max_mm_per_min": _positive(words.number("Z")),
        "retract_feed_max_mm_per_min": _positive(words.number("E")),
    }
    i.mover.change_settings(**{name: 60.0 * value for name, value in values.items() if value})


def _jerks(i: Interpreter, _line: int, words: Words) -> None:
    """M205, mm/s."""
    values = {"jerk": _positive(words.number("X")), "retract_jerk": _positive(words.number("E"))}
    i.mover.change_settings(**{name: value for name, value in values.items() if value})


COMMANDS: Mapping[str, Command] = {
    "G4": _dwell,
    "G17": _plane("17"), "G18": _plane("18"), "G19": _plane("19"),
    "G20": _inches, "G21": _millimetres,
    "G28": _home, "G29": _sync, "G30": _park,
    **{f"G{n}": _system(n) for n in ("54", "55", "56", "57", "58", "59", "59.1", "59.2", "59.3")},
    "G80": _no_motion,
    "G90": _absolute, "G91": _relative,
    "G90.1": _arc_absolute, "G91.1": _arc_relative,
    "G92": _set_position, "G92.1": _forget_offsets,
    "G93": _inverse_time, "G94": _feed_per_minute,
    "M0": _wait, "M1": _wait, "M226": _wait, "M600": _wait, "M601": _wait,
    "M2": _end, "M30": _end,
    "M3": _spindle("3"), "M4": _spindle("4"), "M5": _spindle("5"),
    "M82": _e_absolute, "M83": _e_relative,
    "M104": _heat_nozzle, "M109": _heat_nozzle_and_wait,
    "M140": _heat_bed, "M190": _heat_bed_and_wait,
    "M201": _top_accelerations, "M203": _top_feeds, "M204": _accelerations, "M205": _jerks,
    "M303": _tune_heater, "M400": _sync,
}  # fmt: skip
"""Commands that are no moves. What is missing here changes nothing that we count."""
