"""A year's statistics in words: titles, groups and numbers, for papers and pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from babel.dates import format_date
from babel.numbers import format_decimal

from fabctl.i18n import translate
from fabctl.model.statistics import UNKNOWN, Count, Table
from fabctl.model.texts import Text, text
from fabctl.services.statistics import YearView

WORKSHOPS, RESERVATIONS = text("Workshops"), text("Reservations that were used")
NAMES: dict[str, Text] = {
    "month": text("By month"),
    "what": text("By workshop, or kind of place"),
    "age": text("By age"),
    "partner": text("By partner"),
    "first-time": text("For the first time"),
}
COLUMNS = (text("Group"), text("Visits"), text("People"), text("Hours"))
_TOTAL, _HIDDEN = text("In all"), "–"
_UNKNOWN: dict[str, Text] = {"partner": text("no partner"), "age": text("age not known")}
_SAID: dict[str, Text] = {"yes": text("yes"), "no": text("no")}
NOTE = text("– is not shown: fewer than 5 people, or it would tell how many these are.")


def parts(view: YearView) -> Iterator[tuple[Text, Table]]:
    """Yield every table with what it is about."""
    yield from ((WORKSHOPS, table) for table in view.workshops)
    yield from ((RESERVATIONS, table) for table in view.reservations)


def lines(table: Table, language: str) -> Iterator[Sequence[str]]:
    """Yield a table's lines: group, visits, people, hours; the last one is in all."""
    for group in table.groups:
        yield [label(table.name, group.key, language), *numbers(group.count, language)]
    yield [translate(_TOTAL, language), *numbers(table.total, language)]


def numbers(count: Count | None, language: str) -> Sequence[str]:
    """Return a group's numbers as they are written; dashes where they are not shown."""
    if count is None:
        return [_HIDDEN] * 3
    found = (count.visits, count.people, count.hours)
    return [format_decimal(one, locale=language, group_separator=False) for one in found]


def label(table: str, key: str, language: str) -> str:
    """Return what a group of a table is called."""
    if key == UNKNOWN and table in _UNKNOWN:
        return translate(_UNKNOWN[table], language)
    if table == "month":
        return format_date(date.fromisoformat(f"{key}-01"), "LLLL yyyy", locale=language)
    if table == "first-time":
        return translate(_SAID[key], language)
    if table == "age" and key.endswith("+"):
        return translate(text("{low} years and more", low=key[:-1]), language)
    if table == "age":
        low, high = key.split("-")
        return translate(text("{low} to {high} years", low=low, high=high), language)
    return key
