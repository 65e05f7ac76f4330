"""Rounds of a test on a computer where any process may stand still for a while.

A hypervisor that takes a core away for 100 ms makes an interlock that scans every 10 ms trip, and
rightly so: ``scan-stalled``. What the test then saw is not what it is about. Such a round is made
again, and only such a one: the daemon's own count of missed scans, its record, or the loop of the
cabinet must say that one of them was kept waiting while the round went. A round that fails without
that fails the test at once, and so does the last one: a daemon that is slow by itself is slow in
every round.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, cast, runtime_checkable

import pytest

from fabctl.errors import FabError
from fabctl_sim.control import SimError

ROUNDS = 5
FAILURES = (AssertionError, FabError, SimError, OSError, pytest.fail.Exception)
Test = TypeVar("Test", bound=Callable[..., None])


class Counted(Protocol):
    """What can say how often its processes were kept waiting; the number only grows."""

    def hitches(self) -> int:
        """Return how often."""


@runtime_checkable
class Shared(Protocol):
    """What several rounds share: it can be put back to where a round begins."""

    def begin_anew(self, *, armed: bool) -> None:
        """Come to the state that the round expects."""

    def is_armed(self) -> bool:
        """Say whether it is ARMED."""


@dataclass
class Watch:
    """All that is watched now, and what was counted of what was watched before."""

    watched: list[Counted] = field(default_factory=list)
    before: int = 0

    def begin(self, one: Counted) -> None:
        """Count what delays this, until :meth:`end`."""
        self.watched.append(one)

    def end(self, one: Counted) -> None:
        """Count it no longer; what was counted stays."""
        self.before += one.hitches()
        self.watched.remove(one)

    def hitches(self) -> int:
        """Return how often anything was kept waiting, until now."""
        return self.before + sum(one.hitches() for one in self.watched)


WATCH = Watch()


def in_rounds(go: Callable[[], None], put_right: Callable[[], None]) -> None:
    """Go; once more, when it failed while what is watched was kept waiting, :data:`ROUNDS` at most.

    :param put_right: before another round.
    """
    for left in reversed(range(ROUNDS)):
        before = WATCH.hitches()
        try:
            go()
        except FAILURES as error:
            if not left or WATCH.hitches() == before:
                raise
            print(f"made again, for the computer kept it waiting: {error}")  # noqa: T201
        else:
            return
        put_right()


def steady(test: Test) -> Test:
    """Make a round of a test again when its processes were kept waiting while it failed.

    What the test is given under the name ``armed`` is armed at the beginning of every round;
    whatever else can ``begin_anew`` does so before another round.
    """

    @functools.wraps(test)
    def rounds(**given: object) -> None:
        shared = {name: one for name, one in given.items() if isinstance(one, Shared)}
        for name, one in shared.items():
            if name == "armed" and not one.is_armed():
                one.begin_anew(armed=True)  # it tripped between its fixture and here

        def put_right() -> None:
            for name, one in shared.items():
                one.begin_anew(armed=name == "armed")

        in_rounds(functools.partial(test, **given), put_right)

    return cast("Test", rounds)
