"""The life of a job: one table of states, and how a machine's events change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from fabctl.errors import LocalError
from fabctl.model.event import EventKind, MachineEvent
from fabctl.model.texts import Text, text


class JobState(StrEnum):
    """Where a job is."""

    PREPARED = "prepared"
    """The file is checked and stored; nothing was sent."""
    STARTING = "starting"
    """The machine was asked; it has not said yet that it began."""
    UNANSWERED = "unanswered"
    """The machine never answered, or the staff released it from a job that it never ended.

    Shown as failed; only the machine's own word can still change it.
    """
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """The machine's process died while the job ran."""
    WITHDRAWN = "withdrawn"
    """Never started, and not wanted any more."""


class Step(StrEnum):
    """What moves a job on. The second half is the machine's word, and the machine is right."""

    ASK = "ask"
    REFUSE = "refuse"
    GIVE_UP = "give-up"
    RELEASE = "release"
    WITHDRAW = "withdraw"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    FINISH = "finish"
    STOP = "stop"
    FAIL = "fail"
    INTERRUPT = "interrupt"


ENDED = frozenset(
    {
        JobState.FINISHED,
        JobState.STOPPED,
        JobState.FAILED,
        JobState.INTERRUPTED,
        JobState.WITHDRAWN,
    }
)
"""States that nothing leaves."""

ON_MACHINE = frozenset({JobState.STARTING, JobState.RUNNING, JobState.PAUSED})
"""States in which the job's use is open."""

SAID_BY_MACHINE: Mapping[EventKind, Step] = {
    EventKind.JOB_STARTED: Step.START,
    EventKind.JOB_PAUSED: Step.PAUSE,
    EventKind.JOB_RESUMED: Step.RESUME,
    EventKind.JOB_FINISHED: Step.FINISH,
    EventKind.JOB_STOPPED: Step.STOP,
    EventKind.JOB_FAILED: Step.FAIL,
    EventKind.JOB_INTERRUPTED: Step.INTERRUPT,
}

_BY_MACHINE: Mapping[Step, JobState] = {
    Step.START: JobState.RUNNING,
    Step.PAUSE: JobState.PAUSED,
    Step.RESUME: JobState.RUNNING,
    Step.FINISH: JobState.FINISHED,
    Step.STOP: JobState.STOPPED,
    Step.FAIL: JobState.FAILED,
    Step.INTERRUPT: JobState.INTERRUPTED,
}

NEXT: Mapping[tuple[JobState, Step], JobState] = {
    # What the machine says happened, from wherever the record stands: an event may be late,
    # or the one before it may come after it.
    **{(at, step): to for at in JobState if at not in ENDED for step, to in _BY_MACHINE.items()},
    **{(at, step): at for at in ENDED for step in _BY_MACHINE},
    # What people and the steward do.
    (JobState.PREPARED, Step.ASK): JobState.STARTING,
    (JobState.STARTING, Step.REFUSE): JobState.PREPARED,
    (JobState.STARTING, Step.GIVE_UP): JobState.UNANSWERED,
    **{(at, Step.RELEASE): JobState.UNANSWERED for at in ON_MACHINE},
    (JobState.PREPARED, Step.WITHDRAW): JobState.WITHDRAWN,
}
"""Every step that is possible; a missing pair is an error."""


def after(state: JobState, step: Step) -> JobState:
    """Return the state that follows.

    :raises LocalError: this step is not possible from there.
    """
    following = NEXT.get((state, step))
    if following is None:
        raise LocalError(f"a job that is {state} cannot {step}")
    return following


@dataclass(frozen=True, slots=True)
class JobProgress:
    """What the record knows of a job's run."""

    state: JobState
    started_at: datetime | None = None
    ended_at: datetime | None = None
    line: int | None = None
    trouble: str | None = None
    reason: str | None = None
    boot: str | None = None
    seq: int = -1
    """Of the newest event that was applied."""


def applied(job: JobProgress, event: MachineEvent, at: datetime) -> JobProgress:
    """Return what the record knows after one more event, in whatever order events come.

    :param at: when it happened, by a clock that is known to be right.

    An end is kept for ever. A job's events come from one boot, except its interruption; an
    event with a lower number than one already applied only fills in what was missing.
    """
    if event.kind not in SAID_BY_MACHINE:
        return job
    step = SAID_BY_MACHINE[EventKind(event.kind)]
    if step is Step.START and (job.started_at is None or at < job.started_at):
        job = replace(job, started_at=at)
    to = after(job.state, step)
    if job.state in ENDED or (to not in ENDED and not _is_newer(job, event)):
        return job
    return replace(
        job,
        state=to,
        ended_at=at if to in ENDED else None,
        line=_known(event.line, job.line),
        trouble=event.trouble,
        reason=event.reason,
        boot=event.boot,
        seq=event.seq,
    )


def _is_newer(job: JobProgress, event: MachineEvent) -> bool:
    return event.boot != job.boot or event.seq > job.seq


def _known(new: int | None, old: int | None) -> int | None:
    return old if new is None else new


_TROUBLES: Mapping[str, Text] = {
    "cable-lost": text("The connection to the machine was lost."),
    "controller-reset": text("The machine's controller restarted in the middle of the job."),
    "no-answer": text("The machine's controller stopped answering."),
    "firmware-halted": text("The machine's controller stopped itself because of a fault."),
    "too-many-resends": text("The connection to the machine is too noisy."),
    "protocol": text("The machine's controller said something unexpected."),
    "file-unreadable": text("The file could not be read any more."),
    "disk-full": text("The disk of the machine's computer is full: tell the staff."),
    "line-refused": text("The machine's controller refused a line of the file."),
    "interrupted": text("The program that drives the machine was interrupted."),
    "interlock": text("The machine's interlock ended the job."),
    "start-unanswered": text("The machine did not answer the request to start."),
    "released": text("The staff released the machine. It had not said how the job ended."),
}
_NOT_NAMED = text("Something went wrong that has no name yet.")


def trouble_text(code: str) -> Text:
    """Return a trouble's code (``fabctl.ports.Trouble`` and our own) in plain words."""
    return _TROUBLES.get(code, _NOT_NAMED)


START_UNANSWERED = "start-unanswered"
RELEASED = "released"
