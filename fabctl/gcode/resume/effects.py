"""What single commands leave behind for later lines, one small function each, in tables. Pure.

Sources: marlinfw.org/docs/gcode for printers; RS274/NGC report (NISTIR 6556), section 3.8, and Grbl
``doc/markdown/commands.md`` for mills and lasers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fabctl.gcode.lines import Words
from fabctl.gcode.resume.standing import AXES, Standing

Obey = Callable[[Standing, Words, int], None]
"""Takes in a command: its words, and its line in the file."""
PROBES = frozenset({"G38.2", "G38.3", "G38.4", "G38.5"})


def _setter(**values: object) -> Obey:
    def set_all(s: Standing, _words: Words, _line: int) -> None:
        for name, value in values.items():
            setattr(s, name, value)

    return set_all


def _home(s: Standing, words: Words, _line: int) -> None:
    """Marlin's G28 also ends what G92 did to the axes that it homes."""
    for axis in [axis for axis in AXES if axis in words] or AXES:
        s.place[axis], s.shift[axis] = None, 0.0


def _park(s: Standing, words: Words, _line: int) -> None:
    s.forget("".join(axis for axis in AXES if axis in words) or AXES)


def _forget(s: Standing, _words: Words, _line: int) -> None:
    s.forget()


def _measure_bed(s: Standing, _words: Words, line: int) -> None:
    s.forget()
    s.levelled, s.measured_bed = True, line


def _motors_off(s: Standing, words: Words, _line: int) -> None:
    """M18 and M84: S only sets the time after which they go off."""
    if "S" not in words:
        s.forget("".join(a for a in AXES if a in words) or ("" if "E" in words else AXES))


def _rename(s: Standing, words: Words, _line: int) -> None:
    """G92: the tool stays, its place gets another name."""
    if "E" in words:
        s.e = (words.number("E") or 0.0) * s.scale
    for axis in AXES:
        if axis in words:
            real, name = s.real(axis), (words.number(axis) or 0.0) * s.scale
            s.place[axis], s.shift[axis] = name, None if real is None else real - name


def _names_as_before(s: Standing, _words: Words, _line: int) -> None:
    for axis in AXES:
        s.place[axis], s.shift[axis] = s.real(axis), 0.0


def _absolute(s: Standing, _words: Words, _line: int) -> None:
    """G90 and G91 hold for E too (Marlin ``gcode/gcode.h``: set_relative_mode)."""
    s.absolute = s.e_absolute = True


def _relative(s: Standing, _words: Words, _line: int) -> None:
    s.absolute = s.e_absolute = False


def _system(number: str) -> Obey:
    def choose(s: Standing, _words: Words, _line: int) -> None:
        if (s.system or "54") != number:
            s.forget()
        s.system = number

    return choose


def _spindle(number: str) -> Obey:
    def turn(s: Standing, words: Words, _line: int) -> None:
        s.spindle = number
        power = words.number("S")
        s.power = s.power if power is None else power

    return turn


def _tool_length(s: Standing, words: Words, _line: int) -> None:
    s.tool_length = (words.number("Z") or 0.0) * s.scale
    s.forget("Z")


def _no_tool_length(s: Standing, _words: Words, _line: int) -> None:
    if s.tool_length:
        s.forget("Z")
    s.tool_length = 0.0


def _stored_zero(s: Standing, words: Words, _line: int) -> None:
    """G10 L2 and L20 store another zero: it stays stored, but places have other names now."""
    s.forget("".join(axis for axis in AXES if axis in words))


def _end(s: Standing, _words: Words, line: int) -> None:
    s.ended = s.ended or line


def _heat(name: str) -> Obey:
    def heat(s: Standing, words: Words, _line: int) -> None:
        target = words.number("R") if "R" in words else words.number("S")
        if target is not None:
            setattr(s, name, target)

    return heat


def _heat_nozzle(s: Standing, words: Words, _line: int) -> None:
    target = words.number("R") if "R" in words else words.number("S")
    if target is not None:
        tool = words.number("T")
        s.nozzles[s.tool or 0 if tool is None else int(tool)] = target


def _fan(s: Standing, words: Words, _line: int) -> None:
    which = words.number("P") or 0.0
    speed = words.number("S")
    index = f" P{which:g}" if which else ""
    s.fans[index] = f"M106{index} S{255.0 if speed is None else speed:g}"


def _fan_off(s: Standing, words: Words, _line: int) -> None:
    which = words.number("P") or 0.0
    index = f" P{which:g}" if which else ""
    s.fans[index] = f"M107{index}"


def _levelling(s: Standing, words: Words, _line: int) -> None:
    if "S" in words:
        s.levelled = words.number("S") != 0.0


def _pull_back(s: Standing, _words: Words, line: int) -> None:
    s.retracted = line


COMMON: Mapping[str, Obey] = {
    "G17": _setter(plane="17"), "G18": _setter(plane="18"), "G19": _setter(plane="19"),
    "G20": _setter(scale=25.4), "G21": _setter(scale=1.0),
    "G90": _absolute, "G91": _relative,
    "G90.1": _setter(arc_absolute=True), "G91.1": _setter(arc_absolute=False),
    "G93": _setter(inverse_time=True), "G94": _setter(inverse_time=False),
    "G80": _setter(motion=""),
    "G92": _rename, "G92.1": _names_as_before,
    **{f"G{n}": _system(n) for n in ("54", "55", "56", "57", "58", "59", "59.1", "59.2", "59.3")},
    "M3": _spindle("3"), "M4": _spindle("4"), "M5": _spindle("5"),
    "M7": _setter(mist=True), "M8": _setter(flood=True), "M9": _setter(mist=False, flood=False),
}  # fmt: skip
PRINTER: Mapping[str, Obey] = {
    "G28": _home, "G29": _measure_bed, "M420": _levelling,
    **dict.fromkeys(("G12", "G27", "G30", "G33", "G34", "G35", "G61", "G76", "G425"), _forget),
    "M18": _motors_off, "M84": _motors_off,
    "G10": _pull_back, "G11": _setter(retracted=None),
    "M82": _setter(e_absolute=True), "M83": _setter(e_absolute=False),
    "M104": _heat_nozzle, "M109": _heat_nozzle,
    "M140": _heat("bed"), "M190": _heat("bed"),
    "M141": _heat("chamber"), "M191": _heat("chamber"),
    "M106": _fan, "M107": _fan_off,
}  # fmt: skip
CUTTER: Mapping[str, Obey] = {
    "G10": _stored_zero, "G28": _park, "G30": _park, "G52": _park,
    **dict.fromkeys(PROBES, _forget),
    "G43.1": _tool_length, "G49": _no_tool_length,
    "M2": _end, "M30": _end,
}  # fmt: skip
SETTINGS = frozenset(
    {
        "M92", "M200", "M201", "M203", "M204", "M205", "M206", "M207", "M208", "M209", "M218",
        "M220", "M221", "M301", "M304", "M413", "M572", "M593", "M851", "M900",
    }
)  # fmt: skip
"""Printers' settings that a reset forgets: their last command is repeated."""
HARMLESS = frozenset(
    {
        "G4", "G28.1", "G30.1", "G40", "G53", "G61", "G64",
        "M0", "M1", "M6", "M17", "M31", "M73", "M75", "M76", "M77", "M78", "M105", "M108", "M110",
        "M113", "M114", "M115", "M117", "M118", "M119", "M155", "M226", "M300", "M400", "M486",
        "M600", "M601", "M862.1", "M862.2", "M862.3", "M862.4", "M862.5", "M862.6",
    }
)  # fmt: skip
"""Commands that leave nothing behind that a later line relies on."""
