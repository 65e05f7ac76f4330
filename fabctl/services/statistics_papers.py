"""A year's statistics as CSV for spreadsheets and as PDF for funders."""

from __future__ import annotations

import csv
import io

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, LongTable, SimpleDocTemplate, Spacer, TableStyle

from fabctl.i18n import translate
from fabctl.model.statistics import Table
from fabctl.model.texts import text
from fabctl.services.cells import harmless
from fabctl.services.lettering import Said
from fabctl.services.papers import BOLD, REGULAR, Losses, one_line
from fabctl.services.statistics import YearView
from fabctl.services.statistics_words import COLUMNS, NAMES, NOTE, lines, parts


def statistics_csv(view: YearView, language: str) -> str:
    """Return all tables one below the other: UTF-8 with a mark at its begin, semicolons, CRLF."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(["", *(translate(one, language) for one in COLUMNS)])
    for title, table in parts(view):
        name = f"{translate(title, language)} - {translate(NAMES[table.name], language)}"
        for line in lines(table, language):
            cells = [name, *line]
            writer.writerow([harmless(cell) for cell in cells])
    writer.writerow([translate(NOTE, language)])
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
    for part, table in parts(view):
        if table.groups:
            name = f"{translate(part, language)} - {translate(NAMES[table.name], language)}"
            story += [Spacer(0, 5 * mm), Said(losses, _bold(body), name), Spacer(0, 1 * mm)]
            story.append(_grid(table, language, body, losses))
    story += [Spacer(0, 5 * mm), Said(losses, body, translate(NOTE, language))]
    lost = losses.told()
    if lost:
        story.append(Said(losses, body, translate(lost, language)))
    document.build(story)
    return out.getvalue()


def _grid(table: Table, language: str, body: ParagraphStyle, losses: Losses) -> LongTable:
    heads = [Said(losses, _bold(body), translate(one, language)) for one in COLUMNS]
    cells = [[Said(losses, body, cell) for cell in line] for line in lines(table, language)]
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
