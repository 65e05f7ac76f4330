"""A year's statistics at the desk: tables, each with its plot and the plot in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date
from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from fabctl.i18n import translate
from fabctl.model.statistics import Group, Table
from fabctl.services import statistics as service
from fabctl.services import statistics_words as in_words
from fabctl.services.statistics import YearView
from fabctl_web.downloads import download
from fabctl_web.lab import current_lab
from fabctl_web.language import chosen_language, speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import staff_needed


def _(template: str) -> str:
    """Mark a sentence for the catalogue; it is translated where it is shown."""
    return template


area = Blueprint("house_statistics", __name__, template_folder="templates")

YEARS = 10
"""Offered, with this one."""
BY_LINE = frozenset({"what", "partner"})
"""Tables whose groups have long names: their plots show the numbers of the lines."""


@dataclass(frozen=True)
class Plot:
    """Bars of visits, as the script draws them, and the same in a sentence."""

    labels: str
    """A list in JSON."""
    values: str
    """The same; null: not shown."""
    words: str


@dataclass(frozen=True)
class Shown:
    """One table."""

    title: str
    lines: Sequence[Sequence[str]]
    total: Sequence[str]
    plot: Plot | None
    """None: there are no two groups to compare."""
    numbered: bool


@page(area, "/staff/statistics")
def of_year() -> str:
    """Show a year's numbers."""
    view = _view()
    language, this_year = chosen_language(), _this_year()
    shown: dict[str, list[Shown]] = {}
    for part, table in in_words.parts(view):
        if table.groups:
            shown.setdefault(translate(part, language), []).append(_shown(table, language))
    return render_template(
        "staff_house/statistics.html",
        year=view.year,
        years=sorted({view.year, *range(this_year - YEARS + 1, this_year + 1)}, reverse=True),
        heads=[translate(one, language) for one in in_words.COLUMNS],
        parts=shown,
        note=translate(in_words.NOTE, language),
    )


@area.get("/staff/statistics.csv")
def csv() -> Response:
    """Return the same for a spreadsheet."""
    view = _view()
    from fabctl.services.statistics_papers import (  # noqa: PLC0415  # reportlab: 7 MB, seldom
        statistics_csv,
    )

    paper = statistics_csv(view, chosen_language())
    return download(paper, "text/csv; charset=utf-8", f"statistics-{view.year}.csv")


@area.get("/staff/statistics.pdf")
def pdf() -> Response:
    """Return the same to print."""
    view = _view()
    from fabctl.services.statistics_papers import (  # noqa: PLC0415  # the same
        statistics_pdf,
    )

    paper = statistics_pdf(view, chosen_language(), current_lab().config.name)
    return download(paper, "application/pdf", f"statistics-{view.year}.pdf")


def _view() -> YearView:
    """Return the year that is asked for; this one where that is none."""
    lab, me = current_lab(), staff_needed()
    asked = request.args.get("year", "")
    year = int(asked) if asked.isascii() and asked.isdigit() and len(asked) == 4 else _this_year()
    if not service.FIRST <= year <= service.LAST:
        year = _this_year()
    with lab.db.reading() as db:
        return service.of_year(db, lab.config.time_zone, year=year, by=me.id)


def _this_year() -> int:
    lab = current_lab()
    return lab.clock.now().astimezone(lab.config.time_zone).year


def _shown(table: Table, language: str) -> Shown:
    *lines, total = in_words.lines(table, language)
    title = translate(in_words.NAMES[table.name], language)
    return Shown(title, lines, total, _plot(table, language, title), table.name in BY_LINE)


def _plot(table: Table, language: str, title: str) -> Plot | None:
    values = [one.count.visits if one.count else None for one in table.groups]
    if sum(one is not None for one in values) < 2:
        return None
    labels = [_short(table, number, one, language) for number, one in enumerate(table.groups, 1)]
    return Plot(json.dumps(labels), json.dumps(values), _sentence(table, language, title))


def _short(table: Table, number: int, group: Group, language: str) -> str:
    """Return what stands below a bar."""
    if table.name in BY_LINE:
        return str(number)
    if table.name == "month":
        first = date.fromisoformat(f"{group.key}-01")
        return format_date(first, "LLL", locale=language)
    if table.name == "age":
        return group.key or "?"
    return in_words.label(table.name, group.key, language)


def _sentence(table: Table, language: str, title: str) -> str:
    say = speech()
    counted = [(one.count.visits, one) for one in table.groups if one.count]
    most, most_of = max(counted, key=lambda one: one[0])
    least, least_of = min(counted, key=lambda one: one[0])
    return say(
        _("{title}. Most visits: {most} ({most_of}). Fewest: {least} ({least_of})."),
        title=title,
        most=most,
        most_of=in_words.label(table.name, most_of.key, language),
        least=least,
        least_of=in_words.label(table.name, least_of.key, language),
    )
