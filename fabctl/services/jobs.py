"""Jobs: preparing one, and starting it in two steps around the request to the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import InputError, LocalError, UnknownIdError
from fabctl.gcode.report import Report
from fabctl.model import access as access_rules
from fabctl.model.certification import Standing
from fabctl.model.job import START_UNANSWERED, JobState, Step, after
from fabctl.model.people import Role
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import text
from fabctl.services import lookups
from fabctl.services.access import charged_to, held_now, may_use
from fabctl.services.audit import audit
from fabctl.services.certifications import standing_at
from fabctl.services.files import remember_file
from fabctl.services.newest_first import before
from fabctl.services.rights import is_staff
from fabctl.services.uses import close_use, open_use_of
from fabctl.store.ids import new_id
from fabctl.store.tables import Job, Use


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as the rest of the program sees it. ``person_id`` is not for public screens."""

    id: str
    resource_id: str
    person_id: str
    name: str
    state: str
    """One of JobState, but ``failed`` where the machine never answered, or was released."""
    sha256: str
    size: int
    lines: int
    commands: int
    estimate_s: float | None
    report: str
    """The preflight's report, JSON."""
    line: int | None
    """Last confirmed line that the record knows (1-based); a running job's is on MQTT."""
    trouble: str | None
    reason: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class StartOrder:
    """What to send to the machine, once the use is open and on record."""

    job: JobView
    use_id: str

    @property
    def body(self) -> Mapping[str, object]:
        """The body of the signed ``start`` request."""
        return {
            "job": self.job.id,
            "sha256": self.job.sha256,
            "size": self.job.size,
            "name": self.job.name,
            "lines": self.job.lines,
            "commands": self.job.commands,
            "estimate_s": self.job.estimate_s,
            "by": self.job.person_id,
            "use": self.use_id,
        }


def prepare(  # noqa: PLR0913  # what a job is, each thing by its name
    session: Session,
    clock: Clock,
    *,
    person_id: str,
    resource_id: str,
    name: str,
    path: Path,
    sha256: str,
    size: int,
    report: Report,
) -> JobView:
    """Put a checked and stored file on record as a job for a machine. Nothing is sent.

    :param path: the file in its place, ``files/<sha256>.gcode``; ``size`` in bytes.
    :raises InputError: the report says that the file must not run.
    :raises LocalError: the file is not there (any more): store it again.
    """
    if not report.ok:
        raise InputError("this file must not run on this machine")
    lookups.person(session, person_id)
    lookups.resource(session, resource_id)
    remember_file(session, clock, path=path, sha256=sha256, size=size, report=report)
    row = Job(
        id=new_id(),
        resource_id=resource_id,
        person_id=person_id,
        name=name,
        sha256=sha256,
        size=size,
        lines=report.lines,
        commands=report.commands,
        estimate_s=report.estimate_s,
        report=report.to_json(),
        state=JobState.PREPARED.value,
        seq=-1,
        created_at=clock.now(),
    )
    session.add(row)
    session.flush()
    details = {"resource": resource_id, "sha256": sha256}
    audit(session, clock, person_id, "job.prepared", f"job:{row.id}", details)
    return view(row)


def open_use(  # which job, by whom, and what the machine says
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    job_id: str,
    person_id: str,
    machine_state: str,
) -> StartOrder:
    """First step of a start: check everything, open the use, mark the job as starting.

    Send the order only after this transaction is kept; then call :func:`start_answered`.

    :raises RefusedError: every reason against it, ``machine-busy`` for the slower of two.
    """
    job = lookups.job(session, job_id, lock=True)
    found = may_use(
        session,
        clock,
        zone,
        person_id=person_id,
        resource_id=job.resource_id,
        machine_state=machine_state,
    )
    refusals = _not_this_job(job, person_id) + access_rules.unmet(found)
    if refusals:
        raise RefusedError(refusals)
    use = _sitting(session, job) or _open(session, clock, job)
    job.state = after(JobState(job.state), Step.ASK).value
    job.asked_at = clock.now()
    job.trouble = job.reason = None
    audit(session, clock, person_id, "job.start-asked", f"job:{job.id}", {"use": use.id})
    session.flush()
    return StartOrder(view(job), use.id)


def _sitting(session: Session, job: Job) -> Use | None:
    """Return the use without a job in which its person works just now."""
    query = select(Use).where(
        Use.resource_id == job.resource_id,
        Use.person_id == job.person_id,
        Use.job_id.is_(None),
        Use.closed_at.is_(None),
    )
    return session.scalars(query).first()


def _open(session: Session, clock: Clock, job: Job) -> Use:
    held = held_now(session, clock, person_id=job.person_id, resource_id=job.resource_id)
    use = Use(
        id=new_id(),
        resource_id=job.resource_id,
        person_id=job.person_id,
        account_id=charged_to(session, job.person_id, held),
        reservation_id=held.id if held else None,
        job_id=job.id,
        opened_at=clock.now(),
    )
    session.add(use)
    session.flush()
    return use


