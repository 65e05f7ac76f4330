"""Guessing is slow: when locks come, how long they last, and what a right PIN forgives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fabctl.model.tries import (
    OF_A_LOGIN,
    OF_A_SCREEN,
    OF_AN_ADDRESS,
    Tries,
    Waits,
    after_right,
    after_wrong,
    network_of,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def wrong(times: int, tries: Tries | None = None, now: datetime = NOW) -> Tries:
    tries = tries or Tries()
    for _ in range(times):
        tries = after_wrong(tries, now)
    return tries


def test_four_wrong_tries_lock_nothing_the_fifth_does_for_a_minute() -> None:
    assert not wrong(4).is_locked(NOW)
    assert wrong(5).is_locked(NOW)
    assert wrong(5).is_locked(NOW + 60 * SECOND - timedelta(microseconds=1))
    assert not wrong(5).is_locked(NOW + 60 * SECOND)


def test_a_lock_set_by_a_clock_that_was_a_year_ahead_is_none() -> None:
    tries = wrong(12, now=NOW + timedelta(days=365))
    assert tries.is_locked(NOW + timedelta(days=365))
    assert not tries.is_locked(NOW)


@pytest.mark.parametrize(
    ("waits", "minutes"),
    [
        (OF_A_LOGIN, [1, 2, 4, 8, 16, 32, 60, 60, 60]),
        (OF_A_SCREEN, [0.25, 0.5, 1, 2, 4, 8, 15, 15, 15]),
    ],
    ids=["login", "screen"],
)
def test_every_wrong_try_after_a_lock_locks_twice_as_long_up_to_a_longest(
    waits: Waits, minutes: list[float]
) -> None:
    tries, now, found = wrong(4), NOW, []
    for _ in minutes:
        tries = after_wrong(tries, now, waits)
        assert tries.locked_until is not None
        found.append((tries.locked_until - now).total_seconds() / 60)
        now = tries.locked_until
    assert found == minutes


def test_a_right_try_ends_the_row() -> None:
    tries = after_right(wrong(4))
    assert not wrong(4, tries).is_locked(NOW)
    assert wrong(5, tries).is_locked(NOW)


def test_a_right_pin_of_ones_own_does_not_wash_thirty_guesses_away() -> None:
    tries = Tries()
    for _ in range(7):
        tries = after_right(wrong(4, tries))
    assert not tries.is_locked(NOW)
    assert wrong(2, tries).is_locked(NOW)


def test_the_window_ends_after_an_hour() -> None:
    tries = Tries()
    for _ in range(7):
        tries = after_right(wrong(4, tries))
    assert not wrong(2, tries, NOW + timedelta(hours=1, seconds=1)).is_locked(
        NOW + timedelta(hours=1, seconds=1)
    )


def test_a_day_without_a_wrong_try_forgets_the_locks() -> None:
    later = NOW + timedelta(days=1, seconds=1)
    tries = wrong(1, wrong(5), later)
    assert (tries.in_a_row, tries.locks, tries.is_locked(later)) == (1, 0, False)


def test_an_address_has_more_tries_before_it_locks() -> None:
    tries = Tries()
    for _ in range(19):
        tries = after_wrong(tries, NOW, OF_AN_ADDRESS)
    assert not tries.is_locked(NOW)
    assert after_wrong(tries, NOW, OF_AN_ADDRESS).is_locked(NOW)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("a socket", "a socket"),
    ],
)
def test_what_counts_as_one_address(address: str, counted: str) -> None:
    assert network_of(address) == counted
