"""Why an interlock is off: trips, faults, what it waits for, why a permit was refused.

Each code has a sentence and a next step: English templates without values, the keys of the
catalogues (``fabctl/locale``). The daemon says codes; whoever shows one looks it up here and
translates it. A code that this version does not know: :data:`UNHEARD_OF`. Plain data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Cause(StrEnum):
    """A stalled scan or an unsafe input; when several come in one scan, the first of these."""

    SCAN_STALLED = "scan-stalled"
    ESTOP_OPEN = "estop-open"
    KEY_OFF = "key-off"
    LID_OPEN = "lid-open"
    FLOW_STOPPED = "flow-stopped"
    FLOW_LOW = "flow-low"
    EXHAUST_OFF = "exhaust-off"


class FaultCode(StrEnum):
    """A failed diagnostic: only a supervisor at the machine leads out of it."""

    CONFIGURATION = "configuration"
    GPIO_OPEN = "gpio-open"
    GPIO_READ = "gpio-read"
    GPIO_WRITE = "gpio-write"
    INPUT_UNREAD = "input-unread"
    LIDS_DIFFER = "lids-differ"
    FLOW_TOO_FAST = "flow-too-fast"
    RESET_STUCK = "reset-stuck"
    K1_WELDED = "k1-welded"
    K1_NO_PULL_IN = "k1-no-pull-in"
    K2_WELDED = "k2-welded"
    K2_NO_PULL_IN = "k2-no-pull-in"
    CLOCK_BACKWARDS = "clock-backwards"
    FAULT_FILE = "fault-file"
    """What the daemon remembered cannot be read or kept."""
    INTERNAL = "internal"
    """A mistake of this program."""


class Advice(StrEnum):
    """What an interlock waits for that is neither tripped nor in fault."""

    STARTING = "starting"
    INPUTS_SETTLING = "inputs-settling"
    RELAYS_SETTLING = "relays-settling"
    RESET_PRESSED = "reset-pressed"
    LID_NOT_SEEN_OPEN = "lid-not-seen-open"
    LID_NOT_CLOSED = "lid-not-closed"
    NO_PERMIT = "no-permit"
    MACHINE_ACTIVE = "machine-active"
    FLOW_AWAITED = "flow-awaited"
    PRESS_RESET = "press-reset"
    CLEARING = "clearing"
    DRAINING = "draining"


class PermitRefusal(StrEnum):
    """Why a permit was not taken."""

    MALFORMED = "malformed"
    WRONG_SIGNATURE = "wrong-signature"
    OTHER_MACHINE = "other-machine"
    OTHER_BOOT = "other-boot"
    REPLAYED = "replayed"
    EXPIRED = "expired"
    """It names a challenge that is too old, or that the interlock has never told."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What happened, and what a person can do: English templates without values."""

    what: str
    next_step: str


_TRIPS: Mapping[str, Sentence] = {
    Cause.ESTOP_OPEN: Sentence(
        "The red button is pressed.",
        "Find out why. Then release the red button.",
    ),
    Cause.KEY_OFF: Sentence("The key switch is off.", "Turn the key on."),
    Cause.LID_OPEN: Sentence("The lid or door is open.", "Close the lid or door."),
    Cause.FLOW_STOPPED: Sentence(
        "The cooling water does not flow.", "Switch the pump on. Look for a bent hose."
    ),
    Cause.FLOW_LOW: Sentence(
        "The cooling water flows too slowly.", "Check the water level and the hoses."
    ),
    Cause.EXHAUST_OFF: Sentence("The exhaust is off.", "Switch the exhaust on."),
    Cause.SCAN_STALLED: Sentence(
        "The interlock was held up for too long.",
        "Wait a moment, then press the green button. If it comes back, tell the staff.",
    ),
}

_STAFF: Final = "Do not use this machine. Tell the staff."

