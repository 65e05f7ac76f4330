"""Using a machine without sending it a file: a person says when they begin and when they finish.

Machines with an interlock need it: permits are issued for an open use, and somebody must be
permitted before the green button arms anything. A job that its person starts meanwhile runs within
the same use.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import InputError, UnknownIdError
from fabctl.model.access import unmet
from fabctl.model.people import Role
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import text
from fabctl.services import lookups
from fabctl.services.access import charged_to, held_now, may_use
from fabctl.services.audit import audit
from fabctl.services.rights import require_staff
from fabctl.services.uses import UseView, close_use, open_use_on
from fabctl.store.ids import new_id
from fabctl.store.tables import Use

FINISHED = "finished"
PERMISSION_ENDED = "permission-ended"
RELEASED = "released"

_NOT_YOUR_USE = Refusal(
    "not-your-use",
    text("Somebody else is using this machine."),
    text("Ask them, or the staff, to finish."),
)
_JOB_FIRST = Refusal(
    "job-ends-use",
    text("This use ends with its job."),
    text("Stop the job, or wait until it ends."),
)


def begin_use(  # who, what, and what the machine says
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    person_id: str,
    resource_id: str,
    machine_state: str,
) -> UseView:
    """Open a use without a job. A second time while it is open: the same one.

    :param machine_state: as the machine says it, ``unknown`` when old.
    :raises RefusedError: every reason against it.
    :raises UnknownIdError: no such person or machine.
    """
    lookups.resource(session, resource_id, lock=True)
    found = open_use_on(session, resource_id=resource_id)
    if found is not None and found.job_id is None and found.person_id == person_id:
        return found
    refusals = unmet(
        may_use(
            session,
            clock,
            zone,
            person_id=person_id,
            resource_id=resource_id,
            machine_state=machine_state,
        )
    )
    if refusals:
        raise RefusedError(refusals)
    use = _opened(session, clock, person_id, resource_id)
    audit(session, clock, person_id, "use.begun", f"use:{use.id}", {"resource": resource_id})
    session.flush()
    return _view_of(session, resource_id)


def _opened(session: Session, clock: Clock, person_id: str, resource_id: str) -> Use:
    held = held_now(session, clock, person_id=person_id, resource_id=resource_id)
    use = Use(
        id=new_id(),
        resource_id=resource_id,
        person_id=person_id,
        account_id=charged_to(session, person_id, held),
        reservation_id=held.id if held else None,
        opened_at=clock.now(),
    )
    session.add(use)
    session.flush()
    return use


def _view_of(session: Session, resource_id: str) -> UseView:
    found = open_use_on(session, resource_id=resource_id)
    assert found is not None  # noqa: S101  # the caller has just opened it
    return found


def finish_use(session: Session, clock: Clock, *, use_id: str, by: str) -> None:
    """Close a use without a job: its person or the staff. Doing it again changes nothing.

    From then on no permit is renewed. Send the machine ``drop-permit`` after this transaction is
    kept, so that it need not wait for the last permit's end.

    :raises RefusedError: it is somebody else's, or belongs to a job.
    :raises UnknownIdError: no such use.
    """
    use = _row(session, use_id)
    staff = Role(lookups.person(session, by).role).acts_for_others
    if use.person_id != by and not staff:
        raise RefusedError([_NOT_YOUR_USE])
    if use.job_id is not None:
        raise RefusedError([_JOB_FIRST])
    if use.closed_at is None:
        _close(session, clock, use, by=by, outcome=FINISHED if use.person_id == by else RELEASED)


def permission_ended(
    session: Session, clock: Clock, *, use_id: str, refusals: list[Refusal]
) -> bool:
    """Close a use without a job whose conditions do not hold any more; False: there was none.

    A job's use stays open: its job drains, and its end closes it.
    """
    use = _row(session, use_id)
    if use.job_id is not None or use.closed_at is not None:
        return False
    codes = [refusal.code for refusal in refusals]
    _close(session, clock, use, by=None, outcome=PERMISSION_ENDED, why=codes)
    return True


def release_use(
    session: Session, clock: Clock, *, use_id: str, reason: str, by: str | None
) -> None:
    """Close a use without a job for somebody who went home; the staff's command line asks so.

    :param by: as in the audit trail.
    :raises RefusedError: staff-only.
    :raises InputError: no reason was given.
    :raises UnknownIdError: no such use.
    """
    require_staff(session, by)
    if not reason.strip():
        raise InputError("a machine is released with a reason")
    use = _row(session, use_id)
    if use.job_id is None and use.closed_at is None:
        _close(session, clock, use, by=by, outcome=RELEASED, why=[reason])


def _close(
    session: Session,
    clock: Clock,
    use: Use,
    *,
    by: str | None,
    outcome: str,
    why: list[str] | None = None,
) -> None:
    close_use(session, use, at=clock.now(), outcome=outcome)
    details = {"resource": use.resource_id, "outcome": outcome, "why": why}
    known = {name: value for name, value in details.items() if value is not None}
    audit(session, clock, by, "use.finished", f"use:{use.id}", known)


def _row(session: Session, use_id: str) -> Use:
    query = select(Use).where(Use.id == use_id).with_for_update()
    use = session.scalars(query).first()
    if use is None:
        raise UnknownIdError(f"there is no use {use_id!r}")
    return use
