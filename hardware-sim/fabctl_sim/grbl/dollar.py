"""The ``$`` commands (commands.md): asking, storing, homing, jogging, unlocking, checking."""

from __future__ import annotations

import re
from collections.abc import Callable

from fabctl_sim.grbl import gcode, reports
from fabctl_sim.grbl.machine import Machine, State, Suspend, Waiting
from fabctl_sim.grbl.moves import home
from fabctl_sim.grbl.realtime import realtime
from fabctl_sim.grbl.words import CodeError

_SETTING = re.compile(r"\$(\d+)=([+-]?(?:\d+\.?\d*|\.\d+))$")
_STARTUP = re.compile(r"\$N(\d+)=(.*)$")


def run(m: Machine, line: str) -> Waiting:
    """Run one line that begins with ``$``.

    :raises CodeError: 3 there is no such command, 8 not now, and what each can say.
    """
    letter = line[1:2]
    if letter == "":
        m.say(reports.HELP)
    elif letter == "J":
        yield from _jog(m, line)
    elif letter in "$GCX":
        if len(line) > 2:
            raise CodeError(3)
        _quick(m, letter)
    elif m.state not in (State.IDLE, State.ALARM):
        raise CodeError(8)
    else:
        yield from _when_idle(m, letter, line)


def _jog(m: Machine, line: str) -> Waiting:
    if m.state not in (State.IDLE, State.JOG):
        raise CodeError(8)
    if line[2:3] != "=":
        raise CodeError(16)
    yield from gcode.jog(m, line[3:])


def _quick(m: Machine, letter: str) -> None:
    if letter == "$":
        if m.state in (State.RUN, State.HOLD):
            raise CodeError(8)
        for number in m.eeprom.settings:
            m.say(f"${number}={m.eeprom.shown(number)}")
    elif letter == "G":
        m.say(f"[GC:{m.modes.listed(inches=m.eeprom.on(13))}]")
    elif letter == "C":
        _check(m)
    elif m.state is State.ALARM:
        if m.world.door_open:
            raise CodeError(13)
        m.say("[MSG:Caution: Unlocked]")
        m.set_state(State.IDLE)


def _check(m: Machine) -> None:
    if m.state is State.CHECK:
        m.interrupt_reset()
        m.say("[MSG:Disabled]")
    elif m.state is State.IDLE:
        m.set_state(State.CHECK)
        m.say("[MSG:Enabled]")
    else:
        raise CodeError(8)


def _when_idle(m: Machine, letter: str, line: str) -> Waiting:
    if line in _ASKING:
        for text in _ASKING[line](m):
            m.say(text)
    elif line == "$H":
        yield from _home(m)
    elif line == "$SLP":
        m.set_state(State.SLEEP)
    elif line.startswith("$I="):
        m.blocked_write(m.eeprom.note(line[3:]))
    elif letter == "N":
        yield from _store_startup(m, line)
    elif letter == "R":
        _restore(m, line)
    else:
        _store(m, line)


def _home(m: Machine) -> Waiting:
    if not m.eeprom.on(22):
        raise CodeError(5)
    if m.world.door_open:
        raise CodeError(13)
    yield from home(m)
    yield from startup(m)


def _store_startup(m: Machine, line: str) -> Waiting:
    found = _STARTUP.match(line)
    if m.state is not State.IDLE:
        raise CodeError(8)
    if not found or int(found[1]) >= len(m.eeprom.startup):
        raise CodeError(3)
    yield from gcode.run(m, found[2])
    m.blocked_write(m.eeprom.line(int(found[1]), found[2]))


def _restore(m: Machine, line: str) -> None:
    """The restored values count from the reset on that follows by itself."""
    if line not in ("$RST=$", "$RST=#", "$RST=*"):
        raise CodeError(3)
    m.blocked_write(m.eeprom.restore(line[5]))
    m.say("[MSG:Restoring defaults]")
    m.interrupt_reset()


def _store(m: Machine, line: str) -> None:
    found = _SETTING.match(line)
    if not found:
        raise CodeError(3 if "=" not in line or not line[1].isdigit() else 2)
    number, value = int(found[1]), float(found[2])
    m.blocked_write(m.eeprom.set(number, value))


def startup(m: Machine) -> Waiting:
    """Run the start-up lines; their results are no answers (interface.md)."""
    for line in m.eeprom.startup:
        if not line:
            continue
        try:
            yield from gcode.run(m, line)
        except CodeError as error:
            m.say(f">{line}:error:{error.code}")
        else:
            m.say(f">{line}:ok")


def sleep(m: Machine) -> Waiting:
    """After ``$SLP`` only a reset wakes the controller, as Abort; ``?`` is answered."""
    m.suspend = Suspend(stopped=True)
    m.outputs_off()
    m.say("[MSG:Sleeping]")
    yield from realtime(m)


def _startup_lines(m: Machine) -> list[str]:
    return [f"$N{number}={text}" for number, text in enumerate(m.eeprom.startup)]


_ASKING: dict[str, Callable[[Machine], list[str]]] = {
    "$#": reports.parameters,
    "$I": reports.build,
    "$N": _startup_lines,
}
