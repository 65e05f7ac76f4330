"""The commissioning checks with the outputs on: arming, letting go, the machine itself.

Figures are measured with an oscilloscope. The limits at the lines are the design's; a relay's own
release comes on top and is in its data sheet: :data:`RELAY_MS` is the most that is let pass.
"""

from __future__ import annotations

from collections.abc import Iterator

from fabctl.commands.interlock_check import Check
from fabctl.commands.interlock_readings import (
    PATIENT_S,
    STAYED,
    Figure,
    Reading,
    Sight,
    begins_anew,
    is_active,
    rests,
    stays,
    trips,
    was_on_is_off,
    works,
)
from fabctl.interlock import InputRole, InterlockState, ProfileKind
from fabctl.interlock_causes import Cause

RELAY_MS = 50.0
TRIP_MS, STALL_MS = 100.0, 250.0
HOLD_MS = (150.0, 200.0)
WATCH_S = 10.0
"""Three renewals of a permit: what a renewal could wrongly arm would be seen."""
_READY = InterlockState.READY
_LOCKED = InterlockState.LOCKED
_ON = (InterlockState.ARMED, InterlockState.RUNNING)
_LET_GO = Sight("K1, K2 and both contactors let go.")
_A, _B = InputRole.LID_A, InputRole.LID_B
_LID = frozenset({_A})
_BOTH = frozenset({_A, _B})
_ACTIVE = frozenset({InputRole.ACTIVE})
_LASER = frozenset({ProfileKind.LASER})
_OTHERS = frozenset(ProfileKind) - _LASER


def _again(key: str) -> Check:
    """What comes before everything that needs it to be on."""
    return Check(
        f"arm-{key}",
        'Arm it: put right what the page names; if asked, tap "I begin", and open and '
        "close the lid once; "
        "press the green button for a second and let go.",
        works(*_ON),
    )


def _x3(start: str, most: float) -> Figure:
    return Figure(f"from {start} to X3.1-X3.3 open", "ms", 0.0, most + RELAY_MS)


def arming() -> Iterator[Check]:
    """A permit alone does nothing, the button alone does nothing."""
    yield Check(
        "press-without-use",
        "With no use of this machine open: press the green button for a second.",
        rests(_LOCKED),
        (STAYED,),
    )
    yield Check("use", 'Tap "I begin". Do not touch the green button.', rests(_READY))
    yield Check("wait", "Watch both relays for 10 s.", stays(_READY, WATCH_S), (STAYED,))
    yield Check(
        "reset-pulled",
        "Pull the wire of `reset` off its terminal; press the button; put the wire back.",
        rests(_READY),
        (STAYED,),
    )
    yield Check(
        "press-unsafe",
        "Open the lid or door, press and let go of the button, close the lid; watch for 10 s.",
        stays(_READY, WATCH_S),
        (STAYED,),
        needs=_LID,
    )
    yield Check(
        "arm",
        "Press the green button for a second and let go.",
        works(*_ON),
        (
            Sight("Both relays pulled in at the release of the button, not before."),
            Sight("X3.1 to X3.3 is closed now, and both contactors have pulled in."),
        ),
    )
    yield Check(
        "run",
        "Let the machine work: a job without tool or beam.",
        is_active(active=True, on=True),
        needs=_ACTIVE,
    )
    yield Check(
        "idle",
        "Let the job come to its end.",
        is_active(active=False, on=True),
        needs=_ACTIVE,
    )


def letting_go() -> Iterator[Check]:
    """Every way in which it must go off, with the times that only an oscilloscope can tell."""
    yield from _by_sensors()
    yield from _by_dead_man()
    yield from _by_permit()
    yield _again("power")
    yield Check(
        "power",
        "Armed: pull the computer's power; put it back, wait for fabctl, start this list again: "
        "it goes on here.",
        begins_anew(),
        (Sight("Both relays let go when the power went, and stayed off."),),
    )


