"""What Grbl says, line by line: bytes in, :class:`Answer` out. Pure.

Source: Grbl ``doc/markdown/interface.md``, "Grbl Response Messages" and "Grbl Push Messages".
"""

from __future__ import annotations

import re
from enum import IntEnum, auto
from typing import NamedTuple


class Heard(IntEnum):
    """What the link hears: the firmware's lines, and what we say ourselves."""

    OK = auto()
    """An ok that leaves lines in flight, or that belongs to none."""
    LAST_OK = auto()
    """The ok of the last line in flight."""
    ERROR = auto()
    LAST_ERROR = auto()
    ALARM = auto()
    BANNER = auto()
    """The controller begins anew."""
    REPORT = auto()
    """``<…>``, the answer to ``?``."""
    NOTE = auto()
    """``[…]``, ``$n=…``, ``>…`` and whatever else: frees no line."""
    SENT = auto()
    """We said a line."""
    SENT_ALONE = auto()
    """We said a line beside which nothing may be in flight."""
    RESET = auto()
    """We said 0x18."""


class Answer(NamedTuple):
    """One line from the firmware, understood."""

    heard: Heard
    text: bytes = b""
    """The line, without blanks around it."""
    code: int | None = None
    """The number after ``error:`` and ``ALARM:``."""


OK = Answer(Heard.OK, b"ok")

_NUMBER = re.compile(rb"\s*(\d+)")
# "Grbl 1.1h ['$' for help]"; grblHAL "GrblHAL 1.1f ['$' or '$HELP' for help]"; FluidNC
# "Grbl 3.7 [FluidNC v3.7.8 (wifi) '$' for help]". Noise may stand before it after a power-up.
_BANNER = re.compile(rb"Grbl(?:HAL)? \d", re.IGNORECASE)


def parse(raw: bytes) -> Answer:
    """Return what one line means; the line may carry blanks and a carriage return around it."""
    line = raw.strip(b" \t\r\n\x00")
    if line == b"ok":
        return OK
    if line[:1] in _NOTES:
        return Answer(Heard.REPORT if line[:1] == b"<" else Heard.NOTE, line)
    if line[:6].lower() == b"error:":
        return Answer(Heard.ERROR, line, _code(line[6:]))
    if line[:6].upper() == b"ALARM:":
        return Answer(Heard.ALARM, line, _code(line[6:]))
    if _BANNER.search(line):
        return Answer(Heard.BANNER, line)
    return Answer(Heard.NOTE, line)


_NOTES = frozenset({b"<", b"[", b"$", b">"})


def _code(text: bytes) -> int | None:
    found = _NUMBER.match(text)
    return None if found is None else int(found[1])


class Ear:
    """Cuts a stream of bytes into lines and understands each."""

    LONGEST = 4096
    """Bytes kept of a line that does not end; a firmware's lines have a few hundred."""

    def __init__(self) -> None:
        self._rest = b""

    def hear(self, data: bytes) -> list[Answer]:
        """Return the answers that ``data`` completes; an unfinished line waits for its end."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()[-self.LONGEST :]
        return [OK if line in _OKS else parse(line) for line in lines if line and line != b"\r"]


_OKS = (b"ok\r", b"ok")
