"""A line's bytes to words: stripping as the bytes come in, then letter and number."""

from __future__ import annotations

import re

_WORD = re.compile(r"([A-Z])([+-]?(?:\d+\.?\d*|\.\d+))?")
_BLANKS = bytes([*range(0x21), 0x2F])


class CodeError(Exception):
    """A line is refused with ``error:code`` (interface.md, "Grbl Response Messages")."""

    def __init__(self, code: int) -> None:
        super().__init__(f"error:{code}")
        self.code = code


class LineEditor:
    """Collects one line: no blanks, no comments, no ``/``, capitals only.

    :param size: places including the terminator; a longer line is only remembered as too long.
    """

    def __init__(self, size: int) -> None:
        self._most = size - 1
        self.clear()

    def clear(self) -> None:
        """Begin a new line."""
        self._line = bytearray()
        self._inside = 0
        self.overflow = False

    def feed(self, data: bytes | bytearray) -> None:
        """Take bytes that hold no line end."""
        if not self._inside and b"(" not in data and b";" not in data:
            self._line += data.translate(None, _BLANKS).upper()
            self.overflow = self.overflow or len(self._line) > self._most
            return
        for byte in data:
            if self._inside:
                if self._inside == 0x28 and byte == 0x29:
                    self._inside = 0
            elif byte <= 0x20 or byte == 0x2F:
                continue
            elif byte in b"(;":
                self._inside = byte
            elif len(self._line) >= self._most:
                self.overflow = True
            else:
                self._line.append(byte - 32 if 0x61 <= byte <= 0x7A else byte)

    def end(self) -> str | None:
        """Return the line and begin a new one; None when it was too long."""
        line = None if self.overflow else self._line.decode("latin-1")
        self.clear()
        return line


def words(text: str) -> list[tuple[str, float]]:
    """Split a stripped line.

    :raises CodeError: 1 a letter is missing, 2 a number is.
    """
    place = 0
    found: list[tuple[str, float]] = []
    while place < len(text):
        match = _WORD.match(text, place)
        if match is None:
            raise CodeError(1)
        if match[2] is None:
            raise CodeError(2)
        found.append((match[1], float(match[2])))
        place = match.end()
    return found
