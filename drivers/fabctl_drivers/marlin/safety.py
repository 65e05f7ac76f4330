"""What makes a Marlin machine safe. Pure.

Source: marlinfw.org, M104, M140, M141 (target 0 turns the heater off), M107 (fan off), M108
(ends a wait for heat or for a person: Marlin ``gcode/queue.cpp`` acts on it as soon as it is
read, when the line begins with the M, so it is said without a line number).
"""

from __future__ import annotations

END_WAITING = b"M108"
STOP_MOVES = b"M410"
"""Ends the moves in the planner at once, where EMERGENCY_PARSER hears it beside the queue
(``feature/e_parser.h``). Motors stopped so may have lost steps."""


def heaters_off(tools: int = 1, *, chamber: bool = False) -> list[bytes]:
    """Return the commands that turn every heater and the fan off.

    :param tools: nozzles that the machine reports, ≥ 1.
    :param chamber: whether it reports a heated chamber.
    """
    nozzles = [b"M104 S0", *(b"M104 T%d S0" % tool for tool in range(1, tools))]
    return [*nozzles, b"M140 S0", *([b"M141 S0"] if chamber else []), b"M107"]


def shout() -> bytes:
    """Return what to write when nobody knows what the firmware has heard: no numbers, no waiting.

    The first newline ends whatever piece of a line came before.
    """
    return b"\n" + b"".join(command + b"\n" for command in (END_WAITING, *heaters_off()))
