"""Bringing a machine to rest and then resetting it: at the opening, at a stop, at a failure. Pure.

A reset in motion loses the position (ALARM:3); a reset in Hold:0 keeps it (Grbl
``doc/markdown/commands.md``, "0x18"). So: hold, wait until the machine says that it stands, reset,
wait for the banner. Spindle, laser and coolant are off from the reset on. Only a machine that says
nothing, or does not come to rest, is reset in motion. Decision 0130.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum, auto

from fabctl.errors import LocalError
from fabctl_drivers.grbl.report import HOLDING, Report


class Stage(Enum):
    """How far it is."""

    LISTENING = auto()
    """The port was opened just now: boards that reset by it say their banner."""
    HOLDING = auto()
    """We said ``!`` and wait until nothing moves."""
    RESETTING = auto()
    """We said 0x18 and wait for the banner."""
    DONE = auto()
    FAILED = auto()


class Cue(Enum):
    """What moves it."""

    RESTS = auto()
    MOVES = auto()
    BANNER = auto()
    WAITED = auto()
    """As long as this stage lasts at most."""
    GAVE_UP = auto()


_OPEN = (Stage.LISTENING, Stage.HOLDING, Stage.RESETTING)
NEXT: Mapping[tuple[Stage, Cue], Stage] = {
    (Stage.LISTENING, Cue.RESTS): Stage.RESETTING,
    (Stage.LISTENING, Cue.MOVES): Stage.HOLDING,
    (Stage.LISTENING, Cue.WAITED): Stage.RESETTING,
    (Stage.HOLDING, Cue.RESTS): Stage.RESETTING,
    (Stage.HOLDING, Cue.MOVES): Stage.HOLDING,
    (Stage.HOLDING, Cue.WAITED): Stage.RESETTING,
    (Stage.RESETTING, Cue.RESTS): Stage.RESETTING,  # answered before it heard us
    (Stage.RESETTING, Cue.MOVES): Stage.RESETTING,
    (Stage.RESETTING, Cue.WAITED): Stage.RESETTING,
    **{(stage, Cue.BANNER): Stage.DONE for stage in _OPEN},
    **{(stage, Cue.GAVE_UP): Stage.FAILED for stage in _OPEN},
}
"""Every stage that is not an end, and every cue."""


class Halt:
    """One way to rest, begun at ``now``. It ends DONE or FAILED.

    After every call :attr:`wants_hold` and :attr:`wants_reset` say what is to be said now.
    """

    LISTEN_S = 3.0
    """An Arduino's boot loader takes up to two seconds."""
    HOLD_S = 15.0
    """The longest way to rest, where the machine says that it still moves."""
    SILENT_S = 1.5
    """The longest silence while it should come to rest."""
    AGAIN_S = 1.0
    """A machine that moves on, so long after ``!``, did not hear it."""
    RESET_S = 2.0
    RESETS = 5

    def __init__(self, stage: Stage, now: float) -> None:
        self.stage = stage
        self.wants_hold = stage is Stage.HOLDING
        self.wants_reset = stage is Stage.RESETTING
        self._entered = self._heard_at = self._held_at = now
        self._resets = 1 if self.wants_reset else 0

    @property
    def deadline(self) -> float:
        """The time at which :meth:`tick` has something to do."""
        if self.stage is Stage.LISTENING:
            return self._entered + self.LISTEN_S
        if self.stage is Stage.HOLDING:
            return min(self._entered + self.HOLD_S, self._heard_at + self.SILENT_S)
        return self._entered + self.RESET_S if self.stage is Stage.RESETTING else math.inf

    def report(self, report: Report, now: float) -> None:
        """Take in a report to a question of after :attr:`wants_hold`."""
        self._heard_at = now
        self._go(Cue.RESTS if report.at_rest else Cue.MOVES, now)
        if self.stage is not Stage.HOLDING or report.state in HOLDING:
            return
        if now - self._held_at >= self.AGAIN_S:
            self._hold(now)

    def deaf_until_now(self, now: float) -> None:
        """It says that it waits for a reset: one that we said before was lost on it."""
        if self.stage is Stage.RESETTING and self._resets < self.RESETS:
            self._go(Cue.WAITED, now)

    def banner(self, now: float) -> None:
        """The controller began anew."""
        self._go(Cue.BANNER, now)

    def tick(self, now: float) -> None:
        """Do what is due at ``now``."""
        if now < self.deadline:
            return
        if self.stage is Stage.RESETTING and self._resets >= self.RESETS:
            self._go(Cue.GAVE_UP, now)
            return
        self._go(Cue.WAITED, now)

    def _go(self, cue: Cue, now: float) -> None:
        before = self.stage
        try:
            self.stage = NEXT[before, cue]
        except KeyError:
            raise LocalError(f"{cue.name} has no place in stage {before.name}") from None
        if self.stage is before and cue is not Cue.WAITED:
            return
        self._entered = self._heard_at = now
        if self.stage is Stage.HOLDING:
            self._hold(now)
        elif self.stage is Stage.RESETTING:
            self._resets += 1
            self.wants_reset = True

    def _hold(self, now: float) -> None:
        self._held_at = now
        self.wants_hold = True
