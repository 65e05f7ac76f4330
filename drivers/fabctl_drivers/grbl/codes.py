"""What Grbl's numbers mean, in our words. Pure.

Source: Grbl ``doc/csv/error_codes_en_US.csv``, ``alarm_codes_en_US.csv`` and
``doc/markdown/interface.md``; grblHAL's further numbers are shown as numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fabctl_drivers.grbl.identity import Flavour

OWN_FROM = 10
"""From this alarm on every firmware has numbers of its own."""

ERRORS: Mapping[int, str] = MappingProxyType(
    {
        1: "a word does not begin with a letter",
        2: "a number is missing or unreadable",
        3: "there is no such $ command",
        4: "a value is negative that may not be",
        5: "homing is switched off in the settings ($22)",
        6: "the step pulse is shorter than 3 µs ($0)",
        7: "the stored settings could not be read; the defaults are in force",
        8: "$ commands work only while the machine is idle",
        9: "the machine is locked, or jogging: G-code is not taken now",
        10: "soft limits need homing ($20, $22)",
        11: "the line is longer than the controller's line buffer",
        12: "a setting asks for more steps per second than the controller can do",
        13: "the safety door is open",
        14: "the start-up line or build text is too long to be stored",
        15: "the jog would leave the work area",
        16: "the jog command has no = or holds a word that jogs may not have",
        17: "laser mode needs a PWM output ($32)",
        20: "an unknown or unsupported G, M or other word",
        21: "two words of the same modal group in one line",
        22: "no feed rate was set yet",
        23: "a G or M word has a fraction where it may have none",
        24: "two words in one line both want the axis words",
        25: "a word stands twice in one line",
        26: "axis words are missing",
        27: "the line number is not between 1 and 9,999,999",
        28: "a word that this command needs is missing",
        29: "there are only six work coordinate systems, G54 to G59",
        30: "G53 works only with G0 and G1",
        31: "axis words that no command of the line uses",
        32: "an arc without an axis of its plane",
        33: "the target of this move or arc cannot be right",
        34: "the radius of this arc cannot be right",
        35: "an arc without I, J or K in its plane",
        36: "words that no command of the line uses",
        37: "a tool length offset for another axis than the tool's",
        38: "the tool's number is too high",
    }
)
ALARMS: Mapping[int, str] = MappingProxyType(
    {
        1: "a limit switch was met; the position is probably lost",
        2: "a move would leave the work area; the position is kept",
        3: "a reset came while it moved; the position is lost",
        4: "the probe was already in contact, or not as expected, before probing",
        5: "the probe met nothing on its way",
        6: "homing was ended by a reset",
        7: "homing was ended by the safety door",
        8: "homing could not leave a limit switch",
        9: "homing did not find a limit switch",
        10: "homing did not find the second limit switch of a doubled axis",
    }
)
GRBLHAL_ALARMS: Mapping[int, str] = MappingProxyType(
    {
        10: "the emergency stop is pressed",
        11: "the machine has to be homed first",
        12: "a limit switch is pressed; free it",
        13: "the probe protection was met",
        14: "the spindle did not reach its speed",
        17: "a motor driver reports a fault",
    }
)
"""grblHAL ``alarms.h``: from 10 on its numbers are its own."""
AT_THE_LINE = frozenset({2, 4, 5})
"""Alarms of the line that waits for its answer: a target outside, a probe's own line."""


def error_text(code: int | None) -> str:
    """Return ``error:20, an unknown … word``."""
    return _text("error", code, ERRORS)


def alarm_text(code: int | None, flavour: Flavour = Flavour.GRBL) -> str:
    """Return ``ALARM:1, a limit switch …``."""
    if code is None or code < OWN_FROM or flavour is Flavour.GRBL:
        return _text("ALARM", code, ALARMS)
    return _text("ALARM", code, GRBLHAL_ALARMS if flavour is Flavour.GRBLHAL else {})


def _text(kind: str, code: int | None, known: Mapping[int, str]) -> str:
    if code is None:
        return kind
    meaning = known.get(code)
    return f"{kind}:{code}, {meaning}" if meaning else f"{kind}:{code}"
