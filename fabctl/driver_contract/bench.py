"""What a check is given: a driver, a cable, and the ways that people and hosts go with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from fabctl.driver_contract.bench_calls import BenchCalls
from fabctl.driver_contract.job_text import job_file
from fabctl.driver_contract.results import (
    FailedError,
    NotApplicableError,
    NotReachedError,
    expect,
)
from fabctl.driver_contract.standin import AtPort
from fabctl.errors import FabError
from fabctl.ports import (
    DriverEvent,
    JobEnded,
    JobFile,
    MachineProfile,
    Phase,
    PhaseChanged,
    WatchedOnly,
)

Event = TypeVar("Event", bound=DriverEvent)
AT_REST = {Phase.CLOSED, Phase.IDLE, Phase.BROKEN}
UNDER_WAY = {Phase.RUNNING, Phase.PAUSING, Phase.PAUSED, Phase.STOPPING}


class Bench(BenchCalls):
    """One driver and the hand that works its cable."""

    # ---- what there is

    def of(self, kind: type[Event]) -> list[Event]:
        """Return the events of one kind, oldest first."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def reasons(self) -> str:
        """Why the phase changed, for a message."""
        return "; ".join(e.reason for e in self.of(PhaseChanged) if e.reason) or "no reason told"

    @property
    def only_watches(self) -> bool:
        """Whether this driver sends nothing to its machine."""
        return isinstance(self.made(), WatchedOnly)

    @property
    def may_move(self) -> bool:
        """Whether a driver with faults may move the machine: no real one without a person's job."""
        return not isinstance(self.standin, AtPort) or bool(self.standin.job)

    def sends_files(self) -> None:
        """Go on if this driver takes jobs.

        :raises NotApplicableError: it only watches.
        """
        if self.only_watches:
            raise NotApplicableError("this driver sends nothing to its machine")

    # ---- longer ways

    def pump_for(self, seconds: float) -> None:
        """Pump for so long."""
        end = self.clock.monotonic() + seconds
        while (left := end - self.clock.monotonic()) > 0:
            if self.phase is Phase.CLOSED:
                self.nap(min(left, 0.05))
            else:
                self.pump(min(left, 0.1))

    def until_held(self) -> None:
        """Pump until the driver holds its end of the cable, or for the usual silence."""
        end = self.clock.monotonic() + self.limits.silence
        while not self.cable.is_held and self.clock.monotonic() < end:
            self.pump()

    def until(self, holds: Callable[[], bool], what: str, within: float) -> None:
        """Pump until something holds.

        :raises FailedError: it does not, in time.
        """
        end = self.clock.monotonic() + within
        while not holds():
            told = self.events[-1] if self.events else "nothing"
            expect(
                self.clock.monotonic() < end,
                f"not within {within:g} s: {what}; it is {self.phase}, told last: {told}",
            )
            self.pump()
            if self.phase is Phase.CLOSED:
                self.nap(0.05)

    def connect(self) -> None:
        """Open, and wait until the machine is idle; a broken one is cleared, as a person would.

        :raises NotReachedError: it does not become idle.
        """
        try:
            self.open()
            self.until(lambda: self.phase in AT_REST | {Phase.RUNNING}, "ready", self.limits.ready)
            if self.phase is Phase.RUNNING:
                self.ask("stop")
                self.until(lambda: self.phase in AT_REST, "stopped", self.limits.ready)
            if self.phase is Phase.BROKEN:
                self.clear()
            self.until(lambda: self.phase is Phase.IDLE, "idle", self.limits.ready)
        except (FailedError, FabError) as error:
            raise NotReachedError(f"the machine did not become idle: {error}") from error
        self.pump(0.0)
        self.event_witness.phase_told(self._told(), self.phase)

    def start(self, text: str) -> JobFile:
        """Connect if need be, and start a job of this text.

        :raises NotApplicableError: there is no such job, or this driver takes none.
        """
        self.sends_files()
        if not text:
            raise NotApplicableError("no job was given to try it with")
        if self.phase is Phase.CLOSED:
            self.connect()
        job = self.job(text)
        try:
            self.ask("start", job)
        except FabError as error:
            raise NotReachedError(f"the job was not taken: {error}") from error
        return job

    def job(self, text: str) -> JobFile:
        """Write a job's file."""
        job = job_file(self.folder, text)
        self.event_witness.given(job)
        return job

    def start_and_wait(self, text: str) -> JobFile:
        """Start a job and wait until some of it is confirmed.

        :raises NotReachedError: it ended before that.
        """
        job = self.start(text)
        self.until(lambda: self.line >= 1 or bool(self.ends(job)), "progress", self.limits.job)
        if self.ends(job):
            raise NotReachedError(f"the job ended at once: {self.ends(job)[0]}")
        return job

    def ends(self, job: JobFile) -> list[JobEnded]:
        """Return the ends of a job that were told."""
        return [event for event in self.of(JobEnded) if event.job == job.id]

    def until_ended(self, job: JobFile, within: float | None = None) -> JobEnded:
        """Wait for a job's end.

        :raises FailedError: it does not come.
        """
        self.until(lambda: bool(self.ends(job)), "the end of the job", within or self.limits.job)
        return self.ends(job)[0]

    def refuses(self, kinds: tuple[type[FabError], ...], name: str, *arguments: Any) -> None:
        """See that a request is refused, and how.

        :raises FailedError: it is taken, or refused with another error.
        """
        wanted = " or ".join(kind.__name__ for kind in kinds)
        try:
            self.ask(name, *arguments)
        except kinds:
            return
        except FabError as error:
            raise FailedError(f"{name}() raised {type(error).__name__}, not {wanted}") from error
        raise FailedError(f"{name}() was taken in phase {self.phase}; {wanted} was due")

    def _told(self) -> Phase:
        changes = self.of(PhaseChanged)
        return changes[-1].phase if changes else Phase.CLOSED


def without_port(profile: MachineProfile) -> MachineProfile:
    """Return the profile of a machine whose port somebody forgot."""
    return replace(profile, port=None)
