"""What is printed: fonts and marks that all PDF files of a lab share. For services only."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

DEBIAN = Path("/usr/share/fonts/truetype/dejavu")
SHIPPED = Path(reportlab.__file__).parent / "fonts"
REGULAR, BOLD = "Paper", "Paper-Bold"


@cache
def use_fonts() -> Path:
    """Register the fonts, once per process; return where they came from.

    DejaVu, from Debian's fonts-dejavu-core, writes Latin, Greek and Cyrillic; without it Vera,
    which reportlab brings, writes the languages of Western Europe (é à ç œ €). Both are embedded
    in the file, so that it reads the same on every screen and printer.
    """
    for folder, regular, bold in (
        (DEBIAN, "DejaVuSans.ttf", "DejaVuSans-Bold.ttf"),
        (SHIPPED, "Vera.ttf", "VeraBd.ttf"),
    ):
        if (folder / regular).exists() and (folder / bold).exists():
            return _registered(folder, regular, bold)
    raise FileNotFoundError(SHIPPED)


def _registered(folder: Path, regular: str, bold: str) -> Path:
    pdfmetrics.registerFont(TTFont(REGULAR, str(folder / regular)))
    pdfmetrics.registerFont(TTFont(BOLD, str(folder / bold)))
    pdfmetrics.registerFontFamily(
        REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD
    )
    return folder


def printable(text: str, font: str = REGULAR) -> str:
    """Return a text with ``□`` for what the font cannot write, on one line.

    :param text: a name may hold emoji, which no text font has.
    """
    known = pdfmetrics.getFont(font).face.charToGlyph  # type: ignore[attr-defined]  # a TTFont
    joined = " ".join(text.split())
    return "".join(one if ord(one) in known else "□" for one in joined)
