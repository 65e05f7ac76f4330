"""What forms about workshops let choose: what a session can use, who can lead it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy.orm import Session

from fabctl.model.booking_facts import ResourceKind
from fabctl.model.people import Role, search_name
from fabctl.services import courses, people_records, resources
from fabctl_web.language import chosen_language, speech

LEADERS = (Role.ANIMATOR, Role.STAFF, Role.ADMIN, Role.TRAINER)


def usable(db: Session, also: Collection[str] = ()) -> list[tuple[str, str]]:
    """Return what a session can use: machines and spaces, ids and names.

    :param also: seats that it uses already, since a program may say so.
    """
    found = {
        one.id: one.name
        for one in resources.list_all(db)
        if one.kind is not ResourceKind.SEAT or one.id in also
    }
    return by_name(found)


def may_lead(db: Session, by: str) -> list[tuple[str, str]]:
    """Return who can lead a session, ids and names."""
    return [
        (one.id, one.display_name)
        for role in LEADERS
        for one in people_records.find_people(db, by=by, role=role, limit=200)
    ]


def certifying(db: Session) -> list[tuple[str, str]]:
    """Return the courses that a workshop can end with, ids and titles; none comes first."""
    known = courses.list_courses(db)
    return [("", speech()("None")), *((one.id, one.title(chosen_language())) for one in known)]


def by_name(found: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return ids and names in the names' order."""
    return sorted(found.items(), key=lambda one: search_name(one[1]))
