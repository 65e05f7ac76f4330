"""Runs a line that was read: in the order of the NIST standard, as Grbl documents it."""

from __future__ import annotations

import math

from fabctl_sim.grbl.block import Block, offset, read
from fabctl_sim.grbl.machine import Machine, State, Waiting
from fabctl_sim.grbl.modes import COORDINATES, INCH_MM, PLANES, PROBES
from fabctl_sim.grbl.moves import dwell, move, outside, probe
from fabctl_sim.grbl.realtime import drained, realtime
from fabctl_sim.grbl.words import CodeError


def run(m: Machine, text: str) -> Waiting:
    """Run one stripped line of G-code.

    :raises CodeError: it is refused, nothing has happened.
    """
    block = read(text, m.modes, m.eeprom.places, mist=m.board.mist)
    yield from _outputs(m, block)
    if block.once == "G4":
        yield from dwell(m, block.values["P"])
    yield from _take_modes(m, block)
    yield from _once(m, block)
    if block.asks == "motion":
        yield from _motion(m, block)
    yield from _program(m, block)


def jog(m: Machine, text: str) -> Waiting:
    """Run what follows ``$J=`` (jogging.md): no mode is changed.

    :raises CodeError: also 15, the target is beyond the travel with soft limits on.
    """
    block = read(text, m.modes, m.eeprom.places, mist=m.board.mist, jog=True)
    if m.eeprom.on(20) and outside(m, block.target):
        raise CodeError(15)
    yield from move(m, block.target, block.modes.feed / 60.0, "jog")
    m.modes.position[:] = block.target
    if m.state is State.IDLE and m.planner.blocks:
        m.set_state(State.JOG)
        m.planner.start(m.clock)


def _outputs(m: Machine, block: Block) -> Waiting:
    """F, S, T, then spindle, then coolant; what changes waits for the motion before it."""
    old, new = m.modes, block.modes
    changed = new.spindle != old.spindle
    speed_alone = new.speed != old.speed and new.spindle != "M5" and not _laser_in_motion(m, block)
    if (changed or speed_alone) and m.state is not State.CHECK:
        yield from drained(m)
        m.spindle, m.rpm = new.spindle, new.speed
        m.overrides_in = 0 if changed else m.overrides_in
    elif m.laser:
        m.rpm = new.speed
    old.feed, old.speed, old.tool, old.spindle = new.feed, new.speed, new.tool, new.spindle
    if (new.flood, new.mist) != (old.flood, old.mist) and m.state is not State.CHECK:
        yield from drained(m)
        m.flood, m.mist = new.flood, new.mist
        m.overrides_in = 0
    old.flood, old.mist = new.flood, new.mist


def _laser_in_motion(m: Machine, block: Block) -> bool:
    """laser_mode.md: with a motion, or with M4, a new S stops nothing."""
    return m.laser and (block.asks == "motion" or block.modes.spindle == "M4")


def _take_modes(m: Machine, block: Block) -> Waiting:
    old, new = m.modes, block.modes
    before = offset(old, m.eeprom.places)
    old.plane, old.units, old.distance = new.plane, new.units, new.distance
    old.feed_mode, old.tool_length, old.tool_offset = (
        new.feed_mode, new.tool_length, new.tool_offset,
    )  # fmt: skip
    old.coordinates = new.coordinates
    if offset(old, m.eeprom.places) != before:
        yield from _new_offset(m)


def _new_offset(m: Machine) -> Waiting:
    """The next report shows it; config.h, FORCE_BUFFER_SYNC_DURING_WCO_CHANGE."""
    m.wco_in = 0
    if m.state is not State.CHECK:
        yield from drained(m)


def _once(m: Machine, block: Block) -> Waiting:
    modes = m.modes
    if block.once == "G10":
        yield from _store_offset(m, block)
    elif block.once in ("G28", "G30"):
        if block.axes:
            yield from _go(m, block.target, math.inf, "G0")
        stored = m.eeprom.places[block.once]
        axes = block.axes or [0, 1, 2]
        target = [stored[i] if i in axes else modes.position[i] for i in range(3)]
        yield from _go(m, target, math.inf, "G0")
    elif block.once in ("G28.1", "G30.1"):
        yield from _write_place(m, block.once[:3], list(modes.position))
    elif block.once == "G92":
        base = m.eeprom.places[modes.coordinates]
        tool = (0.0, 0.0, modes.tool_offset)
        for i in block.axes:
            modes.shift[i] = modes.position[i] - base[i] - tool[i] - _length(block, i)
        yield from _new_offset(m)
    elif block.once == "G92.1":
        modes.shift[:] = [0.0, 0.0, 0.0]
        yield from _new_offset(m)


def _length(block: Block, axis: int) -> float:
    return block.values["XYZ"[axis]] * (INCH_MM if block.modes.units == "G20" else 1.0)


def _store_offset(m: Machine, block: Block) -> Waiting:
    """G10 L2 (the value itself) and L20 (so that the position becomes the value)."""
    number = int(block.values["P"])
    name = COORDINATES[number - 1] if number else m.modes.coordinates
    values = list(m.eeprom.places[name])
    tool = (0.0, 0.0, m.modes.tool_offset)
    for i in block.axes:
        if block.values["L"] == 20:
            here = m.modes.position[i] - m.modes.shift[i] - tool[i]
            values[i] = here - _length(block, i)
        else:
            values[i] = _length(block, i)
    yield from _write_place(m, name, values)
    if name == m.modes.coordinates:
        m.wco_in = 0


def _write_place(m: Machine, name: str, values: list[float]) -> Waiting:
    """config.h, FORCE_BUFFER_SYNC_DURING_EEPROM_WRITE: motion ends first."""
    if m.state is not State.CHECK:
        yield from drained(m)
    m.blocked_write(m.eeprom.place(name, values))


def _go(m: Machine, target: list[float], speed: float, mode: str) -> Waiting:
    yield from move(m, target, speed, mode)
    m.modes.position[:] = target


def _motion(m: Machine, block: Block) -> Waiting:
    modes, motion = m.modes, block.modes.motion
    modes.motion = motion
    if motion == "G80":
        return
    length = block.arc.length if block.arc else math.dist(modes.position, block.target)
    speed = math.inf if motion == "G0" else modes.feed / 60.0
    if modes.feed_mode == "G93" and motion != "G0":
        speed *= length
    if motion in PROBES:
        yield from probe(m, block.target, speed, motion)
    elif block.arc:
        yield from _trace(m, block, speed)
    else:
        yield from _go(m, block.target, speed, motion)


def _trace(m: Machine, block: Block, speed: float) -> Waiting:
    if block.arc is None:
        return
    first, second, across = PLANES[m.modes.plane]
    for point in block.arc.points(float(m.eeprom.settings[12])):
        target = [0.0, 0.0, 0.0]
        target[first], target[second], target[across] = point
        yield from move(m, target, speed, block.modes.motion)
    m.modes.position[:] = block.target


def _program(m: Machine, block: Block) -> Waiting:
    if "motion" in block.codes:
        m.modes.motion = block.codes["motion"]
    code = block.codes.get("program")
    if code is None or code == "M1":
        return
    if m.state is not State.CHECK:
        yield from drained(m)
    if code == "M0":
        if m.state is not State.CHECK:
            m.flags.append(0x21)
            yield from realtime(m)
        return
    m.modes.end_program()
    if m.state is not State.CHECK:
        m.outputs_off()
        m.planner.feed_percent = m.planner.rapid_percent = m.spindle_percent = 100
        m.wco_in = m.overrides_in = 0
    m.say("[MSG:Pgm End]")
