"""Which switch sits on which pin, and how an electrician would have wired it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from fabctl_sim.interlock_box.layout import PINS, Level


class Role(StrEnum):
    """What a pin is wired to."""

    LID_A = "lid_a"
    LID_B = "lid_b"
    FLOW = "flow"
    EXHAUST = "exhaust"
    ESTOP = "estop"
    KEY = "key"
    RESET = "reset"
    K1_FEEDBACK = "k1_feedback"
    K2_FEEDBACK = "k2_feedback"
    ACTIVE = "active"


OUTPUTS = ("k1", "k2")


@dataclass(frozen=True, slots=True)
class Wire:
    """One input. With ``safe`` high it is a normally closed contact to 3.3 V."""

    pin: int
    safe: Level = Level.HIGH

    @property
    def unsafe(self) -> Level:
        """The other level."""
        return Level.LOW if self.safe is Level.HIGH else Level.HIGH


@dataclass(frozen=True, slots=True)
class Wiring:
    """A whole cabinet's pins."""

    inputs: Mapping[Role, Wire]
    k1: int
    k2: int


_PINS = {
    Role.LID_A: 5,
    Role.LID_B: 6,
    Role.FLOW: 13,
    Role.EXHAUST: 19,
    Role.ESTOP: 26,
    Role.KEY: 16,
    Role.RESET: 20,
    Role.K1_FEEDBACK: 21,
    Role.K2_FEEDBACK: 12,
    Role.ACTIVE: 25,
}
_K1, _K2 = 23, 24
PROFILES: Mapping[str, tuple[Role, ...]] = {
    "laser": tuple(Role),
    "enclosure": tuple(role for role in Role if role not in {Role.FLOW, Role.EXHAUST}),
    "relay": (Role.RESET, Role.K1_FEEDBACK, Role.K2_FEEDBACK, Role.ACTIVE),
}


def wired(profile: str, changes: Iterable[str] = ()) -> Wiring:
    """Return a profile's wiring, with some pins moved.

    :param changes: each ``ROLE=PIN``, ``ROLE=PIN:low`` (low means safe, released or idle) or
        ``ROLE=none``; a role may also be ``k1`` or ``k2``.
    :raises ValueError: no such role or pin, or two on one pin.
    """
    inputs = {role: Wire(_PINS[role]) for role in PROFILES[profile]}
    outputs = {"k1": _K1, "k2": _K2}
    for change in changes:
        name, _, place = change.partition("=")
        if name in outputs:
            outputs[name] = _pin(place)
        elif place == "none":
            inputs.pop(Role(name), None)
        else:
            number, _, safe = place.partition(":")
            if safe not in {"", "low", "high"}:
                raise ValueError(f"{change}: after the colon, low or high")
            inputs[Role(name)] = Wire(_pin(number), Level.LOW if safe == "low" else Level.HIGH)
    pins = [wire.pin for wire in inputs.values()] + list(outputs.values())
    if len(set(pins)) < len(pins):
        raise ValueError("two on one pin")
    return Wiring(inputs, outputs["k1"], outputs["k2"])


def _pin(text: str) -> int:
    if not (text.isdecimal() and int(text) < PINS):
        raise ValueError(f"a pin is a number from 0 to {PINS - 1}, not {text!r}")
    return int(text)
