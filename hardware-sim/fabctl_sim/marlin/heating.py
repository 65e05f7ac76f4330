"""Heater commands: M104, M109, M140, M190, M105, M155, and the faults that stop everything."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fabctl_sim.marlin.heater import Heater
from fabctl_sim.marlin.motion import Waiting, Words

if TYPE_CHECKING:
    from fabctl_sim.marlin.firmware import Firmware

FAULTS = {
    "thermal-runaway": "Thermal Runaway",
    "heating-failed": "Heating failed",
    "mintemp": "MINTEMP triggered",
    "maxtemp": "MAXTEMP triggered",
}
"""What can be injected, and how ``core/language.h`` words it."""


def states(fw: Firmware) -> str:
    """Return the temperatures as M105, M155 and the heat waits print them."""
    now = fw.clock
    nozzle, bed = fw.nozzle, fw.bed
    return (
        f" T:{fw.sensed(nozzle):.2f} /{nozzle.target_c:.2f}"
        f" B:{fw.sensed(bed):.2f} /{bed.target_c:.2f}"
        f" @:{nozzle.power(now)} B@:{bed.power(now)}"
    )


def set_target(fw: Firmware, heater: Heater, words: Words) -> None:
    """M104 and M140: ask for a temperature and go on; Marlin caps it below its own maximum."""
    wanted = words.get("S")
    if wanted is None:
        wanted = words.get("R")
    if wanted is None:
        return
    highest = fw.board.nozzle_max_c - 15 if heater is fw.nozzle else fw.board.bed_max_c - 10
    heater.set_target(min(max(wanted, 0.0), highest), fw.clock)
    fw.tell("heat", heater=fw.name_of(heater), target_c=heater.target_c)


def wait(fw: Firmware, heater: Heater, words: Words) -> Waiting:
    """M109 and M190: wait for the temperature; S only when it must rise, R also when it falls.

    Every second a line with the temperatures and ``W:``, ``?`` while outside the window, then
    the whole seconds that are still to stay inside (marlinfw.org/docs/gcode/M109.html).
    """
    set_target(fw, heater, words)
    cooling = heater.temperature(fw.clock) > heater.target_c
    if cooling and words.get("R") is None:
        return
    fw.wait_for_heat = True
    fw.set_phase("heating")
    inside_since = math.inf
    report_at = fw.clock
    while fw.wait_for_heat:
        now = fw.clock
        off = abs(heater.temperature(now) - heater.target_c)
        if off <= heater.build.window_c:
            inside_since = min(inside_since, now)
        left = inside_since + heater.build.residency_s - now
        if now >= report_at:
            fw.say(f"{states(fw)} W:{'?' if math.isinf(left) else int(left)}")
            report_at = now + fw.host_seconds(1.0)
        if left <= 0 or (cooling and heater.target_c <= fw.board.room_c):
            break
        yield min(report_at, _next_look(heater, now, inside_since))
    fw.set_phase("ready")
    fw.tell("heat", heater=fw.name_of(heater), target_c=heater.target_c, waited=True)


def _next_look(heater: Heater, now: float, inside_since: float) -> float:
    if not math.isinf(inside_since):
        return inside_since + heater.build.residency_s
    edge = heater.build.window_c * (-1 if heater.temperature(now) < heater.target_c else 1)
    # A hair inside the window, so that rounding cannot leave us at its edge for ever.
    return max(heater.reaches_at(heater.target_c + edge * 0.999), now + 1e-3)


def fault(fw: Firmware, kind: str, heater: Heater) -> None:
    """A sensor or a heater failed: say so in Marlin's words, then halt."""
    number = "0" if heater is fw.nozzle else "bed"
    fw.tell("fault", fault=kind, heater=fw.name_of(heater))
    fw.say(f"Error:{FAULTS[kind]}, system stopped! Heater_ID: {number}")
    fw.kill()
