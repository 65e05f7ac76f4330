"""One printer behind a server, watched: messages and requests in, events and errands out. Pure.

The table of :mod:`stages` says what follows from a status; this adds what a status alone does
not tell: that it may be older than what was just asked, and errands that failed.
"""

from __future__ import annotations

from collections.abc import Mapping

from fabctl.errors import LocalError
from fabctl.ports import Connected, DriverEvent, JobFile, Outcome, Phase, Telemetry, Trouble
from fabctl.units import Seconds
from fabctl_drivers.octoprint.errands import Command, Errand, JobCommand, Upload
from fabctl_drivers.octoprint.own_job import SETTLE_S, OwnJob, Place
from fabctl_drivers.octoprint.showing import Silence
from fabctl_drivers.octoprint.stages import GOING_ON, NEXT, Heard, Stage, heard
from fabctl_drivers.octoprint.standing import Standing
from fabctl_drivers.octoprint.status import Message, Notice, NoticeKind, Status, Temperatures
from fabctl_drivers.octoprint.verdict import Verdict, verdict


class Watch:
    """Never asks for anything itself: :meth:`take_errands` says what is to be asked.

    :param prefix: how the names of this machine's files on the server begin.
    :param patience: s that a server may be silent while a job runs, > 0.
    """

    def __init__(self, prefix: str, patience: Seconds) -> None:
        self._at = Standing(prefix, patience)
        self._server: str | None = None
        self._said_connected = False

    # ---- what is known

    @property
    def stage(self) -> Stage:
        """Where the driver is with its printer."""
        return self._at.stage

    @property
    def job(self) -> OwnJob | None:
        """The job under way, None without one."""
        return self._at.job

    @property
    def phase(self) -> Phase:
        """What the driver is doing now."""
        return self._at.phase

    @property
    def is_at_rest(self) -> bool:
        """Whether there is no job of ours and nothing to be made safe."""
        is_owed = self.stage is Stage.FREE and self._at.upkeep.owes_heaters
        return self.job is None and not is_owed

    @property
    def has_events(self) -> bool:
        """Whether :meth:`take_events` has something to give."""
        return bool(self._at.events)

    @property
    def deadline(self) -> float:
        """When :meth:`tick` wants to be called next, on the monotonic clock; inf: no need."""
        return self._at.deadline

    def take_events(self) -> list[DriverEvent]:
        """Return what happened since the last call."""
        events, self._at.events = self._at.events, []
        return events

    def take_errands(self) -> list[Errand]:
        """Return what is to be asked of the server, in this order."""
        errands, self._at.errands = self._at.errands, []
        return errands

    def tick(self, now: float) -> None:
        """Do what is due."""
        self._at.tick(now)

    # ---- the connection

    def opened(self, server: str) -> None:
        """The server answered; its printer is not known yet, and is to be made safe."""
        self._server, self._said_connected = server, False
        self._at.silence = self._at.last = None
        self._at.upkeep.opened()
        self._at.go(Stage.BROKEN if self._at.broken else Stage.LOOKING)

    def closed(self, now: float) -> None:
        """We leave the server ourselves."""
        if self.job is not None:
            reason = "fabctl left before OctoPrint confirmed the stop"
            self._at.end(Verdict(Outcome.FAILED, Trouble.INTERRUPTED, reason), now)
        self._at.shut(None, None)

    def silent(self, reason: str, now: float, *, refused: bool) -> None:
        """The server did not answer, or refused our key: nothing is known until it is back."""
        if self.stage is Stage.CLOSED:
            return
        since = self._at.silence.since if self._at.silence else now
        self._at.silence = Silence(since, reason, refused)
        self._at.refresh()
        self.tick(now)

    def answered(self) -> None:
        """The server answered a poll: it is back, if it was gone."""
        if self._at.silence is not None:
            self._at.silence = None
            self._at.refresh()

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

    def _heard(self, status: Status, now: float) -> None:
        at, job = self._at, self.job
        at.last = status
        if at.to_cancel is not None and heard(status, at.to_cancel) in GOING_ON:
            at.errands.append(Command(JobCommand.CANCEL, at.to_cancel))
            at.to_cancel = None
        now_heard = heard(status, job.name if job else None)
        if job is not None:
            if job.is_stale(now_heard, now):
                return
            if now_heard in GOING_ON:
                at.events += job.progressed(status)
        if now_heard not in {Heard.UNKNOWN, Heard.DETACHED, Heard.FAULT}:
            self._say_connected()
        new = NEXT[self.stage, now_heard]
        if job is not None and new is Stage.ENDING:
            job.left(now_heard, status.error, now)
        at.go(new)
        self._act_on(now_heard, now)

    def _act_on(self, now_heard: Heard, now: float) -> None:
        job = self.job
        if job is None:
            self._at.keep_up(now)
            return
        if self.stage is Stage.SENDING and now_heard is Heard.READY:
            if job.accepted_at is not None and now >= job.accepted_at + SETTLE_S:
                job.ending_since = now  # a job so short that nobody saw it, or none at all
                self._at.go(Stage.ENDING)
        elif self.stage is Stage.STOPPING and now_heard in GOING_ON:
            self._cancel_again(job, now)
        if self.stage is Stage.ENDING:
            self._at.conclude(job, now)

    def _cancel_again(self, job: OwnJob, now: float) -> None:
        """A cancel that never reached the server is not forgotten."""
        if job.hints.asked_stop and not job.cancelling and now >= job.cancel_again_at:
            self._at.cancel(job, now)

    def _noticed(self, notice: Notice, now: float) -> None:
        job = self.job
        if job is None:
            return
        about_printer = notice.kind in {NoticeKind.RESET, NoticeKind.ERROR}
        if notice.path != job.name and not about_printer:
            return
        job.hints.note(notice)
        if job.hints.started > 1:
            self._at.end(verdict(job.hints), now)
        elif self.stage is Stage.ENDING:
            self._at.conclude(job, now)

    def _measured(self, heaters: Mapping[str, tuple[float | None, float | None]]) -> None:
        self._at.upkeep.heard_of(heaters)
        nozzle, nozzle_target = heaters.get("tool0", (None, None))
        bed, bed_target = heaters.get("bed", (None, None))
        values = {
            "nozzle_c": nozzle, "nozzle_target_c": nozzle_target,
            "bed_c": bed, "bed_target_c": bed_target,
        }  # fmt: skip
        self._at.events.append(Telemetry("temperatures", values))

    def _say_connected(self) -> None:
        if not self._said_connected:
            self._said_connected = True
            self._at.events.append(Connected(firmware=self._server))

    # ---- what the core asks

    def begin(self, file: JobFile, name: str, place: Place, now: float) -> None:
        """Send a file and have it printed.

        :raises LocalError: the printer is not free.
        """
        at = self._at
        if self.stage is not Stage.FREE or at.silence is not None:
            why = at.reason or f"the machine is {self.phase.value}"
            raise LocalError(f"“{file.name}” cannot start: {why}")
        before = at.last.resends if at.last else None
        at.job = OwnJob(file, name, place, began_at=now, resends_before=before or 0)
        at.upkeep.leave_heaters()
        at.upkeep.leave_files()
        at.errands.append(Upload(file.path, name))
        at.go(Stage.SENDING)

    def pause(self, now: float) -> None:
        """Pause our job. :raises LocalError: none runs."""
        job = self._need_job("pause")
        if self.stage in {Stage.PAUSING, Stage.PAUSED}:
            return
        if self.stage is not Stage.PRINTING:
            raise LocalError(f"the job cannot be paused now: it is {self.stage.value}")
        job.asked_pause = True
        self._at.ask(job, JobCommand.PAUSE, Stage.PAUSING, now)

    def resume(self, now: float) -> None:
        """Go on with our job. :raises LocalError: it is not paused."""
        job = self._need_job("resume")
        if self.stage is not Stage.PAUSED:
            raise LocalError("no job is paused")
        job.asked_pause = False
        self._at.ask(job, JobCommand.RESUME, Stage.PRINTING, now)

    def stop(self, now: float) -> None:
        """Cancel what is under way, ours or not, and switch the heaters off."""
        at, job = self._at, self.job
        at.upkeep.owe_heaters()
        if job is not None:
            job.hints.asked_stop = True
            if self.stage is Stage.ENDING:
                at.refresh()
            else:
                at.cancel(job, now)
                at.go(Stage.STOPPING)
        elif self.stage in {Stage.ELSEWHERE, Stage.BROKEN, Stage.LOOKING}:
            at.errands.append(Command(JobCommand.CANCEL, None))
        at.keep_up(now)

    def cleared(self, now: float) -> None:
        """A person looked at the printer, and the server says that it is ready."""
        if self.stage is Stage.BROKEN:
            self._at.broken = None
            self._at.upkeep.owe_heaters()
            self._at.look_again(now)

    def _need_job(self, what: str) -> OwnJob:
        if self.job is None:
            why = self._at.reason if self.stage is Stage.ELSEWHERE else None
            raise LocalError(f"there is nothing to {what}: {why or 'no job runs'}")
        return self.job

    # ---- how errands went

    def uploaded(self, *, prints: bool, now: float) -> None:
        """The server has the file."""
        job = self.job
        if job is None:
            return
        if prints:
            job.accepted_at = now
        elif not job.hints.asked_stop:
            self._at.refuse(job, "OctoPrint took the file but did not begin to print it", now)

    def upload_failed(self, reason: str, now: float, *, certain: bool) -> None:
        """The upload did not succeed.

        :param certain: the server said so; else it may have begun to print all the same, and
            its status tells.
        """
        job = self.job
        if job is None or job.hints.asked_stop:
            return
        if certain:
            self._at.refuse(job, reason, now)
        elif self.stage is Stage.SENDING:
            job.accepted_at = now
            job.hints.refused = reason

    def commanded(self, command: JobCommand, *, error: str | None) -> None:
        """The server did what was asked, or did not (``error``)."""
        job = self.job
        if job is not None and command is JobCommand.CANCEL:
            job.cancelling = False
        elif job is not None and error is not None:
            job.want(None, 0.0)
            job.asked_pause = False
        if error is not None and self._at.silence is None:
            self._at.show((self.phase, Trouble.PROTOCOL, error))

    def made_safe(self, now: float, *, error: str | None) -> None:
        """The heaters were switched off, or not."""
        self._at.upkeep.made_safe(now, error)
        self._at.refresh()

    def recorded(self, how: bool | None, now: float) -> None:  # an answer, not a switch
        """The server's history said how our print ended."""
        if self.job is not None and self.stage is Stage.ENDING:
            self.job.hints.recorded = how
            self._at.conclude(self.job, now)

    def swept(self, left: int, now: float) -> None:
        """Our files were removed, but for ``left`` of them."""
        if left and self.stage is Stage.FREE:
            self._at.upkeep.sweep_again(now)
