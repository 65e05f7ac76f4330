"""Opening hours: a week, exceptions, public holidays, of the lab and of single resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.booking_hours import LONGEST_LOOK, Hours, Periods, open_spans, sound_periods
from fabctl.model.booking_slots import FAR, Slot
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import text
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.policies import Policies, rules_of
from fabctl.services.rights import require_staff
from fabctl.store.ids import new_id
from fabctl.store.tables import Resource
from fabctl.store.tables_booking import OpeningException, OpeningPeriod

LAB = ""
"""The subject of the lab's own hours."""

_UNSOUND = Refusal(
    "hours-malformed",
    text("Opening hours follow each other and begin within their day."),
    text("Check the times; after midnight, count on from 24:00."),
)


def set_week(
    session: Session,
    clock: Clock,
    *,
    subject: str = LAB,
    week: Mapping[int, Periods],
    by: str | None,
) -> None:
    """Set a week's hours, Monday 0, in minutes after midnight; no day at all: as what is around.

    For the lab, no day at all means that it is always open.

    :raises RefusedError: periods that overlap, or lie outside their day and the next.
    """
    require_staff(session, by)
    if not all(0 <= day < 7 and sound_periods(periods) for day, periods in week.items()):
        raise RefusedError([_UNSOUND])
    _require(session, subject)
    session.execute(delete(OpeningPeriod).where(OpeningPeriod.subject == subject))
    for day, periods in week.items():
        for opens, closes in periods:
            row = OpeningPeriod(id=new_id(), subject=subject, weekday=day)
            row.opens_min, row.closes_min = opens, closes
            session.add(row)
    session.flush()
    details = {"week": {str(day): [list(one) for one in periods] for day, periods in week.items()}}
    audit(session, clock, by, "hours.changed", f"hours:{subject or 'lab'}", details)


def set_exception(  # what a day is, each thing by its name
    session: Session,
    clock: Clock,
    *,
    subject: str = LAB,
    first: date,
    last: date | None = None,
    periods: Periods = (),
    reason: str | None = None,
    by: str | None,
) -> None:
    """Let some days (at most 400) have hours of their own; no period: closed all day.

    :raises RefusedError: unsound periods, or an end before the start.
    """
    require_staff(session, by)
    days = ((last or first) - first).days + 1
    if not sound_periods(periods) or not 0 < days <= LONGEST_LOOK.days:
        raise RefusedError([_UNSOUND])
    _require(session, subject)
    for ahead in range(days):
        day = first + timedelta(days=ahead)
        row = session.get(OpeningException, (subject, day))
        if row is None:
            row = OpeningException(subject=subject, day=day)
            session.add(row)
        row.periods, row.reason = [list(one) for one in periods], reason
    session.flush()
    details = {"first": first.isoformat(), "days": days, "periods": [list(one) for one in periods]}
    audit(session, clock, by, "hours.exception", f"hours:{subject or 'lab'}", details)


def forget_exception(
    session: Session, clock: Clock, *, subject: str = LAB, day: date, by: str | None
) -> None:
    """Let a day be like its weekday again."""
    require_staff(session, by)
    row = session.get(OpeningException, (subject, day))
    if row is not None:
        session.delete(row)
        session.flush()
        details = {"day": day.isoformat()}
        audit(session, clock, by, "hours.exception-ended", f"hours:{subject or 'lab'}", details)


@cache
def french_holidays(year: int) -> frozenset[date]:
    """Return a year's public holidays in France, without those of Alsace, Moselle and overseas."""
    from holidays import country_holidays  # noqa: PLC0415  # 60 ms that most commands do not need

    return frozenset(country_holidays("FR", years=year))


def spans_for(
    session: Session,
    zone: ZoneInfo,
    resources: Iterable[Resource],
    tree: Mapping[str, Resource],
    policies: Policies,
    window: Slot,
) -> dict[str, list[Slot] | None]:
    """Return for each resource when it is open around a window; None: always.

    Two queries, however many resources.

    :param tree: every resource by its id, for the hours of what it is within.
    """
    weeks = _weeks(session)
    exceptions = _exceptions(session, zone, window)
    found: dict[str, list[Slot] | None] = {}
    for resource in resources:
        subjects = [*_line(tree, resource), LAB]
        week = next((weeks[subject] for subject in subjects if subject in weeks), None)
        special = {
            day: periods
            for subject in reversed(subjects)
            for day, periods in exceptions.get(subject, {}).items()
        }
        if week is None and not special:
            found[resource.id] = None
            continue
        closed = rules_of(policies, resource).holidays and week is not None
        holidays = _holidays(window, zone) if closed else frozenset()
        found[resource.id] = open_spans(Hours(week, special, holidays), window, zone)
    return found


def _line(tree: Mapping[str, Resource], resource: Resource) -> list[str]:
    """Return a resource and what it is within, the nearest first."""
    found, at = [resource.id], resource.parent_id
    while at is not None:
        found.append(at)
        at = tree[at].parent_id
    return found


def _weeks(session: Session) -> dict[str, dict[int, Periods]]:
    found: dict[str, dict[int, Periods]] = {}
    for row in session.scalars(select(OpeningPeriod).order_by(OpeningPeriod.opens_min)):
        day = found.setdefault(row.subject, {})
        day[row.weekday] = (*day.get(row.weekday, ()), (row.opens_min, row.closes_min))
    return found


def _exceptions(session: Session, zone: ZoneInfo, window: Slot) -> dict[str, dict[date, Periods]]:
    if window.start > FAR:
        return {}
    first, last = _days(window, zone)
    query = select(OpeningException).where(
        OpeningException.day >= first, OpeningException.day <= last
    )
    found: dict[str, dict[date, Periods]] = {}
    for row in session.scalars(query):
        periods = tuple((opens, closes) for opens, closes in row.periods)
        found.setdefault(row.subject, {})[row.day] = periods
    return found


def _holidays(window: Slot, zone: ZoneInfo) -> frozenset[date]:
    first, last = _days(window, zone)
    return frozenset().union(*(french_holidays(year) for year in range(first.year, last.year + 1)))


def _days(window: Slot, zone: ZoneInfo) -> tuple[date, date]:
    """Return the first and last day that may matter: a night reaches into the next day."""
    end = min(window.end, window.start + LONGEST_LOOK)
    first = window.start.astimezone(zone).date() - timedelta(days=3)
    return first, end.astimezone(zone).date() + timedelta(days=3)


def _require(session: Session, subject: str) -> None:
    if subject != LAB:
        lookups.resource(session, subject)
