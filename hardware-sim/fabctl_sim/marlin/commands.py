"""Which command does what: one table from code to handler."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fabctl_sim.marlin import heating, reports
from fabctl_sim.marlin.motion import Waiting, Words, arc, drained, move

if TYPE_CHECKING:
    from fabctl_sim.marlin.machine import Machine
    from fabctl_sim.marlin.words import Command

Handler = Callable[["Machine", "Command", Words], Waiting | None]


def _g0(m: Machine, _: Command, words: Words) -> Waiting:
    return move(m, words)


def _g2(m: Machine, _: Command, words: Words) -> Waiting:
    return arc(m, words, clockwise=True)


def _g3(m: Machine, _: Command, words: Words) -> Waiting:
    return arc(m, words, clockwise=False)


def _g4(m: Machine, _: Command, words: Words) -> Waiting:
    """Dwell: S seconds or P milliseconds, after the moves are done."""
    seconds = (words.get("P") or 0.0) / 1000.0
    if words.get("S") is not None:
        seconds = words["S"] or 0.0
    yield from drained(m)
    until = m.clock + seconds
    while m.clock < until:
        yield until


def _g20(m: Machine, _: Command, __: Words) -> None:
    m.motion.unit_mm = 25.4


def _g21(m: Machine, _: Command, __: Words) -> None:
    m.motion.unit_mm = 1.0


def _g28(m: Machine, _: Command, words: Words) -> Waiting:
    """Home the named axes, all without a name; one after the other, each with its bump."""
    yield from drained(m)
    axes = [axis for axis, letter in enumerate("XYZ") if letter in words] or [0, 1, 2]
    m.set_phase("homing")
    for axis in axes:
        speed, bump = m.board.homing_mm_per_s[axis], m.board.homing_bump_mm[axis]
        way = m.motion.carriage_at(m.clock)[axis]
        until = m.clock + way / speed + bump / speed + bump / (speed / 2)
        while m.clock < until:
            yield until
        m.motion.home([axis])
    m.set_phase("ready")
    m.say(reports.position(m, planned=False))


def _g29(m: Machine, _: Command, __: Words) -> Waiting:
    """Bed levelling, only its time: nine points at two seconds each."""
    yield from drained(m)
    m.set_phase("probing")
    until = m.clock + 18.0
    while m.clock < until:
        yield until
    m.set_phase("ready")


def _g90(m: Machine, _: Command, __: Words) -> None:
    m.motion.relative = [False] * 4


def _g91(m: Machine, _: Command, __: Words) -> None:
    m.motion.relative = [True] * 4


def _g92(m: Machine, _: Command, words: Words) -> None:
    m.motion.set_position(words)


def _m0(m: Machine, command: Command, words: Words) -> Waiting:
    """Stop and wait for a person, M108, or the time given (marlinfw.org/docs/gcode/M000-M001)."""
    yield from drained(m)
    seconds = (words.get("P") or 0.0) / 1000.0 or (words.get("S") or 0.0)
    if command.argument and not seconds:
        m.say(f"echo:{command.argument}")
    m.busy_text = "paused for user"
    m.wait_for_user = True
    m.set_phase("waiting")
    until = m.clock + seconds if seconds else float("inf")
    while m.wait_for_user and m.clock < until:
        yield until
    m.wait_for_user = False
    m.set_phase("ready")


def _m82(m: Machine, _: Command, __: Words) -> None:
    m.motion.relative[3] = False


def _m83(m: Machine, _: Command, __: Words) -> None:
    m.motion.relative[3] = True


def _m84(m: Machine, _: Command, words: Words) -> Waiting:
    if words.get("S") is None:
        yield from drained(m)


def _m104(m: Machine, _: Command, words: Words) -> None:
    heating.set_target(m, m.nozzle, words)


def _m105(m: Machine, _: Command, __: Words) -> None:
    """M105 says its own ok, without ADVANCED_OK's fields (``gcode/temp/M105.cpp``)."""
    m.acknowledge(heating.states(m))


def _m106(m: Machine, _: Command, words: Words) -> None:
    speed = words.get("S")
    m.motion.fan = min(255, int(255 if speed is None else speed))


def _m107(m: Machine, _: Command, __: Words) -> None:
    m.motion.fan = 0


def _early(m: Machine, command: Command, _: Words) -> None:
    """M108, M112, M410 that came with a line number; EMERGENCY_PARSER has already acted."""
    if not m.board.emergency_parser:
        m.emergency(int(command.code[1:]))


def _m109(m: Machine, _: Command, words: Words) -> Waiting:
    return heating.wait(m, m.nozzle, words)


def _m110(m: Machine, _: Command, words: Words) -> None:
    number = words.get("N")
    if number is not None:
        m.check.last = int(number)