def _by_sensors() -> Iterator[Check]:
    yield _again("lid")
    yield Check(
        "lid",
        "Armed: open the lid or door.",
        trips(Cause.LID_OPEN),
        (
            Figure("from the lid's contact to K2's coil without voltage", "ms", 0.0, TRIP_MS),
            _x3("the lid's contact", TRIP_MS),
            Sight("The page said so within 2 s."),
        ),
        needs=_LID,
        monthly=True,
    )
    yield Check(
        "lid-closed-again",
        "Close it. Do not touch the button; watch for 10 s.",
        stays(_READY, WATCH_S),
        (STAYED,),
        needs=_LID,
        monthly=True,
    )
    for role, do, cause in (
        (InputRole.ESTOP, "push the emergency stop; then free it", Cause.ESTOP_OPEN),
        (InputRole.KEY, "turn the key off; then on", Cause.KEY_OFF),
        (InputRole.FLOW, "stop the cooling water; then let it run", Cause.FLOW_STOPPED),
        (InputRole.EXHAUST, "switch the exhaust off; then on", Cause.EXHAUST_OFF),
    ):
        again = _again(f"{role}")
        needs = frozenset({role})
        yield Check(again.key, again.do, again.read, needs=needs)
        yield Check(f"{role}-armed", f"Armed: {do}.", trips(cause), (_LET_GO,), needs, monthly=True)


def _by_dead_man() -> Iterator[Check]:
    yield _again("stop")
    yield Check(
        "stop",
        "Armed: kill -STOP $(cat {lock}), look, then kill -CONT with the same number.",
        was_on_is_off("on before, outputs off"),
        (
            Figure("hold of the monostable after its last edge", "ms", *HOLD_MS),
            Figure("from the stop to K1's coil without voltage", "ms", 0.0, STALL_MS),
            _x3("the stop", STALL_MS),
            Sight("Nothing pulled in again after the CONT."),
        ),
        monthly=True,
    )
    yield _again("kill")
    yield Check(
        "kill",
        "Armed: kill -9 $(cat {lock}). fabctl run starts it again.",
        begins_anew(),
        (_x3("the kill", STALL_MS), Sight("Nothing pulled in again after the restart.")),
    )
    yield Check(
        "level",
        "Take the wire from the Pi off the monostable's input. Hold the input at 3.3 V for 5 s, "
        "then at 0 V for 5 s. Put the wire back.",
        rests(_LOCKED, _READY, InterlockState.SELFTEST),
        (Sight("K1 never stayed in, at neither level (a click of 0.2 s is allowed)."),),
    )


def _by_permit() -> Iterator[Check]:
    cut = "pull the network cable (kill -STOP of the steward, where all is on one computer)."
    back = 'Put the cable back (kill -CONT). Tap "I begin" if asked.'
    yield _again("network")
    yield Check(
        "network-idle",
        f"Armed, the machine at rest: {cut}",
        was_on_is_off("on before, outputs off"),
        (_LET_GO,),
    )
    yield Check("network-back", back, rests(_READY), (STAYED,))
    again = _again("drain")
    yield Check(again.key, again.do, again.read, needs=_ACTIVE)
    yield Check(
        "drain",
        f"Let a job of a minute without tool or beam begin; {cut}",
        works(InterlockState.DRAIN),
        needs=_ACTIVE,
    )
    yield Check("drained", "Let the job come to its end.", _ended_in_drain(), (_LET_GO,), _ACTIVE)
    yield Check("drain-back", back, rests(_READY), (STAYED,), _ACTIVE)


def _ended_in_drain() -> Reading:
    locked = rests(_LOCKED)
    return Reading(locked.words, locked.holds, PATIENT_S)


def by_hand() -> Iterator[Check]:
    """The machine itself, at its lowest power."""
    beam = Sight("No beam came out, and none came back by itself.")
    yield _again("real")
    yield Check(
        "beam-lid",
        "Lowest power on the target, goggles on: open the lid.",
        trips(Cause.LID_OPEN),
        (beam,),
        kinds=_LASER,
    )
    again = _again("beam-estop")
    yield Check(again.key, again.do, again.read, kinds=_LASER)
    yield Check(
        "beam-estop",
        "Lowest power on the target, goggles on: press the emergency stop.",
        trips(Cause.ESTOP_OPEN),
        (beam, Sight("The safety relay and the page both said why.")),
        kinds=_LASER,
    )
    yield Check(
        "machine-off",
        "The machine running without a tool or load: end the use on the screen, then stop it "
        "if it still runs.",
        was_on_is_off("on before, outputs off"),
        (Sight("The machine is without power and cannot be started."),),
        kinds=_OTHERS,
    )
    yield Check(
        "as-found",
        "Covers on. Look over the cabinet once more.",
        Reading(
            "outputs off, no FAULT", lambda now, _: now["outputs_on"] is False and not now["fault"]
        ),
        (Sight("Nothing is bridged, nothing is unplugged, every wire is back."),),
    )
