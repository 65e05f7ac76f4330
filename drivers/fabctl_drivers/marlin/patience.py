"""How long to wait for an ok. Pure.

Marlin answers when a command leaves its queue, so a command that waits (for heat, for the end
of a move, for a person) keeps its ok back. While it works it says ``busy:`` every two seconds
(``HOST_KEEPALIVE_FEATURE``, marlinfw.org M113).
"""

from __future__ import annotations

import re

from fabctl.units import Seconds

UNKNOWN_S = Seconds(30.0)
"""Patience with a firmware that has never said busy, or is not known to."""
BUSY_S = Seconds(3.0)
"""Patience with a firmware that says busy every two seconds."""
LONG_S = Seconds(300.0)
"""Patience with a long command of a firmware that never says busy."""

_CODE = re.compile(rb"([GM])0*(\d+)(?!\d)")
_LONG = {
    b"G4", b"G28", b"G29", b"G30", b"G32", b"G33", b"G34", b"M48", b"M303",
    b"M400", b"M109", b"M190", b"M191",
}  # fmt: skip
_HEAT = {b"M109", b"M190", b"M191"}
_PERSON = {b"M0", b"M1", b"M226", b"M600", b"M601"}
_DWELL = re.compile(rb"([PS])\s*([\d.]+)")


def code(command: bytes) -> bytes:
    """Return ``G1`` for ``G01 X5``, empty for what is no G or M command."""
    found = _CODE.match(command)
    return b"" if found is None else found[1] + found[2]


def waits_for_heat(command: bytes) -> bool:
    """Return whether the command ends when a temperature is reached."""
    return code(command) in _HEAT


def waits_for_person(command: bytes) -> bool:
    """Return whether the command ends when somebody at the machine says so."""
    return code(command) in _PERSON


def patience(command: bytes, busy_s: Seconds | None) -> Seconds:
    """Return how long silence after ``command`` is no sign of trouble, in s.

    A firmware that says busy does so while it waits for somebody, too.

    :param busy_s: patience while the firmware is known to say busy, None where it is not.
    """
    word = code(command)
    usual = UNKNOWN_S if busy_s is None else busy_s
    if word not in _LONG:
        return usual
    long = LONG_S if busy_s is None else UNKNOWN_S
    return Seconds(long + _dwell(command)) if word == b"G4" else long


def _dwell(command: bytes) -> float:
    """Return a G4's own time in s: ``S`` in s, ``P`` in ms (marlinfw.org, G4)."""
    times = {word: float(value) for word, value in _DWELL.findall(command) if value != b"."}
    return times.get(b"S", times.get(b"P", 0.0) / 1000.0)
