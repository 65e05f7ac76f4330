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
_PLAIN = b"ABCDEFGHIJKLMOPQRSTUVWXYZ0123456789 \t\r\n.+-"
"""Of a line that holds nothing else, blanks around it are all there is to take off. No N."""
_SHOWN = re.compile(rb"\s*(?:[Nn]\s*-?\d+\s*)?[Mm]0*11[78](?![\d.])")
_WORDS = re.compile(rb"[GMT]\s*\d|[XYZEFIJKR]\s*[-+.\d]", re.IGNORECASE)
_TEXT = re.compile(
    rb"M\s*0*(?:[01](?![\d.])(?:\s+[PS]\d+(?!\S))*|118(?![\d.])(?:\s+[AEP]\d+(?!\S))*"
    rb"|(?:16|23|28|30|32|33|117|486|550|862|928)(?![\d.]))",
    re.IGNORECASE,
)
"""Commands whose rest is a text: messages, names of files and of things (marlinfw.org)."""


def sendable(raw: bytes) -> bytes:
    """Return what of a file's line is sent; empty when nothing is left.

    Comments (``;``, parentheses), blanks around, a line number, a checksum and lines of ``%``
    are left out.
    """
    if not raw.translate(None, _PLAIN):
        return raw.strip()
    return _bare(_COMMENT.sub(b"", raw))


def sendable_to_marlin(raw: bytes) -> bytes:
    """Return what of a file's line is sent to a printer; empty when nothing is left.

    As :func:`sendable`, but parentheses stay in what M117 and M118 show, and codes and words are
    in capitals: Marlin's own build does not understand others (``GCODE_CASE_INSENSITIVE`` is off
    in its Configuration_adv.h). Texts, strings in quotes and macros' names stay as they are.
    """
    if not raw.translate(None, _PLAIN):
        return raw.strip()
    if b"(" in raw and _SHOWN.match(raw):
        line = _bare(raw.partition(b";")[0])
    else:
        line = _bare(_COMMENT.sub(b"", raw))
    return line if line.isupper() or not _WORDS.match(line) else _in_capitals(line)


def _bare(line: bytes) -> bytes:
    line = line.strip()
    if line[:1] in _N:
        numbered = _NUMBERED.match(line)
        line = line[numbered.end() :] if numbered else line
    if b"*" in line:
        line = _CHECKSUM.sub(b"", line).rstrip()
    return line if line[:1] != b"%" or line.strip(b"% \t") else b""


def _in_capitals(line: bytes) -> bytes:
    text = _TEXT.match(line)
    if text is not None:
        return line[: text.end()].upper() + line[text.end() :]
    parts = line.split(b'"')
    parts[::2] = [part.upper() for part in parts[::2]]
    return b'"'.join(parts)


def shorten(line: bytes) -> str:
    """Return a line as text for a message to people, at most 40 letters of it."""
    text = line.decode("ascii", "replace")
    return text if len(text) <= 40 else f"{text[:39]}…"
