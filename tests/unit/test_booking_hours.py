"""Opening hours on the wall clock: both clock changes, a leap day, nights, exceptions, holidays."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.model.booking_hours import (
    ALL_DAY,
    Hours,
    Periods,
    instant,
    local_day,
    local_week,
    open_spans,
    sound_periods,
)
from fabctl.model.booking_slots import Slot, merged, next_on_grid, without
from fabctl.services.opening import french_holidays

PARIS = ZoneInfo("Europe/Paris")
DAY = timedelta(days=1)


def utc(said: str) -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=UTC)


def spans(hours: Hours, day: date, days: int = 1) -> list[tuple[str, str]]:
    """Return the spans that begin on a day (or some) as UTC clock times."""
    start = datetime(day.year, day.month, day.day, tzinfo=PARIS).astimezone(UTC)
    window = Slot(start, start + days * DAY)
    found = [span for span in open_spans(hours, window, PARIS) if window.start <= span.start]
    return [
        (f"{span.start:%d %H:%M}", f"{span.end:%d %H:%M}")
        for span in found
        if span.start < window.end
    ]


def every_day(*periods: tuple[int, int]) -> Hours:
    return Hours(dict.fromkeys(range(7), periods))


NINE_TO_FIVE = every_day((9 * 60, 12 * 60), (14 * 60, 17 * 60))


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 11, 23), [("23 08:00", "23 11:00"), ("23 13:00", "23 16:00")]),  # winter: +1
        (date(2026, 7, 1), [("01 07:00", "01 10:00"), ("01 12:00", "01 15:00")]),  # summer: +2
        (date(2026, 3, 28), [("28 08:00", "28 11:00"), ("28 13:00", "28 16:00")]),
        (date(2026, 3, 29), [("29 07:00", "29 10:00"), ("29 12:00", "29 15:00")]),
        (date(2026, 10, 24), [("24 07:00", "24 10:00"), ("24 12:00", "24 15:00")]),
        (date(2026, 10, 25), [("25 08:00", "25 11:00"), ("25 13:00", "25 16:00")]),
        (date(2028, 2, 29), [("29 08:00", "29 11:00"), ("29 13:00", "29 16:00")]),
    ],
)
def test_the_wall_clock_opens_the_lab(day: date, expected: list[tuple[str, str]]) -> None:
    assert spans(NINE_TO_FIVE, day) == expected


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        # on 29 March 2026 no clock shows 02:00 to 03:00; that moment is 01:00 UTC
        ((60, 120), [("29 00:00", "29 01:00")]),
        ((60, 150), [("29 00:00", "29 01:00")]),
        ((150, 240), [("29 01:00", "29 02:00")]),
        ((120, 180), []),
        ((60, 240), [("29 00:00", "29 02:00")]),  # two hours long, not three
    ],
)
def test_a_night_in_march(period: tuple[int, int], expected: list[tuple[str, str]]) -> None:
    hours = Hours({6: (period,)})
    assert spans(hours, date(2026, 3, 29)) == expected


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        # on 25 October 2026 clocks show 02:00 to 03:00 twice: 00:00 and 01:00 UTC
        ((60, 120), [("24 23:00", "25 01:00")]),  # closes the second time 02:00 shows
        ((150, 240), [("25 00:30", "25 03:00")]),  # opens the first time 02:30 shows
        ((60, 150), [("24 23:00", "25 01:30")]),  # closes the second time 02:30 shows
        ((180, 240), [("25 02:00", "25 03:00")]),
    ],
)
def test_a_night_in_october(period: tuple[int, int], expected: list[tuple[str, str]]) -> None:
    hours = Hours({6: (period,)})
    assert spans(hours, date(2026, 10, 25)) == expected


def test_a_night_goes_on_after_midnight() -> None:
    friday = Hours({4: ((18 * 60, 26 * 60),)})  # Friday 18:00 to Saturday 02:00
    assert spans(friday, date(2026, 11, 27), days=2) == [("27 17:00", "28 01:00")]


def test_two_days_that_touch_at_midnight_are_one_span() -> None:
    whole = Hours(dict.fromkeys(range(7), ALL_DAY))
    found = open_spans(whole, Slot(utc("2026-11-23 22:00"), utc("2026-11-24 02:00")), PARIS)
    assert len(found) == 1
    assert found[0].covers(Slot(utc("2026-11-23 22:00"), utc("2026-11-24 02:00")))


def test_an_exception_goes_before_a_holiday_and_a_holiday_before_the_week() -> None:
    hours = Hours(
        NINE_TO_FIVE.week,
        exceptions={
            date(2026, 12, 24): ((600, 720),),
            date(2026, 12, 26): (),
            date(2027, 1, 1): ALL_DAY,
        },
        holidays=french_holidays(2026) | french_holidays(2027),
    )  # fmt: skip
    assert spans(hours, date(2026, 12, 24)) == [("24 09:00", "24 11:00")]
    assert spans(hours, date(2026, 12, 25)) == []
    assert spans(hours, date(2026, 12, 26)) == []
    assert spans(hours, date(2027, 1, 1)) == [("31 23:00", "01 23:00")]


def test_no_week_is_always_open_but_for_exceptions() -> None:
    hours = Hours(None, {date(2026, 11, 24): ()})
    found = open_spans(hours, Slot(utc("2026-11-23 12:00"), utc("2026-11-25 12:00")), PARIS)
    assert [span.length > 12 * timedelta(hours=1) for span in found] == [True, True]
    assert found[0].end == utc("2026-11-23 23:00")
    assert found[1].start == utc("2026-11-24 23:00")


def test_public_holidays_of_france() -> None:
    assert french_holidays(2026) == {
        date(2026, 1, 1), date(2026, 4, 6), date(2026, 5, 1), date(2026, 5, 8), date(2026, 5, 14),
        date(2026, 5, 25), date(2026, 7, 14), date(2026, 8, 15), date(2026, 11, 1),
        date(2026, 11, 11), date(2026, 12, 25),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("periods", "sound"),
    [
        (((540, 720), (840, 1020)), True),
        (((540, 720), (720, 1020)), True),
        (((540, 720), (719, 1020)), False),
        (((540, 540),), False),
        (((720, 540),), False),
        (((1439, 2880),), True),
        (((1440, 2000),), False),
        (((0, 2881),), False),
        (((-1, 60),), False),
        ((), True),
    ],
)
def test_periods_that_can_be(periods: Periods, sound: bool) -> None:  # a table
    assert sound_periods(periods) is sound


@pytest.mark.parametrize(
    ("moment", "hours"),
    [("2026-03-29 10:00", 23), ("2026-10-25 10:00", 25), ("2026-03-30 10:00", 24)],
)
def test_a_day_has_23_24_or_25_hours(moment: str, hours: int) -> None:
    assert local_day(utc(moment), PARIS).length == timedelta(hours=hours)


def test_a_week_runs_from_monday_to_sunday_on_the_wall_clock() -> None:
    assert local_week(utc("2026-03-29 21:59"), PARIS) == Slot(
        utc("2026-03-22 23:00"), utc("2026-03-29 22:00")
    )
    assert local_week(utc("2026-03-29 22:00"), PARIS).start == utc("2026-03-29 22:00")


def test_nothing_is_open_in_a_year_that_nobody_sees() -> None:
    far = Slot(datetime(9998, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
    assert open_spans(NINE_TO_FIVE, far, PARIS) == []


def test_200_years_are_looked_at_for_400_days() -> None:
    long = Slot(utc("2026-01-01"), utc("2226-01-01"))
    found = open_spans(NINE_TO_FIVE, long, PARIS)
    assert found[-1].end < utc("2027-03-01")


moments = st.datetimes(
    datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)  # noqa: DTZ001
)  # fmt: skip


@given(moment=moments, step=st.sampled_from([5, 15, 30, 60, 90]))
def test_the_next_on_the_grid_is_on_it_and_near(moment: datetime, step: int) -> None:
    length = timedelta(minutes=step)
    found = next_on_grid(moment, length, PARIS)
    wall = found.astimezone(PARIS)
    assert timedelta(minutes=wall.hour * 60 + wall.minute) % length == timedelta()
    assert timedelta() <= found - moment <= length + timedelta(hours=1)  # a clock change between


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 90)), max_size=8),
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 90)), max_size=8),
)
def test_what_is_left_is_in_the_open_and_touches_nothing_taken(
    opens: list[tuple[int, int]], taken: list[tuple[int, int]]
) -> None:
    def slots(pairs: list[tuple[int, int]]) -> list[Slot]:
        base = utc("2026-11-23 08:00")
        minute = timedelta(minutes=1)
        return [Slot(base + a * minute, base + (a + b) * minute) for a, b in pairs]

    free = without(slots(opens), slots(taken))
    busy = slots(taken)
    assert not any(one.overlaps(other) for one in free for other in busy)
    total = sum((span.length for span in merged(slots(opens))), timedelta())
    covered = sum(
        (
            span.shared_with(away)
            for span in merged(slots(opens))
            for away in merged(busy)
        ),
        timedelta(),
    )  # fmt: skip
    assert sum((one.length for one in free), timedelta()) == total - covered


def test_an_instant_in_the_gap_is_the_change_itself() -> None:
    for minutes in (120, 121, 179):
        found = instant(date(2026, 3, 29), minutes, PARIS, second=False)
        assert found == utc("2026-03-29 01:00")
