"""Signs of life, and what to do where there is none. Pure."""

from __future__ import annotations

from fabctl_drivers.job_text import shorten
from fabctl_drivers.marlin import patience
from fabctl_drivers.marlin.answers import Answer, Heard, Topic
from fabctl_drivers.marlin.conversation import State
from fabctl_drivers.marlin.repeating import Repeating
from fabctl_drivers.marlin.vigil import Due

_BY_ITSELF = (Topic.TEMPERATURES, Topic.POSITION)
"""Reports that come by themselves (M155, M154), whether or not an ok was lost."""


class Silences(Repeating):
    """Asks when nothing is said."""

    WAIT_S = 0.9
    """A ``wait`` sooner after we spoke may have been said before we were heard."""

    def _hear_note(self, answer: Answer, now: float) -> None:
        self._tally.hear_note(answer, self.oldest)
        self._stir(now)
        if answer.topic is Topic.GARBLED and self.state is State.AWAITING_OK:
            self._vigil.hurry(now)
        elif answer.topic not in _BY_ITSELF or self._is_heat_wait(answer):
            self._vigil.sign(now)

    def _is_heat_wait(self, answer: Answer) -> bool:
        """Return whether a report is a heat wait's own: those of most firmwares carry ``W:``."""
        told = b"W:" in answer.text
        self._tells_waits = self._tells_waits or told
        return (told or not self._tells_waits) and patience.waits_for_heat(self.oldest)

    def _hear_wait(self, now: float) -> None:
        """Its queue is empty, it says: a line or an ok was lost, unless we spoke just now."""
        if self.state is State.AWAITING_OK and now - self._sent_at >= self.WAIT_S:
            self._prompt(now)

    def _silence(self, now: float) -> None:
        due = self._vigil.due()
        if due is Due.NUDGE:
            self._out.append(b"\n")
        elif due is Due.PROMPT:
            self._go(Heard.SILENCE)
            self._prompt(now)
        else:
            silent = f"{self._vigil.silences} times {self._vigil.patience_s:.0f} s"
            self._give_up(f"{silent} without an answer, to: {shorten(self.oldest)}")

    def _prompt(self, now: float) -> None:
        """Find out what was lost: end a line that was cut, then ask with a new one."""
        self._vigil.prompts += 1
        if self._vigil.prompts > self.REPEATS:
            said = shorten(self.oldest)
            self._give_up(f"the firmware waits, and does not take: {said}", damaged=True)
            return
        self._sent_at = now
        self._out.append(b"\n")  # completes a line whose newline was lost; else draws nothing
        if self._vigil.prompts > 1 or self._vigil.busy_s is not None:  # that one was nudged before
            self._probe()
        if self._vigil.prompts > 2:
            self.window.close()
            self._ledger.expect_none()
        self._vigil.go_on(self.oldest, now)
