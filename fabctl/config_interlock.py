"""``[interlocks.<machine>]`` of ``lab.toml``: what a machine's interlock is wired to, checked.

What is refused here would otherwise be found out with a hand in the beam: an input whose broken
wire reads safe, a relay on a pin that a Pi pulls up while it boots, a flow too fast for a scan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from fabctl.config import DataPaths
from fabctl.config_reader import NotAllowedError, Table, flag, one_of, suggestion, whole
from fabctl.interlock import (
    FlowLimits,
    InputPin,
    InputRole,
    InterlockProfile,
    OutputRole,
    ProfileKind,
    Pull,
    Timings,
)
from fabctl.ports import MachineProfile
from fabctl.units import Seconds

FACTORIES = ("lgpio", "simulated")
SIMULATED = "simulated"
LOWEST_PIN, HIGHEST_PIN = 2, 27
"""GPIOs on the 40-pin header; 0 and 1 belong to the HAT's EEPROM (Raspberry Pi documentation,
"GPIO and the 40-pin header")."""
PULLED_UP_ON_THE_BOARD = frozenset({2, 3})
"""1.8 kΩ to 3.3 V, soldered (the same place)."""
LOWEST_PULLED_DOWN_AT_RESET = 9
"""GPIO 0 to 8 are pulled up from reset until a program sets them, 9 to 27 down (BCM2711 ARM
Peripherals, section 5.3, "Default pull state"; the same on BCM2835)."""
NO_PIN = -1
"""Stands in for a pin that was told wrong, while the rest is read."""
LONGEST_SOCKET_PATH = 107
"""Bytes; sun_path of unix(7), less its NUL."""
_BOTH_FEEDBACKS = frozenset({InputRole.K1_FEEDBACK, InputRole.K2_FEEDBACK})
"""A relay that welds and is not read is found by nobody; then the other one is alone."""
_BOTH_LIDS = frozenset({InputRole.LID_A, InputRole.LID_B})
NEEDED: Mapping[ProfileKind, frozenset[InputRole]] = {
    ProfileKind.LASER: _BOTH_LIDS
    | {
        InputRole.FLOW,
        InputRole.EXHAUST,
        InputRole.ESTOP,
        InputRole.RESET,
        InputRole.ACTIVE,
    }
    | _BOTH_FEEDBACKS,
    ProfileKind.ENCLOSURE: _BOTH_FEEDBACKS | {InputRole.LID_A, InputRole.ESTOP, InputRole.RESET},
    ProfileKind.RELAY: frozenset({InputRole.RESET}),
}
_ALWAYS_POSSIBLE = frozenset(
    {
        InputRole.ESTOP,
        InputRole.KEY,
        InputRole.K1_FEEDBACK,
        InputRole.K2_FEEDBACK,
        InputRole.ACTIVE,
    }
)
POSSIBLE: Mapping[ProfileKind, frozenset[InputRole]] = {
    ProfileKind.LASER: frozenset(InputRole),
    ProfileKind.ENCLOSURE: NEEDED[ProfileKind.ENCLOSURE]
    | _ALWAYS_POSSIBLE
    | {InputRole.LID_B, InputRole.EXHAUST},
    ProfileKind.RELAY: NEEDED[ProfileKind.RELAY] | _ALWAYS_POSSIBLE,
}
RANGES_S: Mapping[str, tuple[float, float]] = {
    "scan_s": (0.005, 0.020),  # two scans and a relay within 100 ms, pulses within 150 ms
    "safe_after_s": (0.020, 1.0),
    "lid_discrepancy_s": (0.05, 1.0),
    "feedback_s": (0.03, 0.5),
    "reset_min_s": (0.05, 1.0),
    "reset_max_s": (1.0, 10.0),
    "flow_gap_s": (0.2, 3.0),
    "flow_low_s": (0.5, 10.0),
    "flow_start_s": (0.0, 15.0),
    "exhaust_s": (0.1, 10.0),
    "idle_running_s": (1.0, 60.0),
    "idle_armed_s": (10.0, 3600.0),
    "idle_drain_s": (0.2, 5.0),
    "drain_s": (0.0, 3600.0),
    "clear_s": (0.5, 30.0),
}
COUNTABLE = 0.45
"""Pulses per scan that a scan can count: it must see each one high and low, and scans jitter."""

Taken = dict[tuple[str, int, int], str]


def interlocks(
    top: Table, machines: Mapping[str, MachineProfile], paths: DataPaths, *, simulated: bool
) -> dict[str, InterlockProfile]:
    """Return what the tables say, by machine; what is wrong goes into the table's problems."""
    found: dict[str, InterlockProfile] = {}
    taken: Taken = {}
    for name, table in top.tables("interlocks").items():
        profile = _interlock(name, table, paths.interlock(name), simulated=simulated)
        if name in machines:
            _pins_of_its_own(table, profile, machines[name].host, taken)
        else:
            top.problems.add(table.path, repr(name), f"a machine: {suggestion(name, machines)}")
        found[name] = profile
    return found


