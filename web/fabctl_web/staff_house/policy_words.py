"""The rules of booking in words: what each is called, what it means, and its value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fabctl.model.booking_policy import NUMBERS, BookingRules, Kind
from fabctl_web.speech import Speech

DAY_MIN = 24 * 60


def _(template: str) -> str:
    """Mark a sentence for the catalogue; it is translated where it is shown."""
    return template


WORDS: Mapping[str, tuple[str, str]] = {
    "shortest_min": (_("Shortest reservation"), _("Nobody books for less time than this.")),
    "longest_min": (_("Longest reservation"), _("Nobody books for more time at once.")),
    "horizon_days": (_("How far ahead"), _("Reservations start within so many days.")),
    "notice_min": (
        _("Notice before the start"),
        _("Book so long before the start. Using it now needs none."),
    ),
    "step_min": (
        _("Grid of times"),
        _("Starts and ends lie on multiples of this. 0: anywhere."),
    ),
    "per_day_min": (_("Most time in a day"), _("Of one account, all reservations of a day.")),
    "per_week_min": (_("Most time in a week"), _("Of one account, Monday to Sunday.")),
    "coming_most": (
        _("Most reservations to come"),
        _("How many one account may have ahead of it."),
    ),
    "coming_min": (
        _("Most time to come"),
        _("All reservations that one account has ahead of it."),
    ),
    "gap_min": (
        _("Pause between two reservations"),
        _("Of one person, so that others get a turn."),
    ),
    "several_at_once": (
        _("Several machines at once"),
        _("Whether one person may hold two at the same time."),
    ),
    "cancel_until_min": (
        _("Last moment to cancel"),
        _("So long before the start. The team cancels always."),
    ),
    "release_after_min": (
        _("Free again after"),
        _("Nobody came so long after the start: others may have it."),
    ),
    "clean_up_min": (_("Time to clean up"), _("Kept free after every reservation.")),
    "minimum_age": (_("Minimum age"), _("In years.")),
    "minors_consent": (
        _("Consent for minors"),
        _("Under 18, a parent or guardian must have signed."),
    ),
    "certification": (
        _("Certification needed"),
        _("Without a rule: machines yes, rooms and seats no."),
    ),
    "members_series": (
        _("Weekly series for members"),
        _("The team books series always."),
    ),
    "holidays": (
        _("Closed on public holidays"),
        _("Where opening hours are set. Exceptions go first."),
    ),
    "walk_up": (
        _("Use without a reservation"),
        _("Whoever may use it starts while it is free."),
    ),
    "after_hours": (
        _("Use while the lab is closed"),
        _("For those who hold the right for it."),
    ),
    "company": (
        _("People who must be there"),
        _("So many people in the lab, with the one who uses it."),
    ),
    "accept_within_min": (
        _("Time to accept a freed slot"),
        _("So long the first of the waiting list may answer."),
    ),
}
"""By a number's name in the database."""
LABELS = {name: label for name, (label, _meaning) in WORDS.items()}
NEVER = {"release_after_min": _("never"), "minimum_age": _("none")}
"""What it means that there is no limit, where that is not a limit of something."""
UNITS = {
    Kind.MINUTES: _("in minutes"), Kind.DAYS: _("in days"), Kind.COUNT: "", Kind.YES_NO: "",
}  # fmt: skip


def of_rules(rules: BookingRules, name: str) -> Any:
    """Return one number as the database has it: minutes and days as whole numbers."""
    number = NUMBERS[name]
    value = getattr(rules, number.field)
    if not isinstance(value, timedelta):
        return value
    return int(value / timedelta(**{number.kind.value: 1}))


def said(name: str, value: Any, say: Speech) -> str:
    """Return a number's value in words: ``8 h``, ``60 days``, ``no limit``, ``yes``."""
    kind = NUMBERS[name].kind
    if value is None:
        return say(_MACHINES) if name == "certification" else say(NEVER.get(name, _NO_LIMIT))
    if kind is Kind.YES_NO:
        return say(_("yes")) if value else say(_("no"))
    if kind is Kind.DAYS or (kind is Kind.MINUTES and value and value % DAY_MIN == 0):
        days = value if kind is Kind.DAYS else value // DAY_MIN
        return say(_("1 day")) if days == 1 else say(_("{days} days"), days=days)
    return say.lasting(value * 60) if kind is Kind.MINUTES else str(value)


_NO_LIMIT = _("no limit")
_MACHINES = _("machines yes, others no")
