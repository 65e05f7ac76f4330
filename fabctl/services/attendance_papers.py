"""The attendance sheet of a session as PDF (to sign with a pen) and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from babel.dates import format_date
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, LongTable, SimpleDocTemplate, Spacer, TableStyle

from fabctl.i18n import translate
from fabctl.model.attendance import Presence
from fabctl.model.texts import Text, text
from fabctl.services.attendance import SheetRow
from fabctl.services.cells import harmless
from fabctl.services.lettering import Said
from fabctl.services.papers import BOLD, REGULAR, Losses, one_line
from fabctl.services.workshops import SessionView

HEADINGS: tuple[Text, ...] = (
    text("Name"),
    text("Born in"),
    text("Partner"),
    text("Attendance"),
    text("Consent"),
    text("Pictures"),
    text("Parent or guardian"),
    text("Signature"),
)
_WIDTHS_MM = (50, 25, 36, 24, 24, 22, 55, 41)
PRESENCES: dict[Presence, Text] = {
    Presence.PRESENT: text("present"),
    Presence.LATE: text("late"),
    Presence.ABSENT: text("absent"),
}
_YES, _NO = text("yes"), text("no")
_UNNAMED = text("(name to come)")


def attendance_pdf(
    view: SessionView, rows: Sequence[SheetRow], zone: ZoneInfo, language: str, lab: str
) -> bytes:
    """Return the sheet as PDF, A4 across, names in the order given, the head on every page."""
    losses = Losses()
    out = io.BytesIO()
    title = f"{view.title} - {_when(view, zone, language)}"
    document = SimpleDocTemplate(
        out,
        pagesize=landscape(A4),
        leftMargin=10 * mm,
        rightMargin=10 * mm,
        topMargin=12 * mm,
        bottomMargin=12 * mm,
        title=one_line(title),
        author=one_line(lab),
        lang=language,
    )
    head = ParagraphStyle("head", fontName=BOLD, fontSize=14, leading=18)
    body = ParagraphStyle("body", fontName=REGULAR, fontSize=9, leading=11)
    story: list[Flowable] = [
        Said(losses, head, view.title),
        Said(losses, body, lab, _when(view, zone, language), between=" · "),
        Spacer(0, 4 * mm),
        _table(_cells(rows, language, losses, body), language, body),
        Spacer(0, 3 * mm),
        Said(losses, body, translate(_summary(rows), language)),
    ]
    lost = losses.told()
    if lost:
        story.append(Said(losses, body, translate(lost, language)))
    document.build(story)
    return out.getvalue()


def attendance_csv(rows: Sequence[SheetRow], language: str) -> str:
    """Return the sheet as CSV: UTF-8 with a mark at its begin, semicolons, CRLF.

    So spreadsheets open it in French and English; a cell that a spreadsheet would run as a
    formula begins with an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([translate(one, language) for one in HEADINGS[:-1]])
    for line in _lines(rows, language):
        writer.writerow([harmless(cell) for cell in line])
    return "\ufeff" + out.getvalue()


def _lines(rows: Sequence[SheetRow], language: str) -> list[list[str]]:
    return [[" ".join(parts) for parts in line] for line in _parts(rows, language)]


def _parts(rows: Sequence[SheetRow], language: str) -> list[list[tuple[str, ...]]]:
    """Return the cells of each row; what stands in one beside something else is on its own."""

    def said(flag: bool) -> tuple[str]:  # one word for a flag
        return (translate(_YES if flag else _NO, language),)

    return [
        [
            (row.name or translate(_UNNAMED, language),),
            (str(row.birth_year or ""),),
            (row.partner,),
            (translate(PRESENCES[row.presence], language) if row.presence else "",),
            said(row.consent),
            said(row.image_rights),
            tuple(part for part in (row.guardian_name, row.guardian_phone) if part),
        ]
        for row in rows
    ]


def _cells(
    rows: Sequence[SheetRow], language: str, losses: Losses, body: ParagraphStyle
) -> list[list[Said]]:
    """Return the rows as they are printed, with room for a signature."""
    return [
        [Said(losses, body, *parts) for parts in (*line, ())] for line in _parts(rows, language)
    ]


def _table(cells: list[list[Said]], language: str, body: ParagraphStyle) -> LongTable:
    bold, own = ParagraphStyle("bold", parent=body, fontName=BOLD), Losses()
    heads = [Said(own, bold, translate(one, language)) for one in HEADINGS]
    table = LongTable([heads, *cells], colWidths=[width * mm for width in _WIDTHS_MM], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
                ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("BOTTOMPADDING", (0, 1), (-1, -1), 7),
                ("TOPPADDING", (0, 1), (-1, -1), 7),
            ]
        )
    )
    return table


def _summary(rows: Sequence[SheetRow]) -> Text:
    there = sum(row.presence is not None and row.presence.was_there for row in rows)
    return text("{there} of {all} were there.", there=there, all=len(rows))


def _when(view: SessionView, zone: ZoneInfo, language: str) -> str:
    """Return when a session is, by the lab's clocks."""
    start, end = view.start.astimezone(zone), view.end.astimezone(zone)
    day, last = (format_date(one, format="long", locale=language) for one in (start, end))
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{last}, {end:%H:%M}"
    return f"{day}, {start:%H:%M} – {until}"
