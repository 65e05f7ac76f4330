"""The mills' and lasers' dialect: blocks of words in any order, motion remembered.

Sources: the RS274/NGC report (NISTIR 6556), section 3.8 (order of execution), and Grbl
``doc/markdown/commands.md`` for what is supported.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fabctl.gcode import controller, marlin
from fabctl.gcode.codes import as_in_tables
from fabctl.gcode.commands import COMMANDS
from fabctl.gcode.lines import Words, split_words
from fabctl.model.texts import text

if TYPE_CHECKING:
    from fabctl.gcode.interpret import Interpreter

_CODE = re.compile(r"(\d{1,5})(?:\.(\d{0,2}))?")
_SETTLED_FIRST = frozenset({"93", "94", "20", "21", "17", "18", "19", "90", "91", "90.1", "91.1"})
"""Modes that hold for the feed and the axis words of their own line already."""
_ENDS = frozenset({"M0", "M1", "M2", "M30"})
_MOVES = frozenset({"0", "1", "2", "3", "5"})
_DRILLING = frozenset({"73", "76", "81", "82", "83", "84", "85", "86", "87", "88", "89"})
"""Canned cycles (LinuxCNC, grblHAL): read as a feed move to their X, Y and Z."""
_PROBING = frozenset({"38.2", "38.3", "38.4", "38.5"})
_TAKES_AXES = frozenset({"10", "28", "28.1", "30", "30.1", "52", "92"}) | _PROBING
_FIRST_OF_MARLIN = 70
"""M codes from here on are not RS274's: their words are their own."""


def obey(i: Interpreter, line: int, sent: str) -> None:
    """Carry out a line whose bytes were found sound."""
    if sent[0] in "$[/" and sent.lstrip("/ \t")[:1] in ("$", "["):
        controller.obey(i, line, sent)
        return
    upper = sent.upper()
    found = marlin.COMMAND.match(upper)
    if found and found[1] == "M" and int(found[2]) >= _FIRST_OF_MARLIN:
        marlin.obey(i, line, sent)
        return
    words = split_words(upper)
    codes = _codes(i, line, words)
    for code in codes:
        i.judge(line, code, words, marlins=False)
    if not i.unreadable(line, words):
        i.understood += bool(words.order)
        _run(i, line, codes, words)


def _codes(i: Interpreter, line: int, words: Words) -> list[str]:
    """Return the block's G and M words as tables write them; note what is no word."""
    codes: list[str] = []
    strange = words.junk
    for letter, value in words.order:
        if letter not in "GM":
            continue
        found = _CODE.fullmatch(value)
        if found is None:
            strange = letter + value[:20]
        else:
            codes.append(letter + as_in_tables(found[1], found[2]))
    if strange is not None and i.problems.first("unknown-word", strange):
        message = text("Line {line}: “{found}” is not understood.", line=line, found=strange)
        i.problems.warning(line, "unknown-word", message)
    return codes


def _run(i: Interpreter, line: int, codes: list[str], words: Words) -> None:
    gs = [code[1:] for code in codes if code[0] == "G"]
    ms = [code for code in codes if code[0] == "M"]
    for g in gs:
        if g in _SETTLED_FIRST:
            COMMANDS["G" + g](i, line, words)
    i.feed_and_power(line, words)
    tool = words.number("T")
    if tool is not None:
        i.choose_tool(int(tool))
    _run_each(i, line, [m for m in ms if m not in _ENDS], words)
    _run_each(i, line, ["G" + g for g in gs if g not in _SETTLED_FIRST], words)
    _move(i, line, gs, words)
    _run_each(i, line, [m for m in ms if m in _ENDS], words)


def _run_each(i: Interpreter, line: int, codes: list[str], words: Words) -> None:
    for code in codes:
        command = COMMANDS.get(code)
        if command is not None:
            command(i, line, words)
        elif code[1:] in _PROBING:
            i.territory.grow(line, *i.mover.target(words), False)
            i.mover.stop()
            i.forget_position()


def _move(i: Interpreter, line: int, gs: list[str], words: Words) -> None:
    for g in gs:
        if g in _MOVES or g in _DRILLING:
            i.state.motion = g if g in _MOVES else "1"
    if not i.state.motion or any(g in _TAKES_AXES for g in gs):
        return
    if any(letter in words for letter in "XYZEIJKR"):
        _note_missing_feed(i, line)
        i.move(line, i.state.motion, words, machine="53" in gs)


def _note_missing_feed(i: Interpreter, line: int) -> None:
    """A feed move without a feed is Grbl's error 22."""
    if i.state.motion != "0" and i.state.feed <= 0.0 and i.problems.first("no-feed"):
        message = text("Line {line}: it cuts, but no line before it sets a feed (F).", line=line)
        i.problems.error(line, "no-feed", message)
