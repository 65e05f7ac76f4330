"""What the controller does between everything else: alarms, resets, holds, door, overrides."""

from __future__ import annotations

import math

from fabctl_sim.grbl import reports
from fabctl_sim.grbl.machine import Abort, Machine, State, Suspend, Waiting

CRITICAL = frozenset({1, 2})
_FEED = {0x91: 10, 0x92: -10, 0x93: 1, 0x94: -1}
_RAPID = {0x95: 100, 0x96: 50, 0x97: 25}
_SPINDLE = {0x9A: 10, 0x9B: -10, 0x9C: 1, 0x9D: -1}


def realtime(m: Machine) -> Waiting:
    """Act on everything that is pending; returns when nothing suspends the machine.

    :raises Abort: a reset was asked for.
    """
    while True:
        settle(m)
        if m.alarm:
            yield from _alarm(m)
        if m.reset_asked:
            raise Abort
        if m.status_asked:
            m.status_asked = False
            m.clock += m.board.report_cost_s
            m.say(reports.status(m))
            m.reported_at = m.clock
        while m.flags and not m.alarm:
            _act(m, m.flags.popleft())
        if m.suspend:
            _manage(m, m.suspend)
        if m.suspend is None:
            return
        yield min(m.planner.next_change(), m.suspend.restored_at or math.inf)


def wait(m: Machine, seconds: float) -> Waiting:
    """Let time pass and stay attentive (a dwell)."""
    until = m.clock + seconds
    while m.clock < until:
        yield until
        yield from realtime(m)


def drained(m: Machine) -> Waiting:
    """Run everything that is queued."""
    while True:
        start_cycle(m)
        yield from realtime(m)
        if not m.planner.blocks:
            return
        yield m.planner.next_change()


def start_cycle(m: Machine) -> None:
    """Begin to move when something is queued and nothing forbids it."""
    m.planner.advance(m.clock)
    if m.state is State.IDLE and m.planner.blocks and not m.suspend:
        m.set_state(State.RUN)
        m.planner.start(m.clock)


def settle(m: Machine) -> None:
    """See what motion has done meanwhile: ended, or come to rest in a hold."""
    m.planner.advance(m.clock)
    s = m.suspend
    if s is None:
        if m.state in (State.RUN, State.JOG) and not m.planner.blocks:
            m.set_state(State.IDLE)
        return
    if s.stopped or not m.planner.stopped:
        return
    s.stopped = True
    if s.cancels:
        m.planner.freeze(m.clock)
        m.modes.position[:] = m.position
        m.suspend = Suspend(stopped=True, door=True) if s.door else None
        m.set_state(State.DOOR if s.door else State.IDLE)
    elif m.state is State.HOLD and m.laser and m.board.laser_off_in_hold:
        m.spindle_stopped = m.spindle != "M5"


def _alarm(m: Machine) -> Waiting:
    """Say it and be locked; after a limit nothing but a reset is heard (interface.md)."""
    code, m.alarm = m.alarm, 0
    m.set_state(State.ALARM)
    m.say(f"ALARM:{code}")
    m.clock += m.board.alarm_pause_s
    if code not in CRITICAL:
        return
    m.reset_asked = False
    m.say("[MSG:Reset to continue]")
    while not m.reset_asked:
        m.flags.clear()
        m.status_asked = False
        yield math.inf
    m.alarm = 0


def _act(m: Machine, byte: int) -> None:
    if byte == 0x21:
        _hold(m)
    elif byte == 0x7E:
        _go_on(m)
    elif byte == 0x84:
        _door(m)
    elif byte == 0x85:
        _cancel_jog(m)
    elif byte == 0x90 or byte in _FEED:
        value = m.planner.feed_percent + _FEED[byte] if byte in _FEED else 100
        _override(m, feed=min(max(value, 10), 200))
    elif byte in _RAPID:
        _override(m, rapid=_RAPID[byte])
    elif byte == 0x99 or byte in _SPINDLE:
        value = m.spindle_percent + _SPINDLE[byte] if byte in _SPINDLE else 100
        _override(m, spindle=min(max(value, 10), 200))
    elif byte == 0x9E:
        _toggle_spindle(m)
    elif byte in (0xA0, 0xA1):
        _toggle_coolant(m, mist=byte == 0xA1)


