"""Names that several pages of the house need: of places, and of who did something."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from babel.numbers import format_decimal
from sqlalchemy.orm import Session

from fabctl.errors import UnknownIdError
from fabctl.model.booking_facts import ResourceKind
from fabctl.model.booking_slots import Slot
from fabctl.model.people import search_name
from fabctl.services import people, resources
from fabctl.services.audit import SHELL, person_in
from fabctl_web import tables
from fabctl_web.lab import current_lab
from fabctl_web.language import chosen_language, speech

Item = TypeVar("Item")


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


KINDS = {
    ResourceKind.MACHINE: _("Machine"),
    ResourceKind.SPACE: _("Room or space"),
    ResourceKind.SEAT: _("Seat or bench"),
}
CATEGORIES = {
    "printer": _("3D printer"),
    "mill": _("Mill"),
    "laser": _("Laser cutter"),
    "other": _("Other machine"),
    "space": _("Room or space"),
    "seat": _("Seat or bench"),
}
"""Kinds of place that every lab has; others are the lab's own words."""


def category(kind: str) -> str:
    """Return what a kind of place is called."""
    return speech()(CATEGORIES[kind]) if kind in CATEGORIES else kind


def places(db: Session) -> dict[str, str]:
    """Return the names of everything that can be booked, by id, in the order of names."""
    found = sorted(resources.list_all(db), key=lambda one: search_name(one.name))
    return {one.id: one.name for one in found}


def who(db: Session, said: str | None) -> str:
    """Return the name of whoever stands in a line of the audit trail."""
    if said is None:
        return speech()("fabctl itself")
    person = person_in(said)
    if person is None:
        return speech()("{user}, at the lab’s computer", user=said.removeprefix(SHELL))
    try:
        return people.get_person(db, person).display_name
    except UnknownIdError:
        return speech()("somebody who has left")


def matches(*said: str | None) -> bool:
    """Say whether all words that are searched for stand in one of the texts."""
    text = search_name(" ".join(one for one in said if one))
    return all(word in text for word in search_name(tables.words()).split())


def joined(said: Iterable[str]) -> str:
    """Return words one after the other, empty ones left out."""
    return " · ".join(one for one in said if one)


def part(
    items: Sequence[Item], key: Callable[[Item], tuple[str, ...]]
) -> tuple[Sequence[Item], str | None]:
    """Return the lines of this page of a list, and the address of the next page.

    :param items: all of them, in the order of their keys.
    """
    begin = tables.after()
    rest = [one for one in items if begin is None or key(one) > begin]
    shown = rest[: tables.SHOWN]
    last = key(shown[-1]) if len(rest) > len(shown) else None
    return shown, tables.next_address(last)


def stretch(slot: Slot) -> str:
    """Return a stretch of time in words: of one day, or from a moment until another."""
    lab, say = current_lab(), speech()
    zone, now = lab.config.time_zone, lab.clock.now()
    if slot.start.astimezone(zone).date() == slot.end.astimezone(zone).date():
        return say.slot(slot.start, slot.end, now)
    said = say(
        _("{start} until {end}"), start=say.moment(slot.start, now), end=say.moment(slot.end, now)
    )
    return said[0].upper() + said[1:]


def number(value: float) -> str:
    """Return a number as it is written in this language."""
    return format_decimal(value, locale=chosen_language())
