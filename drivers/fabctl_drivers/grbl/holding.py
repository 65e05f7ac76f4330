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


class Holding:
    """What is remembered between two reports of a machine that holds."""

    def __init__(self) -> None:
        self.clear_tried = False
        """Whether a clear tried to open the lock already."""
        self._said_at = -math.inf
        self._reason: str | None = None
        self._asked_for: object = None
        self._lit = 0

    def said(self, now: float) -> None:
        """The hold begins: ``!`` was said, or somebody at the machine did it."""
        self._said_at = now
        self._reason = self._asked_for = None
        self._lit = 0

    def is_to_be_said_again(self, now: float) -> bool:
        """Return whether ``!`` was said long ago and not heard; then it is said now."""
        if now - self._said_at < AGAIN_S:
            return False
        self._said_at = now
        return True

    def reason(self, report: Report) -> str | None:
        """Return why it comes to a hold that nobody asked us for."""
        return "the safety door was opened" if report.state.startswith("Door") else None

    def look(self, report: Report) -> tuple[str | None, bool]:
        """Return why it stands, and whether that is news."""
        before, self._reason = self._reason, why_held(report.state)
        return self._reason, self._reason != before

    def ask(self, oldest: object, report: Report) -> list[WaitingForPerson]:
        """Return the request where the program itself waits for a person, once."""
        waits = isinstance(oldest, JobLine) and oldest.kind is Kind.PAUSE
        if not waits and report.state != "Tool":
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
        self._reason = self._asked_for = None
        self._lit = 0
