"""The one job a machine has taken on, from its acceptance to its end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from fabctl.hosting.preparation import Ready
from fabctl.hosting.progress import Stopwatch, seconds_left, share_done
from fabctl.messaging.payloads import JobPayload, StartOrder
from fabctl.ports import JobEnded, JobProgress, Outcome, Trouble
from fabctl.units import Seconds

START_WITHIN = Seconds(600.0)
"""So long its file may be on its way and be checked. Whoever asked for the start has gone by then:
nothing moves hours later, because a network came back."""


@dataclass
class JobRun:
    """What is known of the running job."""

    order: StartOrder
    taken_on_at: Seconds = Seconds(0.0)
    """Monotonic."""
    ready: Ready | None = None
    """None while its file is being checked."""
    line: int = 0
    commands_done: int = 0
    resends: int = 0
    paused: bool = False
    tripped: str | None = None
    """Why the interlock had it paused, until it goes on: what ends before that did not finish."""
    tripped_at: int = 0
    """The file's line that was confirmed then."""
    went_on: list[str] = field(default_factory=list)
    """The trips that it went on from: line and reason, oldest first."""
    doomed: str | None = None
    """Why the interlock ended it."""
    watch: Stopwatch = field(default_factory=lambda: Stopwatch(Seconds(0.0)))

    def go_on(self) -> None:
        """Somebody beside the machine resumed it: its trip is over, and is told at the end."""
        if self.tripped is not None:
            self.went_on.append(f"line {self.tripped_at}: {self.tripped}")
        self.tripped = None

    def too_late(self, now: Seconds) -> str | None:
        """Return why it may not begin any more; None: it may."""
        waited = now - self.taken_on_at
        if waited <= START_WITHIN:
            return None
        return (
            f"Its file took {waited / 60:.0f} min until it was here and checked. "
            "Start it again, beside the machine."
        )

    @property
    def story(self) -> str | None:
        """Return what a finished job's end tells of its trips; None: there was none."""
        if not self.went_on:
            return None
        times = "" if len(self.went_on) == 1 else f" (the first of {len(self.went_on)} trips)"
        return f"It went on after a trip at {self.went_on[0]}{times}"

    @property
    def id(self) -> str:
        """The job's id."""
        return self.order.job

    def as_the_interlock_left_it(self, event: JobEnded) -> JobEnded:
        """A job that the interlock ended is a failure, whatever its last lines said; so is one
        whose last lines ran while it was tripped.
        """
        if event.job != self.id or event.outcome is Outcome.FAILED:
            return event
        why = self.doomed or (self.tripped if event.outcome is Outcome.FINISHED else None)
        if why is None:
            return event
        return replace(event, outcome=Outcome.FAILED, trouble=Trouble.INTERLOCK, reason=why)

    def reached(self, progress: JobProgress) -> None:
        """Take in what the firmware confirmed."""
        self.line = progress.line
        self.commands_done = progress.commands_done
        self.resends = progress.resends

    def payload(self, now: Seconds) -> JobPayload:
        """Return what is published about it."""
        done = share_done(self.commands_done, self.order.commands)
        return JobPayload(
            job=self.id,
            progress=done,
            line=min(self.line, self.order.lines),
            lines=self.order.lines,
            eta_s=seconds_left(self._time_over(done), self.watch.seconds(now), self._estimate),
        )

    @property
    def _estimate(self) -> float | None:
        return self.ready.estimate_s if self.ready else self.order.estimate_s

    def _time_over(self, done: float) -> float:
        if self.ready is None:
            return 0.0
        from fabctl.gcode.timeline import time_fraction  # noqa: PLC0415  # an idle machine has none

        return time_fraction(self.ready.time_table, done)
