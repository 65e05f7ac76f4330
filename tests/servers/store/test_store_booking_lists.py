"""Lists that are read in pages, series that are only proposed, and hours as they were set."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlalchemy import func, select

from fabctl.errors import InputError, UnknownIdError
from fabctl.model.booking_policy import Reach, Scope
from fabctl.model.refusal import RefusedError
from fabctl.services import opening, opening_read, reservation_lists, resources, series
from fabctl.services.bookings import ReservationView
from fabctl.services.opening_read import OpeningHours
from fabctl.services.series import SeriesProposal
from fabctl.store.tables import Claim, Reservation
from tests.servers.store.booking_lab import PARIS, book, cancel, moment, set_policy
from tests.servers.store.conftest import Lab

DAY = 24 * 60


def listed(
    lab: Lab,
    by: str,
    *,
    person: str | None = None,
    since: float = 0,
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[ReservationView]:
    with lab.database.reading() as session:
        return reservation_lists.of_person(
            session,
            person_id=person or by,
            by=by,
            since=moment(lab, since),
            after=after,
            limit=limit,
        )


def test_pages_join_without_a_gap_and_without_a_double(lab: Lab) -> None:
    made = [book(lab, n * DAY + 60, n * DAY + 120) for n in range(3)]
    book(lab, 300, 360, person=lab.karim, resource="printer-b")
    set_policy(lab, several_at_once=True)
    made.append(book(lab, 60, 180, resource="printer-b"))  # the same start as the first
    cancel(lab, made[1])
    seen: list[ReservationView] = []
    after = None
    while page := listed(lab, lab.lea, after=after, limit=1):
        seen += page
        after = (page[-1].start, page[-1].id)
    assert sorted(one.id for one in seen) == sorted(one.id for one in made)
    assert [one.start for one in seen] == sorted(one.start for one in made)


def test_what_has_ended_is_left_out(lab: Lab) -> None:
    book(lab, 60, 120)
    found = {since: bool(listed(lab, lab.lea, since=since)) for since in (119, 120, 121)}
    assert found == {119: True, 120: False, 121: False}


def test_others_see_nothing_and_the_staff_everything(lab: Lab) -> None:
    made = book(lab, 60, 120)
    with pytest.raises(RefusedError) as refused:
        listed(lab, lab.karim, person=lab.lea)
    assert refused.value.codes == {"not-yours"}
    assert [one.id for one in listed(lab, lab.awa, person=lab.lea)] == [made.id]
    with lab.database.reading() as session:
        for by in (lab.lea, lab.awa):
            found = reservation_lists.readable(session, reservation_id=made.id, by=by)
            assert found.id == made.id
        with pytest.raises(UnknownIdError):
            reservation_lists.readable(session, reservation_id=made.id, by=lab.karim)


def proposed(lab: Lab, by: str, weeks: int = 3) -> SeriesProposal:
    with lab.database.transaction() as session:
        return series.propose_series(
            session,
            lab.clock,
            PARIS,
            person_id=by,
            resource_id="printer-a",
            start=moment(lab, 60),
            end=moment(lab, 120),
            weeks=weeks,
            by=by,
        )


def kept(lab: Lab) -> int:
    with lab.database.reading() as session:
        claims = session.scalar(select(func.count()).select_from(Claim)) or 0
        return claims + (session.scalar(select(func.count()).select_from(Reservation)) or 0)


def test_a_proposal_keeps_nothing(lab: Lab) -> None:
    set_policy(lab, members_series=True)
    book(lab, 7 * DAY + 90, 7 * DAY + 150, person=lab.karim)
    before = kept(lab)
    found = proposed(lab, lab.lea)
    assert [one.start for one in found.possible] == [moment(lab, 60), moment(lab, 14 * DAY + 60)]
    (refused,) = found.refused
    assert refused.day == moment(lab, 7 * DAY).date()
    assert [one.code for one in refused.refusals] == ["overlap"]
    assert kept(lab) == before
    assert proposed(lab, lab.lea) == found


def test_a_proposal_is_for_those_who_may(lab: Lab) -> None:
    with pytest.raises(RefusedError) as refused:
        proposed(lab, lab.lea, weeks=1)
    assert refused.value.codes == {"series-length", "series-not-allowed"}


def test_pools_with_their_members_in_order(lab: Lab) -> None:
    with lab.database.transaction() as session:
        for pool, members in (("twins", ["printer-b", "printer-a"]), ("any", ["mill"])):
            resources.set_pool(
                session, lab.clock, pool_id=pool, name=pool.title(), members=members, by=lab.awa
            )
        found = resources.list_pools(session)
    assert [(one.id, one.members) for one in found] == [
        ("any", ("mill",)),
        ("twins", ("printer-b", "printer-a")),
    ]


def hours(lab: Lab, first: date, last: date, subject: str = opening.LAB) -> OpeningHours:
    with lab.database.reading() as session:
        return opening_read.opening_hours(session, first=first, last=last, subject=subject)


def test_hours_as_they_were_set(lab: Lab) -> None:
    week = {0: ((540, 720), (840, 1080)), 5: ((1320, 1560),)}
    with lab.database.transaction() as session:
        opening.set_week(session, lab.clock, week=week, by=lab.awa)
        for day in (date(2026, 12, 24), date(2026, 12, 31)):
            opening.set_exception(session, lab.clock, first=day, reason="Fête", by=lab.awa)
    found = hours(lab, date(2026, 12, 24), date(2026, 12, 30))
    assert found.week == week
    assert [(one.day, one.periods, one.reason) for one in found.exceptions] == [
        (date(2026, 12, 24), (), "Fête")
    ]
    assert found.holidays == [date(2026, 12, 25)]
    mill = hours(lab, date(2026, 12, 24), date(2026, 12, 30), "mill")
    assert (mill.week, mill.exceptions) == ({}, [])


def test_a_resource_that_is_open_on_holidays(lab: Lab) -> None:
    set_policy(lab, Scope(Reach.RESOURCE, "mill"), holidays=False)
    day = date(2026, 12, 25)
    assert hours(lab, day, day, "mill").holidays == ()
    assert hours(lab, day, day, "printer-a").holidays == [day]


FIRST = date(2026, 1, 1)
DAYS = (
    (FIRST, FIRST, True),
    (FIRST, date(2025, 12, 31), False),
    (FIRST, date(2027, 2, 4), True),
    (FIRST, date(2027, 2, 5), False),
    (date.min, date.min, False),
    (date.max, date.max, False),
    (date(2200, 1, 1), date(2200, 1, 1), True),
    (date(2200, 1, 2), date(2200, 1, 2), False),
)


def test_days_that_can_be_asked_for(lab: Lab) -> None:
    for first, last, fine in DAYS:
        if fine:
            hours(lab, first, last)
            continue
        with pytest.raises(InputError):
            hours(lab, first, last)
