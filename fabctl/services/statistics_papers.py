"""A year's statistics as CSV for spreadsheets and as PDF for funders."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date

from babel.dates import format_date
from babel.numbers import format_decimal
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, LongTable, SimpleDocTemplate, Spacer, TableStyle

from fabctl.i18n import translate
from fabctl.model.statistics import UNKNOWN, Count, Table
from fabctl.model.texts import Text, text
from fabctl.services.lettering import Said
from fabctl.services.papers import BOLD, REGULAR, Losses, one_line
from fabctl.services.statistics import YearView

WORKSHOPS, RESERVATIONS = text("Workshops"), text("Reservations that were used")
_NAMES: dict[str, Text] = {
    "month": text("By month"),
    "what": text("By workshop, or kind of place"),
    "age": text("By age"),
    "partner": text("By partner"),
    "first-time": text("For the first time"),
}
_COLUMNS = (text("Group"), text("Visits"), text("People"), text("Hours"))
_TOTAL, _HIDDEN = text("In all"), "–"
_UNKNOWN: dict[str, Text] = {"partner": text("no partner"), "age": text("age not known")}
_SAID: dict[str, Text] = {"yes": text("yes"), "no": text("no")}
_NOTE = text("– is not shown: fewer than 5 people, or it would tell how many these are.")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would run a cell that begins so."""


def statistics_csv(view: YearView, language: str) -> str:
    """Return all tables one below the other: UTF-8 with a mark at its begin, semicolons, CRLF."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(["", *(translate(one, language) for one in _COLUMNS)])
    for title, table in _all(view):
        name = f"{translate(title, language)} - {translate(_NAMES[table.name], language)}"
        for line in _lines(table, language):
            cells = [name, *line]
            writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    writer.writerow([translate(_NOTE, language)])
    return "\ufeff" + out.getvalue()


def statistics_pdf(view: YearView, language: str, lab: str) -> bytes:
    """Return the statistics as PDF, A4 upright."""
    losses = Losses()
    out = io.BytesIO()
    subject = translate(text("Statistics of {year}", year=str(view.year)), language)
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        topMargin=15 * mm,
        bottomMargin=15 * mm,
        title=one_line(f"{lab} - {subject}"),
        author=one_line(lab),
        lang=language,
    )
    head = ParagraphStyle("head", fontName=BOLD, fontSize=15, leading=20)
    body = ParagraphStyle("body", fontName=REGULAR, fontSize=9, leading=11)
    story: list[Flowable] = [Said(losses, head, lab, subject, between=" - ")]
    for part, table in _all(view):
        if table.groups:
            name = f"{translate(part, language)} - {translate(_NAMES[table.name], language)}"
            story += [Spacer(0, 5 * mm), Said(losses, _bold(body), name), Spacer(0, 1 * mm)]
            story.append(_grid(table, language, body, losses))
    story += [Spacer(0, 5 * mm), Said(losses, body, translate(_NOTE, language))]
    lost = losses.told()
    if lost:
        story.append(Said(losses, body, translate(lost, language)))
    document.build(story)
    return out.getvalue()


def _all(view: YearView) -> Iterator[tuple[Text, Table]]:
    yield from ((WORKSHOPS, table) for table in view.workshops)
    yield from ((RESERVATIONS, table) for table in view.reservations)


def _lines(table: Table, language: str) -> Iterator[Sequence[str]]:
    for group in table.groups:
        yield [_label(table.name, group.key, language), *_numbers(group.count, language)]
    yield [translate(_TOTAL, language), *_numbers(table.total, language)]


def _numbers(count: Count | None, language: str) -> Sequence[str]:
    if count is None:
        return [_HIDDEN] * 3
    found = (count.visits, count.people, count.hours)
    return [format_decimal(one, locale=language, group_separator=False) for one in found]


def _label(table: str, key: str, language: str) -> str:
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


def _grid(table: Table, language: str, body: ParagraphStyle, losses: Losses) -> LongTable:
    heads = [Said(losses, _bold(body), translate(one, language)) for one in _COLUMNS]
    cells = [[Said(losses, body, cell) for cell in line] for line in _lines(table, language)]
    grid = LongTable([heads, *cells], colWidths=[80 * mm, 30 * mm, 30 * mm, 30 * mm], repeatRows=1)
    grid.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
                ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
                ("BACKGROUND", (0, -1), (-1, -1), colors.whitesmoke),
            ]
        )
    )
    return grid


def _bold(body: ParagraphStyle) -> ParagraphStyle:
    return ParagraphStyle("bold", parent=body, fontName=BOLD)
