"""A wall clock that does not jump because somebody, or a lost battery, made this computer's jump.

A Raspberry Pi has no clock of its own: it starts with the time of its last stop, or in 1970, and
jumps once a time server is found. Somebody types a wrong date; a bad server is a day ahead. What
is due by the wall clock (no-shows, permits, expiries) must not happen for such a jump, and some of
it cannot be taken back. So a jump is believed when the kernel says that a time server disciplines
the clock, or when it still stands 15 minutes later; until then time goes on from where it was, by
CLOCK_BOOTTIME (clock_gettime(2): it runs while the computer sleeps, and no one can set it).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from fabctl.clock import Clock
from fabctl.complaint import Complaint
from fabctl.synchronisation import asked_kernel
from fabctl.units import Seconds

JUMP = timedelta(seconds=60)
"""A smaller step changes nothing that is due: it is taken as it comes."""
BELIEVED_AFTER = Seconds(900.0)


def boot_time() -> Seconds:
    """Return the time since the boot in s, sleep included."""
    return Seconds(time.clock_gettime(time.CLOCK_BOOTTIME))


class BelievedClock:
    """A :class:`fabctl.clock.Clock`. Safe from any thread.

    :param elapsed: a clock in s that nobody can set.
    :param synced: whether a time server disciplines the wall clock now; None: nobody knows.
    :param not_before: a moment that is over for certain (the newest on record): a wall clock
        before it is wrong, and only a time server can make that believed.
    :param log: told once of each jump, and of what came of it.
    """

    def __init__(
        self,
        clock: Clock,
        log: Callable[[str], None],
        *,
        not_before: datetime | None = None,
        elapsed: Callable[[], Seconds] = boot_time,
        synced: Callable[[], bool | None] = asked_kernel,
    ) -> None:
        self._clock = clock
        self._log = log
        self._elapsed = elapsed
        self._synced = synced
        self._floor = not_before
        self._guard = threading.Lock()
        wall = clock.now()
        self._anchor = (wall if not_before is None else max(wall, not_before), elapsed())
        self._doubt: tuple[timedelta, Seconds] | None = None
        self.jumps = 0
        """How many were seen."""

    def now(self) -> datetime:
        """Return the wall clock as far as it is believed, in UTC."""
        with self._guard:
            return self._now()

    def monotonic(self) -> Seconds:
        """Return the monotonic clock in s."""
        return self._clock.monotonic()

    def wall(self) -> datetime:
        """Return what the computer shows, believed or not."""
        return self._clock.now()

    @property
    def jump(self) -> timedelta | None:
        """How far the computer's clock is ahead of the believed one; None: they are the same."""
        with self._guard:
            self._now()
            return None if self._doubt is None else self._doubt[0]

    def _now(self) -> datetime:
        wall, elapsed = self._clock.now(), self._elapsed()
        expected = self._anchor[0] + timedelta(seconds=elapsed - self._anchor[1])
        jump = wall - expected
        if abs(jump) <= JUMP:
            if self._doubt is not None:
                self._log("the wall clock is back where it was")
            return self._believe(wall, elapsed)
        if self._doubt is None or abs(self._doubt[0] - jump) > JUMP:
            self._doubt = (jump, elapsed)
            self.jumps += 1
            self._log(
                Complaint(f"the wall clock jumped {_said(jump)}, to {wall:%Y-%m-%d %H:%M} UTC")
            )
        if self._synced() or self._stood(wall, elapsed):
            self._log(f"the wall clock is believed: it is {wall:%Y-%m-%d %H:%M} UTC")
            return self._believe(wall, elapsed)
        return expected

    def _stood(self, wall: datetime, elapsed: Seconds) -> bool:
        possible = self._floor is None or wall >= self._floor
        return possible and self._doubt is not None and elapsed - self._doubt[1] >= BELIEVED_AFTER

    def _believe(self, wall: datetime, elapsed: Seconds) -> datetime:
        self._anchor, self._doubt = (wall, elapsed), None
        return wall


def jump_of(clock: Clock) -> timedelta | None:
    """Return how far the computer's clock is ahead of a clock that does not believe it (yet)."""
    return clock.jump if isinstance(clock, BelievedClock) else None


def wall_of(clock: Clock) -> datetime:
    """Return what the computer shows, believed or not."""
    return clock.wall() if isinstance(clock, BelievedClock) else clock.now()


def _said(jump: timedelta) -> str:
    seconds = round(abs(jump).total_seconds())
    return f"{seconds} s {'ahead' if jump > timedelta(0) else 'back'}"
