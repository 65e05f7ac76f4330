"""Moves by hand: jogs and overrides as bytes, with their limits. Pure.

Sources: Grbl ``doc/markdown/jogging.md`` (``$J=``, only in Idle and Jog), ``commands.md``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from fabctl.errors import InputError
from fabctl.units import MmPerMin
from fabctl_drivers.grbl import realtime

OVERRIDES: Mapping[str, bytes] = MappingProxyType(
    {
        "feed-100": realtime.FEED_100,
        "feed+10": realtime.FEED_UP_10,
        "feed-10": realtime.FEED_DOWN_10,
        "feed+1": realtime.FEED_UP_1,
        "feed-1": realtime.FEED_DOWN_1,
        "rapid-100": realtime.RAPID_100,
        "rapid-50": realtime.RAPID_50,
        "rapid-25": realtime.RAPID_25,
        "spindle-100": realtime.SPINDLE_100,
        "spindle+10": realtime.SPINDLE_UP_10,
        "spindle-10": realtime.SPINDLE_DOWN_10,
        "spindle+1": realtime.SPINDLE_UP_1,
        "spindle-1": realtime.SPINDLE_DOWN_1,
        "flood": realtime.FLOOD,
        "mist": realtime.MIST,
    }
)
"""By our names: percent of the programmed value, or steps of it; flood and mist toggle."""
LONGEST_JOG_MM = 10_000.0
FASTEST_JOG = MmPerMin(100_000.0)


def override(name: str) -> bytes:
    """Return the byte of an override.

    :raises InputError: there is none of that name.
    """
    try:
        return OVERRIDES[name]
    except KeyError:
        raise InputError(f"no override is called {name!r}", limit=", ".join(OVERRIDES)) from None


def jog(distances_mm: Mapping[str, float], feed: MmPerMin) -> bytes:
    """Return the line of a jog by these distances.

    :param distances_mm: axis letter to mm, at least one, at most 10 m each way.
    :param feed: above 0, at most 100,000 mm/min.
    :raises InputError: a letter is no axis, or a number lies outside.
    """
    if not distances_mm or not set(distances_mm) <= set("XYZABC"):
        raise InputError(f"a jog by {dict(distances_mm)}", limit="axes X, Y, Z, A, B, C")
    for axis, distance in distances_mm.items():
        if not math.fabs(distance) <= LONGEST_JOG_MM:
            raise InputError(f"a jog of {distance} mm in {axis}", limit=f"{LONGEST_JOG_MM:g} mm")
    if not 0.0 < feed <= FASTEST_JOG:
        raise InputError(f"a jog at {feed} mm/min", limit=f"above 0, to {FASTEST_JOG:g}")
    words = "".join(f"{axis}{distance:.3f}" for axis, distance in distances_mm.items())
    return f"$J=G91G21{words}F{feed:.1f}\n".encode("ascii")
