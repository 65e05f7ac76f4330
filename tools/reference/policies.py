"""The rules of booking as a table: what each means, what may be set, and what holds without it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from fabctl.model.booking_policy import NUMBERS, BookingRules, Kind, Number
from fabctl_web.speech import Speech
from fabctl_web.staff_house.policy_words import WORDS, of_rules, said
from tools.reference.markdown import table


def policies() -> str:
    """Return the table, in the order of the page."""
    usual, english = BookingRules(), Speech("en", ZoneInfo("UTC"))
    rows = (
        (label, meaning, _range(NUMBERS[name]), said(name, of_rules(usual, name), english))
        for name, (label, meaning) in WORDS.items()
    )
    return table(("rule", "what it means", "what may be set", "built in"), rows)


def _range(number: Number) -> str:
    if number.kind is Kind.YES_NO:
        return "yes, no"
    unit = "" if number.kind is Kind.COUNT else f" {number.kind}"
    none = ", or no limit" if number.may_be_none else ""
    return f"{number.least} to {number.most}{unit}{none}"
