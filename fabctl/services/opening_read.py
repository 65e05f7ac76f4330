"""Opening hours as they were set: a week, days that differ, public holidays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.errors import InputError
from fabctl.model.booking_hours import LONGEST_LOOK, Periods
from fabctl.services import lookups
from fabctl.services.opening import LAB, french_holidays
from fabctl.services.policies import rules_for
from fabctl.store.tables_booking import OpeningException, OpeningPeriod

EARLIEST, LATEST = date(1970, 1, 1), date(2200, 1, 1)
"""Public holidays are known between these."""


@dataclass(frozen=True, slots=True)
class DayHours:
    """A day that is not like its weekday; no period: closed."""

    day: date
    periods: Periods
    reason: str | None


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """Hours of the lab, or of one resource. Minutes after midnight; above 1440 the day after."""

    week: Mapping[int, Periods]
    """By weekday, Monday 0. Empty: nothing was set; the lab is always open then, a resource
    has the hours of what is around it."""
    exceptions: Sequence[DayHours]
    holidays: Sequence[date]
    """Public holidays of these days on which it is closed."""


def opening_hours(session: Session, *, first: date, last: date, subject: str = LAB) -> OpeningHours:
    """Return what was set for the lab or for a resource, with the exceptions of some days.

    :param last: at most 400 days after the first; it counts too.
    :raises InputError: too many days, too far away, or an end before the start.
    :raises UnknownIdError: no such resource.
    """
    too_far = not EARLIEST <= first <= LATEST
    if too_far or not 0 <= (last - first).days < LONGEST_LOOK.days:
        raise InputError("no opening hours for these days", limit=f"{LONGEST_LOOK.days} days")
    closed_on_holidays = True
    if subject != LAB:
        closed_on_holidays = rules_for(session, lookups.resource(session, subject)).holidays
    week: dict[int, Periods] = {}
    hours = select(OpeningPeriod).where(OpeningPeriod.subject == subject)
    for row in session.scalars(hours.order_by(OpeningPeriod.opens_min)):
        week[row.weekday] = (*week.get(row.weekday, ()), (row.opens_min, row.closes_min))
    special = select(OpeningException).where(
        OpeningException.subject == subject,
        OpeningException.day >= first,
        OpeningException.day <= last,
    )
    exceptions = [
        DayHours(row.day, tuple((opens, closes) for opens, closes in row.periods), row.reason)
        for row in session.scalars(special.order_by(OpeningException.day))
    ]
    return OpeningHours(week, exceptions, _holidays(first, last) if closed_on_holidays else ())


def _holidays(first: date, last: date) -> Sequence[date]:
    of_years = (french_holidays(year) for year in range(first.year, last.year + 1))
    return sorted(day for days in of_years for day in days if first <= day <= last)


def subjects_with_hours(session: Session) -> frozenset[str]:
    """Return the resources that have a week of their own; the lab's is the empty id."""
    return frozenset(session.scalars(select(OpeningPeriod.subject).distinct()))


@cache
def holiday_names(year: int, language: str) -> Mapping[date, str]:
    """Return a year's public holidays in France with their names, in French or English."""
    from holidays import country_holidays  # noqa: PLC0415  # 60 ms that most pages do not need

    spoken = "fr" if language == "fr" else "en_US"
    found = country_holidays("FR", years=year, language=spoken)
    return dict(sorted(found.items()))
