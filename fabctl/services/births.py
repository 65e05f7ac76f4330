"""When somebody was born, as far as that is known, and whether they are under age today."""

from __future__ import annotations

from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.consent import Birth, local_day, under_age
from fabctl.services import lookups
from fabctl.store.engine import zone_of
from fabctl.store.tables_workshops import BirthDate


def birth_of(session: Session, person_id: str) -> Birth:
    """Return what is known of somebody's birth. :raises UnknownIdError: no such person."""
    year = lookups.person(session, person_id).birth_year
    row = session.get(BirthDate, person_id)
    return Birth(year, row.born_on if row else None)


def has_guardians(session: Session, clock: Clock, person_id: str) -> bool:
    """Say whether guardians still act for somebody: not from the 18th birthday on, in the lab.

    Who may be under 18 counts as under age: of a birth that nobody knows, that is for ever, and
    of a year alone, to the end of the year in which they turn 18 but for its last day.

    :raises UnknownIdError: no such person.
    """
    today = local_day(clock.now(), zone_of(session))
    return under_age(birth_of(session, person_id), today) is not False
