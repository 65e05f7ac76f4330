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


_USUAL = {
    Role.LID_A: Wire(5),
    Role.LID_B: Wire(6),
    Role.FLOW: Wire(13),
    Role.EXHAUST: Wire(19),
    Role.ESTOP: Wire(26),
    Role.KEY: Wire(12),
    Role.RESET: Wire(16, Level.LOW),  # a push button closes: a broken wire presses nothing
    Role.K1_FEEDBACK: Wire(20),
    Role.K2_FEEDBACK: Wire(21),
    Role.ACTIVE: Wire(25),
}
_K1, _K2 = 17, 27
PROFILES: Mapping[str, tuple[Role, ...]] = {
    "laser": tuple(Role),
    "enclosure": tuple(role for role in Role if role not in {Role.FLOW, Role.EXHAUST}),
    "relay": (Role.RESET, Role.K1_FEEDBACK, Role.K2_FEEDBACK, Role.ACTIVE),
}


def wired(profile: str, changes: Iterable[str] = ()) -> Wiring:
    """Return a profile's wiring, with some pins moved.

    :param changes: each ``ROLE=PIN``, ``ROLE=PIN:low``, ``ROLE=PIN:high`` (the level that means
        safe, released or idle; else as usual) or ``ROLE=none``; ``k1=PIN`` and ``k2=PIN``.
    :raises ValueError: no such role or pin, or two on one pin.
    """
    inputs = {role: _USUAL[role] for role in PROFILES[profile]}
    outputs = {"k1": _K1, "k2": _K2}
    for change in changes:
        name, _, place = change.partition("=")
        if name in outputs:
            outputs[name] = _pin(place)
        elif place == "none":
            inputs.pop(Role(name), None)
        else:
            inputs[Role(name)] = _wire(Role(name), place)
    pins = [wire.pin for wire in inputs.values()] + list(outputs.values())
    if len(set(pins)) < len(pins):
        raise ValueError("two on one pin")
    return Wiring(inputs, outputs["k1"], outputs["k2"])


def _wire(role: Role, place: str) -> Wire:
    number, _, safe = place.partition(":")
    if safe not in {"", "low", "high"}:
        raise ValueError(f"{role}={place}: after the colon, low or high")
    level = Level[safe.upper()] if safe else _USUAL[role].safe
    return Wire(_pin(number), level)


def _pin(text: str) -> int:
    if not (text.isdecimal() and int(text) < PINS):
        raise ValueError(f"a pin is a number from 0 to {PINS - 1}, not {text!r}")
    return int(text)
