"""A wall clock that jumps: what is believed, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fabctl.believed_clock import BELIEVED_AFTER, JUMP, BelievedClock
from fabctl.clock import ManualClock

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


class Bench:
    """A clock that is moved by hand, and the one that doubts it."""

    def __init__(self, not_before: datetime | None = None, wall: datetime | None = None) -> None:
        self.hand = ManualClock() if wall is None else ManualClock(wall)
        self.start = self.hand.now()
        self.synced: bool | None = None
        self.log: list[str] = []
        self.clock = BelievedClock(
            self.hand,
            self.log.append,
            not_before=not_before,
            elapsed=self.hand.monotonic,
            synced=lambda: self.synced,
        )


@pytest.mark.parametrize("jump", [DAY, -DAY, JUMP + SECOND, -JUMP - SECOND])
def test_a_jump_is_not_believed_before_it_has_stood_for_a_while(jump: timedelta) -> None:
    bench = Bench()
    bench.hand.wall += jump
    assert bench.clock.now() == bench.start
    bench.hand.advance(BELIEVED_AFTER - 1)
    assert bench.clock.now() == bench.start + timedelta(seconds=BELIEVED_AFTER - 1)
    assert bench.clock.jump == jump
    bench.hand.advance(1)
    assert bench.clock.now() == bench.hand.wall
    way = "ahead" if jump > timedelta(0) else "back"
    assert bench.log[0].startswith(f"the wall clock jumped {abs(jump).total_seconds():.0f} s {way}")
    assert bench.log[1].startswith("the wall clock is believed")


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_a_time_server_is_believed_at_once(jump: timedelta) -> None:
    bench = Bench()
    bench.synced = True
    bench.hand.wall += jump
    assert bench.clock.now() == bench.hand.wall


@pytest.mark.parametrize("jump", [JUMP, -JUMP])
def test_a_small_step_is_taken_as_it_comes(jump: timedelta) -> None:
    bench = Bench()
    bench.hand.wall += jump
    assert bench.clock.now() == bench.hand.wall
    assert bench.log == []


def test_there_and_back_again_changes_nothing() -> None:
    bench = Bench()
    for jump in (DAY, -DAY, -DAY, DAY):
        bench.hand.wall += jump
        bench.hand.advance(60)
        bench.clock.now()
    assert bench.clock.now() == bench.start + timedelta(seconds=240)
    assert bench.log[-1] == "the wall clock is back where it was"
    assert bench.clock.jumps == 2


def test_another_jump_begins_the_wait_anew() -> None:
    bench = Bench()
    for _ in range(3):
        bench.hand.wall += DAY
        assert bench.clock.now() < bench.start + DAY
        bench.hand.advance(BELIEVED_AFTER - 1)
        assert bench.clock.now() < bench.start + DAY
    assert bench.clock.jumps == 3


def test_an_unset_clock_goes_on_from_the_record() -> None:
    record = datetime(2026, 11, 22, 18, tzinfo=UTC)
    bench = Bench(not_before=record, wall=datetime(1970, 1, 1, tzinfo=UTC))
    assert bench.clock.now() == record
    bench.hand.advance(10 * BELIEVED_AFTER)
    assert bench.clock.now() == record + timedelta(seconds=10 * BELIEVED_AFTER)
    bench.hand.wall = datetime(2026, 11, 23, 9, tzinfo=UTC)
    bench.synced = True
    assert bench.clock.now() == bench.hand.wall
    assert bench.clock.wall() == bench.hand.wall


def test_timeouts_ask_another_clock() -> None:
    bench = Bench()
    before = bench.clock.monotonic()
    bench.hand.wall += DAY
    assert bench.clock.monotonic() == before
