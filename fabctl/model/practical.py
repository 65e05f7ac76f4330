"""What a trainer looks at in a practical check: criteria, written as a list in the description.

A line of a course's description that begins with a dash is a criterion, as in ``- Puts on the
goggles``: it is told to those who learn, and ticked by whoever checks.
"""

from __future__ import annotations

from collections.abc import Collection

from fabctl.model.refusal import Refusal
from fabctl.model.texts import text

_DASHES = ("- ", "\N{EN DASH} ", "\N{BULLET} ", "* ")

_CRITERIA_MISSING = Refusal(
    "criteria-missing",
    text("Not every point of the list is ticked."),
    text("Tick every point, or choose “Not yet”."),
)


def criteria(description: str) -> tuple[str, ...]:
    """Return the criteria that a description lists, in their order."""
    lines = (line.strip() for line in description.splitlines())
    found = (line[2:].strip() for line in lines if line.startswith(_DASHES))
    return tuple(line for line in found if line)


def told(description: str) -> str:
    """Return a description without its criteria."""
    lines = description.splitlines()
    return "\n".join(line for line in lines if not line.strip().startswith(_DASHES)).strip()


def pass_refusals(asked: int, met: Collection[int]) -> list[Refusal]:
    """Say why somebody cannot have passed: of ``asked`` criteria, numbered from 0, each is met."""
    return [] if set(range(asked)) <= set(met) else [_CRITERIA_MISSING]
