"""The menu: which pages somebody is offered. Each page checks again who asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import request

from fabctl.model.people import Role
from fabctl.services.people import PersonView


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


def everybody(_person: PersonView | None, _kiosk: bool) -> bool:  # one of a kind
    """Offer a page to whoever looks."""
    return True


def whoever_is_signed_in(person: PersonView | None, _kiosk: bool) -> bool:  # the same
    """Offer a page to those who have said who they are."""
    return person is not None


def staff_at_a_desk(person: PersonView | None, kiosk: bool) -> bool:  # the same
    """Offer a page to the staff, but never on a shared screen."""
    return person is not None and person.role in {Role.STAFF, Role.ADMIN} and not kiosk


def admin_at_a_desk(person: PersonView | None, kiosk: bool) -> bool:  # the same
    """Offer a page to administrators, but never on a shared screen."""
    return person is not None and person.role is Role.ADMIN and not kiosk


def whoever_runs_workshops(person: PersonView | None, kiosk: bool) -> bool:  # the same
    """Offer a page to animators and the staff, but never on a shared screen."""
    return person is not None and person.role.acts_for_others and not kiosk


@dataclass(frozen=True)
class Entry:
    """One line of the menu."""

    endpoint: str
    icon: str
    word: str
    to: Callable[[PersonView | None, bool], bool] = everybody
    group: str = ""
    """The heading under which it stands where there are many; empty: above all of them."""


PEOPLE, PLANNING, MACHINES, HOUSE = _("People"), _("Planning"), _("Machines"), _("The house")
HEADINGS = ("", PEOPLE, PLANNING, MACHINES, HOUSE)
"""In the order shown."""
ENTRIES = (
    Entry("board.board", "layout-grid", _("Machines")),
    Entry("planning.day", "calendar-days", _("Planning")),
    Entry("workshops.coming", "users-round", _("Workshops")),
    Entry("training_path.mine", "graduation-cap", _("Training")),
    Entry("people.me", "user-round", _("My page"), whoever_is_signed_in),
    Entry("staff_today.today", "clipboard-list", _("Today at the lab"), staff_at_a_desk, PEOPLE),
    Entry("staff_people.people", "user-plus", _("People"), staff_at_a_desk, PEOPLE),
    Entry("staff_groups.groups", "users-round", _("Groups"), staff_at_a_desk, PEOPLE),
    Entry("badges.search", "id-card", _("Badges"), staff_at_a_desk, PEOPLE),
    Entry(
        "workshop_desk.offered", "calendar-clock", _("Run workshops"), whoever_runs_workshops,
        PLANNING,
    ),
    Entry("courses_desk.offered", "book-open", _("Courses"), staff_at_a_desk, PLANNING),
    Entry("house_hours.of_house", "clock", _("Opening hours"), staff_at_a_desk, PLANNING),
    Entry("house_closures.listed", "ban", _("Closures"), staff_at_a_desk, PLANNING),
    Entry("house_policies.listed", "list-checks", _("Rules of booking"), staff_at_a_desk, PLANNING),
    Entry(
        "house_resources.listed", "building-2", _("Rooms and machines"), staff_at_a_desk, MACHINES
    ),
    Entry("house_maintenance.listed", "settings", _("Maintenance"), staff_at_a_desk, MACHINES),
    Entry("interlocks.history", "shield-check", _("Interlocks"), staff_at_a_desk, MACHINES),
    Entry("labels.labels", "qr-code", _("Labels of the machines"), staff_at_a_desk, MACHINES),
    Entry("screen_desk.listed", "monitor", _("Screens"), staff_at_a_desk, HOUSE),
    Entry("house_statistics.of_year", "chart-column", _("Statistics"), staff_at_a_desk, HOUSE),
    Entry("staff_audit.trail", "history", _("Audit trail"), staff_at_a_desk, HOUSE),
    Entry("staff_health.health", "activity", _("System"), staff_at_a_desk, HOUSE),
    Entry("accessibility.statement", "info", _("Accessibility"), everybody, HOUSE),
)  # fmt: skip
"""In the order shown."""
FEW = 8
"""So many need no headings."""


@dataclass(frozen=True)
class Group:
    """Entries under a heading; without one, above all others."""

    heading: str
    entries: list[Entry]


def entries(person: PersonView | None, *, kiosk: bool) -> list[Entry]:
    """Return what is offered to ``person`` on this screen."""
    return [entry for entry in ENTRIES if entry.to(person, kiosk)]


def groups(person: PersonView | None, *, kiosk: bool) -> list[Group]:
    """Return the same under headings, or all in one where there are few."""
    found = entries(person, kiosk=kiosk)
    if len(found) <= FEW:
        return [Group("", found)]
    return [Group(one, [entry for entry in found if entry.group == one]) for one in HEADINGS]


def is_here(entry: Entry) -> bool:
    """Say whether the page of ``entry`` is the one that is open."""
    return request.endpoint == entry.endpoint
