"""Which command does what: one table from code to handler."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fabctl_sim.marlin import heating, reports
from fabctl_sim.marlin.motion import Waiting, Words, arc, drained, move

if TYPE_CHECKING:
    from fabctl_sim.marlin.firmware import Firmware
    from fabctl_sim.marlin.words import Command

Handler = Callable[["Firmware", "Command", Words], Waiting | None]


def _g0(fw: Firmware, _: Command, words: Words) -> Waiting:
    return move(fw, words)


def _g2(fw: Firmware, _: Command, words: Words) -> Waiting:
    return arc(fw, words, clockwise=True)


def _g3(fw: Firmware, _: Command, words: Words) -> Waiting:
    return arc(fw, words, clockwise=False)


def _g4(fw: Firmware, _: Command, words: Words) -> Waiting:
    """Dwell: S seconds or P milliseconds, after the moves are done."""
    seconds = (words.get("P") or 0.0) / 1000.0
    if words.get("S") is not None:
        seconds = words["S"] or 0.0
    yield from drained(fw)
    until = fw.clock + seconds
    while fw.clock < until:
        yield until


def _g20(fw: Firmware, _: Command, __: Words) -> None:
    fw.motion.unit_mm = 25.4


def _g21(fw: Firmware, _: Command, __: Words) -> None:
    fw.motion.unit_mm = 1.0


def _g28(fw: Firmware, _: Command, words: Words) -> Waiting:
    """Home the named axes, all without a name; one after the other, each with its bump."""
    yield from drained(fw)
    axes = [axis for axis, letter in enumerate("XYZ") if letter in words] or [0, 1, 2]
    fw.set_phase("homing")
    for axis in axes:
        speed, bump = fw.board.homing_mm_per_s[axis], fw.board.homing_bump_mm[axis]
        way = fw.motion.carriage_at(fw.clock)[axis]
        until = fw.clock + way / speed + bump / speed + bump / (speed / 2)
        while fw.clock < until:
            yield until
        fw.motion.home([axis])
    fw.set_phase("ready")
    fw.say(reports.position(fw))


def _g29(fw: Firmware, _: Command, __: Words) -> Waiting:
    """Bed levelling, only its time: nine points at two seconds each."""
    yield from drained(fw)
    fw.set_phase("probing")
    until = fw.clock + 18.0
    while fw.clock < until:
        yield until
    fw.set_phase("ready")


def _g90(fw: Firmware, _: Command, __: Words) -> None:
    fw.motion.relative = [False] * 4


def _g91(fw: Firmware, _: Command, __: Words) -> None:
    fw.motion.relative = [True] * 4


def _g92(fw: Firmware, _: Command, words: Words) -> None:
    fw.motion.set_position(words)


def _m0(fw: Firmware, command: Command, words: Words) -> Waiting:
    """Stop and wait for a person, M108, or the time given (marlinfw.org/docs/gcode/M000-M001)."""
    yield from drained(fw)
    seconds = (words.get("P") or 0.0) / 1000.0 or (words.get("S") or 0.0)
    if command.argument and not seconds:
        fw.say(f"echo:{command.argument}")
    fw.busy_text = "paused for user"
    fw.wait_for_user = True
    fw.set_phase("waiting")
    until = fw.clock + seconds if seconds else float("inf")
    while fw.wait_for_user and fw.clock < until:
        yield until
    fw.wait_for_user = False
    fw.set_phase("ready")


def _m82(fw: Firmware, _: Command, __: Words) -> None:
    fw.motion.relative[3] = False


def _m83(fw: Firmware, _: Command, __: Words) -> None:
    fw.motion.relative[3] = True


def _m84(fw: Firmware, _: Command, words: Words) -> Waiting:
    if words.get("S") is None:
        yield from drained(fw)


def _m104(fw: Firmware, _: Command, words: Words) -> None:
    heating.set_target(fw, fw.nozzle, words)


def _m105(fw: Firmware, _: Command, __: Words) -> None:
    """M105 says its own ok, without ADVANCED_OK's fields (``gcode/temp/M105.cpp``)."""
    fw.acknowledge(heating.states(fw))


def _m106(fw: Firmware, _: Command, words: Words) -> None:
    speed = words.get("S")
    fw.motion.fan = min(255, int(255 if speed is None else speed))


def _m107(fw: Firmware, _: Command, __: Words) -> None:
    fw.motion.fan = 0


def _m108(fw: Firmware, _: Command, __: Words) -> None:
    fw.emergency(108)


def _m109(fw: Firmware, _: Command, words: Words) -> Waiting:
    return heating.wait(fw, fw.nozzle, words)


