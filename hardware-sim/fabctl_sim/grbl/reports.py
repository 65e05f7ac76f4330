"""Lines the controller says by itself or when asked (interface.md, "Grbl Push Messages")."""

from __future__ import annotations

from collections.abc import Sequence

from fabctl_sim.grbl.block import offset
from fabctl_sim.grbl.eeprom import COORDINATES
from fabctl_sim.grbl.machine import Machine, State
from fabctl_sim.grbl.modes import INCH_MM

HELP = "[HLP:$$ $# $G $I $N $x=val $Nx=line $J=line $SLP $C $X $H ~ ! ? ctrl-x]"
UNLOCK = "[MSG:'$H'|'$X' to unlock]"
_BUSY = frozenset({State.HOME, State.RUN, State.HOLD, State.JOG, State.DOOR})


def figures(m: Machine, values: Sequence[float]) -> str:
    """Return lengths in the unit of reports ($13)."""
    if m.eeprom.on(13):
        return ",".join(f"{round(value / INCH_MM, 4) + 0.0:.4f}" for value in values)
    return ",".join(f"{round(value, 3) + 0.0:.3f}" for value in values)


def status(m: Machine) -> str:
    """Return the answer to ``?``; counts the fields that come only now and then."""
    m.planner.advance(m.clock)
    mask = int(m.eeprom.settings[10])
    wco = offset(m.modes, m.eeprom.places)
    place = list(m.position)
    if mask & 1:
        fields = [state(m), "MPos:" + figures(m, place)]
    else:
        fields = [state(m), "WPos:" + figures(m, [p - w for p, w in zip(place, wco, strict=True)])]
    if mask & 2:
        fields.append(f"Bf:{m.planner.free},{m.rx.capacity - len(m.rx.buffer)}")
    feed = m.planner.speed_at(m.clock) * 60.0 / (INCH_MM if m.eeprom.on(13) else 1.0)
    fields.append(f"FS:{feed:.0f},{m.power():.0f}")
    pins = m.pins()
    if pins:
        fields.append("Pn:" + pins)
    return "<" + "|".join(fields + _now_and_then(m, wco)) + ">"


def _now_and_then(m: Machine, wco: list[float]) -> list[str]:
    fields: list[str] = []
    busy = m.state in _BUSY
    if m.wco_in > 0:
        m.wco_in -= 1
    else:
        m.wco_in = (30 if busy else 10) - 1
        m.overrides_in = max(m.overrides_in, 1)
        fields.append("WCO:" + figures(m, wco))
    if m.overrides_in > 0:
        m.overrides_in -= 1
        return fields
    m.overrides_in = (20 if busy else 10) - 1
    fields.append(f"Ov:{m.planner.feed_percent},{m.planner.rapid_percent},{m.spindle_percent}")
    spindle = {"M3": "S", "M4": "C"}.get("M5" if m.spindle_stopped else m.spindle, "")
    accessories = spindle + "F" * m.flood + "M" * m.mist
    return [*fields, "A:" + accessories] if accessories else fields


def state(m: Machine) -> str:
    """Return state and sub-state (interface.md, "Machine State")."""
    s = m.suspend
    if s is None or m.state is State.SLEEP:
        return str(m.state.value)
    if m.state is State.HOLD:
        return "Hold:0" if s.stopped else "Hold:1"
    if m.state is State.DOOR:
        if s.restored_at is not None:
            return "Door:3"
        if not s.parked:
            return "Door:2"
        return "Door:1" if m.world.door_open else "Door:0"
    return str(m.state.value)


def parameters(m: Machine) -> list[str]:
    """Return the answer to ``$#``."""
    lines = [f"[{name}:{figures(m, m.eeprom.places[name])}]" for name in COORDINATES]
    lines.append(f"[G92:{figures(m, m.modes.shift)}]")
    lines.append(f"[TLO:{figures(m, [m.modes.tool_offset])}]")
    return [*lines, probe(m)]


def probe(m: Machine) -> str:
    """Return the last probing's result."""
    return f"[PRB:{figures(m, m.probed)}:{int(m.probe_worked)}]"


def build(m: Machine) -> list[str]:
    """Return the answer to ``$I``."""
    first, *rest = m.board.version
    return [first % m.eeprom.build, *rest]
