"""What an image is, by its bytes alone: PNG or a plain JPEG, and how large.

PNG specification, sections 5.2 and 11.2.2; JPEG: ITU-T T.81, sections B.1.1 and B.2.
"""

from __future__ import annotations

from dataclasses import dataclass

PNG, JPEG = "image/png", "image/jpeg"
_PNG_HEAD = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_JPEG_HEAD, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
_SIZED = frozenset({0xC0, 0xC1, 0xC2})
"""Frames that browsers show: baseline, extended and progressive, with Huffman codes."""
_BEFORE_SIZE = frozenset({0xC4, 0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0)})
"""Segments that may come before the frame: tables, a restart interval, comments, APPn."""


@dataclass(frozen=True, slots=True)
class Image:
    """What an image says of itself."""

    type: str
    """``image/png`` or ``image/jpeg``."""
    width: int
    height: int


def image_of(data: bytes) -> Image | None:
    """Return what an image is; None: neither a PNG nor a plain JPEG."""
    if data.startswith(_PNG_HEAD) and len(data) >= 24:
        return Image(PNG, _number(data[16:20]), _number(data[20:24]))
    if data.startswith(_JPEG_HEAD) and data.endswith(_JPEG_END):
        return _jpeg(data)
    return None


def _jpeg(data: bytes) -> Image | None:
    """Go from segment to segment to the frame: 8 bits deep, grey or three colours."""
    place = 2
    while place + 10 <= len(data) and data[place] == 0xFF:
        marker, length = data[place + 1], _number(data[place + 2 : place + 4])
        if marker in _SIZED:
            plain = data[place + 4] == 8 and data[place + 9] in {1, 3}
            height, width = data[place + 5 : place + 7], data[place + 7 : place + 9]
            return Image(JPEG, _number(width), _number(height)) if plain else None
        if marker not in _BEFORE_SIZE or length < 2:
            return None
        place += 2 + length
    return None


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")
