"""A condition: one thing that must be so, said whether it is met or not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fabctl.model.refusal import Refusal
from fabctl.model.texts import Text


@dataclass(frozen=True)
class Condition:
    """One thing that must be so. ``met`` None means that nobody knows, and that blocks too."""

    code: str
    """The refusal code it has when it is not met."""
    met: bool | None
    message: Text
    next_step: Text | None
    """What to do about it; None when it is met."""

    @property
    def refusal(self) -> Refusal | None:
        """The condition as a refusal; None when it is met."""
        if self.met is True or self.next_step is None:
            return None
        return Refusal(self.code, self.message, self.next_step)


def met(code: str, message: Text) -> Condition:
    """Return a condition that is met."""
    return Condition(code, met=True, message=message, next_step=None)


def not_met(refusal: Refusal, *, known: bool = True) -> Condition:
    """Return a condition that is not met, or of which nobody knows."""
    return Condition(refusal.code, False if known else None, refusal.message, refusal.next_step)


def unmet(found: Iterable[Condition]) -> list[Refusal]:
    """Return the conditions that are not known to be met, as refusals."""
    return [refusal for condition in found if (refusal := condition.refusal) is not None]
