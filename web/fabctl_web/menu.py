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


ENTRIES = (
    Entry("board.board", "layout-grid", _("Machines")),
    Entry("planning.day", "calendar-days", _("Planning")),
    Entry("workshops.coming", "users-round", _("Workshops")),
    Entry("training_path.mine", "graduation-cap", _("Training")),
    Entry("people.me", "user-round", _("My page"), whoever_is_signed_in),
    Entry("staff_today.today", "clipboard-list", _("Today at the lab"), staff_at_a_desk),
    Entry("staff_people.people", "user-plus", _("People"), staff_at_a_desk),
    Entry("workshop_desk.offered", "calendar-clock", _("Run workshops"), whoever_runs_workshops),
    Entry("courses_desk.offered", "book-open", _("Courses"), staff_at_a_desk),
    Entry("interlocks.history", "shield-check", _("Interlocks"), staff_at_a_desk),
    Entry("screen_desk.listed", "monitor", _("Screens"), staff_at_a_desk),
    Entry("badges.search", "id-card", _("Badges"), staff_at_a_desk),
    Entry("labels.labels", "qr-code", _("Labels of the machines"), staff_at_a_desk),
    Entry("house_resources.listed", "building-2", _("Rooms and machines"), staff_at_a_desk),
    Entry("house_hours.of_house", "clock", _("Opening hours"), staff_at_a_desk),
    Entry("house_closures.listed", "ban", _("Closures"), staff_at_a_desk),
    Entry("house_policies.listed", "list-checks", _("Rules of booking"), staff_at_a_desk),
    Entry("house_statistics.of_year", "chart-column", _("Statistics"), staff_at_a_desk),
    Entry("accessibility.statement", "info", _("Accessibility")),
)
"""In the order shown."""


def entries(person: PersonView | None, *, kiosk: bool) -> list[Entry]:
    """Return what is offered to ``person`` on this screen."""
    return [entry for entry in ENTRIES if entry.to(person, kiosk)]


def is_here(entry: Entry) -> bool:
    """Say whether the page of ``entry`` is the one that is open."""
    return request.endpoint == entry.endpoint
