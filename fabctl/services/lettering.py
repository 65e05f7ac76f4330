"""From a text to what a PDF page draws: fonts per character, joined letters, right to left.

The order on the line is python-bidi's (Unicode Standard Annex 9), the shape of letters is
HarfBuzz's through reportlab. Both work on a line, so a text is broken first, in reading order.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from bidi import get_display  # type: ignore[import-untyped]  # it has no types
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfbase.ttfonts import ShapedStr, shapeStr
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from fabctl.services.papers import Losses, font_of, invisible

_ISOLATE, _END = "\u2068", "\u2069"
_PAIRS = {"(": ")", "[": "]", "{": "}", "<": ">", "«": "»", "‹": "›"}
_TURNED = _PAIRS | {close: begin for begin, close in _PAIRS.items()}


@dataclass(frozen=True)
class Run:
    """A piece of a line in one font, as it is drawn from left to right.

    :param width: in points.
    """

    font: str
    shown: str
    width: float


def runs(said: str, font: str, size: float) -> list[Run]:
    """Return the pieces of one line from left to right.

    :param said: in reading order; every character is one that a font has.
    :param size: in points.
    """
    if not _needs_care(said, font):
        return [Run(font, said, stringWidth(said, font, size))]
    found: list[Run] = []
    visual = _turned_pairs(str(get_display(said))).replace(_ISOLATE, "").replace(_END, "")
    for from_right, part in _directions(visual):
        pieces = [
            _run(piece, one, size)
            for one, piece in _fonts(part[::-1] if from_right else part, font)
        ]
        found += reversed(pieces) if from_right else pieces
    return found


def width_of(said: str, font: str, size: float) -> float:
    """Return how wide a line is, in points."""
    return sum(one.width for one in runs(said, font, size))


def broken(said: str, font: str, size: float, most: float) -> list[str]:
    """Break a text into lines of at most ``most`` points: between words, else inside one."""
    lines = [""]
    for word in said.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if width_of(longer, font, size) <= most:
            lines[-1] = longer
        else:
            lines += _chopped(word, font, size, most)
    return [line for line in lines if line] or [""]


def draw(paper: Canvas, line: Sequence[Run], size: float, x: float, y: float) -> None:
    """Draw a line's pieces from ``x`` (points) on."""
    for run in line:
        paper.setFont(run.font, size)
        paper.drawString(x, y, run.shown)
        x += run.width


class Said(Flowable):
    """Texts one after the other, in as many lines as they need.

    Each keeps its own direction: digits after an Arabic name stay in their order.
    """

    def __init__(
        self, losses: Losses, style: ParagraphStyle, *parts: str, between: str = " "
    ) -> None:
        super().__init__()
        self.style = style
        shown = [losses.printable(part, style.fontName) for part in parts if part]
        isolated = [f"{_ISOLATE}{one}{_END}" for one in shown]
        self.said = between.join(isolated) if len(shown) > 1 else "".join(shown)
        self.lines: list[str] = []

    def wrap(self, aW: float, _aH: float) -> tuple[float, float]:  # noqa: N803  # reportlab's names
        """Break the text for a width in points; return the size it takes."""
        self.lines = broken(self.said, self.style.fontName, self.style.fontSize, aW)
        return aW, len(self.lines) * self.style.leading

    def draw(self) -> None:
        """Draw the lines, the first one at the top."""
        style, height = self.style, len(self.lines) * self.style.leading
        for number, line in enumerate(self.lines):
            y = height - style.fontSize - number * style.leading
            draw(self.canv, runs(line, style.fontName, style.fontSize), style.fontSize, 0, y)


def _needs_care(said: str, font: str) -> bool:
    """Say whether the characters cannot simply be drawn one after the other."""
    return not said.isascii() and any(
        _right_to_left(one) or _hangs(one) or font_of(one, font) != font for one in said
    )


def _right_to_left(char: str) -> bool:
    return unicodedata.bidirectional(char) in {"R", "AL"}


def _hangs(char: str) -> bool:
    """Say whether a character belongs to the one before it."""
    return unicodedata.category(char) in {"Mn", "Mc", "Me", "Cf"}


def _turned_pairs(visual: str) -> str:
    """Turn brackets round where they stand in text from right to left: the end comes first."""
    shown, opened = list(visual), []
    awaited: list[str] = []
    for place, char in enumerate(visual):
        if char in _PAIRS and char in awaited:
            awaited.remove(char)
            shown[place] = _TURNED[char]
        elif char in _PAIRS:
            opened.append(char)
        elif char in _TURNED and _TURNED[char] in opened:
            opened.remove(_TURNED[char])
        elif char in _TURNED:
            awaited.append(_TURNED[char])
            shown[place] = _TURNED[char]
    return "".join(shown)


def _directions(visual: str) -> Iterator[tuple[bool, str]]:
    """Yield the stretches of a line from left to right, and whether each is read from the right.

    In a stretch from the right a mark stands before its letter.
    """
    keys = [_right_to_left(char) for char in visual]
    for place in range(len(visual) - 1, -1, -1):
        if _hangs(visual[place]):
            keys[place] = place + 1 < len(visual) and keys[place + 1]
    for from_right, group in groupby(zip(keys, visual, strict=True), key=lambda pair: pair[0]):
        yield from_right, "".join(char for _, char in group)


def _fonts(part: str, font: str) -> Iterator[tuple[str, str]]:
    """Yield the stretches of one font, in reading order; a mark stays with its letter."""
    found: list[str] = []
    for char in part:
        own = None if invisible(char) else font_of(char, font)
        found.append(found[-1] if found and (own is None or _hangs(char)) else own or font)
    for one, group in groupby(zip(found, part, strict=True), key=lambda pair: pair[0]):
        yield one, "".join(char for _, char in group)


def _run(piece: str, font: str, size: float) -> Run:
    shown = shapeStr(piece, font, size)
    if isinstance(shown, ShapedStr):
        width = sum(one.x_advance for one in vars(shown)["__shapeData__"]) * size / 1000
        return Run(font, shown, width)
    return Run(font, shown, stringWidth(shown, font, size))


def _chopped(word: str, font: str, size: float, most: float) -> list[str]:
    """Return a word in pieces that are narrow enough."""
    pieces = [""]
    for char in word:
        if pieces[-1] and not _hangs(char) and width_of(pieces[-1] + char, font, size) > most:
            pieces.append("")
        pieces[-1] += char
    return pieces
