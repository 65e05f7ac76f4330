"""Why a machine is out of order, and what happens next: said wherever it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fabctl.model.refusal import Refusal
from fabctl.model.texts import text


@dataclass(frozen=True, slots=True)
class Stop:
    """Somebody put a machine, or what it is within, out of order."""

    reason: str
    """What is wrong, in the words of who said so. Everybody may read it: no names."""
    since: datetime
    next_step: str | None = None
    """What happens next, in the staff's words."""


_NEXT = text("Choose another machine, or ask the staff when it will be back.")


def out_of_order_refusal(stop: Stop | None = None) -> Refusal:
    """Return the refusal for a machine that is out of order; with what is known of the reason."""
    if stop is None or not stop.reason:
        return Refusal("out-of-order", text("This machine is out of order."), _NEXT)
    step = text("What happens next: {step}", step=stop.next_step) if stop.next_step else _NEXT
    return Refusal(
        "out-of-order", text("This machine is out of order: {reason}", reason=stop.reason), step
    )
