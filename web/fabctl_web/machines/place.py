"""Where a machine's head is, how fast it goes, its spindle or laser: figures for everybody."""

from __future__ import annotations

from dataclasses import dataclass

from babel.numbers import format_decimal

from fabctl.messaging.lab_view import MachineView
from fabctl.messaging.readings import AXES, Reading
from fabctl.ports import MachineKind, MachineProfile
from fabctl_web.speech import NO_BREAK, Speech

FRESH_S = 5.0
"""Machines say these about once a second; what is older is grey, with its age."""
TENTHS = "#,##0.0"
SILENT = frozenset({"unknown", "offline"})


@dataclass(frozen=True)
class Figure:
    """One reading, ready to be shown."""

    name: str
    value: str
    old: bool = False


@dataclass(frozen=True)
class Head:
    """Where the head is, seen from above, in mm."""

    x: float
    y: float
    by_machine: bool
    """Counted from the machine's own zero, as its work area is; else from the workpiece's."""
    age_s: float
    old: bool


@dataclass(frozen=True)
class Place:
    """What a page says about the head."""

    figures: list[Figure]
    words: str
    """From which zero it is counted; its age where it is old."""
    head: Head | None
    """For the top view; None where X or Y is not known."""


def place_of(view: MachineView, profile: MachineProfile, speech: Speech) -> Place | None:
    """Return where the head is; None for a machine that did not say so in the last minute."""
    frame, by_machine = _frame(view.position, profile.kind)
    figures = [
        Figure(axis.upper(), _number(value, TENTHS, speech), is_old(view, view.position))
        for axis in AXES
        if (value := view.position.values.get(f"{frame}{axis}_mm")) is not None
    ]
    words = []
    if figures:
        words.append(
            speech("In mm, from the machine’s zero.")
            if by_machine
            else speech("In mm, from the workpiece’s zero.")
        )
    figures += _feed(view, speech) + _power(view, profile, speech)
    if not figures:
        return None
    ages = [
        reading.age_s
        for reading in (view.position, view.feed, view.power)
        if reading.age_s is not None and is_old(view, reading)
    ]
    if ages:
        words.append(speech("Read {seconds} s ago.", seconds=int(max(ages))))
    return Place(figures, " ".join(words), head_of(view, profile.kind))


def head_of(view: MachineView, kind: MachineKind) -> Head | None:
    """Return where the head is from above, counted as the work area is where that is known."""
    values, age = view.position.values, view.position.age_s
    for frame, by_machine in (("machine_", True), ("", kind is MachineKind.PRINTER)):
        x, y = values.get(f"{frame}x_mm"), values.get(f"{frame}y_mm")
        if x is not None and y is not None and age is not None:
            return Head(x, y, by_machine, age, is_old(view, view.position))
    return None


def is_old(view: MachineView, reading: Reading) -> bool:
    """Say whether a reading is not to be shown as live."""
    return view.state in SILENT or reading.age_s is None or reading.age_s > FRESH_S


def millimetres(value: float, speech: Speech) -> str:
    """Return a length with one decimal, as it is written in this language."""
    return f"{_number(value, TENTHS, speech)}{NO_BREAK}mm"


def _frame(position: Reading, kind: MachineKind) -> tuple[str, bool]:
    """Return the prefix of the axes that are shown, and whether the machine's zero is theirs."""
    if any(position.values.get(f"{axis}_mm") is not None for axis in AXES):
        return "", kind is MachineKind.PRINTER
    return "machine_", True


def _feed(view: MachineView, speech: Speech) -> list[Figure]:
    value = view.feed.values.get("feed_mm_per_min")
    if value is None:
        return []
    said = speech("{number} mm/min", number=_number(value, "#,##0", speech))
    return [Figure(speech("Feed"), said, is_old(view, view.feed))]


def _power(view: MachineView, profile: MachineProfile, speech: Speech) -> list[Figure]:
    value, kind = view.power.values.get("power"), profile.kind
    if value is None or kind is MachineKind.PRINTER:
        return []
    said = _number(value, "#,##0", speech)
    if kind is MachineKind.MILL:
        name, said = speech("Spindle"), speech("{number} rpm", number=said)
    else:
        name = speech("Laser") if kind is MachineKind.LASER else speech("Power")
        if most := profile.limits.power_max:
            most_said = _number(most, "#,##0", speech)
            said = speech("{actual} of {target}", actual=said, target=most_said)
    return [Figure(name, said, is_old(view, view.power))]


def _number(value: float, pattern: str, speech: Speech) -> str:
    rounded = round(value, 1 if pattern == TENTHS else 0)
    return format_decimal(rounded + 0.0, pattern, locale=speech.language)
