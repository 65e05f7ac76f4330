"""A job on its way through the link: what is said next, and how reports show that it goes. Pure.

Sources: Grbl ``doc/markdown/interface.md`` (character counting; EEPROM writers alone; ``$`` only in
Idle). A program is over when the machine is Idle after the last ok: until then it moves. The last
line is a dwell of no length, which Grbl answers when its planner is empty (decision 0132).
"""

from __future__ import annotations

from enum import Enum, auto

from fabctl_drivers.grbl.arrival import Errand
from fabctl_drivers.grbl.job import Job
from fabctl_drivers.grbl.job_lines import JobLine, Kind, dwell_s
from fabctl_drivers.grbl.link import Link, State

OWES_S, LOST_S = 3.0, 10.0
"""How long an idle machine may owe an ok before we say so, and before the job fails. A damaged
newline or a lost ok shows so; Grbl numbers and checks nothing."""


class Course(Enum):
    """How a job goes."""

    GOES = auto()
    OWES = auto()
    """Alive and idle, yet it has not confirmed what it was told."""
    LOST = auto()
    DONE = auto()


class JobRun:
    """Says a job's lines as the link takes them."""

    def __init__(self, job: Job, link: Link, now: float) -> None:
        self.job = job
        self.wants_report = False
        """Whether the next step needs a report: the end, a ``$`` command, check mode."""
        self._link = link
        self._begun = not job.is_check
        self._may_dollar = False
        self._settles = False
        self._moved_at = now

    @property
    def is_all_said(self) -> bool:
        """Whether every line was said and confirmed."""
        return self._begun and self.job.coming is None and self._link.state is State.READY

    def begin(self) -> None:
        """The firmware is in check mode."""
        self._begun = True

    def confirm(self, said: JobLine, now: float) -> None:
        """The firmware took a line."""
        self.job.confirm(said)
        self._moved_at = now

    def moved_on(self, now: float) -> None:
        """The machine goes on after a pause."""
        self._moved_at = now

    def fill(self, now: float) -> None:
        """Say as many lines as the link takes."""
        if not self._begun:
            return
        job, link = self.job, self._link
        if link.state is State.READY:
            self._moved_at = now
        coming = job.coming
        while coming is not None:
            if coming.kind is Kind.ALONE or coming.kind is Kind.DOLLAR:
                if not self._say_alone(coming):
                    return
            elif link.has_room(len(coming.data)):
                link.send(coming.data, coming)
            else:
                return
            job.fetch()
            coming = job.coming
        if link.state is State.READY and self._may_settle:
            self._settles = True
            link.send(Errand.SETTLE.value, Errand.SETTLE)
        elif link.state is State.READY:
            self.wants_report = True

    @property
    def _may_settle(self) -> bool:
        """Whether the end is to be waited for: M2 and M30 wait for it themselves."""
        job = self.job
        rests = job.is_check or job.ends_by_itself or job.failure is not None
        return not (self._settles or rests)

    def _say_alone(self, line: JobLine) -> bool:
        """Return whether it was said, or passed over."""
        if line.kind is Kind.DOLLAR and self.job.is_check:
            self.job.confirm(line)  # check mode takes none (error:8)
            return True
        if self._link.state is not State.READY:
            return False
        if line.kind is Kind.DOLLAR and not self._may_dollar:
            self.wants_report = True
            return False
        self._may_dollar = False
        self._link.send(line.data, line, alone=True)
        return True

    def report(self, state: str, now: float) -> Course:
        """Take in a fresh report of a machine at work; return how the job goes."""
        self.wants_report = False
        if self.job.is_check and not self._begun:
            self._begun = state == "Check"
            self.wants_report = not self._begun
            return self._owing(now) if not self._begun else Course.GOES
        if state not in {"Idle", "Check"}:
            self._moved_at = now
            return Course.GOES
        if self._link.in_flight:
            return self._owing(now)
        if self.job.coming is None:
            return Course.DONE
        self._may_dollar = state == "Idle"
        return Course.GOES

    def _owing(self, now: float) -> Course:
        oldest = self._link.oldest
        own_s = dwell_s(oldest) if isinstance(oldest, JobLine) else 0.0
        owing_s = now - self._moved_at - own_s
        if owing_s >= LOST_S:
            return Course.LOST
        return Course.OWES if owing_s >= OWES_S else Course.GOES

    @property
    def owing(self) -> str:
        """What the machine owes, for people."""
        oldest = self._link.oldest
        if isinstance(oldest, JobLine):
            which = f"line {oldest.line} ({oldest.text})"
        else:
            which = "its end" if oldest is Errand.SETTLE else "check mode"
        return f"the machine is alive and idle, but has not confirmed {which}"
