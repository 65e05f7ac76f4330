"""One printer behind a server, watched: messages and requests in, events and errands out. Pure.

The table of :mod:`status` says what follows from a status; this adds time (patience, errands
that failed, statuses that are older than what was just asked) and the end of a job.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabctl.errors import LocalError
from fabctl.ports import (
    Connected,
    DriverEvent,
    JobFile,
    Outcome,
    Phase,
    PhaseChanged,
    Telemetry,
    Trouble,
)
from fabctl.units import Seconds
from fabctl_drivers.octoprint.errands import (
    AskHistory,
    Command,
    Errand,
    HeatersOff,
    JobCommand,
    Sweep,
    Upload,
)
from fabctl_drivers.octoprint.own_job import SETTLE_S, OwnJob, Place
from fabctl_drivers.octoprint.status import (
    GOING_ON,
    NEXT,
    PHASES,
    Heard,
    Message,
    Notice,
    NoticeKind,
    Printer,
    Stage,
    Status,
    Temperatures,
    heard,
)
from fabctl_drivers.octoprint.verdict import Verdict, verdict

ASK_AGAIN_S = 0.5
SWEEP_AGAIN_S = 60.0
REFUSED_PATIENCE_S = 10.0
SILENCE_WITHOUT_JOB_S = 3.0
FOREVER = float("inf")


NO_PRINTER = "OctoPrint is not connected to its printer: connect it on OctoPrint's own screen"
NOT_UNDERSTOOD = "OctoPrint says something about its printer that fabctl does not know"
NOT_OURS = "printing a job that was started elsewhere"
LEFT_OVER = "printing a job that an earlier fabctl started and no longer counts"
PAUSED_THERE = "paused on OctoPrint's own screen, by the printer or by the file itself"


@dataclass(slots=True)
class Silence:
    """The server cannot be asked: since when, and why."""

    since: float
    reason: str
    refused: bool

    @property
    def trouble(self) -> Trouble:
        """The code that screens turn into words."""
        return Trouble.PROTOCOL if self.refused else Trouble.NO_ANSWER

    def patience(self, with_job: float | None) -> float:
        """Return how long to wait for the server, in s.

        :param with_job: the machine's setting while a job runs; None without a job.
        """
        if self.refused:
            return 0.0 if with_job is None else min(REFUSED_PATIENCE_S, with_job)
        return SILENCE_WITHOUT_JOB_S if with_job is None else with_job


class Watch:
    """Never asks for anything itself: :meth:`take_errands` says what is to be asked.

    :param prefix: how the names of this machine's files on the server begin.
    :param patience: s that a server may be silent while a job runs, > 0.
    """

    def __init__(self, prefix: str, patience: Seconds) -> None:
        self._prefix = prefix
        self._patience = patience
        self.stage = Stage.CLOSED
        self._shown: tuple[Stage, Trouble | None, str | None] = (Stage.CLOSED, None, None)
        self._server: str | None = None
        self._said_connected = False
        self._job: OwnJob | None = None
        self._last: Status | None = None
        self._tools: tuple[str, ...] = ("tool0",)
        self._silence: Silence | None = None
        self._owes_safety = False
        self._safety_at = 0.0
        self._making_safe = False
        self._unsafe: str | None = None
        self._to_cancel: str | None = None
        """A job whose stop never reached the server: cancelled as soon as it is seen again."""
        self._broken: tuple[Trouble | None, str | None] | None = None
        """Why a person must look at the printer; a server that comes and goes changes nothing."""
        self._sweep_at = FOREVER
        self._events: list[DriverEvent] = []
        self._errands: list[Errand] = []

    # ---- what is known

    @property
    def job(self) -> OwnJob | None:
        """The job under way, None without one."""
        return self._job

    @property
    def phase(self) -> Phase:
        """What the driver is doing now."""
        return PHASES[self.stage]

    @property
    def is_at_rest(self) -> bool:
        """Whether there is no job of ours and nothing to be made safe."""
        return self._job is None and not (self.stage is Stage.FREE and self._owes_safety)

    @property
    def has_events(self) -> bool:
        """Whether :meth:`take_events` has something to give."""
        return bool(self._events)

    @property
    def deadline(self) -> float:
        """When :meth:`tick` wants to be called next, on the monotonic clock; inf: no need."""
        times = [self._silent_until]
        if self.stage is Stage.FREE and self._silence is None:
            times.append(self._sweep_at)
            if self._owes_safety and not self._making_safe:
                times.append(self._safety_at)
        if self._job is not None and self.stage is Stage.ENDING:
            times.append(self._job.ask_at)
        return min(times)

    def take_events(self) -> list[DriverEvent]:
        """Return what happened since the last call."""
        events, self._events = self._events, []
        return events

    def take_errands(self) -> list[Errand]:
        """Return what is to be asked of the server, in this order."""
        errands, self._errands = self._errands, []
        return errands

    # ---- the connection

    def opened(self, server: str) -> None:
        """The server answered; its printer is not known yet, and is to be made safe."""
        self._server, self._said_connected = server, False
        self._silence = self._last = self._unsafe = None
        self._owes_safety, self._safety_at, self._making_safe = True, 0.0, False
        self._go(Stage.BROKEN if self._broken else Stage.LOOKING)

    def closed(self, now: float) -> None:
        """We leave the server ourselves."""
        if self._job is not None:
            reason = "fabctl left before OctoPrint confirmed the stop"
            self._end(Verdict(Outcome.FAILED, Trouble.INTERRUPTED, reason), now)
        self._shut(None, None)

    def silent(self, reason: str, now: float, *, refused: bool) -> None:
        """The server did not answer, or refused our key: nothing is known until it is back."""
        if self.stage is Stage.CLOSED:
            return
        since = self._silence.since if self._silence else now
        self._silence = Silence(since, reason, refused)
        self._refresh()
        self.tick(now)

    @property
    def _silent_until(self) -> float:
        if self._silence is None:
            return FOREVER
        return self._silence.since + self._silence.patience(self._patience if self._job else None)

    # ---- what the server tells

    def hear(self, message: Message, now: float) -> None:
        """Take in one message."""
        if self.stage is Stage.CLOSED:
            return
        match message:
            case Status():
                self._heard(message, now)
            case Notice():
                self._noticed(message, now)
            case Temperatures():
                self._measured(message.heaters)
            case _:
                pass  # signing in again is the driver's own work

    def answered(self) -> None:
        """The server answered a poll: it is back, if it was gone."""
        if self._silence is not None:
            self._silence = None
            self._refresh()

    def _heard(self, status: Status, now: float) -> None:
        self._last = status
        if self._to_cancel is not None and heard(status, self._to_cancel) in GOING_ON:
            self._errands.append(Command(JobCommand.CANCEL, self._to_cancel))
            self._to_cancel = None
        job = self._job
        now_heard = heard(status, job.name if job else None)
        if job is not None:
            if job.is_stale(now_heard, now):
                return
            if now_heard in GOING_ON:
                self._events += job.progressed(status)
        if now_heard is not Heard.UNKNOWN and now_heard is not Heard.DETACHED:
            self._say_connected(now_heard)
        new = NEXT[self.stage, now_heard]
        if job is not None and new is Stage.ENDING:
            job.left(now_heard, status.error, now)
        self._go(new)
        self._act_on(now_heard, now)

    def _act_on(self, now_heard: Heard, now: float) -> None:
        job = self._job
        if job is None:
            self._when_free(now)
        elif self.stage is Stage.SENDING and now_heard is Heard.READY:
            if job.accepted_at is not None and now >= job.accepted_at + SETTLE_S:
                job.ending_since = now  # a job so short that nobody saw it, or none at all
                self._go(Stage.ENDING)
        elif self.stage is Stage.STOPPING and now_heard in GOING_ON:
            self._cancel_again(job, now)
        if self._job is not None and self.stage is Stage.ENDING:
            self._conclude(self._job, now)

    def _cancel_again(self, job: OwnJob, now: float) -> None:
        """A cancel that never reached the server is not forgotten."""
        if job.hints.asked_stop and not job.cancelling and now >= job.cancel_again_at:
            self._cancel(job, now)

    def _noticed(self, notice: Notice, now: float) -> None:
        job = self._job
        if job is None:
            return
        about_printer = notice.kind in {NoticeKind.RESET, NoticeKind.ERROR}
        if notice.path != job.name and not about_printer:
            return
        job.hints.note(notice)
        if job.hints.started > 1:
            self._end(verdict(job.hints), now)
        elif self.stage is Stage.ENDING:
            self._conclude(job, now)

    def _measured(self, heaters: Mapping[str, tuple[float | None, float | None]]) -> None:
        self._tools = tuple(sorted(n for n in heaters if n.startswith("tool"))) or ("tool0",)
        nozzle, nozzle_target = heaters.get("tool0", (None, None))
        bed, bed_target = heaters.get("bed", (None, None))
        values = {
            "nozzle_c": nozzle, "nozzle_target_c": nozzle_target,
            "bed_c": bed, "bed_target_c": bed_target,
        }  # fmt: skip
        self._events.append(Telemetry("temperatures", values))

    def _say_connected(self, now_heard: Heard) -> None:
        if not self._said_connected and now_heard is not Heard.FAULT:
            self._said_connected = True
            self._events.append(Connected(firmware=self._server))

    # ---- what the core asks

    def begin(self, file: JobFile, name: str, place: Place, now: float) -> None:
        """Send a file and have it printed.

        :raises LocalError: the printer is not free.
        """
        if self.stage is not Stage.FREE or self._silence is not None:
            why = self._reason() or f"the machine is {PHASES[self.stage].value}"
            raise LocalError(f"“{file.name}” cannot start: {why}")
        before = self._last.resends if self._last else None
        self._job = OwnJob(file, name, place, began_at=now, resends_before=before or 0)
        self._owes_safety, self._sweep_at = False, FOREVER
        self._errands.append(Upload(file.path, name))
        self._go(Stage.SENDING)

    def pause(self, now: float) -> None:
        """Pause our job. :raises LocalError: none runs."""
        job = self._need_job("pause")
        if self.stage in {Stage.PAUSING, Stage.PAUSED}:
            return
        if self.stage is not Stage.PRINTING:
            raise LocalError(f"the job cannot be paused now: it is {self.stage.value}")
        job.asked_pause = True
        self._ask(job, JobCommand.PAUSE, Stage.PAUSING, now)

    def resume(self, now: float) -> None:
        """Go on with our job. :raises LocalError: it is not paused."""
        job = self._need_job("resume")
        if self.stage is not Stage.PAUSED:
            raise LocalError("no job is paused")
        job.asked_pause = False
        self._ask(job, JobCommand.RESUME, Stage.PRINTING, now)

    def stop(self, now: float) -> None:
        """Cancel what is under way, ours or not, and switch the heaters off."""
        self._owes_safety, self._safety_at = True, 0.0
        job = self._job
        if job is not None:
            job.hints.asked_stop = True
            if self.stage is not Stage.ENDING:
                self._cancel(job, now)
                self._go(Stage.STOPPING)
        elif self.stage in {Stage.ELSEWHERE, Stage.BROKEN, Stage.LOOKING}:
            self._errands.append(Command(JobCommand.CANCEL, None))
        self._when_free(now)

    def cleared(self, now: float) -> None:
        """A person looked at the printer, and the server says that it is ready."""
        if self.stage is Stage.BROKEN:
            self._broken = None
            self._owes_safety, self._safety_at = True, 0.0
            self._look_again(now)

    def _need_job(self, what: str) -> OwnJob:
        if self._job is None:
            why = self._reason() if self.stage is Stage.ELSEWHERE else None
            raise LocalError(f"there is nothing to {what}: {why or 'no job runs'}")
        return self._job

    def _ask(self, job: OwnJob, command: JobCommand, new: Stage, now: float) -> None:
        job.want(new, now)
        self._errands.append(Command(command, job.name))
        self._go(new)

    def _cancel(self, job: OwnJob, now: float) -> None:
        job.want(None, now)
        job.cancelling, job.cancel_again_at = True, now + SETTLE_S
        self._errands.append(Command(JobCommand.CANCEL, job.name))

    # ---- how errands went

    def uploaded(self, *, prints: bool, now: float) -> None:
        """The server has the file."""
        job = self._job
        if job is None:
            return
        if prints:
            job.accepted_at = now
        elif not job.hints.asked_stop:
            self._refuse(job, "OctoPrint took the file but did not begin to print it", now)

    def upload_failed(self, reason: str, now: float, *, certain: bool) -> None:
        """The upload did not succeed.

        :param certain: the server said so; else it may have begun to print all the same, and
            its status tells.
        """
        job = self._job
        if job is None or job.hints.asked_stop:
            return
        if certain:
            self._refuse(job, reason, now)
        elif self.stage is Stage.SENDING:
            job.accepted_at = now
            job.hints.refused = reason

    def _refuse(self, job: OwnJob, reason: str, now: float) -> None:
        job.hints.refused = reason
        self._end(verdict(job.hints), now)

    def commanded(self, command: JobCommand, *, error: str | None) -> None:
        """The server did what was asked, or did not (``error``)."""
        job = self._job
        if job is not None and command is JobCommand.CANCEL:
            job.cancelling = False
        elif job is not None and error is not None:
            job.want(None, 0.0)
            job.asked_pause = False
        if error is not None and self._silence is None:
            self._show(Trouble.PROTOCOL, error)

    def made_safe(self, now: float, *, error: str | None) -> None:
        """The heaters were switched off, or not."""
        self._making_safe = False
        if error is None:
            self._owes_safety, self._unsafe = False, None
        else:
            self._safety_at = now + SETTLE_S
            self._unsafe = f"the heaters could not be switched off: {error}"
        self._refresh()

    def recorded(self, how: bool | None, now: float) -> None:  # an answer, not a switch
        """The server's history said how our print ended."""
        if self._job is not None and self.stage is Stage.ENDING:
            self._job.hints.recorded = how
            self._conclude(self._job, now)

    def swept(self, left: int, now: float) -> None:
        """Our files were removed, but for ``left`` of them."""
        if left and self.stage is Stage.FREE:
            self._sweep_at = now + SWEEP_AGAIN_S

    # ---- time

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self._silence and now >= self._silent_until:
            self._give_up(self._silence, now)
        job = self._job
        if job is not None and self.stage is Stage.ENDING and now >= job.ask_at:
            self._conclude(job, now)
        self._when_free(now)

    def _give_up(self, silence: Silence, now: float) -> None:
        trouble = silence.trouble
        if self._job is not None:
            reason = f"{silence.reason}; the job may still be printing: look at the machine"
            if self._job.hints.asked_stop:
                self._to_cancel = self._job.name
            if self._job.hints.done:
                self._end(Verdict(Outcome.FINISHED), now)
            else:
                self._end(Verdict(Outcome.FAILED, trouble, reason), now)
        self._shut(trouble, silence.reason)

    def _when_free(self, now: float) -> None:
        if self.stage is not Stage.FREE or self._silence is not None:
            return
        if self._owes_safety and not self._making_safe and now >= self._safety_at:
            self._making_safe = True
            self._errands.append(HeatersOff(self._tools))
        if now >= self._sweep_at:
            self._sweep_at = FOREVER
            self._errands.append(Sweep(self._prefix))

    # ---- the end of a job

    def _conclude(self, job: OwnJob, now: float) -> None:
        """End the job once the server no longer prints it and it is known how it ended."""
        last = heard(self._last, job.name) if self._last else Heard.UNKNOWN
        if last in GOING_ON or self._silence is not None:
            job.ask_at = now + ASK_AGAIN_S
            return
        if job.knows_its_end(now):
            self._end(verdict(job.hints), now)
        elif now >= job.ask_at:
            job.ask_at = now + ASK_AGAIN_S
            self._errands.append(AskHistory(job.name))

    def _end(self, how: Verdict, now: float) -> None:
        job = self._job
        assert job is not None  # noqa: S101  # callers have checked it
        self._job = None
        self._events += job.ended(how, now)
        if how.outcome is not Outcome.FINISHED:
            self._owes_safety, self._safety_at = True, 0.0
        self._sweep_at = 0.0
        unexplained = how.outcome is Outcome.FAILED and how.trouble in _NEEDS_A_LOOK
        if unexplained:
            self._broken = (how.trouble, how.reason)
            self._go(Stage.BROKEN)
        else:
            self._look_again(now)

    def _look_again(self, now: float) -> None:
        """Without a job: show what the printer did last."""
        shown = heard(self._last, None) if self._last else Heard.UNKNOWN
        self.stage = Stage.LOOKING
        self._go(NEXT[Stage.LOOKING, shown])
        self._when_free(now)

    # ---- showing

    def _go(self, stage: Stage) -> None:
        if stage is Stage.FREE and self.stage is not Stage.FREE:
            self._sweep_at = min(self._sweep_at, 0.0)
        if stage is Stage.ELSEWHERE and self.stage is not Stage.ELSEWHERE:
            self._owes_safety = False  # those heaters are somebody else's
        self.stage = stage
        self._refresh()

    def _refresh(self) -> None:
        if self._silence is not None:
            self._show(self._silence.trouble, self._silence.reason)
        elif self.stage is Stage.BROKEN and self._broken is not None:
            self._show(*self._broken)
        elif self.stage is Stage.FREE and self._unsafe is not None:
            self._show(Trouble.PROTOCOL, self._unsafe)
        else:
            self._show(None, self._reason())

    def _show(self, trouble: Trouble | None, reason: str | None) -> None:
        shown = (self.stage, trouble, reason)
        before, self._shown = self._shown, shown
        phase = PHASES[self.stage]
        if (PHASES[before[0]], *before[1:]) != (phase, trouble, reason):
            self._events.append(PhaseChanged(phase, trouble, reason))

    def _reason(self) -> str | None:
        match self.stage:
            case Stage.LOOKING if self._last:
                if self._last.printer is Printer.UNKNOWN:
                    return NOT_UNDERSTOOD
                return f"{NO_PRINTER} ({self._last.error})" if self._last.error else NO_PRINTER
            case Stage.ELSEWHERE:
                path = self._last.path if self._last else None
                return LEFT_OVER if path and path.startswith(self._prefix) else NOT_OURS
            case Stage.PAUSED if self._job and not self._job.asked_pause:
                return PAUSED_THERE
        return None

    def _shut(self, trouble: Trouble | None, reason: str | None) -> None:
        self.stage, self._silence = Stage.CLOSED, None
        self._owes_safety, self._sweep_at = False, FOREVER
        self._errands.clear()
        self._show(trouble, reason)


_NEEDS_A_LOOK = {
    Trouble.FIRMWARE_HALTED, Trouble.CONTROLLER_RESET, Trouble.PROTOCOL, Trouble.INTERRUPTED,
    Trouble.TOO_MANY_RESENDS, Trouble.NO_ANSWER,
}  # fmt: skip
