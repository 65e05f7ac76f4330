"""The record of what machines report: every event once, in whatever order it comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.event import INTERLOCK_PREFIX, EventKind, MachineEvent
from fabctl.model.job import (
    ENDED,
    ON_MACHINE,
    SAID_BY_MACHINE,
    JobProgress,
    JobState,
    Step,
    after,
    applied,
)
from fabctl.services.audit import NAMED, SAID_BY_MACHINES, audit
from fabctl.services.interlock_history import record_interlock_event
from fabctl.services.uses import add_ran, close_use, open_use_of
from fabctl.store.tables import InterlockEventRow, Job, MachineEventRow, Use
from fabctl.store.upsert import insert_unless_there

__all__ = ["MachineEvent", "is_its_turn", "record_event", "sweep_unanswered"]

ANSWER_WITHIN = timedelta(seconds=30)
"""How long a job may be starting before its use is closed."""
WORD_WITHIN = timedelta(minutes=2)
"""The same where nobody knows what the machine does: it may come back and say."""

_BODY = ("line", "commands", "resends", "seconds", "trouble", "reason", "by", "use")
_AUDITED = frozenset({*SAID_BY_MACHINE, EventKind.MACHINE_CLEARED, EventKind.REQUEST_REFUSED})


def record_event(session: Session, clock: Clock, event: MachineEvent) -> bool:
    """Record an event and apply it to its job and use, in one transaction.

    :return: False when it was recorded before; nothing is changed then.
    """
    if event.kind.startswith(INTERLOCK_PREFIX):
        return _record_interlock(session, clock, event)
    if not _insert(session, clock, event):
        return False
    job = _job_of(session, event)
    if job is not None:
        _apply(session, job, event, event.happened_at(clock.now()))
    if event.kind in _AUDITED:
        _audit(session, clock, event, job)
    session.flush()
    return True


def is_its_turn(session: Session, event: MachineEvent) -> bool:
    """Say whether the machine's event before this one is on record, or this one is already."""
    if event.after is None or _is_on_record(session, event.machine, *event.after):
        return True
    return _is_on_record(session, event.machine, event.boot, event.seq)


def _is_on_record(session: Session, machine: str, boot: str, seq: int) -> bool:
    for table in (MachineEventRow, InterlockEventRow):
        same = (table.machine == machine, table.boot == boot, table.seq == seq)
        if session.scalars(select(table.id).where(*same)).first() is not None:
            return True
    return False


def _record_interlock(session: Session, clock: Clock, event: MachineEvent) -> bool:
    if not record_interlock_event(session, clock, event):
        return False
    if event.kind == EventKind.INTERLOCK_RAN and event.use and (event.seconds or 0.0) > 0.0:
        add_ran(session, event.use, event.machine, event.seconds or 0.0)
    session.flush()
    return True


def _insert(session: Session, clock: Clock, event: MachineEvent) -> bool:
    said = asdict(event)
    values = {
        "machine": event.machine,
        "boot": event.boot,
        "seq": event.seq,
        "kind": event.kind,
        "at": event.at,
        "synced": event.synced,
        "recorded_at": clock.now(),
        "job_id": event.job,
        "body": {name: said[name] for name in _BODY if said[name] is not None},
    }
    return insert_unless_there(session, MachineEventRow, values)


def _job_of(session: Session, event: MachineEvent) -> Job | None:
    """Return the job's row, if the event's machine is the job's."""
    if event.job is None or event.kind not in SAID_BY_MACHINE:
        return None
    job = session.get(Job, event.job, with_for_update=True, populate_existing=True)
    return job if job is not None and job.resource_id == event.machine else None


def _apply(session: Session, job: Job, event: MachineEvent, at: datetime) -> None:
    new = applied(_progress(job), event, at)
    for name, value in asdict(new).items():
        setattr(job, name, value)
    job.state = new.state.value
    session.flush()
    if new.state in ENDED and new.ended_at is not None:
        close_use(session, _last_use(session, job), at=new.ended_at, outcome=new.state.value)
    elif new.state in ON_MACHINE:
        _reopen(session, job)


def _progress(job: Job) -> JobProgress:
    return JobProgress(
        state=JobState(job.state),
        started_at=job.started_at,
        ended_at=job.ended_at,
        line=job.line,
        trouble=job.trouble,
        reason=job.reason,
        boot=job.boot,
        seq=job.seq,
    )


def _last_use(session: Session, job: Job) -> Use | None:
    """Return the job's open use, else its latest: refused starts have left others."""
    newest_first = (Use.closed_at.is_not(None), Use.opened_at.desc())
    query = select(Use).where(Use.job_id == job.id).order_by(*newest_first).limit(1)
    return session.scalars(query).first()


def _reopen(session: Session, job: Job) -> None:
    """Open the use again that was closed without the machine's word: it has the job after all."""
    use = _last_use(session, job)
    taken = select(Use.id).where(Use.resource_id == job.resource_id, Use.closed_at.is_(None))
    if use is not None and use.closed_at is not None and session.scalars(taken).first() is None:
        use.closed_at = use.outcome = None
        session.flush()


def _audit(session: Session, clock: Clock, event: MachineEvent, job: Job | None) -> None:
    subject = f"job:{job.id}" if job else f"machine:{event.machine}"
    details = {
        "machine": event.machine,
        "boot": event.boot,
        "seq": event.seq,
        "line": event.line,
        "trouble": event.trouble,
        "reason": event.reason,
        NAMED: event.by,  # the desk has its own line of who asked
    }
    known = {name: value for name, value in details.items() if value is not None}
    audit(session, clock, None, f"{SAID_BY_MACHINES}{event.kind}", subject, known)


HasJob = Callable[[str, str], bool | None]
"""Says whether a machine (its id) has a job (its id) by its own word; None: it is silent."""


def sweep_unanswered(session: Session, clock: Clock, has_job: HasJob) -> list[str]:
    """Give up the starts that no machine answered within 30 s; return the jobs' ids.

    A machine that says that it has the job has answered: its "yes" was lost on the way. A silent
    one is waited for, 2 minutes at most. Shown as failed, and its use has ended by then, however
    late this is asked. If the machine speaks of the job later, its word counts.
    """
    late = select(Job).where(
        Job.state == JobState.STARTING.value, Job.asked_at <= clock.now() - ANSWER_WITHIN
    )
    given_up = []
    for job in session.scalars(late.with_for_update()).all():
        word = has_job(job.resource_id, job.id)
        if word:
            job.asked_at = None
            audit(session, clock, None, "job.start-found", f"job:{job.id}")
        elif word is False or _asked_before(job, clock.now() - WORD_WITHIN):
            _give_up(session, clock, job)
            given_up.append(job.id)
    session.flush()
    return given_up


def _asked_before(job: Job, moment: datetime) -> bool:
    return job.asked_at is not None and job.asked_at <= moment


def _give_up(session: Session, clock: Clock, job: Job) -> None:
    job.state = after(JobState.STARTING, Step.GIVE_UP).value
    waited = clock.now() if job.asked_at is None else min(clock.now(), job.asked_at + WORD_WITHIN)
    close_use(session, open_use_of(session, job.id), at=waited, outcome="unanswered")
    audit(session, clock, None, "job.start-unanswered", f"job:{job.id}")
