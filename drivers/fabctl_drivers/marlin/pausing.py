"""The commands of a pause and of the way back. Pure.

Pause: the moves end (M400), the firmware says where it is (M114), the tool lifts and parks,
heaters stay on. Resume: back over the place, down, the pressure in the nozzle as it was, then
E, F and the modes exactly as the job had them. Sources: marlinfw.org M400, M114 (two decimals),
G92, M82, M83.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fabctl.ports import WorkArea
from fabctl.units import Celsius, Millimetres, MmPerMin
from fabctl_drivers.marlin.motion import Motion

ASK = (b"M114", b"M114")
COLDEST_EXTRUSION_C = Celsius(170.0)
"""Below it Marlin does not extrude (``EXTRUDE_MINTEMP``), so we do not ask it to."""

_POSITION = re.compile(rb"([XYZE]):\s*(-?[\d.]+)")


_LIFT, _RETRACT = Millimetres(5.0), Millimetres(2.0)
_TRAVEL_FEED, _LIFT_FEED, _RETRACT_FEED = MmPerMin(6000.0), MmPerMin(600.0), MmPerMin(1800.0)


@dataclass(frozen=True, slots=True)
class Parking:
    """How the tool is put aside; a machine's options may say otherwise."""

    lift_mm: Millimetres = _LIFT
    retract_mm: Millimetres = _RETRACT
    x_mm: Millimetres | None = None
    """Where to park; None: straight up, nowhere aside."""
    y_mm: Millimetres | None = None
    travel_mm_per_min: MmPerMin = _TRAVEL_FEED
    lift_mm_per_min: MmPerMin = _LIFT_FEED
    retract_mm_per_min: MmPerMin = _RETRACT_FEED


@dataclass(frozen=True, slots=True)
class Standstill:
    """Where and how a job stood when it was paused."""

    position: Mapping[str, float]
    """X, Y, Z and E as M114 told them, made exact by the file where the two agree; mm."""
    motion: Motion
    targets: Mapping[bytes, float]
    """``M109`` and ``M190`` → °C: what the heaters were told, where it is known and not 0."""
    can_extrude: bool
    lift_mm: Millimetres


def position_of(line: bytes, motion: Motion) -> dict[str, float]:
    """Return where the machine is, from M114's answer.

    The answer has two decimals. Where the file's own last coordinate rounds to the same, it is
    the exact one.
    """
    motion.read()
    said = {axis.decode(): float(value) for axis, value in _POSITION.findall(_before_count(line))}
    return {axis: _exact(value, motion.at.get(axis)) for axis, value in said.items()}


def _exact(said: float, wanted: float | None) -> float:
    return wanted if wanted is not None and abs(wanted - said) <= 0.0051 else said


def _before_count(line: bytes) -> bytes:
    return line.partition(b"Count")[0]


def highest_lift(parking: Parking, z_mm: float | None, area: WorkArea | None) -> Millimetres:
    """Return how far the tool may lift from ``z_mm`` and stay inside the work area, ≥ 0 mm."""
    if area is None or z_mm is None:
        return parking.lift_mm
    return Millimetres(max(0.0, min(parking.lift_mm, area.z[1] - z_mm)))


def locate() -> list[bytes]:
    """Return what ends the moves and asks for the position, twice: the answer has no checksum."""
    return [b"M400", *ASK]


def aside(stood: Standstill, parking: Parking) -> list[bytes]:
    """Return the commands that put the tool aside; none where nobody knows where it is."""
    if not stood.motion.homed or not {"X", "Y", "Z"} <= stood.position.keys():
        return []
    said = [b"G21"] if stood.motion.inches else []
    if stood.can_extrude and parking.retract_mm:
        said += [
            b"M83",
            b"G1 E-%s F%s" % (_mm(parking.retract_mm), _mm(parking.retract_mm_per_min)),
        ]
    if stood.lift_mm:
        said += [b"G91", b"G1 Z%s F%s" % (_mm(stood.lift_mm), _mm(parking.lift_mm_per_min))]
    said.append(b"G90")
    if parking.x_mm is not None and parking.y_mm is not None:
        there = (_mm(parking.x_mm), _mm(parking.y_mm), _mm(parking.travel_mm_per_min))
        said.append(b"G1 X%s Y%s F%s" % there)
    return [*said, b"M400"]


def back(stood: Standstill, parking: Parking, targets: Mapping[bytes, float]) -> list[bytes]:
    """Return the commands after which the job can go on where it stood.

    :param targets: what the heaters are told now; one that differs is waited for.
    """
    motion = stood.motion
    said = [motion.tool] if motion.tool else []
    for wait, target in stood.targets.items():
        if targets.get(wait) != target:
            said.append(b"%s S%s" % (wait, _mm(target)))
    if aside(stood, parking):
        said += _way_back(stood, parking)
    said += motion.positioning
    if motion.inches:
        said.append(b"G20")
    if motion.feed is not None:
        said.append(b"G1 F" + motion.feed)
    if motion.fan is not None:
        said.append(motion.fan)
    return said


def _way_back(stood: Standstill, parking: Parking) -> list[bytes]:
    at = stood.position
    said = [b"G21"] if stood.motion.inches else []
    said.append(b"G90")
    there = (_mm(at["X"]), _mm(at["Y"]), _mm(parking.travel_mm_per_min))
    said.append(b"G1 X%s Y%s F%s" % there)
    said.append(b"G1 Z%s F%s" % (_mm(at["Z"]), _mm(parking.lift_mm_per_min)))
    if stood.can_extrude and parking.retract_mm:
        said += [b"M83", b"G1 E" + _extrusion(parking)]
    if "E" in at:
        said.append(b"G92 E" + _mm(at["E"]))
    return said


def _extrusion(parking: Parking) -> bytes:
    return b"%s F%s" % (_mm(parking.retract_mm), _mm(parking.retract_mm_per_min))


def _mm(value: float) -> bytes:
    """Return a number as G-code writes it: at most five decimals, no exponent."""
    return f"{value:.5f}".rstrip("0").rstrip(".").encode()
