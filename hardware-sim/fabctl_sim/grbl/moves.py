"""Straight moves into the planner; soft limits, probing, homing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fabctl_sim.grbl import reports
from fabctl_sim.grbl.board import Vec
from fabctl_sim.grbl.machine import Abort, Machine, State, Waiting
from fabctl_sim.grbl.planner import Block
from fabctl_sim.grbl.profile import limit_along
from fabctl_sim.grbl.realtime import drained, realtime, start_cycle, wait


def outside(m: Machine, target: Sequence[float]) -> bool:
    """Whether a target is beyond the travel; machine space is negative (settings.md, $13x)."""
    travel = m.eeprom.axis(130)
    return any(not -t - 1e-6 <= v <= 1e-6 for v, t in zip(target, travel, strict=True))


def move(m: Machine, target: Sequence[float], speed: float, mode: str) -> Waiting:
    """Queue a straight move; waits for room.

    :param speed: mm/s; infinity for a rapid.
    """
    if m.eeprom.on(20) and mode != "jog" and outside(m, target):
        yield from _soft_limit(m)
    if m.state is State.CHECK:
        return
    m.clock += m.board.plan_cost_s
    while True:
        yield from realtime(m)
        if m.planner.free:
            break
        start_cycle(m)
        yield m.planner.next_change()
    block = straight(m, target, speed, mode)
    if block is not None:
        deviation = float(m.eeprom.settings[11])
        m.planner.add(block, m.clock, m.eeprom.axis(120), deviation)
    elif m.laser and m.spindle == "M3":
        m.rpm = m.modes.speed


def straight(m: Machine, target: Sequence[float], speed: float, mode: str) -> Block | None:
    """Build a block from where the last one ends; None when it leads nowhere."""
    begin = m.planner.blocks[-1].end if m.planner.blocks else m.position
    delta = [t - b for b, t in zip(begin, target, strict=True)]
    length = math.sqrt(sum(d * d for d in delta))
    if length < 1e-6:
        return None
    unit: Vec = (delta[0] / length, delta[1] / length, delta[2] / length)
    rates = m.eeprom.axis(110)
    lit = m.laser and mode in ("G1", "G2", "G3")
    power = m.modes.speed if m.modes.spindle != "M5" and (lit or not m.laser) else 0.0
    return Block(
        end=(target[0], target[1], target[2]),
        unit=unit,
        length=length,
        programmed=speed,
        limit=limit_along(unit, rates) / 60.0,
        accel=limit_along(unit, m.eeprom.axis(120)),
        mode=mode,
        line=m.line_number,
        power=power,
        follows=lit and m.modes.spindle == "M4",
        fixed=mode == "jog",
    )


def _soft_limit(m: Machine) -> Waiting:
    """Hold, then ALARM:2; nothing but a reset helps then (settings.md, $20)."""
    if m.state is State.RUN:
        m.planner.hold(m.clock)
        while not m.planner.stopped:
            yield m.planner.next_change()
            m.planner.advance(m.clock)
    m.planner.freeze(m.clock)
    m.set_state(State.IDLE)
    m.outputs_off()
    m.alarm = 2
    yield from realtime(m)


def probe(m: Machine, target: list[float], speed: float, mode: str) -> Waiting:
    """G38.2 to G38.5: towards or away from contact, with an alarm or without."""
    away, may_fail = mode in ("G38.4", "G38.5"), mode in ("G38.3", "G38.5")
    if m.state is State.CHECK:
        m.modes.position[:] = target
        return
    yield from drained(m)
    m.probe_worked = False
    if m.world.probe_touches(m.position) != away:
        m.alarm = 4
        m.modes.position[:] = m.position
        yield from realtime(m)
        return
    yield from _until_contact(m, target, speed, mode)
    if not m.probe_worked and may_fail:
        m.probed = list(m.position)
    elif not m.probe_worked:
        m.alarm = 5
    m.modes.position[:] = m.position
    yield from realtime(m)
    m.say(reports.probe(m))


def _until_contact(m: Machine, target: list[float], speed: float, mode: str) -> Waiting:
    begin = m.position
    yield from move(m, target, speed, mode)
    length = m.planner.blocks[0].length if m.planner.blocks else 0.0
    start_cycle(m)
    while m.planner.blocks:
        part = m.world.crossing(begin, (target[0], target[1], target[2]))
        touches = math.inf if part is None else m.planner.reaches(part * length)
        if touches <= m.clock:
            m.probe_worked = True
            m.probed = [b + (t - b) * (part or 0.0) for b, t in zip(begin, target, strict=True)]
            m.planner.hold(m.clock)
            break
        yield min(touches, m.planner.next_change())
        yield from realtime(m)
    while m.planner.holding and not m.planner.stopped:
        yield m.planner.next_change()
        m.planner.advance(m.clock)
        if m.reset_asked:
            raise Abort
    m.planner.freeze(m.clock)


def home(m: Machine) -> Waiting:
    """Z first, then X and Y together: search, back off, locate (commands.md, ``$H``)."""
    m.set_state(State.HOME)
    settings = m.eeprom.settings
    travel, pull_off = m.eeprom.axis(130), float(settings[27])
    seek, locate = float(settings[25]) / 60.0, float(settings[24]) / 60.0
    towards_minus = int(settings[23])
    carriage = list(m.world.carriage(m.position))
    for axes in ((2,), (0, 1)):
        ends = {axis: -travel[axis] if towards_minus >> axis & 1 else 0.0 for axis in axes}
        far = max(abs(carriage[axis] - ends[axis]) for axis in axes)
        if m.world.homing_fault == "missing":
            yield from _homing_wait(m, 1.5 * max(travel[axis] for axis in axes) / seek)
            yield from _homing_fails(m, 9)
        yield from _homing_wait(m, far / seek + pull_off / seek)
        if m.world.homing_fault == "stuck":
            yield from _homing_fails(m, 8)
        yield from _homing_wait(m, 2 * pull_off / locate + 2 * m.board.homing_debounce_s)
        for axis, end in ends.items():
            carriage[axis] = end + (pull_off if end < 0 else -pull_off)
    m.planner.clear()
    m.planner.position = (carriage[0], carriage[1], carriage[2])
    m.world.lost = (0.0, 0.0, 0.0)
    m.modes.position[:] = carriage
    m.set_state(State.IDLE)


def _homing_wait(m: Machine, seconds: float) -> Waiting:
    """Only a reset and the door are heard, a status report waits (interface.md)."""
    until = m.clock + seconds
    while m.clock < until and not m.reset_asked:
        if m.world.door_open or 0x84 in m.flags:
            yield from _homing_fails(m, 7)
        yield until
    if m.reset_asked:
        yield from realtime(m)


def _homing_fails(m: Machine, code: int) -> Waiting:
    m.interrupt_reset()
    m.alarm = code
    yield from realtime(m)


def dwell(m: Machine, seconds: float) -> Waiting:
    """G4; in check mode it takes no time."""
    if m.state is State.CHECK:
        return
    yield from drained(m)
    yield from wait(m, seconds)
