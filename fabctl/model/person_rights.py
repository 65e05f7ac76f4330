"""Rights that the staff give to single persons: for the lab, a category or one resource."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fabctl.model.booking_policy import WHOLE_LAB, Scope


class PersonRight(StrEnum):
    """What somebody may do beyond what the policies allow to everybody."""

    AFTER_HOURS = "after-hours"
    """Work while the lab is closed, where the policy lets holders of this right."""
    WALK_UP = "walk-up"
    """Use what is free without a reservation."""


@dataclass(frozen=True, slots=True)
class HeldRight:
    """A right that somebody holds."""

    right: PersonRight
    scope: Scope = WHOLE_LAB
    until: datetime | None = None
    """The first moment at which it does not hold any more; None: no end."""

    def holds(self, at: datetime, resource_id: str, category: str) -> bool:
        """Say whether it counts at a moment, on a resource."""
        in_time = self.until is None or at < self.until
        return in_time and self.scope.covers(resource_id, category)


def rights_on(
    held: Iterable[HeldRight], at: datetime, resource_id: str, category: str
) -> frozenset[PersonRight]:
    """Return the rights that count at a moment, on a resource."""
    return frozenset(one.right for one in held if one.holds(at, resource_id, category))
