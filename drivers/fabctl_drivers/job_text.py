"""A line of a G-code file as a controller is to get it: comments, numbers and blanks off. Pure.

Source: RepRap wiki "G-code", sections "Comments", "N: Line number" and "*: Checksum"; RS274/NGC
report, sections 3.2 and 3.3 (``%``, comments in parentheses, line numbers).
"""

from __future__ import annotations

import re

_COMMENT = re.compile(rb"\([^)\n]*\)?|;[^\n]*")
_NUMBERED = re.compile(rb"[Nn]\s*-?\d+\s*")
_CHECKSUM = re.compile(rb"\*[ \t\d]*$")
_N = frozenset({b"N", b"n"})


def sendable(raw: bytes) -> bytes:
    """Return what of a file's line is sent; empty when nothing is left.

    Comments (``;``, parentheses), blanks around, a line number, a checksum and lines of ``%``
    are left out.
    """
    line = _COMMENT.sub(b"", raw) if b";" in raw or b"(" in raw else raw
    line = line.strip()
    if line[:1] in _N:
        numbered = _NUMBERED.match(line)
        line = line[numbered.end() :] if numbered else line
    if b"*" in line:
        line = _CHECKSUM.sub(b"", line).rstrip()
    return line if line[:1] != b"%" or line.strip(b"% \t") else b""


def shorten(line: bytes) -> str:
    """Return a line as text for a message to people, at most 40 letters of it."""
    text = line.decode("ascii", "replace")
    return text if len(text) <= 40 else f"{text[:39]}…"
