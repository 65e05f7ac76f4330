"""Marlin's temperature reports. Pure.

Source: marlinfw.org, M105 "Report Temperatures": ``T:93.2 /0 B:22.9 /0 @:0 B@:0``, with several
tools ``T:… T0:… T1:…``; M109 and M190 print the same while they wait, with ``W:`` (the seconds
that the temperature must still hold, or ``?``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

_READING = re.compile(rb"\b(T\d?|B|C):\s*(-?[\d.]+|nan|inf)(?:\s*/\s*(-?[\d.]+))?")
_NAMES = {b"T": "nozzle", b"B": "bed", b"C": "chamber"}


def readings(line: bytes) -> dict[str, float | None]:
    """Return the temperatures of one report, in °C: ``nozzle_c``, ``nozzle_target_c``, ``bed_c``, …

    A second nozzle is ``nozzle1_c``. ``T:`` is the tool in use; ``T0:`` stands in where a report
    has no ``T:``. A value that is no number (a broken sensor) is None, and so is a target that
    the report does not tell.
    """
    found: dict[str, float | None] = {}
    for word, now, target in _READING.findall(line):
        name = _NAMES.get(word) or f"nozzle{int(word[1:])}"
        found[f"{name}_c"] = _number(now)
        found[f"{name}_target_c"] = _number(target)
    return _with_a_nozzle(found)


def tools_seen(values: Mapping[str, float | None]) -> int:
    """Return how many nozzles a report names, ≥ 1."""
    return 1 + sum(f"nozzle{tool}_c" in values for tool in range(1, 10))


def _with_a_nozzle(found: dict[str, float | None]) -> dict[str, float | None]:
    first, first_target = found.pop("nozzle0_c", None), found.pop("nozzle0_target_c", None)
    if first is not None and "nozzle_c" not in found:
        return {"nozzle_c": first, "nozzle_target_c": first_target, **found}
    return found


def _number(text: bytes) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
