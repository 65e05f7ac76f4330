"""Weekly series: every date by the rules; what is refused is reported, not dropped in silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.model.booking_refusals import out_of_range
from fabctl.model.booking_series import (
    FEWEST,
    MOST,
    not_allowed_refusal,
    skipped_refusal,
    weekly,
    weeks_refusal,
)
from fabctl.model.booking_slots import Slot
from fabctl.model.people import Role
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.services import bookings, lookups
from fabctl.services.bookings import ReservationView
from fabctl.services.policies import rules_for
from fabctl.store.ids import new_id
from fabctl.store.tables import Claim, Reservation


@dataclass(frozen=True, slots=True)
class RefusedDate:
    """A date of a series that cannot be booked."""

    day: date
    refusals: Sequence[Refusal]


@dataclass(frozen=True, slots=True)
class SeriesReport:
    """What became of a series. Where dates are refused, nothing is booked unless told to."""

    series_id: str | None
    booked: Sequence[ReservationView]
    refused: Sequence[RefusedDate]


@dataclass(frozen=True, slots=True)
class SeriesProposal:
    """What would become of a series."""

    possible: Sequence[Slot]
    refused: Sequence[RefusedDate]


def book_series(  # noqa: PLR0913  # who, what, when, how often
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    person_id: str,
    resource_id: str,
    start: datetime,
    end: datetime,
    weeks: int,
    by: str,
    account_id: str | None = None,
    book_the_rest: bool = False,
) -> SeriesReport:
    """Reserve the same time every week, 2 to 60 times, on the wall clock.

    :param book_the_rest: book the other dates where some are refused; else none is.
    :raises RefusedError: no series at all: not allowed, or not this long.
    :raises UnknownIdError: no such person or resource.
    """
    _require_allowed(session, resource_id, by, weeks, Slot(start, end))
    series_id, whole = new_id(), session.begin_nested()
    booked: list[ReservationView] = []
    refused: list[RefusedDate] = []
    for day, slot in weekly(Slot(start, end), weeks, zone):
        if slot is None:
            refused.append(RefusedDate(day, [skipped_refusal()]))
            continue
        try:
            with session.begin_nested():
                made = bookings.book(
                    session,
                    clock,
                    zone,
                    person_id=person_id,
                    resource_id=resource_id,
                    start=slot.start,
                    end=slot.end,
                    by=by,
                    account_id=account_id,
                    series_id=series_id,
                )
            booked.append(made)
        except RefusedError as error:
            refused.append(RefusedDate(day, error.refusals))
    if refused and not book_the_rest:
        whole.rollback()
        return SeriesReport(None, [], refused)
    whole.commit()
    return SeriesReport(series_id if booked else None, booked, refused)


def propose_series(  # noqa: PLR0913  # who, what, when, how often
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    person_id: str,
    resource_id: str,
    start: datetime,
    end: datetime,
    weeks: int,
    by: str,
    account_id: str | None = None,
) -> SeriesProposal:
    """Say which dates of a series could be booked now and which not. Nothing is kept.

    :raises RefusedError: as for booking it.
    :raises UnknownIdError: no such person or resource.
    """
    whole = session.begin_nested()
    try:
        report = book_series(
            session,
            clock,
            zone,
            person_id=person_id,
            resource_id=resource_id,
            start=start,
            end=end,
            weeks=weeks,
            by=by,
            account_id=account_id,
            book_the_rest=True,
        )
        return SeriesProposal([Slot(one.start, one.end) for one in report.booked], report.refused)
    finally:
        whole.rollback()


def _require_allowed(session: Session, resource_id: str, by: str, weeks: int, first: Slot) -> None:
    refusals = []
    if not FEWEST <= weeks <= MOST:
        refusals.append(weeks_refusal())
    resource = lookups.resource(session, resource_id)
    staff = Role(lookups.person(session, by).role).acts_for_others
    if not staff and not rules_for(session, resource).members_series:
        refusals.append(not_allowed_refusal())
    if (never := out_of_range(first)) is not None:
        refusals.append(never)
    if refusals:
        raise RefusedError(refusals)


def cancel_series(
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    series_id: str,
    by: str,
    reason: str | None = None,
) -> list[ReservationView]:
    """Cancel all dates of a series that have not begun; all of them or none.

    :raises RefusedError: as for cancelling one.
    :raises UnknownIdError: there is no such series.
    """
    query = (
        select(Reservation.id, Claim.start_at, Reservation.cancelled_at)
        .join(Claim, Claim.id == Reservation.claim_id)
        .where(Reservation.series_id == series_id)
        .order_by(Claim.start_at)
    )
    dates = session.execute(query).all()
    if not dates:
        raise UnknownIdError(f"there is no series {series_id!r}")
    return [
        bookings.cancel(session, clock, zone, reservation_id=one, by=by, reason=reason)
        for one, start, cancelled in dates
        if start > clock.now() and cancelled is None
    ]
