"""Time, passed in: nothing below the command line reads a clock of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from fabctl.units import Seconds


class Clock(Protocol):
    """Two clocks that must not be mixed up."""

    def now(self) -> datetime:
        """Return the wall clock, aware, in UTC: for what people and records see."""

    def monotonic(self) -> Seconds:
        """Return the monotonic clock in s: for every timeout and every age."""


class SystemClock:
    """The computer's clocks."""

    def now(self) -> datetime:
        """Return the wall clock, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> Seconds:
        """Return the monotonic clock in s."""
        return Seconds(time.monotonic())


@dataclass
class ManualClock:
    """A clock that a test moves by hand; a step of the wall clock alone is possible too."""

    wall: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    elapsed: Seconds = field(default=Seconds(1000.0))

    def now(self) -> datetime:
        """Return the wall clock as set."""
        return self.wall

    def monotonic(self) -> Seconds:
        """Return the monotonic clock as set, in s."""
        return self.elapsed

    def advance(self, seconds: float) -> None:
        """Move both clocks forward by ``seconds`` ≥ 0."""
        self.wall += timedelta(seconds=seconds)
        self.elapsed = Seconds(self.elapsed + seconds)