_FAULTS: Mapping[str, Sentence] = {
    FaultCode.CONFIGURATION: Sentence("The interlock's settings cannot be used.", _STAFF),
    FaultCode.GPIO_OPEN: Sentence("The interlock cannot open its pins.", _STAFF),
    FaultCode.GPIO_READ: Sentence("The interlock cannot read its inputs.", _STAFF),
    FaultCode.GPIO_WRITE: Sentence("The interlock cannot set its outputs.", _STAFF),
    FaultCode.INPUT_UNREAD: Sentence("An input of the interlock cannot be read.", _STAFF),
    FaultCode.LIDS_DIFFER: Sentence("The two lid switches do not agree.", _STAFF),
    FaultCode.FLOW_TOO_FAST: Sentence("The flow meter counts faster than water can flow.", _STAFF),
    FaultCode.RESET_STUCK: Sentence("The green button is stuck, or was held too long.", _STAFF),
    FaultCode.K1_WELDED: Sentence("Relay K1 does not let go.", _STAFF),
    FaultCode.K1_NO_PULL_IN: Sentence("Relay K1 does not pull in.", _STAFF),
    FaultCode.K2_WELDED: Sentence("Relay K2 does not let go.", _STAFF),
    FaultCode.K2_NO_PULL_IN: Sentence("Relay K2 does not pull in.", _STAFF),
    FaultCode.CLOCK_BACKWARDS: Sentence("The computer's clock ran backwards.", _STAFF),
    FaultCode.FAULT_FILE: Sentence("The interlock cannot keep or read its fault file.", _STAFF),
    FaultCode.INTERNAL: Sentence("The interlock's program made a mistake.", _STAFF),
}

_ADVICE: Mapping[str, Sentence] = {
    Advice.STARTING: Sentence("The interlock is starting.", "Wait a few seconds."),
    Advice.INPUTS_SETTLING: Sentence("The interlock reads its inputs.", "Wait a moment."),
    Advice.RELAYS_SETTLING: Sentence("The interlock waits for its relays.", "Wait a moment."),
    Advice.RESET_PRESSED: Sentence("The green button is held down.", "Let go of the green button."),
    Advice.LID_NOT_SEEN_OPEN: Sentence(
        "The lid switches are not tested yet.", "Open the lid or door once, then close it."
    ),
    Advice.LID_NOT_CLOSED: Sentence("The lid switches are being tested.", "Close the lid or door."),
    Advice.NO_PERMIT: Sentence("Nobody has said “I begin”.", "Tap “I begin” on the screen."),
    Advice.MACHINE_ACTIVE: Sentence(
        "The machine is still at work.", "Stop its job first. Then press the green button."
    ),
    Advice.FLOW_AWAITED: Sentence("No cooling water flows yet.", "Switch the pump on first."),
    Advice.PRESS_RESET: Sentence(
        "Everything is in order.", "Press the green button on the machine, then let go."
    ),
    Advice.CLEARING: Sentence("The cause is gone.", "Wait a moment."),
    Advice.DRAINING: Sentence(
        "The permit has ended. The running job may finish.", "Start no new job."
    ),
}

_AGAIN: Final = "Tap “I begin” once more. If this stays, tell the staff."

_REFUSALS: Mapping[str, Sentence] = {
    PermitRefusal.MALFORMED: Sentence("A permit made no sense.", _AGAIN),
    PermitRefusal.WRONG_SIGNATURE: Sentence("A permit had a wrong signature.", _AGAIN),
    PermitRefusal.OTHER_MACHINE: Sentence("A permit was for another machine.", _AGAIN),
    PermitRefusal.OTHER_BOOT: Sentence("A permit was from before the last restart.", _AGAIN),
    PermitRefusal.REPLAYED: Sentence("A permit came a second time.", _AGAIN),
    PermitRefusal.EXPIRED: Sentence("A permit came too late.", _AGAIN),
}

UNHEARD_OF: Final = Sentence("The interlock reports something unknown.", _STAFF)

SENTENCES: Final[Mapping[str, Sentence]] = {**_TRIPS, **_FAULTS, **_ADVICE, **_REFUSALS}
"""By code; no code stands for two things."""
