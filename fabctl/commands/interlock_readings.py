"""What ``--commission`` reads of a daemon by itself, and what it asks a person. Pure.

A program cannot see its own relays: what it reads is what the daemon *believes*. So nothing that
only a person can see is ever taken from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fabctl.interlock import InputRole, InterlockState
from fabctl.interlock_causes import Cause, FaultCode

State = Mapping[str, Any]
Holds = Callable[[State, State], bool]
"""Whether a state is the expected one, given the state before the step."""
QUICK_S = 5.0
SLOW_S = 30.0
PATIENT_S = 180.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What the daemon must tell."""

    words: str
    holds: Holds
    within_s: float = SLOW_S


@dataclass(frozen=True, slots=True)
class Sight:
    """What a person must have seen; answered with yes or no."""

    words: str


@dataclass(frozen=True, slots=True)
class Figure:
    """What a person must have measured; answered with a number."""

    words: str
    unit: str
    least: float
    most: float

    @property
    def limits(self) -> str:
        """The allowed numbers, in words."""
        if self.least == 0:
            return f"at most {self.most:g} {self.unit}"
        return f"{self.least:g} to {self.most:g} {self.unit}"


Question = Sight | Figure
STAYED = Sight("Neither relay moved.")


def are(condition: str, *roles: InputRole) -> Reading:
    """Every one of these inputs is passed, failed or unknown."""
    words = " and ".join(f"`{role}`" for role in roles) + f": {condition}"
    return Reading(
        words, lambda now, _: all(condition_of(now, role) == condition for role in roles)
    )


def not_passed(role: InputRole) -> Reading:
    """Water that stands still is unknown before an arming, failed after it: neither permits."""
    return Reading(
        f"`{role}`: not passed, outputs off",
        lambda now, _: (
            condition_of(now, role) not in {None, "passed"} and now["outputs_on"] is False
        ),
    )


def condition_of(state: State, role: InputRole) -> str | None:
    """Return an input's condition; None: the daemon tells nothing of it."""
    told = state["inputs"].get(role)
    return None if told is None else str(told["condition"])


def rests(*states: InterlockState) -> Reading:
    """One of these states, with the outputs off."""
    words = " or ".join(states) + ", outputs off"
    return Reading(words, lambda now, _: now["state"] in states and now["outputs_on"] is False)


def works(*states: InterlockState) -> Reading:
    """One of these states, with the outputs on."""
    words = " or ".join(states) + ", outputs on"
    return Reading(words, lambda now, _: now["state"] in states and now["outputs_on"] is True)


def stays(state: InterlockState, seconds: float) -> Reading:
    """It has been in this state, off, for so long; and nothing restarted it."""
    return Reading(
        f"{state} for {seconds:g} s, outputs off",
        lambda now, before: (
            now["state"] == state
            and now["since_s"] >= seconds
            and now["outputs_on"] is False
            and now["boot"] == before["boot"]
        ),
        seconds + SLOW_S,
    )


def trips(cause: Cause) -> Reading:
    """It was on before, it has tripped once more, and this is why."""
    return Reading(
        f"tripped, `{cause}`, outputs off",
        lambda now, before: (
            before["outputs_on"] is True
            and now["trips"] > before["trips"]
            and now["first_cause"] == cause
            and now["outputs_on"] is False
        ),
    )


def fails(code: FaultCode) -> Reading:
    """A FAULT that was not there before."""
    return Reading(
        f"FAULT `{code}`, outputs off",
        lambda now, before: (
            before["fault"] != code and now["fault"] == code and now["outputs_on"] is False
        ),
    )


def was_on_is_off(words: str) -> Reading:
    """The outputs were on before and are off now."""
    return Reading(
        words, lambda now, before: before["outputs_on"] is True and now["outputs_on"] is False
    )


def begins_anew() -> Reading:
    """Another boot of the daemon, after one that was on."""
    return Reading(
        "another boot than before, outputs off",
        lambda now, before: (
            before["outputs_on"] is True
            and now["boot"] != before["boot"]
            and now["outputs_on"] is False
        ),
        PATIENT_S,
    )


def remembers() -> Reading:
    """Another boot, and still the same FAULT."""
    return Reading(
        "another boot than before, the same FAULT",
        lambda now, before: (
            now["boot"] != before["boot"]
            and before["fault"] is not None
            and now["fault"] == before["fault"]
        ),
        PATIENT_S,
    )


def is_active(active: bool, *, on: bool) -> Reading:
    """The machine's run signal, and whether the outputs are on."""
    words = f"{'at work' if active else 'idle'}, outputs {'on' if on else 'off'}"
    return Reading(words, lambda now, _: now["active"] is active and now["outputs_on"] is on)
