"""The cooling water, by the pulses of its flow meter. Pure.

A frozen input, high or low, has no pulses: to the chain the water has stopped.
"""

from __future__ import annotations

from collections import deque
from enum import Enum, auto

from fabctl.interlock import FlowLimits, Timings
from fabctl_drivers.interlock.causes import Cause


class Water(Enum):
    """What the flow meter says."""

    AWAITED = auto()
    """None flows, and none had to: the pump may be switched on at the arming."""
    FLOWS = auto()
    LOST = auto()
    """It had to flow and did not; only water that flows again is forgiven."""


class FlowMeter:
    """Pulses over a window of ``flow_low_s``.

    Water is demanded while the outputs are on. An arming without water gets ``flow_start_s``, and
    gets it once: if no water came, the next arming needs water that flows already. So the pump
    must not hang on K1 and K2.
    """

    def __init__(self, limits: FlowLimits, timings: Timings, now: float) -> None:
        self._timings = timings
        self._enough = limits.min_hz * timings.flow_low_s
        self._most = limits.max_hz * timings.flow_low_s + 1  # a window cuts a pulse at each end
        self._pulses: deque[tuple[float, int]] = deque()
        self._count = 0
        self._last_at: float | None = None
        self._demanded_since: float | None = None
        self.water = Water.AWAITED
        self.since = now
        self.cause = Cause.FLOW_STOPPED
        """What was wrong when the water was lost."""

    @property
    def too_fast(self) -> bool:
        """Return whether more pulses were counted than water can make."""
        return self._count > self._most

    def renew(self) -> None:
        """Forget what was counted."""
        self._pulses.clear()
        self._count = 0

    def take(self, pulses: int, now: float, *, demanded: bool) -> None:
        """Take one scan's pulses, ≥ 0."""
        self._slide(pulses, now)
        had_to = self._demanded_since is not None
        if not demanded:
            self._demanded_since = None
        elif self._demanded_since is None:
            self._demanded_since = now
        self._become(self._judge(now, had_to=had_to), now)

    def _slide(self, pulses: int, now: float) -> None:
        if pulses:
            self._pulses.append((now, pulses))
            self._count += pulses
            self._last_at = now
        while self._pulses and now - self._pulses[0][0] > self._timings.flow_low_s:
            self._count -= self._pulses.popleft()[1]

    def _judge(self, now: float, *, had_to: bool) -> Water:
        stopped = self._last_at is None or now - self._last_at > self._timings.flow_gap_s
        if not stopped and self._count >= self._enough:
            return Water.FLOWS
        since = self._demanded_since
        if self.water is Water.FLOWS:
            lost = since is not None
        elif self.water is Water.AWAITED:
            masked = since is not None and now - since <= self._timings.flow_start_s
            lost = had_to and not masked
        else:
            return Water.LOST
        if lost:
            self.cause = Cause.FLOW_STOPPED if stopped else Cause.FLOW_LOW
        return Water.LOST if lost else Water.AWAITED

    def _become(self, water: Water, now: float) -> None:
        if water is not self.water:
            self.water = water
            self.since = now
