"""How much time a job has left."""

from __future__ import annotations

import pytest

from fabctl.hosting.progress import Stopwatch, seconds_left, share_done
from fabctl.units import Seconds


@pytest.mark.parametrize(
    ("over", "ran", "estimate", "left"),
    [
        (0.0, 0.0, None, None),
        (0.0, 30.0, 600.0, 600),
        (0.5, 30.0, 600.0, 300),  # too early: heating made what was measured worthless
        (0.5, 30.0, None, None),
        (0.5, 600.0, None, 600),
        (0.5, 600.0, 600.0, 450),  # half from the estimate (300), half measured (600)
        (1.0, 600.0, 600.0, 0),
        (0.0, 600.0, None, None),
    ],
)
def test_time_left(over: float, ran: float, estimate: float | None, left: int | None) -> None:
    assert seconds_left(over, Seconds(ran), estimate) == left


def test_pauses_do_not_count() -> None:
    watch = Stopwatch(Seconds(0.0))
    watch.run(Seconds(10.0))
    watch.run(Seconds(12.0))
    watch.hold(Seconds(20.0))
    watch.run(Seconds(100.0))
    assert watch.seconds(Seconds(101.0)) == 11.0


@pytest.mark.parametrize(
    ("done", "of", "share"), [(0, 4, 0.0), (3, 4, 0.75), (5, 4, 1.0), (1, 0, 0)]
)
def test_the_share_that_is_done(done: int, of: int, share: float) -> None:
    assert share_done(done, of) == share
