"""A certificate as PDF: A4 across, one page, readable in black and white."""

from __future__ import annotations

import io

from babel.dates import format_date
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from fabctl.i18n import translate
from fabctl.model.texts import text
from fabctl.services.certificates import CertificateView
from fabctl.services.lettering import draw, runs, width_of
from fabctl.services.papers import BOLD, REGULAR, Losses, one_line

WIDTH, HEIGHT = landscape(A4)
MOST = WIDTH - 50 * mm
"""How wide a line may be."""

_CERTIFICATE = text("Certificate")
_TOOK_PART = text("has taken part in this workshop and passed:")
_SIGNED = text("For the lab:")


def certificate_pdf(view: CertificateView, *, lab: str, language: str) -> bytes:
    """Return the certificate as PDF; long names and titles are written smaller, never cut."""
    losses = Losses()
    out = io.BytesIO()
    paper = Canvas(out, pagesize=(WIDTH, HEIGHT), lang=language)
    paper.setTitle(one_line(f"{translate(_CERTIFICATE, language)} - {view.name}"))
    paper.setAuthor(one_line(lab))
    paper.setLineWidth(1.2)
    paper.rect(12 * mm, 12 * mm, WIDTH - 24 * mm, HEIGHT - 24 * mm)
    day = format_date(view.held_on, format="long", locale=language)
    hours = int(view.hours) if view.hours.is_integer() else view.hours
    when = text("On {day}, {hours} h", day=day, hours=hours)
    number = text("Number {number}", number=view.id)
    for said, font, size, height_mm in (
        (lab, REGULAR, 14, 180),
        (translate(_CERTIFICATE, language), BOLD, 34, 155),
        (view.name, BOLD, 28, 128),
        (translate(_TOOK_PART, language), REGULAR, 14, 112),
        (view.title, BOLD, 20, 94),
        (translate(when, language), REGULAR, 14, 78),
    ):
        _line(paper, losses.printable(said, font), font, size, height_mm)
    paper.setFont(REGULAR, 11)
    paper.drawString(180 * mm, 45 * mm, translate(_SIGNED, language))
    paper.setFont(REGULAR, 8)
    paper.drawString(20 * mm, 20 * mm, translate(number, language))
    lost = losses.told()
    if lost:
        paper.drawString(20 * mm, 16 * mm, translate(lost, language))
    paper.showPage()
    paper.save()
    return out.getvalue()


def _line(paper: Canvas, said: str, font: str, size: float, height_mm: float) -> None:
    """Write one line in the middle, smaller where it would be too wide."""
    width = width_of(said, font, size)
    fits = size if width <= MOST else size * MOST / width
    line = runs(said, font, fits)
    draw(paper, line, fits, (WIDTH - sum(run.width for run in line)) / 2, height_mm * mm)