def _interlock(name: str, table: Table, folder: Path, *, simulated: bool) -> InterlockProfile:
    usual = FlowLimits()
    kind = ProfileKind(table.need("kind", one_of(ProfileKind), ProfileKind.LASER.value))
    factory = table.need("factory", one_of(FACTORIES), FACTORIES[0])
    timings = _timings(table.table("timings"))
    profile = InterlockProfile(
        machine=name,
        kind=kind,
        factory=factory,
        chip=table.take("chip", whole(0, 15), 0),
        inputs=_inputs(table.table("inputs"), kind if _is_known_kind(table) else None),
        outputs=_outputs(table.table("outputs")),
        folder=folder,
        timings=timings,
        flow=_flow(table.table("flow"), timings) if kind is ProfileKind.LASER else usual,
    )
    if factory == SIMULATED and not simulated:
        table.complain("factory", "lgpio; a simulated cabinet only with lab.simulated = true")
    length = len(bytes(profile.socket))
    if length > LONGEST_SOCKET_PATH:
        limit = f"at most {LONGEST_SOCKET_PATH} bytes (a shorter data.directory)"
        table.problems.add(table.path, f"a socket's path of {length} bytes", limit)
    table.finish()
    return profile


def _is_known_kind(table: Table) -> bool:
    """Say whether what an input is measured against is what the person meant."""
    return all(problem.key != table.dotted("kind") for problem in table.problems.found)


# -- pins --------------------------------------------------------------------------------------


def _inputs(table: Table, kind: ProfileKind | None) -> dict[InputRole, InputPin]:
    needed = NEEDED[kind] if kind else frozenset[InputRole]()
    possible = POSSIBLE[kind] if kind else frozenset(InputRole)
    found: dict[InputRole, InputPin] = {}
    for role in InputRole:
        if not table.has(role):
            if role in needed:
                problem = f"this input is needed by the kind {kind}"
                table.problems.add(table.dotted(role), "nothing", problem)
            continue
        if role not in possible:
            words = ", ".join(one for one in InputRole if one in possible)
            table.complain(role, f"no such input on the kind {kind}: {words}")
        found[role] = _input(role, _pin_table(table, role))
    _asked_for(table)
    table.finish()
    return found


def _asked_for(table: Table) -> None:
    """Have every role known, so that a misspelt one is told the nearest."""
    for role in InputRole:
        if not table.has(role):
            table.take(role, whole(LOWEST_PIN, HIGHEST_PIN), 0)


def _pin_table(table: Table, role: InputRole) -> Table:
    """Return ``{ pin = 5, … }``; a bare number is the pin alone."""
    bare = table.take(role, _bare_pin, None)
    if bare is None:
        return table.table(role)
    return Table(table.dotted(role), {"pin": bare}, table.problems)


def _bare_pin(value: Any) -> Any:
    return None if isinstance(value, dict) else value


def _input(role: InputRole, table: Table) -> InputPin:
    pressed_is_high = role is InputRole.RESET
    safe_high = table.take("safe_high", flag, not pressed_is_high)
    usual = Pull.DOWN if safe_high or pressed_is_high else Pull.UP
    pin = InputPin(
        pin=table.need("pin", whole(LOWEST_PIN, HIGHEST_PIN), NO_PIN),
        safe_high=safe_high,
        pull=Pull(table.take("pull", one_of(Pull), usual.value)),
    )
    _reads_unsafe_when_broken(role, pin, table)
    table.finish()
    return pin


