"""Looking up a driver's table of phases. Pure; every dialect has a table of its own."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from fabctl.errors import LocalError
from fabctl.ports import Phase

AnyMove = TypeVar("AnyMove", bound=Enum)


def look_up(
    table: Mapping[tuple[Phase, AnyMove], Phase],
    refusals: Mapping[AnyMove, str],
    phase: Phase,
    move: AnyMove,
) -> Phase:
    """Return the phase after ``move``.

    :param refusals: why a move that the table does not have here is refused, for people.
    :raises LocalError: the table does not have it.
    """
    try:
        return table[phase, move]
    except KeyError:
        why = refusals.get(move, f"{move.name} has no place here")
        raise LocalError(f"{why}; the machine is {phase.value}") from None
