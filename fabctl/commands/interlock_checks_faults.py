"""The commissioning checks that provoke a FAULT, each with its clearing at the machine. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from fabctl.commands.interlock_check import Check
from fabctl.commands.interlock_readings import (
    PATIENT_S,
    STAYED,
    Reading,
    Sight,
    fails,
    remembers,
)
from fabctl.interlock import InputRole, InterlockState
from fabctl.interlock_causes import FaultCode

_READY, _LOCKED = InterlockState.READY, InterlockState.LOCKED
_A, _B = InputRole.LID_A, InputRole.LID_B
_BOTH = frozenset({_A, _B})


def faults() -> Iterator[Check]:
    """Every FAULT that a person can provoke, seen once before the machine is used."""
    k1, k2 = frozenset({InputRole.K1_FEEDBACK}), frozenset({InputRole.K2_FEEDBACK})
    pull = "Off: pull the wire of `{}` alone off its terminal."
    yield from _fault(pull.format(_A), FaultCode.LIDS_DIFFER, _BOTH, "lid-a-alone", monthly=True)
    yield from _fault(pull.format(_B), FaultCode.LIDS_DIFFER, _BOTH, "lid-b-alone")
    yield from _fault(
        pull.format(InputRole.K1_FEEDBACK), FaultCode.K1_WELDED, k1, "k1-feedback-pulled"
    )
    yield from _fault(
        pull.format(InputRole.K2_FEEDBACK), FaultCode.K2_WELDED, k2, "k2-feedback-pulled"
    )
    coil = "Power off: unplug {}'s coil. Power on; wait for the green button's turn, press it."
    yield from _fault(coil.format("K1"), FaultCode.K1_NO_PULL_IN, k1, "k1-coil")
    yield from _fault(coil.format("K2"), FaultCode.K2_NO_PULL_IN, k2, "k2-coil")
    yield from _fault(
        "Hold the green button for 10 s and more.",
        FaultCode.RESET_STUCK,
        frozenset(),
        "reset-held",
        Check(
            "remembered",
            "Let go. kill -9 $(cat {lock}); fabctl run starts it again.",
            remembers(),
            (Sight("As staff, every button of the page was tried, and none cleared it."),),
        ),
    )


def _fault(
    do: str,
    code: FaultCode,
    needs: frozenset[InputRole],
    key: str,
    *between: Check,
    monthly: bool = False,
) -> Iterator[Check]:
    """Provoke one, and clear it at the machine."""
    off = Sight("X3.1 to X3.3 is open.")
    yield Check(key, do, fails(code), (off,), needs, monthly=monthly)
    yield from between
    yield Check(
        f"{key}-cleared",
        "Put it right (for a coil: power off first). At the machine: fabctl interlock {machine} "
        "--clear-fault, and do what it asks. Open and close the lid once if asked.",
        Reading(
            "no FAULT any more; locked or ready, outputs off",
            lambda now, before: (
                before["fault"] is not None
                and now["fault"] is None
                and now["state"] in {_LOCKED, _READY}
                and now["outputs_on"] is False
            ),
            PATIENT_S,
        ),
        (STAYED,),
        needs,
    )
