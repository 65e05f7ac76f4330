"""The way between the staff's pages: tabs for those that belong together, links to the others."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, request, url_for

from fabctl.services.people import PersonView
from fabctl_web import menu
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.staff.health_findings import wrong


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


@dataclass(frozen=True)
class Tab:
    """A link to a page of the staff."""

    address: str
    icon: str
    word: str
    here: bool = False
    count: int = 0
    """What waits there for somebody."""


SYSTEM = "staff_health.health"
TABS = (
    ("staff_today.today", "clipboard-list", _("Today")),
    ("staff_people.people", "users-round", _("People")),
    ("staff_groups.groups", "building-2", _("Groups")),
    ("staff_audit.trail", "history", _("Audit trail")),
    (SYSTEM, "activity", _("System")),
)


def tabs() -> list[Tab]:
    """Return the staff's own pages; the one that is open is marked."""
    blueprint = (request.endpoint or "").partition(".")[0]
    waiting = {SYSTEM: len(wrong(current_lab()))}
    return [
        Tab(
            url_for(endpoint),
            icon,
            speech()(word),
            here=endpoint.partition(".")[0] == blueprint,
            count=waiting.get(endpoint, 0),
        )
        for endpoint, icon, word in TABS
    ]


def others(person: PersonView) -> list[Tab]:
    """Return the other pages that the menu offers to the staff alone."""
    own = {endpoint for endpoint, _icon, _word in TABS}
    return [
        Tab(url_for(one.endpoint), one.icon, speech()(one.word))
        for one in menu.entries(person, kiosk=False)
        if one.to in STAFF_ONLY
        and one.endpoint not in own
        and one.endpoint in current_app.view_functions
    ]


STAFF_ONLY = (menu.staff_at_a_desk, menu.admin_at_a_desk, menu.whoever_runs_workshops)
