"""A simulated cabinet in its own process and the profile of an interlock that is wired to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from fabctl.interlock import InputPin, InputRole, InterlockProfile, OutputRole, ProfileKind, Pull
from fabctl_sim.interlock_box.process import CabinetProcess

PATIENCE_S = 20.0
K1, K2 = 17, 27
PINS: Mapping[InputRole, InputPin] = {
    InputRole.LID_A: InputPin(5),
    InputRole.LID_B: InputPin(6),
    InputRole.FLOW: InputPin(13),
    InputRole.EXHAUST: InputPin(19),
    InputRole.ESTOP: InputPin(26),
    InputRole.KEY: InputPin(12),
    InputRole.RESET: InputPin(16, safe_high=False),
    InputRole.K1_FEEDBACK: InputPin(20),
    InputRole.K2_FEEDBACK: InputPin(21),
    InputRole.ACTIVE: InputPin(25),
}
"""As the cabinet is wired unless told otherwise."""


def laser(
    folder: Path,
    *,
    factory: str = "simulated",
    inputs: Mapping[InputRole, InputPin] = PINS,
) -> InterlockProfile:
    """Return the profile of a laser whose cabinet's file is ``folder/cabinet``."""
    return InterlockProfile(
        machine="laser",
        kind=ProfileKind.LASER,
        factory=factory,
        chip=0,
        inputs=inputs,
        outputs={OutputRole.K1: K1, OutputRole.K2: K2},
        folder=folder,
    )


def without_resistor(role: InputRole) -> dict[InputRole, InputPin]:
    """Return the usual pins, one of them without its pull-down resistor."""
    wire = PINS[role]
    return {**PINS, role: InputPin(wire.pin, wire.safe_high, Pull.NONE)}


def until(condition: Callable[[], object], what: str, *, patience: float = PATIENCE_S) -> float:
    """Wait until a condition holds and return the monotonic time at which it was seen to hold."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"not within {patience} s: {what}"
        time.sleep(0.002)
    return time.monotonic()


def contact_moves(cabinet: CabinetProcess, relay: str, start: int = 1) -> list[tuple[float, bool]]:
    """Return when a relay's main contact moved, and whether it closed."""
    return [
        (event["t"], event["closed"])
        for event in cabinet.events(start)
        if event["kind"] == "contact" and (event["relay"], event["contact"]) == (relay, "main")
    ]
