"""Speed over one block: ramps at constant acceleration, and the reckoning of corners."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fabctl_sim.grbl.board import Vec

Phase = tuple[float, float, float]
"""Seconds, speed at the beginning in mm/s, acceleration in mm/s²."""


@dataclass(slots=True)
class Profile:
    """A speed over time; ``end_speed`` in mm/s; ``halts`` when it stops before the block's end."""

    phases: tuple[Phase, ...]
    end_speed: float
    halts: bool = False

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return sum(phase[0] for phase in self.phases)

    def after(self, seconds: float) -> tuple[float, float]:
        """Return mm travelled and speed after ``seconds``."""
        travelled = 0.0
        for duration, speed, accel in self.phases:
            part = min(seconds, duration)
            travelled += speed * part + accel * part * part / 2
            if seconds <= duration:
                return travelled, max(0.0, speed + accel * part)
            seconds -= duration
        return travelled, self.end_speed

    def when(self, distance: float) -> float:
        """Return after how many seconds ``distance`` mm are travelled; infinity for never."""
        total = self.seconds
        if self.after(total)[0] < distance - 1e-9:
            return math.inf
        low, high = 0.0, total
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if self.after(middle)[0] < distance else (low, middle)
        return high


def fit(begin: float, nominal: float, end: float, accel: float, length: float) -> Profile:
    """Return the fastest way over ``length`` mm from one speed to another."""
    if begin**2 - 2 * accel * length >= end**2:
        return braked(begin, accel, length)
    end = min(end, math.sqrt(begin**2 + 2 * accel * length))
    top = min(nominal, math.sqrt(accel * length + (begin**2 + end**2) / 2))
    if begin > nominal:
        top = nominal if (begin**2 - nominal**2) / (2 * accel) < length else begin
        end = min(end, top)
    sign = 1.0 if top >= begin else -1.0
    ramps = (abs(top**2 - begin**2) + abs(top**2 - end**2)) / (2 * accel)
    along = max(0.0, length - ramps) / top if top else 0.0
    return Profile(
        (
            (abs(top - begin) / accel, begin, sign * accel),
            (along, top, 0.0),
            ((top - end) / accel, top, -accel),
        ),
        end,
    )


def braked(begin: float, accel: float, length: float) -> Profile:
    """Slow down all the way; it may stop before ``length`` mm are over."""
    square = begin**2 - 2 * accel * length
    if square < 0.0:
        return Profile(((begin / accel, begin, -accel),), 0.0, halts=True)
    end = math.sqrt(square)
    return Profile((((begin - end) / accel, begin, -accel),), end)


def limit_along(unit: Vec, limits: Vec) -> float:
    """Return the most that no axis' share of exceeds its limit."""
    return min(
        limit / abs(part) for part, limit in zip(unit, limits, strict=True) if abs(part) > 1e-12
    )


def corner_speed(before: Vec, after: Vec, accels: Vec, deviation_mm: float) -> float:
    """Return the fastest speed through a corner by junction deviation (settings.md, $11)."""
    cosine = -sum(a * b for a, b in zip(before, after, strict=True))
    if cosine > 0.999999:
        return 0.0
    if cosine < -0.999999:
        return math.inf
    turn = [b - a for a, b in zip(before, after, strict=True)]
    norm = math.sqrt(sum(t * t for t in turn))
    accel = limit_along((turn[0] / norm, turn[1] / norm, turn[2] / norm), accels)
    sine = math.sqrt(0.5 * (1.0 - cosine))
    return math.sqrt(accel * deviation_mm * sine / (1.0 - sine))
