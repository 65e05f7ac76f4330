"""The job a machine has taken on, and the hold after a failure: what must outlive the process.

Order matters and is the same everywhere: first the hold, then the event (both on the disk), then
the mark of the running job goes. A death in between tells an end twice, never not at all.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fabctl.clock import Clock
from fabctl.complaint import Complaint
from fabctl.errors import FabError
from fabctl.file_fetching import Source
from fabctl.hosting.job_run import JobRun
from fabctl.hosting.machine_reports import MachineReports
from fabctl.hosting.preparation import NotReady, Preparation, Prepared, Ready
from fabctl.hosting.running_mark import Hold, HoldFile, RunningMark
from fabctl.messaging.payloads import EventType, JobPayload, StartOrder
from fabctl.ports import Driver, JobEnded, JobProgress, MachineProfile, Outcome, Phase, Trouble

ENDED_AS = {
    Outcome.FINISHED: EventType.JOB_FINISHED,
    Outcome.STOPPED: EventType.JOB_STOPPED,
    Outcome.FAILED: EventType.JOB_FAILED,
}
MOST_REASON = 400


@dataclass(frozen=True, slots=True)
class MachineFolders:
    """Where this machine's files lie."""

    own: Path
    job_file: Callable[[str], Path]
    """Returns where an uploaded file lies, by its sha256."""
    elsewhere: Source | None = None
    """Who is asked for a file that is not on this computer."""


