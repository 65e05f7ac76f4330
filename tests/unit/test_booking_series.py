"""Weekly series: the wall clock stays, on both sides of a clock change."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from fabctl.model.booking_series import weekly
from fabctl.model.booking_slots import Slot

PARIS = ZoneInfo("Europe/Paris")


def paris(said: str) -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=PARIS)


def dates(start: str, minutes: int, weeks: int) -> list[tuple[date, str, float]]:
    first = Slot(paris(start), paris(start) + timedelta(minutes=minutes))
    return [
        (day, f"{slot.start:%H:%M}", slot.length.total_seconds() / 60) if slot else (day, "", 0)
        for day, slot in weekly(first, weeks, PARIS)
    ]


def test_ten_in_the_morning_stays_ten_in_the_morning() -> None:
    found = dates("2026-03-22 10:00", 60, 3)
    assert found == [
        (date(2026, 3, 22), "10:00", 60),
        (date(2026, 3, 29), "08:00", 60),  # in UTC
        (date(2026, 4, 5), "08:00", 60),
    ]


def test_a_time_that_the_clocks_skip_is_said() -> None:
    assert [said for _, said, _ in dates("2026-03-22 02:30", 60, 3)] == ["02:30", "", "00:30"]


def test_a_time_that_shows_twice_is_the_first_one() -> None:
    assert dates("2026-10-18 02:30", 15, 2)[1] == (date(2026, 10, 25), "00:30", 15)


def test_across_midnight_of_the_change_the_length_follows_the_clock() -> None:
    # 23:00 to 04:00 on the wall: five hours, and four in the night of the change
    found = dates("2026-03-21 23:00", 300, 2)
    assert [length for _, _, length in found] == [300, 240]


def test_a_leap_day_has_its_week() -> None:
    assert [day for day, _, _ in dates("2028-02-22 10:00", 60, 3)] == [
        date(2028, 2, 22), date(2028, 2, 29), date(2028, 3, 7),
    ]  # fmt: skip
