"""Files as slicers make them: a real one, with and without a thumbnail in PrusaSlicer's form."""

from __future__ import annotations

import base64
import struct
import textwrap
import zlib
from pathlib import Path

TAG = Path(__file__).parent / "data" / "keyring_tag.gcode"
"""60 x 22 x 2.4 mm, by PrusaSlicer 2.5.0, without a thumbnail."""
TAG_LINES = 2525


def png(width: int, height: int, colour: bytes = b"\x2a\x6e\xbb") -> bytes:
    """Return a PNG: a bar on white, so that one sees where it is."""
    rows = b"".join(
        b"\0" + b"".join(_dot(x, y, width, height, colour) for x in range(width))
        for y in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def _dot(x: int, y: int, width: int, height: int, colour: bytes) -> bytes:
    inside = width // 8 < x < width * 7 // 8 and height // 4 < y < height * 3 // 4
    return colour if inside else b"\xff\xff\xff"


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def with_thumbnail(gcode: bytes, picture: bytes, width: int, height: int) -> bytes:
    """Return a file with a thumbnail at its top, as PrusaSlicer writes it."""
    written = base64.b64encode(picture).decode()
    lines = "\n".join(f"; {part}" for part in textwrap.wrap(written, 78))
    head = f"; thumbnail begin {width}x{height} {len(written)}\n{lines}\n; thumbnail end\n\n"
    return head.encode() + gcode
