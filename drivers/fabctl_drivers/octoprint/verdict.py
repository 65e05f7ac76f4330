"""How a job on an OctoPrint server ended, from all that was heard about it. Pure.

Nothing is called finished that the server did not call done; what nobody can explain is a
failure. No reason names a person: reasons go out over MQTT.
"""

from __future__ import annotations

from dataclasses import dataclass

from fabctl.ports import Outcome, Trouble
from fabctl_drivers.octoprint.stages import Heard
from fabctl_drivers.octoprint.status import Notice, NoticeKind


@dataclass(slots=True)
class Hints:
    """What was heard about a job's end, in any order."""

    asked_stop: bool = False
    done: bool = False
    cancelled: bool = False
    failed: bool = False
    was_reset: bool = False
    started: int = 0
    error: str | None = None
    error_reason: str | None = None
    refused: str | None = None
    """Why the server did not take the file on."""
    left_for: Heard | None = None
    """The first status that was not about our file."""
    recorded: bool | None = None
    """What the server's history says of the file; None: nothing."""

    @property
    def decided(self) -> bool:
        """Whether there is nothing more to wait for."""
        told = self.done or self.cancelled or self.failed or self.error is not None
        return told or self.refused is not None or self.recorded is not None

    def note(self, notice: Notice) -> None:
        """Take in an event that is about our file, or about the printer while it printed it."""
        match notice.kind:
            case NoticeKind.STARTED:
                self.started += 1
            case NoticeKind.DONE:
                self.done = True
            case NoticeKind.CANCELLED:
                self.cancelled = True
            case NoticeKind.FAILED:
                self.failed = True
            case NoticeKind.RESET:
                self.was_reset = True
            case NoticeKind.ERROR:
                self.error = notice.error or "an error without a text"
                self.error_reason = notice.reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a job ended."""

    outcome: Outcome
    trouble: Trouble | None = None
    reason: str | None = None


_TROUBLES = {
    "firmware": Trouble.FIRMWARE_HALTED,
    "timeout": Trouble.NO_ANSWER,
    "connection": Trouble.CABLE_LOST,
    "resend": Trouble.TOO_MANY_RESENDS,
    "resend_loop": Trouble.TOO_MANY_RESENDS,
    "start_print": Trouble.FILE_UNREADABLE,
}
"""OctoPrint's reasons in its Error event; any other is a firmware that stopped."""


def verdict(hints: Hints) -> Verdict:
    """Return how the job ended; the first line that fits decides."""
    if hints.refused is not None:
        return Verdict(Outcome.FAILED, None, hints.refused)
    if hints.started > 1:
        reason = "somebody started the file over from its beginning on OctoPrint's own screen"
        return Verdict(Outcome.STOPPED, None, reason)
    if hints.done or (hints.recorded is True and not hints.failed and not hints.cancelled):
        return Verdict(Outcome.FINISHED)
    return _failure(hints) or _stop(hints) or _unexplained(hints)


def _failure(hints: Hints) -> Verdict | None:
    if hints.was_reset:
        reason = "the printer's controller was reset during the job"
        return Verdict(Outcome.FAILED, Trouble.CONTROLLER_RESET, reason)
    if hints.error is not None:
        trouble = _TROUBLES.get(hints.error_reason or "", Trouble.FIRMWARE_HALTED)
        return Verdict(Outcome.FAILED, trouble, f"OctoPrint stopped the job: {hints.error}")
    if hints.left_for is Heard.FAULT:
        reason = "OctoPrint stopped the job after an error of the printer"
        return Verdict(Outcome.FAILED, Trouble.FIRMWARE_HALTED, reason)
    return None


def _stop(hints: Hints) -> Verdict | None:
    if hints.asked_stop:
        return Verdict(Outcome.STOPPED)
    if hints.left_for is Heard.DETACHED:
        reason = "the printer was disconnected from OctoPrint during the job"
        return Verdict(Outcome.FAILED, Trouble.CABLE_LOST, reason)
    if hints.cancelled:
        return Verdict(Outcome.STOPPED, None, "the job was cancelled on OctoPrint's own screen")
    if hints.failed or hints.recorded is False:
        reason = "the job was cancelled on OctoPrint, by somebody or by the printer"
        return Verdict(Outcome.STOPPED, None, reason)
    return None


def _unexplained(hints: Hints) -> Verdict:
    if hints.left_for is Heard.OTHERS:
        reason = "another job was started on OctoPrint, and nobody knows how ours ended"
    else:
        reason = (
            "OctoPrint no longer prints the job and does not know how it ended; "
            "it may have been restarted"
        )
    return Verdict(Outcome.FAILED, Trouble.PROTOCOL, reason)
