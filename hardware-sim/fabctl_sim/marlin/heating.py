"""Heater commands: M104, M109, M140, M190, M105, M155, and the faults that stop everything."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fabctl_sim.marlin.heater import Heater
from fabctl_sim.marlin.motion import Waiting, Words

if TYPE_CHECKING:
    from fabctl_sim.marlin.machine import Machine

FAULTS = {
    "thermal-runaway": ("Thermal Runaway", "THERMAL RUNAWAY"),
    "heating-failed": ("Heating failed", "HEATING FAILED"),
    "mintemp": ("MINTEMP triggered", "Err: MINTEMP"),
    "maxtemp": ("MAXTEMP triggered", "Err: MAXTEMP"),
}
"""What can be injected, and how ``core/language.h`` and the display word it."""

COOLING_CHECK_S = 60.0
COOLING_CHECK_C = 1.5
"""``MIN_COOLING_SLOPE_TIME`` and ``MIN_COOLING_SLOPE_DEG`` of ``Configuration_adv.h``."""


def states(m: Machine) -> str:
    """Return the temperatures as M105, M155 and the heat waits print them."""
    now = m.clock
    nozzle, bed = m.nozzle, m.bed
    return (
        f" T:{m.sensed(nozzle):.2f} /{nozzle.target_c:.2f}"
        f" B:{m.sensed(bed):.2f} /{bed.target_c:.2f}"
        f" @:{nozzle.power(now)} B@:{bed.power(now)}"
    )


def set_target(m: Machine, heater: Heater, words: Words) -> None:
    """M104 and M140: ask for a temperature and go on; Marlin caps it below its own maximum."""
    wanted = words.get("S")
    if wanted is None:
        wanted = words.get("R")
    if wanted is None:
        return
    highest = m.board.nozzle_max_c - 15 if heater is m.nozzle else m.board.bed_max_c - 10
    heater.set_target(min(max(wanted, 0.0), highest), m.clock)
    m.tell("heat", heater=m.name_of(heater), target_c=heater.target_c)


def wait(m: Machine, heater: Heater, words: Words) -> Waiting:
    """M109 and M190: wait for the temperature; S only when it must rise, R also when it falls.

    Every second a line with the temperatures and ``W:``, ``?`` while outside the window, then
    the whole seconds that are still to stay inside (marlinfw.org/docs/gcode/M109.html).
    """
    set_target(m, heater, words)
    cooling = heater.temperature(m.clock) > heater.target_c
    if cooling and words.get("R") is None:
        return
    m.wait_for_heat = True
    m.set_phase("heating")
    patience = _Patience(heater, m.clock)
    report_at = m.clock
    while m.wait_for_heat and not patience.over(m.clock):
        if m.clock >= report_at:
            report_at = m.clock + m.host_seconds(1.0)
            m.say(f"{states(m)} W:{patience.left(m.clock)}")
        yield min(report_at, patience.next_look(m.clock))
    m.wait_for_heat = False
    m.set_phase("ready")
    m.tell("heat", heater=m.name_of(heater), target_c=heater.target_c, waited=True)


class _Patience:
    """When a heat wait ends: some seconds inside the window, or cooling that goes nowhere."""

    def __init__(self, heater: Heater, now: float) -> None:
        self._heater = heater
        self._inside_since = math.inf
        self._cool_check_at = now + COOLING_CHECK_S
        self._cool_check_c = heater.temperature(now)
        if self._inside(now):
            # At once inside the window: Marlin adds a third of the residency.
            self._inside_since = now + heater.build.residency_s / 3

    def over(self, now: float) -> bool:
        """Look, and say whether the wait is over."""
        if self._inside(now):
            self._inside_since = min(self._inside_since, now)
        return now >= self._ends_at() or self._cooling_stalls(now)

    def left(self, now: float) -> str:
        """Return what stands behind ``W:``."""
        ends_at = self._ends_at()
        return "?" if math.isinf(ends_at) else str(int(ends_at - now))

    def next_look(self, now: float) -> float:
        """Return when the answer of :meth:`over` may change."""
        ends_at = min(self._ends_at(), self._cool_check_at)
        side = -1 if self._heater.temperature(now) < self._heater.target_c else 1
        # A hair inside the window, so that rounding cannot leave us at its edge for ever.
        edge_c = self._heater.target_c + side * self._heater.build.window_c * 0.999
        return min(ends_at, max(self._heater.reaches_at(edge_c), now + 1e-3))

    def _inside(self, now: float) -> bool:
        off_c = abs(self._heater.temperature(now) - self._heater.target_c)
        return off_c <= self._heater.build.window_c

    def _ends_at(self) -> float:
        return self._inside_since + self._heater.build.residency_s

    def _cooling_stalls(self, now: float) -> bool:
        """``MIN_COOLING_SLOPE``: a target that cooling does not reach is given up."""
        if now < self._cool_check_at:
            return False
        here_c = self._heater.temperature(now)
        stalls = here_c > self._heater.target_c and self._cool_check_c - here_c < COOLING_CHECK_C
        self._cool_check_at, self._cool_check_c = now + COOLING_CHECK_S, here_c
        return stalls


def fault(m: Machine, kind: str, heater: Heater) -> None:
    """A sensor or a heater failed: say so in Marlin's words, then halt.

    The extruder's number is followed by two line ends in 2.0.9 (``temperature.cpp``,
    _temp_error); then kill() echoes what the display shows.
    """
    serial, screen = FAULTS[kind]
    m.tell("fault", fault=kind, heater=m.name_of(heater))
    if heater is m.nozzle:
        m.say(f"Error:{serial}, system stopped! Heater_ID: E0\n")
    else:
        m.say(f"Error:{serial}, system stopped! Heater_ID: bed")
    m.kill(screen)
