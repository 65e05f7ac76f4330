"""When maintenance by date comes back: months without the day, both clock changes."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from fabctl.model.maintenance import Rhythm, Unit, comes_back_at, part_over, rhythm_refusals

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("since", "count", "unit", "due"),
    [
        ("2026-11-23 10:00", 1, Unit.WEEK, "2026-11-30 10:00"),
        ("2026-01-31 10:00", 1, Unit.MONTH, "2026-02-28 10:00"),
        ("2028-01-31 10:00", 1, Unit.MONTH, "2028-02-29 10:00"),
        ("2026-12-15 10:00", 1, Unit.MONTH, "2027-01-15 10:00"),
        ("2026-11-30 10:00", 3, Unit.MONTH, "2027-02-28 10:00"),
        ("2026-11-23 10:00", 120, Unit.MONTH, "2036-11-23 10:00"),
        ("2026-03-23 10:00", 1, Unit.WEEK, "2026-03-30 10:00"),  # clocks went forward between
        ("2026-10-19 10:00", 1, Unit.WEEK, "2026-10-26 10:00"),  # and back
        ("2026-03-22 02:30", 1, Unit.WEEK, "2026-03-29 03:30"),  # that time does not come
        ("2026-10-18 02:30", 1, Unit.WEEK, "2026-10-25 02:30"),  # it comes twice: the first
    ],
)
def test_it_comes_back_at_the_same_time_of_day(
    since: str, count: int, unit: Unit, due: str
) -> None:
    begun = datetime.fromisoformat(since).replace(tzinfo=PARIS).astimezone(UTC)
    found = comes_back_at(begun, Rhythm(count, unit), PARIS)
    assert f"{found.astimezone(PARIS):%Y-%m-%d %H:%M}" == due
    assert found > begun


def test_how_much_of_the_time_is_over() -> None:
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 11, tzinfo=UTC)
    assert part_over(begin, datetime(2026, 1, 6, tzinfo=UTC), end) == 0.5
    assert part_over(begin, end, end) == 1
    assert part_over(begin, datetime(2025, 12, 1, tzinfo=UTC), end) == 0
    assert part_over(begin, end, None) == 0


@pytest.mark.parametrize(
    ("hours", "rhythm", "codes"),
    [
        (10, None, []),
        (None, Rhythm(1, Unit.WEEK), []),
        (10, Rhythm(520, Unit.WEEK), []),
        (None, None, ["hours-not-possible"]),
        (0, Rhythm(521, Unit.WEEK), ["hours-not-possible", "date-not-possible"]),
        (None, Rhythm(0, Unit.MONTH), ["date-not-possible"]),
        (None, Rhythm(120, Unit.MONTH), []),
    ],
)
def test_what_a_plan_may_be(hours: float | None, rhythm: Rhythm | None, codes: list[str]) -> None:
    assert [one.code for one in rhythm_refusals(hours, rhythm)] == codes
