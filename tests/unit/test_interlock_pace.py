"""The scan's own time: what was missed, and a computer that slept."""

from __future__ import annotations

import pytest

from fabctl.interlock import InputPin, Timings
from fabctl.units import Seconds
from fabctl_drivers.interlock.pace import Pace
from fabctl_drivers.interlock.press import COUNTS_FOR_S, PressAtTheMachine
from fabctl_drivers.interlock.realtime import suspended_s


@pytest.mark.parametrize(
    ("gap_ms", "missed"), [(7, 0), (10, 0), (18, 0), (20, 1), (29, 2), (30, 2), (210, 20)]
)
def test_what_was_missed_is_counted_by_the_gap(gap_ms: int, missed: int) -> None:
    pace = Pace(Seconds(0.010))
    for now in (0.0, 0.010, 0.010 + gap_ms / 1000):
        pace.begin(Seconds(now))
    assert pace.missed == missed
    assert pace.longest_s == pytest.approx(max(10, gap_ms) / 1000)


def test_a_sleep_is_seen_once_and_a_late_look_is_none() -> None:
    pace = Pace(Seconds(0.010))
    looks = [500.0, 500.0001, 499.7, 500.0, 500.05, 530.0, 530.0]
    assert [pace.slept(ahead) for ahead in looks] == [False] * 5 + [True, False]


def test_the_computers_own_clocks_agree_while_it_is_awake() -> None:
    pace = Pace(Seconds(0.010))
    assert not any(pace.slept(suspended_s()) for _ in range(1000))


# -- somebody at the machine ---------------------------------------------------------------------


@pytest.fixture
def press() -> PressAtTheMachine:
    return PressAtTheMachine(InputPin(16, safe_high=True), Timings())


def read(press: PressAtTheMachine, level: bool | None, began: float, seconds: float) -> float:
    """Read the same level every 10 ms, for a while; return when that was over."""
    for scan in range(round(100 * seconds)):
        press.take(level, Seconds(began + scan / 100))
    return began + seconds


def test_a_press_counts_while_it_is_held_and_for_a_while(press: PressAtTheMachine) -> None:
    now = read(press, True, 0.0, 0.5)
    assert not press.counts(Seconds(now))
    now = read(press, False, now, 0.5)
    assert press.counts(Seconds(now))
    now = read(press, True, now, 9.0)
    assert press.counts(Seconds(now))
    now = read(press, True, now, COUNTS_FOR_S)
    assert not press.counts(Seconds(now))


def test_a_button_that_was_pressed_before_does_not_count(press: PressAtTheMachine) -> None:
    now = read(press, False, 0.0, 2.0)
    assert not press.counts(Seconds(now))


def test_a_button_that_is_stuck_counts_no_longer(press: PressAtTheMachine) -> None:
    now = read(press, True, 0.0, 0.1)
    now = read(press, False, now, 30.0)
    assert not press.counts(Seconds(now))


def test_a_glitch_is_no_press(press: PressAtTheMachine) -> None:
    now = 0.0
    for _ in range(20):
        now = read(press, True, now, 0.02)
        now = read(press, False, now, 0.05)
    assert not press.counts(Seconds(now))


def test_a_button_that_cannot_be_read_is_not_pressed(press: PressAtTheMachine) -> None:
    now = read(press, True, 0.0, 0.1)
    told = [press.is_read]
    now = read(press, None, now, 0.5)
    told.append(press.is_read)
    now = read(press, False, now, 0.5)  # who knows since when
    assert [*told, press.is_read] == [True, False, True]
    assert not press.counts(Seconds(now))


def test_one_press_serves_once(press: PressAtTheMachine) -> None:
    now = read(press, False, read(press, True, 0.0, 0.1), 0.5)
    press.renew()
    assert not press.counts(Seconds(now))
    now = read(press, False, now, 0.5)
    assert not press.counts(Seconds(now))