def _m110(fw: Firmware, _: Command, words: Words) -> None:
    number = words.get("N")
    if number is not None:
        fw.check.last = int(number)


def _m112(fw: Firmware, _: Command, __: Words) -> None:
    fw.emergency(112)


def _m113(fw: Firmware, _: Command, words: Words) -> None:
    seconds = words.get("S")
    if seconds is None:
        fw.say(f"echo:M113 S{fw.keepalive_s:.0f}")
    else:
        fw.keepalive_s = min(seconds, 60.0)


def _m114(fw: Firmware, _: Command, __: Words) -> None:
    fw.say(reports.position(fw))


def _m115(fw: Firmware, _: Command, __: Words) -> None:
    for line in reports.capabilities(fw.board):
        fw.say(line)


def _m119(fw: Firmware, _: Command, __: Words) -> None:
    for line in reports.endstops(fw):
        fw.say(line)


def _m140(fw: Firmware, _: Command, words: Words) -> None:
    heating.set_target(fw, fw.bed, words)


def _m155(fw: Firmware, command: Command, words: Words) -> None:
    if not fw.board.autoreport_temp:
        fw.unknown(command)
        return
    fw.autoreport(min(words.get("S") or 0.0, 60.0))


def _m190(fw: Firmware, _: Command, words: Words) -> Waiting:
    return heating.wait(fw, fw.bed, words)


def _m204(fw: Firmware, _: Command, words: Words) -> None:
    both = words.get("S")
    fw.motion.print_accel = words.get("P") or both or fw.motion.print_accel
    fw.motion.travel_accel = words.get("T") or both or fw.motion.travel_accel
    fw.motion.retract_accel = words.get("R") or fw.motion.retract_accel


def _m205(fw: Firmware, _: Command, words: Words) -> None:
    shortest_us = words.get("B")
    if shortest_us is not None:
        fw.motion.min_segment_s = shortest_us / 1e6


def _m211(fw: Firmware, _: Command, words: Words) -> None:
    if words.get("S") is not None:
        fw.motion.soft_endstops = bool(words["S"])


def _m220(fw: Firmware, _: Command, words: Words) -> None:
    fw.motion.feed_percent = words.get("S") or fw.motion.feed_percent


def _m221(fw: Firmware, _: Command, words: Words) -> None:
    fw.motion.flow_percent = words.get("S") or fw.motion.flow_percent


def _m302(fw: Firmware, _: Command, words: Words) -> None:
    if words.get("P") is not None:
        fw.extrude_min_c = 0.0 if words["P"] else fw.board.extrude_min_c
    elif words.get("S") is not None:
        fw.extrude_min_c = words["S"] or 0.0


def _m400(fw: Firmware, _: Command, __: Words) -> Waiting:
    return drained(fw)


def _m410(fw: Firmware, _: Command, __: Words) -> None:
    fw.emergency(410)


def _m999(fw: Firmware, _: Command, words: Words) -> None:
    """Run again after a stop (not after a halt: that needs a reset), and ask for the next line."""
    fw.restart(flush=not words.get("S"))


def _nothing(_: Firmware, __: Command, ___: Words) -> None:
    """Taken and answered with ok, without effect on anything that the stand-in models."""


TABLE: dict[str, Handler] = {
    "G0": _g0,
    "G1": _g0,
    "G2": _g2,
    "G3": _g3,
    "G4": _g4,
    "G20": _g20,
    "G21": _g21,
    "G28": _g28,
    "G29": _g29,
    "G90": _g90,
    "G91": _g91,
    "G92": _g92,
    "M0": _m0,
    "M1": _m0,
    "M18": _m84,
    "M82": _m82,
    "M83": _m83,
    "M84": _m84,
    "M104": _m104,
    "M105": _m105,
    "M106": _m106,
    "M107": _m107,
    "M108": _m108,
    "M109": _m109,
    "M110": _m110,
    "M112": _m112,
    "M113": _m113,
    "M114": _m114,
    "M115": _m115,
    "M119": _m119,
    "M140": _m140,
    "M155": _m155,
    "M190": _m190,
    "M204": _m204,
    "M205": _m205,
    "M211": _m211,
    "M220": _m220,
    "M221": _m221,
    "M302": _m302,
    "M400": _m400,
    "M410": _m410,
    "M999": _m999,
    **dict.fromkeys(("M17", "M73", "M75", "M76", "M77", "M85", "M92", "M117", "M118"), _nothing),
    **dict.fromkeys(("M120", "M121", "M201", "M203", "M300", "M500", "M900", "T0"), _nothing),
}  # fmt: skip - a table is easier to scan than forty lines
"""What this build knows; whatever is missing here is an unknown command."""
