"""Status reports, the answers to ``?``: fields in any order, all but the first optional. Pure.

Source: Grbl ``doc/markdown/interface.md``, "Real-time Status Reports". WPos = MPos - WCO; the
offset comes only now and then, so the reader keeps it. Pins and accessories that are not in a
report are off: ``Pn`` is left out when nothing is triggered, and ``A`` when ``Ov`` is there
without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

INCH_MM = 25.4
Place = tuple[float, ...]

AT_REST = frozenset({"Idle", "Hold:0", "Door:0", "Door:1", "Alarm", "Check", "Sleep", "Tool"})
"""Where nothing moves. Hold:1, Door:2 and Door:3 are still in progress; Hold and Door without a
number are not known to be over. Tool is grblHAL's wait for a tool change."""
HELD = frozenset({"Hold:0", "Door:0", "Door:1", "Tool", "Sleep"})
HOLDING = frozenset({"Hold:1", "Hold", "Door:2", "Door"})
NUMBERED = frozenset({"Hold", "Door"})
"""Only here the number says whether it moves. grblHAL can be set ($10) to number Run and Alarm too
(``Run:1`` while a hold is pending, ``Alarm:11``): the state is the same without."""


@dataclass(frozen=True, slots=True)
class Report:
    """One report. Lengths in mm, feeds in mm/min, whatever unit the controller reports in."""

    state: str
    """``Idle``, ``Hold:1``, …: the state, with its number where it means something."""
    machine_mm: Place | None = None
    work_mm: Place | None = None
    offset_mm: Place | None = None
    """Machine minus work position, as last told."""
    feed_mm_per_min: float | None = None
    power: float | None = None
    """Spindle speed in rpm, or laser power in the unit of $30."""
    pins: str = ""
    """Letters of the inputs that are triggered."""
    overrides_percent: tuple[float, ...] | None = None
    """Feed, rapids, spindle; as last told."""
    accessories: str = ""
    """``S`` or ``C`` spindle, ``F`` flood, ``M`` mist; as last told."""
    tells_overrides: bool = False
    """Whether the overrides are of this report, and not of one before."""

    @property
    def at_rest(self) -> bool:
        """Whether nothing moves and nothing is about to."""
        return self.state in AT_REST


class Reader:
    """Reads reports and remembers what they leave out."""

    def __init__(self) -> None:
        self.in_inches = False
        """Setting $13."""
        self._offset: Place | None = None
        self._overrides: Place | None = None
        self._accessories = ""

    def forget(self) -> None:
        """The controller began anew."""
        self._offset = self._overrides = None
        self._accessories = ""

    def read(self, text: bytes) -> Report | None:
        """Return the report; None for a damaged one."""
        if text[:1] != b"<" or text[-1:] != b">":
            return None
        state, *fields = text[1:-1].decode("ascii", "replace").split("|")
        name = state.partition(":")[0]
        if not name.isalpha():
            return None
        state = state if name in NUMBERED else name
        try:
            return self._report(state, dict(_pair(field) for field in fields if field))
        except ValueError:
            return None

    def _report(self, state: str, fields: Mapping[str, str]) -> Report:
        unit = INCH_MM if self.in_inches else 1.0
        if "WCO" in fields:
            self._offset = _numbers(fields["WCO"], unit)
        if "Ov" in fields:
            self._overrides = _numbers(fields["Ov"])
            self._accessories = fields.get("A", "")
        elif "A" in fields:
            self._accessories = fields["A"]
        machine, work = self._places(fields, unit)
        feed, power = _speeds(fields, unit)
        return Report(
            state,
            machine,
            work,
            self._offset,
            feed,
            power,
            fields.get("Pn", ""),
            self._overrides,
            self._accessories,
            "Ov" in fields,
        )

    def _places(self, fields: Mapping[str, str], unit: float) -> tuple[Place | None, Place | None]:
        offset = self._offset
        if "MPos" in fields:
            machine = _numbers(fields["MPos"], unit)
            return machine, None if offset is None else _less(machine, offset)
        if "WPos" in fields:
            work = _numbers(fields["WPos"], unit)
            return None if offset is None else _less(work, tuple(-o for o in offset)), work
        return None, None


def _pair(field: str) -> tuple[str, str]:
    name, _, value = field.partition(":")
    return name, value


def _numbers(text: str, unit: float = 1.0) -> Place:
    return tuple(float(value) * unit for value in text.split(","))


def _less(place: Place, offset: Place) -> Place:
    return tuple(round(p - o, 4) for p, o in zip(place, offset, strict=True))


def _speeds(fields: Mapping[str, str], unit: float) -> tuple[float | None, float | None]:
    if "FS" in fields:
        values = _numbers(fields["FS"])
        return values[0] * unit, values[1] if len(values) > 1 else None
    if "F" in fields:
        return float(fields["F"]) * unit, None
    return None, None
