"""The commissioning checks of an interlock, each with what must then be read. Pure.

Some the program reads itself; some a person measures, because a program cannot see its own relay.
Faults are provoked on purpose: every one of them is to be seen once before the machine is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fabctl.interlock import InputRole, InterlockProfile, InterlockState, OutputRole

State = Mapping[str, Any]
QUICK_S = 5.0
SLOW_S = 30.0


@dataclass(frozen=True, slots=True)
class Check:
    """One step of the list."""

    do: str
    """What the person does."""
    expect: str
    """What must be read then."""
    holds: Callable[[State], bool] | None = None
    """Whether a state is the expected one; None: the person measures it."""
    within_s: float = QUICK_S


_UNSAFE: Mapping[InputRole, tuple[str, str]] = {
    InputRole.FLOW: ("Stop the cooling water.", "Let the cooling water run."),
    InputRole.EXHAUST: ("Switch the exhaust off.", "Switch the exhaust on."),
    InputRole.ESTOP: ("Push the emergency stop.", "Turn the emergency stop free."),
    InputRole.KEY: ("Turn the key to off.", "Turn the key to on."),
}
_LIDS = (InputRole.LID_A, InputRole.LID_B)


def checklist(profile: InterlockProfile) -> list[Check]:
    """Return the checks of this profile, in the order in which they are made."""
    return [
        *_before_power(profile),
        *_inputs(profile),
        *_arming(profile),
        *_trips(profile),
        *_dead_man(profile),
        *_provoked(profile),
        *_hard_wired(),
    ]


def _before_power(profile: InterlockProfile) -> Iterator[Check]:
    k1, k2 = (profile.outputs[role] for role in (OutputRole.K1, OutputRole.K2))
    yield Check(
        "Look at the state before anything else.",
        "the outputs are off",
        lambda state: not state["outputs_on"],
    )
    yield Check(
        f"Measure the lines of K1 (GPIO {k1}) and K2 (GPIO {k2}) against ground.",
        "under 0.4 V on both",
    )
    yield Check(
        "Switch the computer off and on, and watch both relays from power-up to the login.",
        "neither relay pulls in, not even for a moment",
    )


def _inputs(profile: InterlockProfile) -> Iterator[Check]:
    lids = [role for role in _LIDS if role in profile.inputs]
    if lids:
        yield Check("Open the lid or door.", _reads(lids, "failed"), _are(lids, "failed"))
        yield Check("Close it.", _reads(lids, "passed"), _are(lids, "passed"))
    for role, (unsafe, safe) in _UNSAFE.items():
        if role not in profile.inputs:
            continue
        pulled = f"Pull the wire of {role} off its terminal (GPIO {profile.inputs[role].pin})."
        for off, on in ((unsafe, safe), (pulled, "Put it back.")):
            yield Check(off, f"{role} reads passed no longer", _is_not_passed(role), SLOW_S)
            yield Check(on, _reads([role], "passed"), _are([role], "passed"), SLOW_S)


def _arming(profile: InterlockProfile) -> Iterator[Check]:
    yield Check(
        "With no use of this machine open, press reset for a second.",
        "the state is locked, the outputs are off; neither relay moves",
        lambda state: state["state"] == InterlockState.LOCKED and not state["outputs_on"],
        SLOW_S,
    )
    yield Check(
        "Start a use of this machine on its screen, and do not press reset yet.",
        "the state is ready, the outputs are off",
        lambda state: state["state"] == InterlockState.READY and not state["outputs_on"],
        SLOW_S,
    )
    yield Check("Watch both relays for a minute.", "neither pulls in by itself")
    yield Check(
        "Press reset for about a second and let go.",
        "both relays pull in at the release; the state is armed",
        lambda state: state["state"] in {InterlockState.ARMED, InterlockState.RUNNING},
        SLOW_S,
    )
    if InputRole.ACTIVE in profile.inputs:
        yield Check(
            "Let the machine work (a job without tool or beam).",
            "the machine reads active, the state is running",
            lambda state: state["state"] == InterlockState.RUNNING and state["active"] is True,
            SLOW_S,
        )
        yield Check(
            "Let it come to its end.",
            "the machine reads idle, the state is armed again",
            lambda state: state["state"] == InterlockState.ARMED and state["active"] is False,
            SLOW_S,
        )


def _trips(profile: InterlockProfile) -> Iterator[Check]:
    if any(role in profile.inputs for role in _LIDS):
        unsafe, safe = "Open the lid or door.", "Close it, and do not press reset."
    elif InputRole.ESTOP in profile.inputs:
        unsafe, safe = _UNSAFE[InputRole.ESTOP]
    else:
        unsafe, safe = "End the use on the screen.", "Start it again, and do not press reset."
    yield Check(
        unsafe,
        "both relays let go at once; the outputs are off",
        lambda state: not state["outputs_on"],
    )
    yield Check(
        safe,
        "the state is ready; the relays stay off",
        lambda state: state["state"] == InterlockState.READY and not state["outputs_on"],
        SLOW_S,
    )


def _dead_man(profile: InterlockProfile) -> Iterator[Check]:
    yield Check(
        "Press reset again, so that the relays pull in.",
        "the outputs are on",
        lambda state: bool(state["outputs_on"]),
        SLOW_S,
    )
    yield Check(
        f"In another terminal, as the daemon's user: kill -STOP $(cat {profile.folder}/lock); "
        "then, with the relays seen, kill -CONT with the same number.",
        "K1 lets go within a quarter of a second of the STOP, and stays off after the CONT",
    )
    yield Check(
        "Look at the state.", "the outputs are off", lambda state: not state["outputs_on"], SLOW_S
    )


def _provoked(profile: InterlockProfile) -> Iterator[Check]:
    machine = profile.machine
    if all(role in profile.inputs for role in _LIDS):
        yield from _fault("Pull the wire of lid_a alone off its terminal.", "lids-differ", machine)
    if InputRole.K1_FEEDBACK in profile.inputs:
        yield from _fault("Pull the wire of k1_feedback off its terminal.", "k1-welded", machine)
    yield from _fault("Hold reset for longer than it may be held (10 s).", "reset-stuck", machine)


def _fault(do: str, code: str, machine: str) -> Iterator[Check]:
    yield Check(do, f"FAULT {code}", lambda state: state["fault"] == code, SLOW_S)
    yield Check(
        f"Put it right, and clear it: fabctl interlock {machine} --clear-fault. Where the lid "
        "switches are tested, open and close the lid once.",
        "no fault; the outputs are off",
        lambda state: (
            state["state"] in {InterlockState.LOCKED, InterlockState.READY}
            and not state["outputs_on"]
        ),
        120.0,
    )


def _hard_wired() -> Iterator[Check]:
    yield Check(
        "Bridge the contacts of K1 and K2 at their terminals, then push the emergency stop, and "
        "then open the lid or door, each with the machine powered.",
        "the hard-wired safety chain alone takes the machine's power away, each time",
    )
    yield Check("Take the bridges away again.", "both contacts are open: no continuity")


def _reads(roles: list[InputRole], word: str) -> str:
    return " and ".join(f"{role} reads {word}" for role in roles)


def _is_not_passed(role: InputRole) -> Callable[[State], bool]:
    """Water that stands still is unknown before arming and failed after it: neither permits."""
    return lambda state: state["inputs"][role]["condition"] != "passed"


def _are(roles: list[InputRole], word: str) -> Callable[[State], bool]:
    return lambda state: all(state["inputs"][role]["condition"] == word for role in roles)
