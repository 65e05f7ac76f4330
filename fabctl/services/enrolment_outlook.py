"""What stands between people and a place, said before they ask for one."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.refusal import Refusal
from fabctl.services import lookups
from fabctl.services.enrolment_facts import may_answer, refusals_of
from fabctl.services.enrolment_lists import EnrolmentView, enrolment_row
from fabctl.services.workshops import session_row


def reasons_against(
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    session_id: str,
    person_ids: Iterable[str],
    by: str,
) -> dict[str, tuple[Refusal, ...]]:
    """Return, by person, every reason against a place in a session; none: they could take one.

    That the session is full is no reason: then people wait.

    :raises UnknownIdError: no such session or person.
    """
    row = session_row(session, session_id)
    return {
        person_id: tuple(refusals_of(session, clock, zone, row, person_id, by, overridden=False))
        for person_id in person_ids
    }


def names_on(
    session: Session, clock: Clock, *, enrolments: Iterable[EnrolmentView], by: str
) -> dict[str, str]:
    """Return the names on places, by enrolment, to those who decide about them.

    Places without a name, and those of others, are left out.
    """
    found = {}
    for one in enrolments:
        row = enrolment_row(session, one.id)
        if row.person_id is not None and may_answer(session, clock, row, by):
            found[one.id] = lookups.person(session, row.person_id).display_name
    return found
