"""The end of a guardian's link to a child: the staff end it, with a reason that stays on record.

What was signed stays on file and in force: a form is a paper with a name on it, not the link. The
next form replaces it, and the staff can put on file that consent is taken back. From the end on
the guardian enrols, signs and sees nothing for the child, and is told nothing about them.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.model.consent import guardian_end_refusals, local_day, under_age
from fabctl.model.refusal import RefusedError
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.births import birth_of
from fabctl.services.participants import consents_of
from fabctl.services.rights import require_reason, require_staff
from fabctl.store.engine import zone_of
from fabctl.store.tables import Person
from fabctl.store.tables_workshops import Guardianship


def end_guardian(
    session: Session,
    clock: Clock,
    *,
    guardian_id: str,
    child_id: str,
    reason: str,
    by: str,
    none_left: bool = False,
) -> None:
    """End a guardian's link to a child.

    :param none_left: nobody may be left to sign for a child with a guardian's consent on file.
    :raises RefusedError: staff-only; only-guardian.
    :raises InputError: no reason was given.
    :raises UnknownIdError: there is no such person, or they are no guardian of theirs.
    """
    require_staff(session, by)
    said = require_reason(reason)
    lookups.person(session, child_id)
    session.get(Person, child_id, with_for_update=True)  # two at once would leave nobody
    row = session.get(Guardianship, (guardian_id, child_id))
    if row is None:
        raise UnknownIdError(f"{guardian_id!r} is no guardian of {child_id!r}")
    others = _others(session, guardian_id, child_id)
    today = local_day(clock.now(), zone_of(session))
    refusals = guardian_end_refusals(
        consents_of(session, child_id),
        minor=under_age(birth_of(session, child_id), today),
        last_one=others == 0,
        on_purpose=none_left,
    )
    if refusals:
        raise RefusedError(refusals)
    session.delete(row)
    details = {"guardian": guardian_id, "reason": said, "left": others}
    audit(session, clock, by, "guardian.ended", f"person:{child_id}", details)
    session.flush()


def _others(session: Session, guardian_id: str, child_id: str) -> int:
    """Return how many other guardians a child has."""
    of_child = Guardianship.child_id == child_id
    query = select(func.count()).where(of_child, Guardianship.guardian_id != guardian_id)
    return session.scalar(query) or 0
