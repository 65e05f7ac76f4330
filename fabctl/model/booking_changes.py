"""What may be done with a reservation that was made. Facts in, every refusal out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fabctl.model.booking_policy import BookingRules
from fabctl.model.booking_refusals import begun_refusal
from fabctl.model.booking_slots import Slot
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text

CHECK_IN_BEFORE = timedelta(minutes=15)
"""How long before the start somebody may say that they are here."""


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """A reservation, and who wants to do something with it."""

    now: datetime
    slot: Slot
    made_at: datetime
    rules: BookingRules = field(default_factory=BookingRules)
    theirs: bool = True
    """Their own, or one of a group that they act for."""
    for_others: bool = False
    """Whether they act for other people: staff and animators."""
    came: bool = False
    """Whether somebody checked in, or used what was reserved."""
    no_show: bool = False
    cancelled: bool = False
    used: bool = False
    """Whether its person uses the machine now."""
    reason: str | None = None
    """Why, as whoever asks says it."""

    @property
    def begun(self) -> bool:
        """Whether time has already passed since its start."""
        return self.slot.start < self.now


def touch_refusals(facts: ChangeFacts) -> list[Refusal]:
    """Say why somebody can do nothing at all with a reservation."""
    yours = [] if facts.theirs or facts.for_others else [NOT_YOURS]
    return yours + gone_refusals(facts)


def gone_refusals(facts: ChangeFacts) -> list[Refusal]:
    """Say why nothing can be done with a reservation any more, whoever asks."""
    if facts.no_show:
        return [_RELEASED]
    if facts.cancelled:
        return [_ALREADY_CANCELLED]
    return [_ALREADY_OVER] if facts.slot.end <= facts.now else []


def cancel_refusals(facts: ChangeFacts) -> list[Refusal]:
    """Say why a reservation cannot be cancelled.

    Its person may until the deadline, and once it runs; the staff always, for others with a
    reason.
    """
    found = touch_refusals(facts)
    unexplained = not facts.theirs and not (facts.reason or "").strip()
    if not found and unexplained:
        found.append(REASON_MISSING)
    return found + deadline_refusals(facts)


def deadline_refusals(facts: ChangeFacts) -> list[Refusal]:
    """Say why it is too late to give a slot back that has not begun."""
    if facts.slot.start <= facts.now or facts.for_others or facts.cancelled:
        return []
    last = facts.slot.start - facts.rules.cancel_until
    return [_TOO_LATE] if facts.now > last else []


def missed_when_cancelled(facts: ChangeFacts) -> bool:
    """Say whether cancelling counts as a no-show: it had begun, and nobody had come.

    Else whoever does not come would cancel at the last moment, and nothing would ever count. No
    no-show is one that the staff cancel with a reason, that was made at this very moment, or of
    a resource where nobody asks for a check-in.
    """
    if facts.came or facts.rules.release_after is None:
        return False
    by_staff = facts.for_others and bool((facts.reason or "").strip())
    return facts.now > max(facts.slot.start, facts.made_at) and not by_staff


def move_refusals(facts: ChangeFacts, wanted: Slot, *, elsewhere: bool = False) -> list[Refusal]:
    """Say why a reservation cannot be moved like this, besides the rules of booking.

    :param elsewhere: whether another resource is wanted.
    """
    found = touch_refusals(facts)
    if not gone_refusals(facts):
        begun = begun_refusal(facts.slot, wanted, facts.now, elsewhere=elsewhere)
        found += [begun] if begun else []
    gives_back = elsewhere or not wanted.covers(facts.slot)
    return found + (deadline_refusals(facts) if gives_back else [])


def check_in_refusals(facts: ChangeFacts) -> list[Refusal]:
    """Say why nobody can check in for a reservation now: too early, over, given back."""
    early = facts.now < facts.slot.start - CHECK_IN_BEFORE
    return touch_refusals(facts) + ([_TOO_EARLY] if early else [])


def stop_refusals(facts: ChangeFacts) -> list[Refusal]:
    """Say why a reservation cannot be stopped early."""
    found = touch_refusals(facts)
    if gone_refusals(facts):
        return found
    found += [] if facts.begun else [_NOT_BEGUN]
    return found + ([_STILL_USED] if facts.used else [])


def pardon_refusals(*, no_show: bool, reason: str) -> list[Refusal]:
    """Say why a no-show cannot be taken back."""
    found = [] if no_show else [_NO_NO_SHOW]
    return found if reason.strip() else [*found, REASON_MISSING]


NOT_YOURS = Refusal(
    "not-yours",
    text("Only the person concerned and the staff may do this."),
    text("Ask the staff."),
)
REASON_MISSING = Refusal(
    "reason-missing",
    text("The staff say why they do this."),
    text("Write a reason."),
)
_ALREADY_OVER = Refusal(
    "already-over",
    text("This reservation is over."),
    text("Nothing needs to be done."),
)
_ALREADY_CANCELLED = Refusal(
    "already-cancelled",
    text("This reservation is cancelled already."),
    text("Nothing needs to be done."),
)
_RELEASED = Refusal(
    "no-show",
    text("Nobody checked in, so this slot was given back."),
    text("Book another slot."),
)
_TOO_LATE = Refusal(
    "past-cancellation-deadline",
    text("It is too late to cancel this reservation."),
    text("Ask the staff."),
)
_TOO_EARLY = Refusal(
    "check-in-too-early",
    text("Check-in opens {minutes} minutes before.", minutes=15),
    text("Come back a little later."),
)
_NOT_BEGUN = Refusal(
    "not-begun",
    text("This reservation has not begun."),
    text("Cancel it instead."),
)
_STILL_USED = Refusal(
    "still-in-use",
    text("The machine is still in use."),
    text("Finish the work on it first."),
)
_NO_NO_SHOW = Refusal(
    "not-a-no-show",
    text("Nobody counted this as a missed reservation."),
    text("Nothing needs to be done."),
)
