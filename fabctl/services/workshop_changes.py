"""Changing what a workshop's poster says.

Sessions that are planned keep their own time and places; who has a place keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.services.audit import audit
from fabctl.services.courses import course_row
from fabctl.services.rights import require_workshop_staff
from fabctl.services.workshops import (
    WorkshopView,
    check_poster,
    get_workshop,
    view_workshop,
    workshop_row,
)


@dataclass(frozen=True, slots=True)
class Poster:
    """All that can be changed of a workshop; limits as in :func:`workshops.create_workshop`."""

    title: str
    description: str
    bring: str
    places: int
    price_cents: int
    age_least: int | None
    age_most: int | None
    accept_hours: int
    consent_needed: bool
    course_id: str | None


def poster_of(found: WorkshopView) -> Poster:
    """Return what a workshop's poster says now."""
    return Poster(**{one.name: getattr(found, one.name) for one in fields(Poster)})


def change_workshop(
    session: Session, clock: Clock, *, workshop_id: str, poster: Poster, by: str | None
) -> WorkshopView:
    """Say anew what a workshop is. Nothing is put on record where nothing is different.

    :raises RefusedError: staff-only.
    :raises InputError: a number that cannot be, or no title.
    :raises UnknownIdError: no such workshop or course.
    """
    require_workshop_staff(session, by)
    row = workshop_row(session, workshop_id)
    ages = (poster.age_least, poster.age_most)
    check_poster(poster.title, poster.places, poster.price_cents, ages, poster.accept_hours)
    if poster.course_id is not None:
        course_row(session, poster.course_id)
    before, changed = poster_of(get_workshop(session, workshop_id)), {}
    for one in fields(Poster):
        wanted = getattr(poster, one.name)
        wanted = wanted.strip() if isinstance(wanted, str) else wanted
        if wanted != (was := getattr(before, one.name)):
            setattr(row, one.name, wanted)
            changed[one.name] = was
    if changed:
        audit(session, clock, by, "workshop.changed", f"workshop:{workshop_id}", {"was": changed})
        session.flush()
    return view_workshop(row)
