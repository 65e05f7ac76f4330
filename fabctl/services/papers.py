"""What is printed: fonts and marks that all PDF files of a lab share. For services only.

A character takes the first font that has it: DejaVu (Latin, Greek, Cyrillic, Vietnamese, Arabic,
Hebrew, Georgian, Armenian), then where they are installed Noto's font of its script, Droid Fallback
(Chinese, Japanese kana) and Symbola (pictures). All are embedded in the file, so that it
reads the same on every screen and printer. See docs/decisions/0190.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from fabctl.model.people import TURNING
from fabctl.model.texts import Text, text

FONTS = Path("/usr/share/fonts/truetype")
"""Where Debian's packages put fonts."""
SHIPPED = Path(reportlab.__file__).parent / "fonts"
REGULAR, BOLD = "Paper", "Paper-Bold"
DROID, SYMBOLA = "droid/DroidSansFallbackFull.ttf", "ancient-scripts/Symbola_hint.ttf"
_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "FULLWIDTH", "HALFWIDTH", "IDEOGRAPHIC"})
_SELECTORS = range(0xFE00, 0xFE10)
"""They ask for a picture in colour or in black: there is one of each here."""


@cache
def use_fonts() -> Path:
    """Register the main fonts, once per process; return where they came from.

    Without Debian's fonts-dejavu-core it is Vera, which reportlab brings: it writes the languages
    of Western Europe (é à ç œ €).
    """
    for folder, regular, bold in (
        (FONTS / "dejavu", "DejaVuSans.ttf", "DejaVuSans-Bold.ttf"),
        (SHIPPED, "Vera.ttf", "VeraBd.ttf"),
    ):
        if (folder / regular).exists() and (folder / bold).exists():
            pdfmetrics.registerFont(TTFont(REGULAR, str(folder / regular)))
            pdfmetrics.registerFont(TTFont(BOLD, str(folder / bold)))
            return folder
    raise FileNotFoundError(SHIPPED)


@cache
def other_font(file: str) -> str | None:
    """Register a font of Debian's; return its name, or nothing where it is not installed.

    It is read when a first name needs it: Droid Fallback takes 19 MB of memory, Symbola 7 MB.

    :param file: below :data:`FONTS`.
    """
    if not (FONTS / file).exists():
        return None
    pdfmetrics.registerFont(TTFont(file, str(FONTS / file)))
    return file


def has(font: str, char: str) -> bool:
    """Say whether a registered font can write a character.

    Never one of private use: there reportlab keeps joined letters that have no number.
    """
    if unicodedata.category(char) in {"Cc", "Cn", "Co", "Cs"}:
        return False
    return ord(char) in pdfmetrics.getFont(font).face.charToGlyph  # type: ignore[attr-defined]  # a TTFont


def font_of(char: str, font: str) -> str | None:
    """Return the font that writes a character in a text of ``font``; nothing when none does."""
    if has(font, char):
        return font
    return next((one for one in _others(char, font) if has(one, char)), None)


def _others(char: str, font: str) -> Iterator[str]:
    """Yield the installed fonts that are worth asking, least memory first."""
    script = unicodedata.name(char, "").partition(" ")[0]
    weight = "Bold" if font == BOLD else "Regular"
    east = DROID if script in _EAST_ASIAN else SYMBOLA
    for file in (f"noto/NotoSans{script.title()}-{weight}.ttf", east):
        found = other_font(file)
        if found:
            yield found


def invisible(char: str) -> bool:
    """Say whether nothing is drawn for a character: a joiner, for instance."""
    return unicodedata.category(char) == "Cf"


def one_line(said: str) -> str:
    """Return a text on one line, composed (é is one character), without orders to turn it round."""
    kept = (one for one in said if one not in TURNING and ord(one) not in _SELECTORS)
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


class Losses:
    """Counts the characters of a paper that no font here can print."""

    def __init__(self) -> None:
        use_fonts()
        self.count = 0
        self.mark = "□" if has(REGULAR, "□") else "?"

    def printable(self, said: str, font: str = REGULAR) -> str:
        """Return a text on one line, with a mark for each character that no font can write."""
        shown = []
        for char in one_line(said):
            lost = not invisible(char) and font_of(char, font) is None
            self.count += lost
            shown.append(self.mark if lost else char)
        return "".join(shown)

    def told(self) -> Text | None:
        """Return what the paper says about them; nothing when all could be printed."""
        if not self.count:
            return None
        return text(
            "Characters that could not be printed: {count}. Each is shown as {mark}.",
            count=self.count,
            mark=self.mark,
        )
