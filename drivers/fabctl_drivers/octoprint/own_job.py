"""The job that this driver started on a server: its progress, its hints, its end. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from fabctl.ports import DriverEvent, JobEnded, JobFile, JobProgress, Outcome
from fabctl.units import Seconds
from fabctl_drivers.octoprint.stages import GOING_ON, Heard, Stage
from fabctl_drivers.octoprint.status import Status
from fabctl_drivers.octoprint.verdict import Hints, Verdict

SETTLE_S = 3.0
"""So long after a request a status may still be older than it."""
RECORD_PATIENCE_S = 5.0
"""So long after a print the server may take to write down how it ended."""
STOP_PATIENCE_S = 1.0
"""The same after we stopped it ourselves: the only question is whether it was done before."""
WHOLE_FILE = 1 << 62

_SETTLED: Mapping[Stage, tuple[Heard, ...]] = MappingProxyType(
    {
        Stage.PAUSING: (Heard.OURS_PAUSING, Heard.OURS_PAUSED, Heard.OURS_CANCELLING),
        Stage.PRINTING: (Heard.OURS_PRINTING, Heard.OURS_CANCELLING),
    }
)


class Place(Protocol):
    """Finds lines by bytes; see :class:`fabctl_drivers.octoprint.place.FilePlace`."""

    @property
    def position(self) -> int:
        """Bytes of the lines counted so far."""

    def at(self, position: int) -> tuple[int, int]:
        """Return (lines, commands) that end at or before this byte."""


@dataclass(slots=True)
class OwnJob:
    """A job from its upload to its end; times in s on the monotonic clock."""

    file: JobFile
    name: str
    """Of the file in the server's storage."""
    place: Place
    began_at: float
    resends_before: int = 0
    hints: Hints = field(default_factory=Hints)
    line: int = 0
    commands: int = 0
    resends: int = 0
    accepted_at: float | None = None
    """When the server said that it prints the file."""
    wanted: Stage | None = None
    """What was asked last, pausing or printing, until a status shows it."""
    settle_until: float = 0.0
    asked_pause: bool = False
    cancelling: bool = False
    """A cancel is on its way to the server."""
    cancel_again_at: float = 0.0
    ending_since: float | None = None
    ask_at: float = 0.0

    def is_stale(self, now_heard: Heard, now: float) -> bool:
        """Whether a status may be older than what we asked for."""
        if now_heard is Heard.READY and self.cancelling:
            return True  # the server answers the cancel first
        if self.wanted is None or now_heard not in GOING_ON:
            return False
        if now >= self.settle_until or now_heard in _SETTLED[self.wanted]:
            self.wanted = None
            return False
        return True

    def want(self, stage: Stage | None, now: float) -> None:
        """Note what was asked; None: nothing that a status has to show first."""
        self.wanted, self.settle_until = stage, now + SETTLE_S

    def progressed(self, status: Status) -> list[DriverEvent]:
        """Take in how far the server is; return what that is worth telling."""
        self.hints.refused = None  # whatever was answered: it is being printed
        if status.resends is not None:
            if status.resends < self.resends_before:
                self.resends_before = 0  # the server began to count anew
            self.resends = max(self.resends, status.resends - self.resends_before)
        line, commands = self.place.at(status.position or 0)
        if commands <= self.commands:
            return []
        self.line, self.commands = line, min(commands, self.file.commands)
        return [self._step()]

    def left(self, now_heard: Heard, error: str | None, now: float) -> None:
        """The server shows something else than our job, for the first time or again."""
        self.ending_since = self.ending_since or now
        if now_heard in GOING_ON or now_heard is Heard.UNKNOWN:
            return
        self.hints.left_for = self.hints.left_for or now_heard
        if now_heard is Heard.FAULT:
            self.hints.error = self.hints.error or error

    def knows_its_end(self, now: float) -> bool:
        """Whether it is time for a verdict: all is known, or nothing more will be."""
        patience = STOP_PATIENCE_S if self.hints.asked_stop else RECORD_PATIENCE_S
        return self.hints.decided or now >= (self.ending_since or now) + patience

    def ended(self, how: Verdict, now: float) -> list[DriverEvent]:
        """Return the end to tell."""
        events: list[DriverEvent] = []
        if how.outcome is Outcome.FINISHED:
            self.place.at(WHOLE_FILE)
            is_news = self.commands < self.file.commands
            self.line, self.commands = self.file.lines, self.file.commands
            events += [self._step()] if is_news else []
        seconds = Seconds(now - self.began_at)
        events.append(
            JobEnded(
                self.file.id, how.outcome, self.line, self.commands, self.place.position,
                self.resends, seconds, how.trouble, how.reason,
            )
        )  # fmt: skip
        return events

    def _step(self) -> JobProgress:
        return JobProgress(self.file.id, self.line, self.commands, self.resends)
