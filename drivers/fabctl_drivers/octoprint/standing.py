"""Where one printer stands: its stage, its job, what it is owed, and what that is worth telling.

Pure. :class:`Watch` takes messages and requests in; this is what they change.
"""

from __future__ import annotations

from fabctl.ports import DriverEvent, Outcome, Phase, PhaseChanged, Trouble
from fabctl.units import Seconds
from fabctl_drivers.octoprint.errands import AskHistory, Command, Errand, JobCommand
from fabctl_drivers.octoprint.own_job import SETTLE_S, OwnJob
from fabctl_drivers.octoprint.showing import Picture, Shown, Silence
from fabctl_drivers.octoprint.stages import GOING_ON, NEXT, Heard, Stage, heard
from fabctl_drivers.octoprint.upkeep import FOREVER, Upkeep
from fabctl_drivers.octoprint.verdict import Verdict, verdict

ASK_AGAIN_S = 0.5
_NEEDS_A_LOOK = {
    Trouble.FIRMWARE_HALTED, Trouble.CONTROLLER_RESET, Trouble.PROTOCOL, Trouble.INTERRUPTED,
    Trouble.TOO_MANY_RESENDS, Trouble.NO_ANSWER,
}  # fmt: skip


class Standing(Picture):
    """A picture that changes: every change is an event, every need an errand.

    :param patience: s that a server may be silent while a job runs, > 0.
    """

    def __init__(self, prefix: str, patience: Seconds) -> None:
        super().__init__(prefix)
        self._patience = patience
        self._told: Shown = (Phase.CLOSED, None, None)
        self.upkeep = Upkeep(prefix)
        self.to_cancel: str | None = None
        """A job whose stop never reached the server: cancelled as soon as it is seen again."""
        self.events: list[DriverEvent] = []
        self.errands: list[Errand] = []

    # ---- showing

    def go(self, stage: Stage) -> None:
        """Be in a stage, and tell it."""
        if stage is Stage.FREE and self.stage is not Stage.FREE:
            self.upkeep.owe_sweep()
        if stage is Stage.ELSEWHERE and self.stage is not Stage.ELSEWHERE:
            self.upkeep.leave_heaters()  # those heaters are somebody else's
        if stage is Stage.ENDING and self.stage is not Stage.ENDING:
            self.ran_out = self.stage in {Stage.SENDING, Stage.PRINTING}
        self.stage = stage
        self.refresh()

    def refresh(self) -> None:
        """Tell what is to be shown, if it changed."""
        self.show(self.shown(self.upkeep.unsafe))

    def show(self, shown: Shown) -> None:
        """Tell this, if it was not told last."""
        if shown != self._told:
            self._told = shown
            self.events.append(PhaseChanged(*shown))

    def shut(self, trouble: Trouble | None, reason: str | None) -> None:
        """Have nothing more to do with the server."""
        self.stage, self.silence = Stage.CLOSED, None
        self.upkeep.leave_heaters()
        self.upkeep.leave_files()
        self.errands.clear()
        self.show((Phase.CLOSED, trouble, reason))

    # ---- time

    @property
    def silent_until(self) -> float:
        """When a silent server is given up; inf: it is not silent."""
        if self.silence is None:
            return FOREVER
        return self.silence.since + self.silence.patience(self._patience if self.job else None)

    @property
    def deadline(self) -> float:
        """When :meth:`tick` wants to be called next, on the monotonic clock; inf: no need."""
        times = [self.silent_until]
        if self.stage is Stage.FREE and self.silence is None:
            times.append(self.upkeep.deadline)
        if self.job is not None and self.stage is Stage.ENDING:
            times.append(self.job.ask_at)
        return min(times)

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self.silence and now >= self.silent_until:
            self._give_up(self.silence, now)
        if self.job is not None and self.stage is Stage.ENDING and now >= self.job.ask_at:
            self.conclude(self.job, now)
        self.keep_up(now)

    def keep_up(self, now: float) -> None:
        """Have done what a free printer is owed."""
        if self.stage is Stage.FREE and self.silence is None:
            self.errands += self.upkeep.take_due(now)

    def _give_up(self, silence: Silence, now: float) -> None:
        if self.job is not None:
            if self.job.hints.asked_stop:
                self.to_cancel = self.job.name
            reason = f"{silence.reason}; the job may still be printing: look at the machine"
            failed = Verdict(Outcome.FAILED, silence.trouble, reason)
            self.end(Verdict(Outcome.FINISHED) if self.job.hints.done else failed, now)
        self.shut(silence.trouble, silence.reason)

    # ---- the job

    def ask(self, job: OwnJob, command: JobCommand, new: Stage, now: float) -> None:
        """Pause or resume it."""
        job.want(new, now)
        self.errands.append(Command(command, job.name))
        self.go(new)

    def cancel(self, job: OwnJob, now: float) -> None:
        """Cancel it, now or again."""
        job.want(None, now)
        job.cancelling, job.cancel_again_at = True, now + SETTLE_S
        self.errands.append(Command(JobCommand.CANCEL, job.name))

    def refuse(self, job: OwnJob, reason: str, now: float) -> None:
        """End a job that the server did not take on."""
        job.hints.refused = reason
        self.end(verdict(job.hints), now)

    def conclude(self, job: OwnJob, now: float) -> None:
        """End the job once the server no longer prints it and it is known how it ended."""
        last = heard(self.last, job.name) if self.last else Heard.UNKNOWN
        if last in GOING_ON or self.silence is not None:
            job.ask_at = now + ASK_AGAIN_S
        elif job.knows_its_end(now):
            self.end(verdict(job.hints), now)
        elif now >= job.ask_at:
            job.ask_at = now + ASK_AGAIN_S
            self.errands.append(AskHistory(job.name))

    def end(self, how: Verdict, now: float) -> None:
        """Tell how the job ended. Only with a job."""
        job = self.job
        assert job is not None  # noqa: S101  # callers have checked it
        self.job = None
        self.events += job.ended(how, now)
        if how.outcome is not Outcome.FINISHED:
            self.upkeep.owe_heaters()
        self.upkeep.owe_sweep()
        if how.outcome is Outcome.FAILED and how.trouble in _NEEDS_A_LOOK:
            self.broken = (how.trouble, how.reason)
            self.go(Stage.BROKEN)
        else:
            self.look_again(now)

    def look_again(self, now: float) -> None:
        """Without a job: show what the printer did last."""
        shown = heard(self.last, None) if self.last else Heard.UNKNOWN
        self.stage = Stage.LOOKING
        self.go(NEXT[Stage.LOOKING, shown])
        self.keep_up(now)