class JobKeeper:
    """Used by the machine's main thread only.

    :param wake: ends that thread's waiting; called from a preparation's thread.
    """

    def __init__(
        self,
        profile: MachineProfile,
        driver: Driver,
        reports: MachineReports,
        folders: MachineFolders,
        clock: Clock,
        log: Callable[[str], None],
        wake: Callable[[], None],
    ) -> None:
        self._profile = profile
        self._driver = driver
        self._reports = reports
        self._folders = folders
        self._clock = clock
        self._log = log
        self._wake = wake
        self._mark = RunningMark(folders.own)
        self._holds = HoldFile(folders.own)
        self._prepared: queue.SimpleQueue[Prepared] = queue.SimpleQueue()
        self._preparation: Preparation | None = None
        self._asked_by: dict[str, str | None] = {}
        self._unmark_when_kept = False
        self.job: JobRun | None = None

    @property
    def busy(self) -> bool:
        """Whether a job was taken on and has not ended."""
        return self.job is not None

    @property
    def hold(self) -> Hold | None:
        """Why a person must look at the machine; None: nobody must."""
        return self._holds.hold

    def payload(self) -> JobPayload:
        """Return what is published about the job."""
        return self.job.payload(self._clock.monotonic()) if self.job else JobPayload(None)

    def asked(self, verb: str, by: str | None) -> None:
        """Note who asked, for the event that will come of it.

        Not for a pause of what rests already, or comes to rest: nothing will come of that.
        """
        if verb != "pause" or self._driver.phase is Phase.RUNNING:
            self._asked_by[verb] = by

    def not_done(self, verb: str) -> None:
        """Forget who asked: nothing came of it."""
        self._asked_by.pop(verb, None)

    def tell_what_was_left_behind(self) -> None:
        """A process before us died while a job ran: nobody knows what the machine did since."""
        left = self._mark.left_behind()
        if left is None:
            return
        reason = f"fabctl's process for this machine died at line {left.line} of the job."
        self._log(Complaint(f"{reason} A person must look at the machine."))
        trouble = Trouble.INTERRUPTED.value
        self.hold_machine(Hold(trouble, reason, left.job, left.line))
        self._reports.event(
            EventType.JOB_INTERRUPTED,
            job=left.job, line=left.line, by=left.by, trouble=trouble, reason=reason,
        )  # fmt: skip
        self._unmark()

    # -- beginning -----------------------------------------------------------------------------

    def take_on(self, order: StartOrder) -> None:
        """Take a job on: from now on it has an end, and its file is being checked.

        :raises OSError: the mark cannot be written, or still stands for the job before, whose end
            is not on the disk; the job is not taken on.
        """
        if self._unmark_when_kept and not self._reports.all_kept:
            raise OSError("the end of the job before cannot be kept")
        self._mark.begin(order.job, order.name, order.by)
        self._unmark_when_kept = False
        self._asked_by = {"start": order.by}
        self.job = JobRun(order, self._clock.monotonic())
        source = self._folders.job_file(order.sha256)
        self._preparation = Preparation(
            order,
            self._profile,
            source,
            self._folders.own,
            self._put_down,
            self._folders.elsewhere,
        )
        self._preparation.begin()

    def _put_down(self, prepared: Prepared) -> None:
        """In the preparation's thread."""
        self._prepared.put(prepared)
        self._wake()

    def go_on(self, why_not: Callable[[], str | None]) -> None:
        """Start the job whose file has been checked, if there is one.

        :param why_not: says why the machine cannot start a job now; None when it can.
        """
        while not self._prepared.empty():
            prepared = self._prepared.get()
            if self.job is None or prepared.job != self.job.id or not self._preparation:
                continue
            self._preparation = None
            if isinstance(prepared.result, NotReady):
                self._could_not_start(prepared.result.reason, prepared.result.trouble)
            else:
                late = self.job.too_late(self._clock.monotonic())
                self._start(self.job, prepared.result, why_not() or late)

    def _start(self, job: JobRun, ready: Ready, why_not: str | None) -> None:
        if why_not is not None:  # the machine changed while the file was being checked
            self._could_not_start(why_not)
            return
        try:
            self._driver.start(ready.file)
        except FabError as error:
            self._could_not_start(str(error))
            return
        job.ready = ready
        job.watch.run(self._clock.monotonic())
        by = self._asked_by.get("start")
        self._reports.event(EventType.JOB_STARTED, job=job.id, commands=job.order.commands, by=by)

    def _could_not_start(self, reason: str, trouble: Trouble | None = None) -> None:
        assert self.job is not None  # noqa: S101  # callers have checked it
        self._reports.event(
            EventType.JOB_FAILED,
            job=self.job.id, line=0, reason=reason[:MOST_REASON],
            trouble=trouble.value if trouble else None,
        )  # fmt: skip
        self._forget_job()

    def give_up_preparing(self, reason: str | None = None) -> bool:
        """Stop a job that the driver has not begun; say whether there was one."""
        if self._preparation is None or self.job is None:
            return False
        self._preparation.cancel()
        self._preparation = None
        by = self._asked_by.pop("stop", None)
        self._reports.event(EventType.JOB_STOPPED, job=self.job.id, line=0, reason=reason, by=by)
        self._forget_job()
        return True

    # -- running -------------------------------------------------------------------------------

    def note_line(self) -> None:
        """Note the last confirmed line where it survives kill -9; after every pump."""
        if self.job is not None and self.job.ready is not None:
            self._mark.reached(self._driver.confirmed_line)

    def progressed(self, event: JobProgress) -> bool:
        """Take in what the firmware confirmed; say whether that was anything new."""
        if self.job is None or event.job != self.job.id:
            return False
        moved = event.commands_done > self.job.commands_done
        self.job.reached(event)
        return moved

    def phase_changed(self, phase: Phase) -> None:
        """Tell pauses and resumptions of the running job."""
        job = self.job
        if job is None or job.ready is None:
            return
        now, line = self._clock.monotonic(), self._driver.confirmed_line
        if phase is Phase.PAUSED and not job.paused:
            job.paused = True
            job.watch.hold(now)
            by = self._asked_by.pop("pause", None)
            self.not_done("resume")
            why = job.tripped
            self._reports.event(EventType.JOB_PAUSED, job=job.id, line=line, by=by, reason=why)
        elif phase is Phase.RUNNING and self._driver.phase is Phase.RUNNING:
            self.not_done("pause")  # it goes on instead
        if phase is Phase.RUNNING and job.paused:
            job.paused = False
            job.watch.run(now)
            by = self._asked_by.pop("resume", None)
            self._reports.event(EventType.JOB_RESUMED, job=job.id, line=line, by=by)

    def ended(self, event: JobEnded, stopped_because: str | None) -> None:
        """Tell a job's end; after a failure the machine is held."""
        event = self.job.as_the_interlock_left_it(event) if self.job is not None else event
        trouble = event.trouble.value if event.trouble else None
        stopped = event.outcome is Outcome.STOPPED
        by = self._asked_by.pop("stop", None) if stopped else None
        if event.outcome is Outcome.FAILED:
            why = event.reason or "The job failed in a way nobody can explain."
            self.hold_machine(Hold(trouble or Trouble.PROTOCOL.value, why, event.job, event.line))
        self._reports.event(
            ENDED_AS[event.outcome],
            job=event.job, line=event.line, commands=event.commands_done, resends=event.resends,
            seconds=round(event.seconds, 3), trouble=trouble, by=by,
            reason=stopped_because if stopped and stopped_because else self._why(event),
        )  # fmt: skip
        self._forget_job()

    def _why(self, event: JobEnded) -> str | None:
        """Return an end's reason; without one, the trips that the job went on from."""
        story = self.job.story if self.job is not None else None
        return event.reason or (story[:MOST_REASON] if story else None)

    def _forget_job(self) -> None:
        self.job = None
        self._unmark()

    # -- the hold ------------------------------------------------------------------------------

    def hold_machine(self, hold: Hold) -> None:
        """From now on a person must look at the machine, whatever happens to this process."""
        if self._holds.hold is not None:
            return
        try:
            self._holds.set(hold)
        except OSError as error:
            self._log(Complaint(f"that the machine is broken cannot be kept on the disk: {error}"))
        self._reports.event(
            EventType.MACHINE_BROKEN,
            job=hold.job, line=hold.line, trouble=hold.trouble, reason=hold.reason,
        )  # fmt: skip

    def clear(self, by: str | None) -> None:
        """A person looked at the machine. :raises OSError: the disk still holds the hold."""
        self._holds.clear()
        self._reports.event(EventType.MACHINE_CLEARED, by=by)

    def settle(self) -> None:
        """Take the mark away that waited for its job's end to be on the disk."""
        if self._unmark_when_kept and self._reports.all_kept:
            self._unmark()

    def _unmark(self) -> None:
        if self._holds.hold is not None and not self._holds.kept:
            return  # the mark alone would tell the next process that a person must look
        self._unmark_when_kept = not self._reports.all_kept
        if self._unmark_when_kept:
            return  # the mark alone would tell the next process that the job has ended
        try:
            self._mark.end()
        except OSError as error:
            self._log(Complaint(f"that the job is over cannot be kept on the disk: {error}"))

    def close(self) -> None:
        """Let go of the files; what they say stays."""
        self._mark.close()
