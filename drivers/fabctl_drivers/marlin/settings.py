"""A Marlin machine's own options in ``lab.toml``, checked. Pure."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, replace
from typing import Any

from fabctl.errors import InputError
from fabctl.ports import MachineProfile, WorkArea
from fabctl.units import Millimetres, MmPerMin
from fabctl_drivers.marlin.pausing import Parking

WINDOW_BYTES = 120
"""Bytes in flight where a window is on: less than the 127 that Marlin's receive buffer holds."""

_LENGTHS = ("lift_mm", "retract_mm", "x_mm", "y_mm")
_FEEDS = ("travel_mm_per_min", "lift_mm_per_min", "retract_mm_per_min")
_PAUSE_OPTIONS = {f"pause_{name}": name for name in (*_LENGTHS, *_FEEDS)}
RATES = (250_000, 115_200, 500_000, 1_000_000, 57_600, 230_400, 38_400, 19_200, 9_600)
"""Bits per second that Marlin boards are built with, the usual ones first."""
OPTIONS = ("window", "baud", *_PAUSE_OPTIONS)
"""``window``: false (default, one line at a time), true (120 bytes), or a number of bytes;
``baud``: ``"auto"`` tries the usual rates, the machine's own first;
``pause_…``: lengths in mm (``x``, ``y``: where to park) and feeds in mm/min."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the conversation needs to know of its machine."""

    baud: int
    window_bytes: int = 0
    parking: Parking = field(default_factory=Parking)
    work_area: WorkArea | None = None
    other_bauds: tuple[int, ...] = ()
    """Rates to try where nobody answers at ``baud``."""


def settings_of(profile: MachineProfile) -> Settings:
    """Return the settings that a profile asks for.

    :raises InputError: the baud rate is not above 0, or an option is unknown or has a bad value.
    """
    if profile.baud <= 0:
        raise InputError(f"baud is {profile.baud}", device=profile.id, limit="above 0")
    for name in profile.options:
        if name not in OPTIONS:
            raise InputError(_unknown(name), device=profile.id)
    return Settings(
        profile.baud, _window(profile), _parking(profile), profile.work_area, _others(profile)
    )


def _others(profile: MachineProfile) -> tuple[int, ...]:
    asked = profile.options.get("baud")
    if asked is None:
        return ()
    if asked != "auto":
        raise InputError(f"the option baud is {asked!r}", device=profile.id, limit='"auto"')
    return tuple(rate for rate in RATES if rate != profile.baud)


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, OPTIONS, n=1)
    guess = f"did you mean “{near[0]}”?" if near else f"it knows {', '.join(OPTIONS)}"
    return f"the driver marlin has no option “{name}”; {guess}"


def _window(profile: MachineProfile) -> int:
    asked = profile.options.get("window", True)
    if isinstance(asked, bool):
        return WINDOW_BYTES if asked else 0
    if isinstance(asked, int) and 0 <= asked <= 4096:
        return asked
    raise InputError(
        f"the option window is {asked!r}",
        device=profile.id,
        limit="true, false or 0 to 4096 bytes",
    )


def _parking(profile: MachineProfile) -> Parking:
    values: dict[str, float] = {}
    for option, name in _PAUSE_OPTIONS.items():
        asked = profile.options.get(option)
        if asked is None:
            continue
        least = -10_000.0 if name in {"x_mm", "y_mm"} else 0.0
        if isinstance(asked, bool | str) or not least <= asked <= 100_000.0:
            limit = f"a number from {least:g}"
            raise InputError(f"the option {option} is {asked!r}", device=profile.id, limit=limit)
        values[name] = float(asked)
    lengths = {name: Millimetres(values[name]) for name in _LENGTHS if name in values}
    feeds = {name: MmPerMin(max(1.0, values[name])) for name in _FEEDS if name in values}
    changes: dict[str, Any] = {**lengths, **feeds}
    return replace(Parking(), **changes)
