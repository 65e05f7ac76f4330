"""What waits at one machine for the staff: the problems reported there, and the tasks."""

from __future__ import annotations

from flask import url_for

from fabctl.model.people import Role
from fabctl.services.people import PersonView
from fabctl_web.lab import Lab
from fabctl_web.language import speech
from fabctl_web.people.signed_in import is_kiosk
from fabctl_web.staff.lines import Section
from fabctl_web.staff.upkeep_lines import Desk, problem_lines, task_lines


def upkeep_of(lab: Lab, machine: str, person: PersonView | None) -> tuple[Section, ...]:
    """Return the lists of a machine for the staff, those with a line; for others their own tasks.

    None on a shared screen: whoever comes next would see who reported what.
    """
    if person is None or is_kiosk():
        return ()
    _, staff = speech(), person.role in {Role.STAFF, Role.ADMIN}
    with lab.db.reading() as db:
        desk = Desk(lab, db, person, url_for("machines.page", machine=machine), machine)
        found, to_do = problem_lines(desk) if staff else (), task_lines(desk, own=not staff)
    lists = (
        Section("problems", _("Problems reported here"), "flag", "", found),
        Section("tasks", _("To be done here"), "list-checks", "", to_do),
    )
    return tuple(one for one in lists if one.lines)