def _reads_unsafe_when_broken(role: InputRole, pin: InputPin, table: Table) -> None:
    """Refuse a resistor that would hold an open wire at the level that permits."""
    if pin.pin in PULLED_UP_ON_THE_BOARD and pin.pull is not Pull.UP:
        table.complain("pin", f"another pin: {pin.pin} is pulled up on the board itself")
    permits_high = not pin.safe_high if role is InputRole.RESET else pin.safe_high
    if role is not InputRole.FLOW and pin.pull is (Pull.UP if permits_high else Pull.DOWN):
        what = "pressed" if role is InputRole.RESET else "safe"
        away = "down" if permits_high else "up"
        limit = f'"{away}" or "none" (a resistor of your own): a broken wire would read {what}'
        table.problems.add(table.dotted("pull"), f'"{pin.pull}"', limit)


def _outputs(table: Table) -> dict[OutputRole, int]:
    pins = whole(LOWEST_PULLED_DOWN_AT_RESET, HIGHEST_PIN)

    def check(value: Any) -> int:
        try:
            return pins(value)
        except NotAllowedError as error:
            raise NotAllowedError(f"{error}; lower ones are pulled up while a Pi boots") from None

    found = {role: table.need(role, check, NO_PIN) for role in OutputRole}
    table.finish()
    return found


def _pins_of_its_own(table: Table, profile: InterlockProfile, host: str, taken: Taken) -> None:
    """Report every pin that has two functions, on this interlock or on another of its host."""
    real = profile.factory != SIMULATED
    board = host if real else f"the cabinet of {profile.machine}"
    uses = {f"inputs.{role}": pin.pin for role, pin in profile.inputs.items()}
    uses |= {f"outputs.{role}": pin for role, pin in profile.outputs.items()}
    for use, pin in uses.items():
        if pin == NO_PIN:
            continue
        key = table.dotted(use)
        other = taken.setdefault((board, profile.chip, pin), key)
        if other != key:
            limit = f"a pin of its own; {other} has this one"
            table.problems.add(key, str(pin), limit)


# -- times and flow ----------------------------------------------------------------------------


def _timings(table: Table) -> Timings:
    usual = Timings()
    chosen = {
        one.name: Seconds(table.take(one.name, _seconds(one.name), getattr(usual, one.name)))
        for one in fields(Timings)
    }
    table.finish()
    return Timings(**chosen)


def _seconds(name: str) -> Any:
    lowest, highest = RANGES_S[name]

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise NotAllowedError(f"a number from {lowest:g} to {highest:g} s")
        if not lowest <= value <= highest:
            raise NotAllowedError(f"from {lowest:g} to {highest:g} s")
        return float(value)

    return check


def _flow(table: Table, timings: Timings) -> FlowLimits:
    usual = FlowLimits()
    most = COUNTABLE / timings.scan_s
    found = FlowLimits(
        min_hz=table.take("min_hz", _hertz(most), usual.min_hz),
        max_hz=table.take("max_hz", _hertz(most), min(usual.max_hz, most)),
    )
    if found.min_hz >= found.max_hz:
        table.problems.add(table.dotted("min_hz"), f"{found.min_hz:g}", f"under {found.max_hz:g}")
    table.finish()
    return found


def _hertz(most: float) -> Any:
    def check(value: Any) -> float:
        allowed = f"above 0 and at most {most:g} pulses per s, what a scan can count"
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
            raise NotAllowedError(allowed)
        return float(value)

    return check


def summary_line(profile: InterlockProfile) -> str:
    """Return what an interlock is, on one line for a person."""
    inputs = ", ".join(f"{role} {pin.pin}" for role, pin in profile.inputs.items())
    outputs = ", ".join(f"{role.upper()} {pin}" for role, pin in profile.outputs.items())
    chip = "a simulated cabinet" if profile.factory == SIMULATED else f"GPIO chip {profile.chip}"
    return f"{profile.machine}: {profile.kind} on {chip}, {outputs}; {inputs}"
