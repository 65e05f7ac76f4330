"""The rules of booking, one case per edge: one minute, or one moment, either side."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.model.booking import (
    BookingFacts,
    Slot,
    chain_end,
    refusals,
)
from fabctl.model.booking_free import free_slots
from fabctl.model.certification import Standing

NOW = datetime(2026, 11, 23, 9, 7, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LAST_MINUTE = NOW.replace(second=0) - MINUTE
MOMENT = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def at(minutes: float, lasts: float = 60) -> Slot:
    start = NOW + timedelta(minutes=minutes)
    return Slot(start, start + timedelta(minutes=lasts))


def codes(facts: BookingFacts) -> list[str]:
    return [refusal.code for refusal in refusals(facts)]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (at(0), []),
        (at(-1), []),
        (Slot(LAST_MINUTE, NOW + HOUR), []),
        (Slot(LAST_MINUTE - MOMENT, NOW + HOUR), ["in-the-past"]),
        (at(-2), ["in-the-past"]),
        (at(1, 5), []),
        (at(1, 4), ["too-short"]),
        (Slot(NOW + HOUR, NOW + HOUR + 5 * MINUTE - MOMENT), ["too-short"]),
        (at(1, 0), ["too-short"]),
        (at(60, -30), ["too-short"]),
        (at(1, 480), []),
        (at(1, 481), ["too-long"]),
        (Slot(NOW, NOW + 8 * HOUR + MOMENT), ["too-long"]),
        (Slot(NOW + 60 * DAY, NOW + 60 * DAY + HOUR), []),
        (Slot(NOW + 60 * DAY + MOMENT, NOW + 60 * DAY + HOUR), ["beyond-horizon"]),
        (at(-600, 500), ["in-the-past", "too-long"]),
    ],
)
def test_when(wanted: Slot, expected: list[str]) -> None:
    assert codes(BookingFacts(NOW, wanted)) == expected


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        (at(120), []),
        (at(119), ["overlap"]),
        (at(0), []),
        (at(1), ["overlap"]),
        (at(60), ["overlap"]),
        (at(70, 10), ["overlap"]),
        (at(0, 600), ["overlap"]),
        (Slot(at(60).end - MOMENT, at(60).end + HOUR), ["overlap"]),
        (Slot(at(60).end, at(60).end + HOUR), []),
    ],
)
def test_overlap_with_a_slot_from_10_07_to_11_07(taken: Slot, expected: list[str]) -> None:
    assert codes(BookingFacts(NOW, at(60), [at(-500, 60), taken])) == expected


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (Standing.VALID, []),
        (Standing.NONE, ["not-certified"]),
        (Standing.EXPIRED, ["certification-expired"]),
        (Standing.SUSPENDED, ["certification-suspended"]),
        (Standing.SUPERVISED, ["supervision-missing"]),
    ],
)
def test_certification(standing: Standing, expected: list[str]) -> None:
    assert codes(BookingFacts(NOW, at(0), certification=standing)) == expected


def test_every_reason_comes_at_once_each_with_a_next_step() -> None:
    wanted = Slot(NOW - HOUR, NOW - HOUR)
    found = refusals(
        BookingFacts(
            NOW,
            Slot(wanted.start, wanted.end + MINUTE),
            taken=[Slot(NOW - 2 * HOUR, NOW)],
            certification=Standing.NONE,
            account_suspended=True,
            out_of_order=True,
        )
    )
    assert [refusal.code for refusal in found] == [
        "account-suspended",
        "not-certified",
        "out-of-order",
        "in-the-past",
        "too-short",
        "overlap",
    ]
    assert all(str(refusal.message) and str(refusal.next_step) for refusal in found)


def test_the_first_proposal_starts_in_the_running_minute_the_next_at_a_quarter() -> None:
    found = list(islice(free_slots(NOW, [], HOUR), 3))
    assert [f"{slot.start:%H:%M:%S}" for slot in found] == ["09:07:00", "10:15:00", "11:15:00"]


@pytest.mark.parametrize(
    ("taken", "first"),
    [
        ([at(-30, 40)], "09:30"),  # busy until 9:17:30
        ([at(59, 60)], "11:15"),  # free for 59 minutes and a bit: too little
        ([at(60, 60)], "09:07"),  # free for an hour
        ([at(-60, 60)], "09:07"),  # ended this very moment
        ([Slot(NOW - HOUR, NOW.replace(minute=15, second=0))], "09:15"),
    ],
)
def test_the_first_proposal_is_the_first_that_fits(taken: list[Slot], first: str) -> None:
    assert f"{next(free_slots(NOW, taken, HOUR)).start:%H:%M}" == first


def test_a_slot_that_ended_in_this_minute_is_not_proposed_again() -> None:
    taken = [at(-5, 5)]
    first = next(free_slots(NOW, taken, HOUR))
    assert first.start == NOW
    assert codes(BookingFacts(NOW, first, taken)) == []


def test_proposals_end_at_the_horizon() -> None:
    whole_time = [Slot(NOW - HOUR, NOW + 61 * DAY)]
    assert list(free_slots(NOW, whole_time, HOUR)) == []


@given(
    claims=st.lists(st.tuples(st.integers(-600, 3000), st.integers(5, 480)), max_size=12),
    lasts=st.integers(5, 480),
)
def test_every_proposal_could_be_booked(claims: list[tuple[int, int]], lasts: int) -> None:
    taken = [at(start, minutes) for start, minutes in claims]
    found = list(islice(free_slots(NOW, taken, timedelta(minutes=lasts)), 5))
    assert len(found) == 5
    assert all(codes(BookingFacts(NOW, slot, taken)) == [] for slot in found)
    assert all(before.end <= after.start for before, after in pairwise(found))


@pytest.mark.parametrize(
    ("taken", "until"),
    [
        ([], None),
        ([at(1)], None),
        ([at(-60, 60)], None),
        ([at(-60, 61)], at(1).start),
        ([at(30, 30), at(-10, 40)], at(60).start),
        ([at(31, 30), at(-10, 40)], at(30).start),
    ],
)
def test_busy_until_follows_claims_that_touch(taken: list[Slot], until: datetime | None) -> None:
    assert chain_end(NOW, taken) == until
