"""A command taken apart: its number, its code, its words (``gcode/parser.cpp``)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE_NUMBER = re.compile(r" *(?:N-?(\d+) *)?")  # only blanks are skipped (gcode/parser.cpp)
_CODE = re.compile(r"([GMT])\s*(\d+)(?:\.(\d+))?")
_WORD = re.compile(r"([A-Z])\s*([-+]?(?:\d+\.?\d*|\.\d+))?")


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the queue.

    :ivar number: its line number; None when it came without.
    :ivar text: without number, checksum and blanks at the ends.
    :ivar code: ``G1``, ``M104``, ...; empty when the firmware cannot read it.
    :ivar argument: everything behind the code.
    """

    number: int | None
    text: str
    code: str
    argument: str

    @classmethod
    def read(cls, line: bytes) -> Command:
        """Take one accepted line apart."""
        whole = line.decode("latin-1")
        found = _LINE_NUMBER.match(whole)
        number = int(found[1]) if found and found[1] else None
        text = whole[found.end() if found else 0 :].partition("*")[0].rstrip()
        code = _CODE.match(text)
        if code is None:
            return cls(number, text, "", "")
        name = f"{code[1]}{int(code[2])}" + (f".{code[3]}" if code[3] else "")
        return cls(number, text, name, text[code.end() :].strip())

    def words(self) -> dict[str, float | None]:
        """Return the argument's letters; None where a letter stands without a value.

        A message (M117, M118) has no words.
        """
        if self.code in {"M117", "M118"}:
            return {}
        return {
            letter: float(value) if value else None
            for letter, value in _WORD.findall(self.argument)
        }
