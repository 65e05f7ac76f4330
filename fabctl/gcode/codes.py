"""What preflight knows of command codes: which there are, which must not run from a file.

Sources: Marlin ``gcode/gcode.h`` (the list of codes) and marlinfw.org/docs/gcode; Grbl
``doc/markdown/commands.md`` and the list of supported codes in its README. The judgements
are ours: docs/decisions/0102.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabctl.model.texts import Text, text


def _numbers(ranges: str) -> frozenset[str]:
    found: set[str] = set()
    for part in ranges.split():
        low, _, high = part.partition("-")
        found.update(str(n) for n in range(int(low), int(high or low) + 1))
    return frozenset(found)


MARLIN_G = _numbers(
    "0-6 10-12 17-21 26-35 42 53-61 76 80 90-92 425",
) | {"38.2", "38.3", "38.4", "38.5", "59.1", "59.2", "59.3"}
MARLIN_M = _numbers(
    "0 1 3-5 7-12 16-18 20-34 42 43 48 73-78 80-87 92 100 102 104-129 140-145 149 150 154 155"
    " 163-166 190-193 200-209 211 217 218 220 221 226 240 250 255 256 260 261 280-282 290 300-306"
    " 309 350 351 355 360-364 380 381 400-407 410 412-414 420-423 425 428 430 485 486 493 494"
    " 500-504 510-512 524 540 552-554 569 575 592 593 600-603 605 665 666 672 701 702 704-709 808"
    " 810-819 851 852 860-869 871 876 900 906-914 919 928 936 951 993-995 997 999"
)
GRBL_G = _numbers("0-4 10 17-21 28 30 40 49 53-59 61 80 90-94") | {
    "28.1", "30.1", "38.2", "38.3", "38.4", "38.5", "43.1", "91.1", "92.1",
}  # fmt: skip
GRBL_M = _numbers("0-5 7-9 30")
TEXT_M = frozenset(
    {"16", "20", "21", "23", "28", "30", "32", "33", "117", "118", "486", "550", "862", "928"}
)
"""Commands whose rest is a text, not words (``gcode/parser.cpp``: string_arg)."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Why a command is not simply obeyed."""

    error: bool
    why: Text
    own: Text | None = None
    """The warning in its place where a person gives the file at the machine itself; None: an
    error there too."""


def _error(why: Text, own: Text | None = None) -> Judgement:
    return Judgement(True, why, own)


def _warning(why: Text) -> Judgement:
    return Judgement(False, why)


STORED = text(
    "Line {line}: {command} changes the machine's stored settings, for everybody after you."
)
_EEPROM = _error(
    STORED, text("Line {line}: {command} changes the machine's stored settings; it is sent.")
)
STORED_ALONE = text(
    "Line {line}: {command} changes the machine's stored settings; it is sent alone, when all"
    " before it has ended."
)
_GRBL_EEPROM = _error(STORED, STORED_ALONE)
_SD = _error(
    text("Line {line}: {command} works with the machine's own memory card; fabctl cannot follow.")
)
_FIRMWARE = _error(text("Line {line}: {command} replaces or restarts the machine's firmware."))
_EMERGENCY = _error(text("Line {line}: {command} is the emergency stop, never a part of a job."))
_COLD = _error(
    text("Line {line}: {command} lets the extruder push while the nozzle is cold."),
    text("Line {line}: {command} lets the extruder push while the nozzle is cold; it is sent."),
)
_CONNECTION = _error(text("Line {line}: {command} changes the machine's connection or its lock."))
_HIDDEN = _error(text("Line {line}: {command} runs commands that nobody could check."))
_UNITS = _error(text("Line {line}: {command} changes the unit of temperatures; only °C is read."))
_ENDSTOPS = _error(
    text("Line {line}: {command} switches off the machine's own travel limits."),
    text("Line {line}: {command} switches off the machine's own travel limits; it is sent."),
)
_SETTINGS = _warning(
    text("Line {line}: {command} changes a setting that stays until the machine is switched off.")
)
_NUMBERING = _warning(text("Line {line}: {command} changes the line numbers that fabctl counts."))
_TUNING = _warning(text("Line {line}: {command} tunes a heater and takes minutes."))

MARLIN_JUDGEMENTS: Mapping[str, Judgement] = {
    **dict.fromkeys(("M500", "M502", "M504", "M910"), _EEPROM),
    **dict.fromkeys(("M23", "M24", "M26", "M28", "M30", "M32", "M928", "M993", "M994"), _SD),
    **dict.fromkeys(("M936", "M997", "M999"), _FIRMWARE),
    **dict.fromkeys(("M510", "M511", "M512", "M552", "M553", "M554", "M575"), _CONNECTION),
    **{f"M{n}": _HIDDEN for n in range(810, 820)},
    **dict.fromkeys(
        ("M92", "M206", "M301", "M304", "M305", "M309", "M428", "M501", "M569", "M665", "M666"),
        _SETTINGS,
    ),
    **dict.fromkeys(("M851", "M852", "M906", "M907", "M908", "M913", "M914", "M919"), _SETTINGS),
    **dict.fromkeys(("M303", "M306"), _TUNING),
    "M110": _NUMBERING,
    "M112": _EMERGENCY,
    "M149": _UNITS,
    "M302": _COLD,
    "M211": _ENDSTOPS,
}
"""M302 and M211 only where their words say so: :func:`judgement`."""
GRBL_JUDGEMENTS: Mapping[str, Judgement] = {
    "G28.1": _GRBL_EEPROM,
    "G30.1": _GRBL_EEPROM,
    "G10": _warning(
        text("Line {line}: {command} changes a stored work zero, for everybody after you.")
    ),
}


def judgement(
    command: str, words: Mapping[str, float | None], *, printer: bool
) -> Judgement | None:
    """Return what to hold against a command with these words; None when nothing."""
    if not printer and (command in GRBL_JUDGEMENTS or command == "M30"):
        return GRBL_JUDGEMENTS.get(command)
    if command == "M302" and not words.keys() & {"S", "P"}:
        return None
    if command == "M211" and words.get("S", 1.0) != 0.0:
        return None
    return MARLIN_JUDGEMENTS.get(command)


def known(command: str, *, printer: bool) -> bool:
    """Return whether a command's code is one that the firmware's documents name."""
    letter, code = command[0], command[1:]
    if letter == "T":
        return True
    if printer:
        return code in (MARLIN_G if letter == "G" else MARLIN_M) or code.startswith("862.")
    return code in (GRBL_G if letter == "G" else GRBL_M)


def as_in_tables(whole: str, part: str | None) -> str:
    """Return a code as the tables write it: 01 is 1, 28.10 is 28.1, 5.0 is 5."""
    digits = (part or "").rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{digits}" if digits else "")
