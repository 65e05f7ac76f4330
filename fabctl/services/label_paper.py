"""Labels to be stuck on machines, as PDF: a QR code, the name, the address, what it is for."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from fabctl.i18n import translate
from fabctl.model.texts import text
from fabctl.services.lettering import broken, draw, runs, width_of
from fabctl.services.papers import BOLD, REGULAR, Losses, one_line, use_fonts

WIDTH, HEIGHT = 95 * mm, 66 * mm
"""Of one label."""
MARGIN = 4 * mm
CODE = 44 * mm
"""The QR code's side, its quiet zone of four dots included (ISO/IEC 18004)."""
QUIET = 4
ACROSS, DOWN = 2, 4
"""Labels on a sheet."""
_NAME_SIZES = (20, 18, 16, 14, 12, 11, 10, 9, 8)
_SCAN = text("Scan me: state, booking, help.")
_DANGER = text("Danger? Red button on the machine!")
_TITLE = text("Labels of the machines")


@dataclass(frozen=True, slots=True)
class Label:
    """What stands on one label."""

    name: str
    address: str
    dots: tuple[tuple[bool, ...], ...]
    """The QR code of the address, row by row, without its quiet zone."""


def labels_pdf(labels: Sequence[Label], *, lab: str, language: str, single: bool) -> bytes:
    """Return labels as PDF.

    :param single: one label to a page of its own size, 95 x 66 mm; else eight to an A4 sheet.
    """
    use_fonts()
    out = io.BytesIO()
    paper = Canvas(out, pagesize=(WIDTH, HEIGHT) if single else A4, lang=language)
    paper.setTitle(translate(_TITLE, language))
    paper.setAuthor(one_line(lab))
    places = [(0.0, 0.0)] if single else _places()
    for number, label in enumerate(labels):
        place = number % len(places)
        if number and place == 0:
            paper.showPage()
        paper.saveState()
        paper.translate(*places[place])
        _draw(paper, label, lab, language)
        paper.restoreState()
    paper.showPage()
    paper.save()
    return out.getvalue()


def _places() -> list[tuple[float, float]]:
    """Return the lower left corners on a sheet, from the top left on."""
    left, low = (A4[0] - ACROSS * WIDTH) / 2, (A4[1] - DOWN * HEIGHT) / 2
    return [
        (left + column * WIDTH, low + row * HEIGHT)
        for row in reversed(range(DOWN))
        for column in range(ACROSS)
    ]


def _draw(paper: Canvas, label: Label, lab: str, language: str) -> None:
    paper.setLineWidth(0.3)
    paper.setDash(1, 2)
    paper.rect(0, 0, WIDTH, HEIGHT)  # where to cut
    paper.setDash()
    _code(paper, label.dots, MARGIN / 2, HEIGHT - MARGIN / 2 - CODE)
    left, top = MARGIN / 2 + CODE + 1 * mm, HEIGHT - MARGIN
    room = WIDTH - left - MARGIN
    top = _lines(paper, label.name, BOLD, _NAME_SIZES, (left, top, room, 25 * mm))
    top = _lines(paper, translate(_SCAN, language), REGULAR, (11, 10, 9), (left, top, room, 9 * mm))
    _lines(paper, lab, REGULAR, (9, 8, 7), (left, top, room, 7 * mm))
    wide = WIDTH - 2 * MARGIN
    danger = translate(_DANGER, language)
    _lines(paper, danger, BOLD, (12, 11, 10), (MARGIN, MARGIN + 13 * mm, wide, 6 * mm))
    _lines(paper, label.address, REGULAR, (9, 8, 7, 6), (MARGIN, MARGIN + 7 * mm, wide, 7 * mm))


def _code(paper: Canvas, dots: tuple[tuple[bool, ...], ...], x: float, y: float) -> None:
    """Draw a QR code with its quiet zone, each run of dots as one box."""
    side = CODE / (len(dots) + 2 * QUIET)
    for n, row in enumerate(dots):
        height = y + CODE - (n + 1 + QUIET) * side
        start = None
        for m, dark in enumerate((*row, False)):
            if dark and start is None:
                start = m
            elif not dark and start is not None:
                left = x + (start + QUIET) * side
                paper.rect(left, height, (m - start) * side, side, stroke=0, fill=1)
                start = None


def _lines(
    paper: Canvas,
    said: str,
    font: str,
    sizes: Sequence[int],
    place: tuple[float, float, float, float],
) -> float:
    """Write text below a height, as large as it fits without breaking a word; return what is below.

    :param place: left and top, the room's width and height, in points.
    """
    left, top, room, height = place
    shown = Losses().printable(said, font)
    for size in sizes:
        lines = broken(shown, font, size, room)
        whole = all(width_of(word, font, size) <= room for word in shown.split())
        if whole and len(lines) * size * 1.2 <= height:
            break
    else:
        lines = lines[: int(height / (size * 1.2))]
    for line in lines:
        draw(paper, runs(line, font, size), size, left, top - size)
        top -= size * 1.2
    return top - 2 * mm
