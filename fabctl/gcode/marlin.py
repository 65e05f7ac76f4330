"""Marlin's dialect: one command per line, then its words (Marlin ``gcode/parser.cpp``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fabctl.gcode.codes import TEXT_M, as_in_tables
from fabctl.gcode.commands import COMMANDS
from fabctl.gcode.lines import Words, split_words
from fabctl.model.texts import text

if TYPE_CHECKING:
    from fabctl.gcode.interpret import Interpreter

COMMAND = re.compile(r"([GMT])\s*(\d{1,5})(?:\.(\d{1,2}))?")
_MOVES = frozenset({"0", "1", "2", "3", "5"})


def obey(i: Interpreter, line: int, sent: str) -> None:
    """Carry out a line whose bytes were found sound."""
    upper = sent.upper()
    found = COMMAND.match(upper)
    if found is None:
        _no_command(i, line, upper)
        return
    i.understood += 1
    letter, code = found[1], as_in_tables(found[2], found[3])
    takes_text = letter == "M" and code.split(".")[0] in TEXT_M
    words = Words([], {}, None) if takes_text else split_words(upper[found.end() :])
    i.judge(line, letter + code, words, marlins=True)
    _note_second_command(i, line, words)
    if letter == "T":
        i.choose_tool(int(code.split(".")[0]))
    elif letter == "G" and code in _MOVES:
        _move(i, line, code, words)
    elif (command := COMMANDS.get(letter + code)) is not None:
        command(i, line, words)


def _move(i: Interpreter, line: int, code: str, words: Words) -> None:
    if i.unreadable(line, words):
        return
    if words.junk is not None:
        i.bad_word(line, words.junk)
        return
    i.laser_words |= "S" in words
    i.feed_and_power(line, words)
    i.move(line, code, words)


def _no_command(i: Interpreter, line: int, upper: str) -> None:
    """Take a line without G, M or T: axis words alone, or a macro's name, or no G-code at all."""
    words = split_words(upper)
    if upper[:1] not in "XYZEF" or words.junk is not None or words.unreadable("XYZEF"):
        i.unknown_command(line, upper[:40].partition(" ")[0])
        return
    if i.problems.first("no-command-word"):
        message = text(
            "Line {line}: it does not begin with G, M or T; most printers skip it.", line=line
        )
        i.problems.warning(line, "no-command-word", message)
    i.understood += 1
    _move(i, line, i.state.motion, words)


def _note_second_command(i: Interpreter, line: int, words: Words) -> None:
    second = next((letter + value for letter, value in words.order if letter in "GM"), None)
    if second and i.problems.first("second-command"):
        message = text(
            "Line {line}: printers obey only a line's first command, not {command}.",
            line=line, command=second[:20],
        )  # fmt: skip
        i.problems.warning(line, "second-command", message)
