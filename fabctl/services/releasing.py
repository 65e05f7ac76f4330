"""The way out when a machine will never say how its job ended: the staff release it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import InputError
from fabctl.model.job import RELEASED, JobState, Step, after
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.jobs import JobView, view
from fabctl.services.rights import require_staff
from fabctl.services.uses import close_use, open_use_of


def release(session: Session, clock: Clock, *, job_id: str, reason: str, by: str | None) -> JobView:
    """Close the open use of a job whose machine fell silent for good; the job counts as failed.

    Only the record changes: nothing is sent, and a machine that still works goes on. Whoever
    asks for this has looked at it. If it speaks of the job later, its word counts: its end
    replaces this one, and a sign of life opens the use again while nobody else has the machine.

    :param reason: why, in a few words of the staff.
    :raises RefusedError: staff-only.
    :raises UnknownIdError: no such job.
    :raises InputError: no reason was given.
    :raises LocalError: the job is not on its machine.
    """
    require_staff(session, by)
    if not reason.strip():
        raise InputError("a machine is released with a reason")
    job = lookups.job(session, job_id, lock=True)
    was = JobState(job.state)
    job.state = after(was, Step.RELEASE).value
    job.trouble, job.reason, job.ended_at = RELEASED, reason, clock.now()
    close_use(session, open_use_of(session, job.id), at=clock.now(), outcome="released")
    details = {"resource": job.resource_id, "was": was.value, "reason": reason}
    audit(session, clock, by, "job.released", f"job:{job.id}", details)
    session.flush()
    return view(job)
