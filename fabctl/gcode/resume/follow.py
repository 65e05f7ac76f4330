"""Follows a file command by command and keeps what a later line relies on. Pure.

Only what leaves a trace is followed: where a move ends, not how it gets there. Sources:
marlinfw.org/docs/gcode for printers; RS274/NGC report (NISTIR 6556), section 3.8, and Grbl
``doc/markdown/commands.md`` for mills and lasers.
"""

from __future__ import annotations

import re

from fabctl.gcode.codes import TEXT_M, as_in_tables
from fabctl.gcode.lines import Words, split_words
from fabctl.gcode.marlin import COMMAND
from fabctl.gcode.resume.effects import COMMON, CUTTER, HARMLESS, PRINTER, PROBES, SETTINGS
from fabctl.gcode.resume.standing import AXES, Standing

_CODE = re.compile(r"(\d{1,5})(?:\.(\d{0,2}))?")
MOVES = frozenset({"G0", "G1", "G2", "G3", "G5"})
CYCLES = frozenset({"G73", "G76", *(f"G{n}" for n in range(81, 90))})
_OWN_AXES = frozenset({"G10", "G28", "G28.1", "G30", "G30.1", "G43.1", "G52", "G92"}) | PROBES
_SETTLED_FIRST = frozenset(
    {"G93", "G94", "G20", "G21", "G17", "G18", "G19", "G90", "G91", "G90.1", "G91.1"}
)
_LAST = frozenset({"M0", "M1", "M2", "M30"})


_LEFT_OUT = str.maketrans("", "", "?!~")
"""Grbl's driver takes them out of a file's lines."""
_QUESTIONS = ("$", "$$", "$#", "$G", "$I", "$N")


def follow(s: Standing, line: int, sent: str, *, printer: bool) -> None:
    """Take in one line without its comments.

    :param line: its number, 1-based.
    """
    upper = sent.upper() if printer else sent.upper().translate(_LEFT_OUT).strip()
    if not printer and upper[:1] in ("$", "["):
        if upper.startswith("$H"):
            s.forget()
        elif upper not in _QUESTIONS:
            s.strange.setdefault(upper[:20], line)
        return
    found = COMMAND.match(upper)
    if printer or (found and found[1] == "M" and int(found[2]) >= 70):
        _follow_marlin(s, line, upper, found)
    else:
        _follow_block(s, line, split_words(upper))


def _follow_marlin(s: Standing, line: int, upper: str, found: re.Match[str] | None) -> None:
    if found is None:
        words = split_words(upper)
        if upper[:1] in (*AXES, "E", "F") and words.junk is None:
            move(s, "G" + s.motion, words)
        else:
            s.strange.setdefault(upper[:20].partition(" ")[0], line)
        return
    letter, code = found[1], as_in_tables(found[2], found[3])
    is_text = letter == "M" and code in TEXT_M
    words = Words([], {}, None) if is_text else split_words(upper[found.end() :])
    command = letter + code
    if letter == "T":
        s.tool = int(code.split(".")[0])
    elif command in MOVES:
        s.motion = code
        move(s, command, words)
    elif command in SETTINGS:
        _keep(s.settings, command, upper, words)
    elif (obey := PRINTER.get(command) or COMMON.get(command)) is not None:
        obey(s, words, line)
    elif command not in HARMLESS:
        s.strange.setdefault(command, line)


def _follow_block(s: Standing, line: int, words: Words) -> None:
    """Take in a block in the order in which it is carried out, whatever the order of its words."""
    codes = block_codes(words)
    for code in codes:
        if code in _SETTLED_FIRST:
            COMMON[code](s, words, line)
    _take_feed(s, words)
    power, tool = words.number("S"), words.number("T")
    s.power = s.power if power is None else power
    s.tool = s.tool if tool is None else int(tool)
    for code in codes:
        if code not in _SETTLED_FIRST | _LAST | MOVES | CYCLES:
            _once(s, line, code, words)
    _block_move(s, codes, words)
    for code in codes:
        if code in _LAST:
            _once(s, line, code, words)


def block_codes(words: Words) -> list[str]:
    """Return a block's G and M words as tables write them."""
    found = ((letter, _CODE.fullmatch(value)) for letter, value in words.order if letter in "GM")
    return [letter + as_in_tables(code[1], code[2]) for letter, code in found if code]


def _once(s: Standing, line: int, code: str, words: Words) -> None:
    obey = CUTTER.get(code) or COMMON.get(code)
    if obey is not None:
        obey(s, words, line)
    elif code not in HARMLESS:
        s.strange.setdefault(code, line)


def _block_move(s: Standing, codes: list[str], words: Words) -> None:
    for code in codes:
        if code in MOVES or code in CYCLES:
            s.motion = code[1:]
    if any(code in _OWN_AXES for code in codes):
        return
    if "G53" in codes:
        s.forget("".join(axis for axis in AXES if axis in words))
    elif s.motion:
        move(s, "G" + s.motion, words)


def _take_feed(s: Standing, words: Words) -> None:
    feed = words.number("F")
    if feed is not None and feed > 0.0 and not s.inverse_time:
        s.feed = feed * s.scale


def move(s: Standing, command: str, words: Words) -> None:
    """Take in where a move ends; an arc ends at its words, as a line does."""
    _take_feed(s, words)
    before = s.real("Z")
    for axis in AXES:
        value, here = words.number(axis), s.place[axis]
        if value is None:
            continue
        if s.absolute:
            s.place[axis] = value * s.scale
        elif here is not None:
            s.place[axis] = here + value * s.scale
    pushed = words.number("E")
    if pushed is not None:
        s.e = pushed * s.scale + (0.0 if s.e_absolute else s.e)
    _note_heights(s, command, words, before)


def _note_heights(s: Standing, command: str, words: Words, before: float | None) -> None:
    z = s.real("Z")
    if z is None:
        return
    if command == "G0":
        s.top = z if s.top is None else max(s.top, z)
    elif "X" in words or "Y" in words:
        s.cut_top = z if s.cut_top is None else max(s.cut_top, z)
    if command == "G1" and before is not None and z < before:
        s.plunge_feed = s.feed


def _keep(kept: dict[str, str], command: str, upper: str, words: Words) -> None:
    """Keep a command that sets something, once for each tool and each choice of words."""
    key = command + "".join(sorted(words.values)) + f"{words.number('T')}"
    kept.pop(key, None)
    kept[key] = upper
