"""A relay with force-guided contacts, and the monostable before K1. Pure: time is passed in.

Force-guided (EN 61810-3): the feedback contact is open whenever the main contact is closed, also
when the main contact is welded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum

FEEDBACK_OPENS_S = 0.006
PULL_IN_S = 0.010
MAIN_OPENS_S = 0.006
DROP_OUT_S = 0.010


class RelayFault(StrEnum):
    """What can be wrong with a relay."""

    NONE = ""
    WELDED = "welded"
    """Its main contact never opens again once it was closed."""
    STUCK = "stuck"
    """It never pulls in."""


@dataclass(slots=True)
class Relay:
    """Coil, main contact (closes) and feedback contact (opens)."""

    name: str
    fault: RelayFault = RelayFault.NONE
    coil: bool = False
    main: bool = False
    feedback: bool = True
    due: list[tuple[float, str, bool]] = field(default_factory=list)
    """What will move: when, which contact, closed or open."""

    def drive(self, coil: bool, at: float) -> None:  # a level, as on the wire
        """Switch the coil; the contacts follow."""
        if coil == self.coil:
            return
        self.coil = coil
        self._plan(at)

    def spoil(self, fault: RelayFault, at: float) -> None:
        """Break it, or repair it. A welded contact is welded closed at once."""
        self.fault = fault
        self._plan(at)

    def _plan(self, at: float) -> None:
        """Let contacts move to where coil and fault put them."""
        if self.fault is RelayFault.WELDED or (self.coil and self.fault is RelayFault.NONE):
            moves = [(FEEDBACK_OPENS_S, "feedback", False), (PULL_IN_S, "main", True)]
        else:
            moves = [(MAIN_OPENS_S, "main", False), (DROP_OUT_S, "feedback", True)]
        self.due = [
            (at + after, contact, closed)
            for after, contact, closed in moves
            if getattr(self, contact) != closed
        ]

    def next_due(self) -> float:
        """Return when the next contact moves."""
        return self.due[0][0] if self.due else math.inf

    def move(self) -> tuple[str, bool]:
        """Move the contact that is due and return which, closed or open."""
        _, contact, closed = self.due.pop(0)
        setattr(self, contact, closed)
        return contact, closed


@dataclass(slots=True)
class Monostable:
    """On for ``hold_s`` after every rising edge, retriggerable (as a 74HC123 is)."""

    hold_s: float
    until: float = -math.inf

    def __post_init__(self) -> None:
        """:raises ValueError: a hold time that the interlock does not allow."""
        if not 0.150 <= self.hold_s <= 0.200:
            raise ValueError("the monostable holds for 0.150 to 0.200 s")

    def rise(self, at: float) -> None:
        """Take a rising edge."""
        self.until = at + self.hold_s

    def on(self, now: float) -> bool:
        """Return whether the output is on."""
        return now < self.until
