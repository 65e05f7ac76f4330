"""A machine that stands in the middle of a job: why, for whom, and how it goes on. Pure.

Sources: Grbl ``doc/markdown/commands.md`` (``!``, ``~``, 0x9E), ``laser_mode.md`` (M3 stays on in a
hold where the build does not turn it off), interface.md, "Machine State".
"""

from __future__ import annotations

import math

from fabctl.errors import LocalError
from fabctl.ports import WaitingForPerson
from fabctl_drivers.grbl.job_lines import JobLine, Kind
from fabctl_drivers.grbl.report import HOLDING, Report
from fabctl_drivers.grbl.standing import why_held

AGAIN_S = 1.0
"""A machine that moves on, so long after ``!``, did not hear it."""
NOBODY_ASKED = (
    "the controller is in feed hold and nobody here asked for it: a button, or a damaged byte"
)
"""A single flipped bit makes ``!`` of ``1`` or of a blank: decision 0131."""


class Holding:
    """What is remembered between two reports of a machine that holds."""

    def __init__(self) -> None:
        self.clear_tried = False
        """Whether a clear tried to open the lock already."""
        self._said_at = -math.inf
        self._reason: str | None = None
        self._asked_for: object = None
        self._lit = 0
        self._is_ours = False

    def said(self, now: float, *, ours: bool) -> None:
        """The hold begins: ``!`` was said (``ours``), or somebody at the machine did it."""
        self._said_at = now
        self._is_ours = ours
        self._forget()

    def _forget(self) -> None:
        self._reason = self._asked_for = None
        self._lit = 0

    def is_to_be_said_again(self, now: float) -> bool:
        """Return whether ``!`` was said long ago and not heard; then it is said now."""
        if now - self._said_at < AGAIN_S:
            return False
        self._said_at = now
        return True

    def reason(self, oldest: object, report: Report) -> str | None:
        """Return why it comes to a hold that nobody asked us for."""
        if report.state.startswith("Door"):
            return "the safety door was opened"
        return _M0 if _is_pause(oldest) else NOBODY_ASKED

    def look(self, oldest: object, report: Report) -> tuple[str | None, bool]:
        """Return why it stands, and whether that is news."""
        why = why_held(report.state)
        if why is None and _is_pause(oldest):
            why = _M0
        elif why is None and not self._is_ours:
            why = NOBODY_ASKED
        before, self._reason = self._reason, why
        return why, why != before

    def ended(self) -> None:
        """The machine goes on."""
        self._is_ours = False
        self._forget()

    def ask(self, oldest: object, report: Report) -> list[WaitingForPerson]:
        """Return the request where the program, or an opened door, waits for a person; once."""
        if not _is_pause(oldest) and report.state not in _FOR_A_PERSON:
            return []
        if self._asked_for is oldest:
            return []
        self._asked_for = oldest
        note = oldest.note if isinstance(oldest, JobLine) else None
        return [WaitingForPerson(note or why_held(report.state))]

    def is_laser_to_go_off(self, report: Report, *, laser: bool) -> bool:
        """Return whether a laser still burns while the machine stands; said once per hold.

        Two reports in a row must say so: 0x9E toggles.
        """
        burns = laser and report.state == "Hold:0" and (report.power or 0.0) > 0.0
        self._lit = self._lit + 1 if burns else 0
        return self._lit == 2

    def check_resume(self, report: Report | None) -> None:
        """:raises LocalError: the machine is not at rest, or its door is open."""
        state = report.state if report else ""
        if state == "Door:1":
            raise LocalError("the safety door is open", next_step="close it, then resume")
        if state in HOLDING:
            raise LocalError("the machine has not come to rest yet", next_step="wait a moment")
        self.ended()


def _is_pause(oldest: object) -> bool:
    return isinstance(oldest, JobLine) and oldest.kind is Kind.PAUSE


_FOR_A_PERSON = frozenset({"Tool", "Door:0", "Door:1"})
"""Nobody but a person decides that it goes on."""
_M0 = "the program waits for a person (M0)"
