"""Feed, rapid and spindle percentages, set step by step and checked against the reports. Pure.

Sources: Grbl ``doc/markdown/commands.md``, "Feed Overrides" to "Toggle Coolant" (there is no byte
for a percentage: only 100 %, steps of 10 and of 1, from 10 to 200 %); Grbl ``serial.c`` and
``protocol.c`` (every kind of step is one flag until the main loop looks: two equal bytes at once
count once); ``interface.md``, ``Ov:`` (told in the report after a change).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from fabctl.errors import InputError
from fabctl.ports import Override
from fabctl_drivers.grbl import realtime

LOWEST, HIGHEST = 10, 200
STEP_S = 0.03
"""Between two equal bytes, so that the firmware sees two."""
TRIES = 4
"""How often a percentage that is not what was asked for is set anew."""


class _Steps(NamedTuple):
    reset: bytes
    up_10: bytes
    down_10: bytes
    up_1: bytes
    down_1: bytes


_STEPS: Mapping[Override, _Steps] = MappingProxyType(
    {
        Override.FEED: _Steps(
            realtime.FEED_100,
            realtime.FEED_UP_10,
            realtime.FEED_DOWN_10,
            realtime.FEED_UP_1,
            realtime.FEED_DOWN_1,
        ),
        Override.SPINDLE: _Steps(
            realtime.SPINDLE_100,
            realtime.SPINDLE_UP_10,
            realtime.SPINDLE_DOWN_10,
            realtime.SPINDLE_UP_1,
            realtime.SPINDLE_DOWN_1,
        ),
    }
)
_RAPIDS: Mapping[int, bytes] = MappingProxyType(
    {100: realtime.RAPID_100, 50: realtime.RAPID_50, 25: realtime.RAPID_25}
)
_PLACES = (Override.FEED, Override.RAPID, Override.SPINDLE)
"""The order in ``Ov:``."""


def check(which: Override, percent: int) -> None:
    """:raises InputError: the firmware has no such percentage."""
    if which is Override.RAPID:
        if percent not in _RAPIDS:
            raise InputError(f"rapids at {percent} %", limit="25, 50 or 100 %")
    elif not LOWEST <= percent <= HIGHEST:
        raise InputError(f"{which.value} at {percent} %", limit=f"{LOWEST} to {HIGHEST} %")


def next_bytes(which: Override, percent: int, now: int | None) -> tuple[bytes, int]:
    """Return the bytes of one step towards ``percent``, and the percentage after it.

    Every byte of one step is of another kind, so that none is lost.

    :param now: the percentage now; None where nobody told.
    """
    if which is Override.RAPID:
        return _RAPIDS[percent], percent
    steps = _STEPS[which]
    said, at = b"", now
    if at is None or (abs(percent - 100) < abs(percent - at)):
        said, at = steps.reset, 100
    if abs(percent - at) >= 10:
        said += steps.up_10 if percent > at else steps.down_10
        at += 10 if percent > at else -10
    if percent != at and abs(percent - at) < 10:
        said += steps.up_1 if percent > at else steps.down_1
        at += 1 if percent > at else -1
    return said, at


class Dials:
    """What was asked for and is not there yet."""

    def __init__(self) -> None:
        self.due_at = math.inf
        """When :meth:`step` has something to say."""
        self._asked: dict[Override, int] = {}
        self._assumed: dict[Override, int | None] = {}
        self._tries = 0

    def ask(
        self, which: Override, percent: int, told: tuple[float, ...] | None, now: float
    ) -> None:
        """Somebody wants a percentage.

        :param told: feed, rapids and spindle as the newest report has them.
        :raises InputError: there is no such percentage.
        """
        check(which, percent)
        if which not in self._asked:
            self._assumed[which] = _told(which, told)
        self._asked[which] = percent
        self._tries = TRIES
        self.due_at = min(self.due_at, now)

    def step(self, now: float) -> bytes:
        """Return what to say now, one step of each dial; :meth:`report` sees what came of it."""
        said, more = b"", False
        for which, percent in self._asked.items():
            at = self._assumed[which]
            if at != percent:
                step, at = next_bytes(which, percent, at)
                self._assumed[which] = at
                said += step
                more = more or at != percent
        self.due_at = now + STEP_S if more else math.inf
        return said

    @property
    def waits_for_report(self) -> bool:
        """Whether all was said, and only a report can tell whether it worked."""
        return bool(self._asked) and math.isinf(self.due_at)

    def report(self, told: tuple[float, ...] | None, now: float) -> None:
        """Take in a fresh report with ``Ov:``; what is not as asked is set anew, a few times."""
        if not self.waits_for_report:
            return
        wrong = {w: p for w, p in self._asked.items() if _told(w, told) != p}
        self._tries -= 1
        self._asked = wrong if self._tries > 0 else {}
        self._assumed = {which: _told(which, told) for which in self._asked}
        if self._asked and told is not None:
            self.due_at = now

    def forget(self) -> None:
        """The controller began anew, and all stand at 100 %."""
        self._asked.clear()
        self.due_at = math.inf


def _told(which: Override, told: tuple[float, ...] | None) -> int | None:
    place = _PLACES.index(which)
    return int(told[place]) if told is not None and len(told) > place else None
