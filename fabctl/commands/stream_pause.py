"""Pauses of a job that ``fabctl stream`` sends: said, counted, and ended as the person chose."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from fabctl.errors import FabError
from fabctl.ports import Phase, PhaseChanged, WaitingForPerson

FAILS_AFTER_S = 60.0
"""``--on-hold fail``: so long may a job be held."""
RESUMES_AFTER_S, AGAIN_AFTER_S = 1.0, 30.0
"""``--on-hold resume``: when, and when again if it did not help."""
SAID_EVERY_S = 300.0
MOST_REASONS = 20
_HELD = (Phase.PAUSING, Phase.PAUSED)
_BY_ITSELF = "the machine paused by itself and does not say why"


class OnHold(StrEnum):
    """What to do about a hold that nobody here asked for (decision 0136)."""

    WAIT = "wait"
    RESUME = "resume"
    FAIL = "fail"


class Pausable(Protocol):
    """What is needed of a driver."""

    @property
    def phase(self) -> Phase:
        """What it is doing now."""

    def pause(self) -> None:
        """Pause the running job."""

    def resume(self) -> None:
        """Go on with it."""


class Pauses:
    """How often and why a job was held, and what comes of it.

    :param say: shows a sentence.
    :param at_terminal: whether somebody can press keys.
    """

    def __init__(
        self, driver: Pausable, on_hold: OnHold, say: Callable[[str], None], *, at_terminal: bool
    ) -> None:
        self.count = 0
        self.reasons: list[str] = []
        """Each one once, at most 20."""
        self._driver = driver
        self._on_hold = on_hold
        self._say = say
        self._how = "Enter goes on, s stops" if at_terminal else f"go on: kill -USR1 {os.getpid()}"
        self._since: float | None = None
        self._said_at = self._try_at = 0.0
        self._is_ours = self._needs_person = False
        self._reason = ""

    # ---- what a person here asks for

    def pause(self) -> None:
        """Pause the job, where it runs."""
        if self._driver.phase is Phase.RUNNING and self._try(self._driver.pause):
            self._is_ours = True

    def go_on(self) -> None:
        """Go on, where the machine is held or waits for somebody."""
        if self._driver.phase is Phase.PAUSED:
            self._try(self._driver.resume)
        elif self._needs_person:
            self._say("it does not wait for us: go on at the machine itself")

    def _try(self, request: Callable[[], None]) -> bool:
        try:
            request()
        except FabError as error:
            self._say(str(error))
            return False
        return True

    # ---- what the machine tells

    def changed(self, event: PhaseChanged, now: float) -> bool:
        """Take in a phase; say it where it is about a pause, and return whether it was."""
        if event.phase in _HELD:
            self._held(event, now)
            return True
        was_held = self._since is not None and event.phase is Phase.RUNNING
        if was_held or event.phase is not Phase.RUNNING:
            self._end()
        if was_held:
            self._say(f"running again{f': {event.reason}' if event.reason else ''}")
        return was_held

    def waits(self, event: WaitingForPerson, now: float) -> None:
        """The machine waits for somebody."""
        reason = f"the machine waits for you: {event.message or 'look at it'}"
        self._needs_person = True
        if self._since is None:  # it goes on by itself afterwards: no phase tells of it
            self.count += 1
            self._said_at = now
        if event.message is None or event.message != self._reason:
            self._note(reason)
            self._say(f"{reason}; {self._how}" if self._since is not None else reason)

    def _held(self, event: PhaseChanged, now: float) -> None:
        if self._since is None:
            self.count += 1
            self._since, self._try_at = now, now + RESUMES_AFTER_S
        usual = "you asked for it" if self._is_ours else _BY_ITSELF
        self._note(event.reason or self._reason or usual)
        if event.phase is Phase.PAUSING:
            self._say(f"pausing: {self._reason}")
        else:
            self._said_at = now
            self._say(f"paused: {self._reason}; {self._how}{self._outlook()}")

    def _outlook(self) -> str:
        fails = self._on_hold is OnHold.FAIL and not self._is_ours
        return f"; the job fails after {FAILS_AFTER_S:.0f} s of it" if fails else ""

    @property
    def _resumes(self) -> bool:
        return self._on_hold is OnHold.RESUME and not (self._is_ours or self._needs_person)

    def _note(self, reason: str) -> None:
        self._reason = reason
        if reason not in self.reasons and len(self.reasons) < MOST_REASONS:
            self.reasons.append(reason)

    def _end(self) -> None:
        self._since, self._reason = None, ""
        self._is_ours = self._needs_person = False

    # ---- what time brings

    def tick(self, now: float) -> str | None:
        """Do what was chosen for a hold; return why the job is to fail, once it is."""
        if self._since is None:
            return None
        held_s = now - self._since
        if self._on_hold is OnHold.FAIL and not self._is_ours and held_s >= FAILS_AFTER_S:
            return f"held for {held_s:.0f} s and nobody went on: {self._reason}"
        if self._resumes and now >= self._try_at:
            self._try_at = now + AGAIN_AFTER_S
            self._say("going on by itself, as --on-hold resume asks for")
            self.go_on()
        elif now - self._said_at >= SAID_EVERY_S:
            self._said_at = now
            self._say(f"still paused after {held_s / 60:.0f} min: {self._reason}; {self._how}")
        return None

    def progressed(self) -> None:
        """The job goes on: where it waited for a person without a pause, it does no more."""
        if self._since is None:
            self._needs_person = False
