"""Times that screens promise, measured where a computer may stand still for a second."""

from __future__ import annotations

from collections.abc import Callable

TRIES = 5


def kept(promise_s: float, measure: Callable[[], float]) -> None:
    """Measure a time, in s, until it is within the promise; fail if it never is.

    A computer that stands still makes a measure longer, never shorter: one that is within the
    promise shows it. A screen that is too slow is so each time.
    """
    taken: list[float] = []
    while not taken or taken[-1] > promise_s:
        assert len(taken) < TRIES, f"took {taken} s, promised {promise_s} s"
        taken.append(measure())
