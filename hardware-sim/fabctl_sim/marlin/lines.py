"""From bytes to commands: cutting lines, stripping comments, checking numbers and checksums.

The rules and their order are those of ``gcode/queue.cpp`` (get_serial_commands); the texts are
the ones hosts look for, from ``core/language.h``.
"""

from __future__ import annotations

import re
from enum import Enum

_NUMBER = re.compile(rb"\s*([-+]?\d+)")
_SPECIAL = re.compile(rb"[;\\\x08]")


class Verdict(Enum):
    """What the firmware thinks of a numbered line."""

    GOOD = ""
    REPEATED = "repeated"
    LINE_NUMBER = "Line Number is not Last Line Number+1, Last Line: "
    CHECKSUM = "checksum mismatch, Last Line: "
    NO_CHECKSUM = "No Checksum with line number, Last Line: "


def is_move(command: bytes) -> bool:
    """G0 to G3, found as the firmware does it: by the number behind the first G."""
    digits = command.partition(b"G")[2].split(b" ", 1)[0]
    return digits.isdigit() and int(digits) <= 3


class LineCutter:
    """Collects bytes until a line ends; drops comments, and what is longer than the buffer."""

    def __init__(self, max_size: int) -> None:
        self._room = max_size - 1
        self._raw = bytearray()

    def feed(self, data: bytes) -> None:
        """Take bytes that hold no line end."""
        self._raw += data

    def end(self) -> bytes:
        """The line has ended: return it without comment, at most ``max_size`` - 1 bytes."""
        raw = bytes(self._raw)
        self._raw.clear()
        if _SPECIAL.search(raw):
            raw = _without_comment(raw)
        return raw[: self._room]

    def clear(self) -> None:
        """Forget what was collected."""
        self._raw.clear()


def _without_comment(raw: bytes) -> bytes:
    """Apply ``;`` (rest is comment), backslash (next byte as it is) and backspace (erase one)."""
    out = bytearray()
    escaped = False
    for byte in raw:
        if escaped:
            out.append(byte)
            escaped = False
        elif byte == 0x5C:
            escaped = True
        elif byte == 0x3B:
            break
        elif byte == 0x08:
            del out[-1:]
        else:
            out.append(byte)
    return bytes(out)


def _leading_number(text: bytes) -> int:
    """Read a number as C's strtol does: 0 when there is none."""
    found = _NUMBER.match(text)
    return int(found[1]) if found else 0


class LineCheck:
    """The line counter: says whether a numbered line may run, and remembers the last that did."""

    def __init__(self) -> None:
        self.last = 0

    def judge(self, line: bytes, *, ignore_repeats: bool) -> Verdict:
        """Check one line; a line without a leading N is always good.

        M110 may give any number, its own N argument before the leading one.

        :param ignore_repeats: the last line and the one before it are no error.
        """
        command = line.lstrip(b" ")
        if not command.startswith(b"N"):
            return Verdict.GOOD
        resets = b"M110" in command
        number = self._number(command, resets=resets)
        if number != self.last + 1 and not resets:
            again = ignore_repeats and self.last - 1 <= number <= self.last
            return Verdict.REPEATED if again else Verdict.LINE_NUMBER
        verdict = _checksum(command)
        if verdict is Verdict.GOOD:
            self.last = number
        return verdict

    def _number(self, command: bytes, *, resets: bool) -> int:
        second = command.find(b"N", 4) if resets else -1
        return _leading_number(command[max(second, 0) + 1 :])


def _checksum(command: bytes) -> Verdict:
    text, star, given = command.rpartition(b"*")
    if not star:
        return Verdict.NO_CHECKSUM
    expected = 0
    for byte in text:
        expected ^= byte
    return Verdict.GOOD if _leading_number(given) == expected else Verdict.CHECKSUM