def _m113(m: Machine, _: Command, words: Words) -> None:
    seconds = words.get("S")
    if seconds is None:
        m.say(f"echo:M113 S{m.keepalive_s:.0f}")
    else:
        m.keepalive_s = min(seconds, 60.0)


def _m114(m: Machine, _: Command, __: Words) -> None:
    m.say(reports.position(m, planned=True))


def _m115(m: Machine, _: Command, __: Words) -> None:
    for line in reports.capabilities(m.board):
        m.say(line)


def _m119(m: Machine, _: Command, __: Words) -> None:
    for line in reports.endstops(m):
        m.say(line)


def _m118(m: Machine, command: Command, _: Words) -> None:
    """Send a text to the host: E1 as an echo, A1 as a comment (docs/gcode/M118.html)."""
    text = command.argument
    flags = {"E1 ": "echo:", "A1 ": "//"}
    m.say(flags[text[:3]] + text[3:] if text[:3] in flags else text)


def _m140(m: Machine, _: Command, words: Words) -> None:
    heating.set_target(m, m.bed, words)


def _m155(m: Machine, command: Command, words: Words) -> None:
    if not m.board.autoreport_temp:
        m.unknown(command.text)
        return
    m.autoreport(min(words.get("S") or 0.0, 60.0))


def _m190(m: Machine, _: Command, words: Words) -> Waiting:
    return heating.wait(m, m.bed, words)


def _m201(m: Machine, _: Command, words: Words) -> None:
    m.motion.limit(m.motion.max_accel, words)


def _m203(m: Machine, _: Command, words: Words) -> None:
    m.motion.limit(m.motion.max_feed, words)


def _m204(m: Machine, _: Command, words: Words) -> None:
    both = words.get("S")
    m.motion.print_accel = words.get("P") or both or m.motion.print_accel
    m.motion.travel_accel = words.get("T") or both or m.motion.travel_accel
    m.motion.retract_accel = words.get("R") or m.motion.retract_accel


def _m205(m: Machine, _: Command, words: Words) -> None:
    shortest_us = words.get("B")
    if shortest_us is not None:
        m.motion.min_segment_s = shortest_us / 1e6
    m.motion.junction_mm = words.get("J") or m.motion.junction_mm


def _m211(m: Machine, _: Command, words: Words) -> None:
    if words.get("S") is not None:
        m.motion.soft_endstops = bool(words["S"])


def _m220(m: Machine, _: Command, words: Words) -> None:
    m.motion.feed_percent = words.get("S") or m.motion.feed_percent


def _m221(m: Machine, _: Command, words: Words) -> None:
    m.motion.flow_percent = words.get("S") or m.motion.flow_percent


def _m302(m: Machine, _: Command, words: Words) -> None:
    if words.get("P") is not None:
        m.extrude_min_c = 0.0 if words["P"] else m.board.extrude_min_c
    elif words.get("S") is not None:
        m.extrude_min_c = words["S"] or 0.0


def _m400(m: Machine, _: Command, __: Words) -> Waiting:
    return drained(m)


def _m999(m: Machine, _: Command, words: Words) -> None:
    """Run again after a stop (not after a halt: that needs a reset), and ask for the next line."""
    m.restart(flush=not words.get("S"))


def _nothing(_: Machine, __: Command, ___: Words) -> None:
    """Taken and answered with ok, without effect on anything that the stand-in models."""


_IGNORED = "M17 M75 M76 M77 M85 M92 M117 M120 M121 T0"

# One line per family is easier to scan than sixty.
# fmt: off
TABLE: dict[str, Handler] = {
    **dict.fromkeys(_IGNORED.split(), _nothing),
    "G0": _g0, "G1": _g0, "G2": _g2, "G3": _g3, "G4": _g4, "G20": _g20, "G21": _g21,
    "G28": _g28, "G29": _g29, "G90": _g90, "G91": _g91, "G92": _g92,
    "M0": _m0, "M1": _m0, "M18": _m84, "M82": _m82, "M83": _m83, "M84": _m84,
    "M104": _m104, "M105": _m105, "M106": _m106, "M107": _m107, "M108": _early, "M109": _m109,
    "M110": _m110, "M112": _early, "M113": _m113, "M114": _m114, "M115": _m115, "M119": _m119,
    "M118": _m118, "M140": _m140, "M155": _m155, "M190": _m190, "M201": _m201, "M203": _m203,
    "M204": _m204, "M205": _m205, "M211": _m211,
    "M220": _m220, "M221": _m221, "M302": _m302, "M400": _m400, "M410": _early, "M999": _m999,
}
# fmt: on
"""What this build knows; whatever is missing here is an unknown command."""