def _not_this_job(job: Job, person_id: str) -> list[Refusal]:
    refusals = [] if job.person_id == person_id else [_NOT_YOUR_JOB]
    return refusals if job.state == JobState.PREPARED else [*refusals, _ALREADY_STARTED]


_NOT_YOUR_JOB = Refusal(
    "not-your-job",
    text("This job belongs to somebody else."),
    text("Send the file again under your own name."),
)
_ALREADY_STARTED = Refusal(
    "job-already-started",
    text("This job has been started already."),
    text("To run it once more, send the file again."),
)


def start_answered(
    session: Session,
    clock: Clock,
    *,
    job_id: str,
    accepted: bool,
    code: str,
    reason: str | None,
) -> JobView:
    """Second step of a start: the machine's answer.

    A refusal closes the use and lets the job be started again. Once the machine has said yes,
    the sweep leaves the job alone: checking a big file takes longer than an answer may, and the
    machine tells how that ends. ``no-answer`` changes nothing: the machine may have begun, its
    own event or the sweep decides. Nor does an answer that comes after the machine's event.
    """
    job = lookups.job(session, job_id, lock=True)
    if accepted:
        job.asked_at = None
    if accepted or code == NO_ANSWER or job.state != JobState.STARTING:
        return view(job)
    job.state = after(JobState.STARTING, Step.REFUSE).value
    job.trouble, job.reason = code, reason
    close_use(session, open_use_of(session, job.id), at=clock.now(), outcome="refused")
    details = {"code": code, "reason": reason}
    audit(session, clock, job.person_id, "job.start-refused", f"job:{job.id}", details)
    session.flush()
    return view(job)


NO_ANSWER = "no-answer"


def withdraw(session: Session, clock: Clock, *, job_id: str, by: str | None) -> JobView:
    """Drop a job that was never started: its person does it, or the staff.

    :raises UnknownIdError: there is no such job, or it is not theirs.
    :raises LocalError: it was started.
    """
    job = lookups.job(session, job_id, lock=True)
    if job.person_id != by and not is_staff(session, by):
        raise UnknownIdError(f"there is no job {job_id!r} of theirs")
    job.state = after(JobState(job.state), Step.WITHDRAW).value
    job.ended_at = clock.now()
    audit(session, clock, by, "job.withdrawn", f"job:{job.id}")
    return view(job)


def may_control(session: Session, person_id: str | None, job_id: str, verb: str) -> bool:
    """Say whether somebody may pause, stop, resume or start a job.

    :param person_id: None when nobody is signed in.

    Anyone may pause and stop: that only takes away. Only the job's person starts it; that
    person and the staff resume it. Whose account, or certification on this machine, has been
    suspended since the start does not resume.
    """
    job = lookups.job(session, job_id)
    if verb in {"pause", "stop"}:
        return True
    if verb not in {"start", "resume"}:
        raise LocalError(f"a job has no verb {verb!r}")
    if person_id is None:
        return False
    if verb == "resume" and _is_suspended(session, person_id, job):
        return False
    if person_id == job.person_id:
        return True
    return verb == "resume" and Role(lookups.person(session, person_id).role).acts_for_others


def _is_suspended(session: Session, person_id: str, job: Job) -> bool:
    if lookups.own_account(session, person_id).suspended_at is not None:
        return True
    found = standing_at(session, person_id, job.resource_id, job.created_at)
    return found is Standing.SUSPENDED  # which has no end, so the moment does not matter


def get_job(session: Session, job_id: str) -> JobView:
    """Return one job.

    :raises UnknownIdError: there is none.
    """
    return view(lookups.job(session, job_id))


def jobs_of_person(
    session: Session,
    *,
    person_id: str,
    limit: int = 20,
    after: tuple[datetime, str] | None = None,
) -> list[JobView]:
    """Return a person's jobs, newest first.

    :param after: when and which the last one of the page before was.
    """
    query = select(Job).where(Job.person_id == person_id)
    if after is not None:
        query = query.where(before(Job.created_at, Job.id, after))
    query = query.order_by(Job.created_at.desc(), Job.id.desc())
    return [view(row) for row in session.scalars(query.limit(limit))]


def view(row: Job) -> JobView:
    """Return the view of a row."""
    unanswered = row.state == JobState.UNANSWERED
    return JobView(
        id=row.id,
        resource_id=row.resource_id,
        person_id=row.person_id,
        name=row.name,
        state=JobState.FAILED.value if unanswered else row.state,
        sha256=row.sha256,
        size=row.size,
        lines=row.lines,
        commands=row.commands,
        estimate_s=row.estimate_s,
        report=row.report,
        line=row.line,
        trouble=row.trouble or (START_UNANSWERED if unanswered else None),
        reason=row.reason,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )
