"""The numbers of booking's rules: set for a resource, a category or the lab; the nearest wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from fabctl.model.refusal import Refusal
from fabctl.model.texts import text


class Reach(StrEnum):
    """How much of a lab a policy speaks of, the nearest last."""

    LAB = "lab"
    CATEGORY = "category"
    RESOURCE = "resource"


_NEAREST_FIRST = (Reach.RESOURCE, Reach.CATEGORY, Reach.LAB)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a policy is set for; ``subject`` is a category's name or a resource's id."""

    reach: Reach = Reach.LAB
    subject: str = ""

    def covers(self, resource_id: str, category: str) -> bool:
        """Say whether a resource belongs to it."""
        if self.reach is Reach.LAB:
            return True
        return self.subject == (resource_id if self.reach is Reach.RESOURCE else category)


WHOLE_LAB = Scope()


@dataclass(frozen=True, slots=True)
class BookingRules:
    """The numbers that hold for one resource. Without any policy: these."""

    shortest: timedelta = timedelta(minutes=5)
    longest: timedelta = timedelta(hours=8)
    horizon: timedelta = timedelta(days=60)
    """How far ahead a reservation may start."""
    notice: timedelta = timedelta()
    """How long before its start it must be made; using now needs none."""
    step: timedelta = timedelta()
    """Starts and ends lie on multiples of it on the wall clock; 0: anywhere."""
    per_day: timedelta | None = None
    per_week: timedelta | None = None
    """Of one account, Monday to Sunday."""
    coming_most: int | None = None
    """Reservations of one account that have not begun."""
    coming_time: timedelta | None = None
    gap: timedelta = timedelta()
    """Between two reservations of one person on one resource."""
    several_at_once: bool = False
    """Whether one person may hold two machines at the same time."""
    cancel_until: timedelta = timedelta()
    """Before the start; the staff cancel always."""
    release_after: timedelta | None = timedelta(minutes=15)
    """Nobody checked in so long after the start: the slot is free. None: never."""
    clean_up: timedelta = timedelta()
    """Kept free after every reservation."""
    minimum_age: int | None = None
    minors_consent: bool = True
    """Whether somebody who may be under 18 needs a guardian's consent on file."""
    certification: bool | None = None
    """Whether it may be booked only with a certification; None: a machine yes, others no."""
    members_series: bool = False
    """Whether members book weekly series; the staff do always."""
    accept_within: timedelta = timedelta(hours=1)
    """How long a freed slot waits for an answer from the waiting list."""
    holidays: bool = True
    """Whether public holidays are closed (where opening hours are set at all)."""
    walk_up: bool = False
    """Whether it may be used without a reservation while it is free."""
    after_hours: bool = True
    """Whether those who hold the after-hours right use it while the lab is closed."""
    company: int = 1
    """How many people must be in the lab, whoever uses it among them."""
    grace: timedelta = timedelta(seconds=60)
    """How old a start may be: "now" was chosen a moment before it arrives here."""
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    """For each number that a policy set: where. Quotas count what lies in that scope."""

    def scope_of(self, number: str) -> Scope:
        """Return what a quota counts; the whole lab where nothing was set."""
        return self.scopes.get(number, WHOLE_LAB)


class Kind(StrEnum):
    """What a policy's value is."""

    MINUTES = "minutes"
    DAYS = "days"
    COUNT = "count"
    YES_NO = "yes-no"


@dataclass(frozen=True, slots=True)
class Number:
    """What one value of a policy may be."""

    field: str
    kind: Kind
    least: int = 0
    most: int = 0
    may_be_none: bool = False
    """None takes a nearer limit away; a value that is not there inherits."""


_YEAR_MIN = 366 * 24 * 60

NUMBERS: Mapping[str, Number] = {
    "shortest_min": Number("shortest", Kind.MINUTES, 1, _YEAR_MIN),
    "longest_min": Number("longest", Kind.MINUTES, 1, _YEAR_MIN),
    "horizon_days": Number("horizon", Kind.DAYS, 0, 3660),
    "notice_min": Number("notice", Kind.MINUTES, 0, _YEAR_MIN),
    "step_min": Number("step", Kind.MINUTES, 0, 24 * 60),
    "per_day_min": Number("per_day", Kind.MINUTES, 0, 24 * 60, may_be_none=True),
    "per_week_min": Number("per_week", Kind.MINUTES, 0, 7 * 24 * 60, may_be_none=True),
    "coming_most": Number("coming_most", Kind.COUNT, 0, 10_000, may_be_none=True),
    "coming_min": Number("coming_time", Kind.MINUTES, 0, _YEAR_MIN, may_be_none=True),
    "gap_min": Number("gap", Kind.MINUTES, 0, _YEAR_MIN),
    "several_at_once": Number("several_at_once", Kind.YES_NO),
    "cancel_until_min": Number("cancel_until", Kind.MINUTES, 0, _YEAR_MIN),
    "release_after_min": Number("release_after", Kind.MINUTES, 1, 24 * 60, may_be_none=True),
    "clean_up_min": Number("clean_up", Kind.MINUTES, 0, 24 * 60),
    "minimum_age": Number("minimum_age", Kind.COUNT, 0, 120, may_be_none=True),
    "minors_consent": Number("minors_consent", Kind.YES_NO),
    "certification": Number("certification", Kind.YES_NO),
    "members_series": Number("members_series", Kind.YES_NO),
    "holidays": Number("holidays", Kind.YES_NO),
    "walk_up": Number("walk_up", Kind.YES_NO),
    "after_hours": Number("after_hours", Kind.YES_NO),
    "company": Number("company", Kind.COUNT, 1, 20),
    "accept_within_min": Number("accept_within", Kind.MINUTES, 1, 7 * 24 * 60),
}
"""What staff may set, by the name it has in the database and the API."""


def policy_refusals(values: Mapping[str, Any]) -> list[Refusal]:
    """Say what is wrong with a policy's values, each by its name; a day of minutes is 1440."""
    found = [refusal for name, value in values.items() if (refusal := _malformed(name, value))]
    least, most = values.get("shortest_min"), values.get("longest_min")
    if not found and least is not None and most is not None and least > most:
        found.append(
            Refusal(
                "policy-contradicts-itself",
                text("The shortest reservation would be longer than the longest."),
                text("Change one of the two."),
            )
        )
    return found


def _malformed(name: str, value: object) -> Refusal | None:
    number = NUMBERS.get(name)
    if number is None:
        return Refusal(
            "policy-unknown-number",
            text("No policy has a number called {name}.", name=name),
            text("Check how it is written."),
        )
    if _fits(number, value):
        return None
    if number.kind is Kind.YES_NO:
        message = text("{name} is either yes or no.", name=name)
    else:
        message = text(
            "{name} is a whole number from {least} to {most}.",
            name=name,
            least=number.least,
            most=number.most,
        )
    return Refusal("policy-number-malformed", message, text("Choose another value."))


def _fits(number: Number, value: object) -> bool:
    if value is None:
        return number.may_be_none
    if number.kind is Kind.YES_NO:
        return isinstance(value, bool)
    plain = isinstance(value, int) and not isinstance(value, bool)
    return plain and number.least <= value <= number.most  # type: ignore[operator]  # plain says so


def effective(policies: Iterable[tuple[Scope, Mapping[str, Any]]]) -> BookingRules:
    """Return the numbers that hold where all these policies apply: for each, the nearest wins."""
    values: dict[str, Any] = {}
    scopes: dict[str, Scope] = {}
    for scope, numbers in sorted(policies, key=lambda one: _NEAREST_FIRST.index(one[0].reach)):
        for name, value in numbers.items():
            number = NUMBERS[name]
            if number.field not in values:
                values[number.field] = _measured(number, value)
                scopes[number.field] = scope
    return BookingRules(**values, scopes=scopes)


def _measured(number: Number, value: Any) -> Any:
    if value is None or number.kind in {Kind.COUNT, Kind.YES_NO}:
        return value
    return timedelta(**{number.kind.value: value})