def _hold(m: Machine) -> None:
    if m.state is State.JOG:
        _cancel_jog(m)
    elif m.state in (State.IDLE, State.RUN):
        m.planner.hold(m.clock)
        m.suspend = Suspend()
        m.set_state(State.HOLD)
        settle(m)


def _cancel_jog(m: Machine) -> None:
    if m.state is State.JOG and not m.suspend:
        m.planner.hold(m.clock)
        m.suspend = Suspend(cancels=True)
        settle(m)


def _go_on(m: Machine) -> None:
    s = m.suspend
    if s is None:
        start_cycle(m)
    elif m.state is State.DOOR:
        if s.parked and not m.world.door_open and s.restored_at is None:
            s.restored_at = m.clock + _restore_seconds(m)
            _spin_as_programmed(m)
    elif m.state is State.HOLD and s.stopped:
        if m.spindle_stopped:
            m.spindle_stopped = False
            m.say("[MSG:Restoring spindle]")
            m.clock += 0.0 if m.laser else m.board.spindle_restore_s
        resume(m)


def resume(m: Machine) -> None:
    """Leave the suspended state and go on with what is queued."""
    m.suspend = None
    m.set_state(State.RUN if m.planner.blocks else State.IDLE)
    m.planner.resume(m.clock)


def _door(m: Machine) -> None:
    if m.state in (State.ALARM, State.CHECK, State.SLEEP, State.HOME):
        return
    m.say("[MSG:Check Door]")
    jogging = m.state is State.JOG
    if m.suspend is None:
        m.planner.hold(m.clock)
        m.suspend = Suspend(cancels=jogging)
    m.suspend.door = True
    m.suspend.restored_at = None
    m.spindle_stopped = False
    if not m.suspend.cancels:
        m.set_state(State.DOOR)
    m.suspend.parked = False
    settle(m)


def _manage(m: Machine, s: Suspend) -> None:
    """Once at rest with the door open: outputs off; once restored: go on."""
    if m.state is State.SLEEP:
        m.outputs_off()
    elif m.state is State.DOOR and s.stopped:
        if not s.parked:
            s.parked = True
            m.outputs_off()
        if s.restored_at is not None and m.clock >= s.restored_at:
            resume(m)


def _restore_seconds(m: Machine) -> float:
    """config.h, SAFETY_DOOR_SPINDLE_DELAY and SAFETY_DOOR_COOLANT_DELAY; a laser needs none."""
    spindle = m.modes.spindle != "M5" and not m.laser
    coolant = m.modes.flood or m.modes.mist
    return m.board.spindle_restore_s * spindle + m.board.coolant_restore_s * coolant


def _spin_as_programmed(m: Machine) -> None:
    m.spindle, m.rpm = m.modes.spindle, m.modes.speed
    m.flood, m.mist = m.modes.flood, m.modes.mist


def _override(
    m: Machine, feed: int | None = None, rapid: int | None = None, spindle: int | None = None
) -> None:
    p = m.planner
    before = (p.feed_percent, p.rapid_percent, m.spindle_percent)
    after = (feed or before[0], rapid or before[1], spindle or before[2])
    if after == before:
        return
    p.feed_percent, p.rapid_percent, m.spindle_percent = after
    m.overrides_in = 0
    p.replan(m.clock)


def _toggle_spindle(m: Machine) -> None:
    """commands.md, 0x9E: only while on hold."""
    if m.state is State.HOLD and m.suspend and m.suspend.stopped and m.spindle != "M5":
        m.spindle_stopped = not m.spindle_stopped
        m.overrides_in = 0


def _toggle_coolant(m: Machine, *, mist: bool) -> None:
    if m.state not in (State.IDLE, State.RUN, State.HOLD) or (mist and not m.board.mist):
        return
    if mist:
        m.mist = m.modes.mist = not m.mist
    else:
        m.flood = m.modes.flood = not m.flood
    m.overrides_in = 0
