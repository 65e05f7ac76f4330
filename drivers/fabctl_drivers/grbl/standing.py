"""What a status report means for the phase a machine is in: one table. Pure.

Source: Grbl ``doc/markdown/interface.md``, "Machine State": Hold:0, Door:0 and Door:1 are at rest;
Hold:1, Door:2 and Door:3 are in progress. Hold may come from M0 or from the feed hold button.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from fabctl.ports import Phase
from fabctl_drivers.grbl.report import HELD, HOLDING


class Sense(Enum):
    """What a machine state is to us."""

    AT_WORK = auto()
    """Run, Idle, Check, Home, Jog, Door:3 and whatever a newer firmware may say."""
    HOLDING = auto()
    HELD = auto()
    LOCKED = auto()


class Verdict(Enum):
    """What to do about it."""

    NOTHING = auto()
    GOES = auto()
    """The job runs: look at how it does."""
    HOLDS = auto()
    HELD = auto()
    STILL_HELD = auto()
    NOT_HELD = auto()
    """It should hold, and does not."""
    WENT_ON = auto()
    LOCKED = auto()


VERDICTS: Mapping[tuple[Phase, Sense], Verdict] = {
    **{(phase, sense): Verdict.NOTHING for phase in Phase for sense in Sense},
    (Phase.RUNNING, Sense.AT_WORK): Verdict.GOES,
    (Phase.RUNNING, Sense.HOLDING): Verdict.HOLDS,
    (Phase.RUNNING, Sense.HELD): Verdict.HELD,
    (Phase.PAUSING, Sense.HELD): Verdict.HELD,
    (Phase.PAUSING, Sense.AT_WORK): Verdict.NOT_HELD,
    (Phase.PAUSED, Sense.HELD): Verdict.STILL_HELD,
    (Phase.PAUSED, Sense.AT_WORK): Verdict.WENT_ON,
    **{
        (phase, Sense.LOCKED): Verdict.LOCKED
        for phase in (Phase.IDLE, Phase.RUNNING, Phase.PAUSING, Phase.PAUSED)
    },
}
"""Every phase and every sense."""


def verdict(phase: Phase, state: str) -> Verdict:
    """Return what a fresh report of ``state`` means in ``phase``."""
    return VERDICTS[phase, sense(state)]


def sense(state: str) -> Sense:
    """Return what a state is to us."""
    if state == "Alarm":
        return Sense.LOCKED
    if state in HELD:
        return Sense.HELD
    return Sense.HOLDING if state in HOLDING else Sense.AT_WORK


def why_held(state: str) -> str | None:
    """Return what a person should know about a machine that stands; None for a plain hold."""
    return _REASONS.get(state)


_REASONS = {
    "Door:0": "the safety door was opened and is closed again; resume when all is well",
    "Door:1": "the safety door is open",
    "Tool": "the controller waits for a tool change",
    "Sleep": "the controller went to sleep; stop the job to wake it",
}
