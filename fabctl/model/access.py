"""May this person use this machine now? Every condition, met or not or unknown, with what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from fabctl.model import access_house as house
from fabctl.model.access_house import CONSENT_ON_FILE, HouseFacts
from fabctl.model.booking_refusals import account_refusal
from fabctl.model.certification import Standing, refusal_for
from fabctl.model.conditions import Condition, met, not_met, unmet
from fabctl.model.group_use import (
    GroupFacts,
    consent_refusal,
    supervision_refusal,
    under_the_group,
)
from fabctl.model.out_of_order import Stop, out_of_order_refusal
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text

__all__ = [
    "CONDITIONS",
    "TO_GO_ON",
    "Condition",
    "Holder",
    "UseFacts",
    "busy_refusal",
    "conditions",
    "conditions_to_go_on",
    "unmet",
]


class Holder(StrEnum):
    """Who holds the machine's reservation at this moment."""

    THIS_PERSON = "this-person"
    SOMEBODY_ELSE = "somebody-else"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class UseFacts:
    """All that the conditions look at."""

    account_suspended: bool
    """The person's own."""
    certification: Standing
    """At this moment."""
    holder: Holder
    out_of_order: bool
    open_use: bool
    """Whether the record holds a use of this machine that has not ended."""
    machine_state: str
    """As the machine says it; anything but a known word means that nobody knows."""
    house: HouseFacts
    trainer_here: bool = False
    """Whether a trainer for this machine is checked in."""
    group: GroupFacts | None = None
    """The running session that holds the machine; None: none does."""
    stop: Stop | None = None
    """What put it out of order, where that is known."""
    group_suspended: bool = False
    """Whether the group's account that the reservation is charged to is suspended."""


def _account(facts: UseFacts) -> Condition:
    if facts.account_suspended or facts.group_suspended:
        return not_met(account_refusal(group=not facts.account_suspended))
    return met("account-suspended", text("Your account is in order."))


def _certification(facts: UseFacts) -> Condition:
    asked = facts.house.rules.certification is not False
    if not asked and facts.certification is not Standing.SUSPENDED:
        return met("not-certified", text("This machine asks for no certification."))
    if facts.certification is Standing.SUPERVISED and facts.trainer_here:
        return met("not-certified", text("A trainer of this machine is here with you."))
    if facts.group is not None and under_the_group(facts.group, facts.certification):
        missing = supervision_refusal(facts.group)
        here = text("You work here with your workshop, supervised.")
        return not_met(missing) if missing else met("not-certified", here)
    refusal = refusal_for(facts.certification)
    if refusal is not None:
        return not_met(refusal)
    return met("not-certified", text("You are certified on this machine."))


def _consent(facts: UseFacts) -> Condition | None:
    """Return the consent that the group asks of participants, else the one of the house."""
    asked = house.consent(facts.house)
    if facts.group is None or not under_the_group(facts.group, facts.certification):
        return asked
    missing = consent_refusal(facts.group)
    if missing:
        return not_met(missing)
    return asked or met("consent-missing", CONSENT_ON_FILE)


_NOBODY_HOLDS_IT = Refusal(
    "not-reserved",
    text("You have no reservation on this machine now."),
    text("Book a slot that starts now."),
)
_SOMEBODY_ELSE_HOLDS_IT = Refusal(
    "someone-elses-slot",
    text("Somebody else has reserved this machine now."),
    text("Wait for a free slot and book it, or choose another machine."),
)


def _reservation(facts: UseFacts) -> Condition:
    if facts.holder is Holder.THIS_PERSON:
        return met("not-reserved", text("You have reserved this machine now."))
    nobody = facts.holder is Holder.NOBODY
    if nobody and facts.house.walk_up:
        return met("not-reserved", text("This machine is free, and needs no reservation."))
    return not_met(_NOBODY_HOLDS_IT if nobody else _SOMEBODY_ELSE_HOLDS_IT)


def _order(facts: UseFacts) -> Condition:
    if facts.out_of_order:
        return not_met(out_of_order_refusal(facts.stop))
    planned = house.maintenance(facts.house)
    if planned:
        return planned
    return met("out-of-order", text("This machine is in order."))


WORKING = frozenset({"preparing", "running", "pausing", "paused", "stopping"})
READY = frozenset({"idle"})

_BUSY = Refusal(
    "machine-busy",
    text("A job is already on this machine."),
    text("Wait until it ends."),
)


def busy_refusal() -> Refusal:
    """Return the refusal for a machine with an open use; the database says it this way too."""
    return _BUSY


def _free(facts: UseFacts) -> Condition:
    if facts.open_use or facts.machine_state in WORKING:
        return not_met(_BUSY)
    return met("machine-busy", text("No job is on this machine."))


_MACHINE_REFUSALS = {
    "offline": Refusal(
        "machine-offline",
        text("This machine is not connected."),
        text("Check its power and its cable."),
    ),
    "broken": Refusal(
        "machine-broken",
        text("Something happened on this machine that a person must look at."),
        text("Look at the machine, then release it on its page."),
    ),
    "blocked": Refusal(
        "machine-blocked",
        text("This machine's safety chain keeps it blocked."),
        text("Read the reason on the machine's page."),
    ),
}
_MACHINE_UNKNOWN = Refusal(
    "machine-unknown",
    text("Nobody knows what this machine is doing."),
    text("Wait a few seconds. If this stays, tell the staff."),
)


def _machine(facts: UseFacts) -> Condition:
    if facts.machine_state in WORKING | READY:
        return met("machine-offline", text("This machine answers and is sound."))
    known = _MACHINE_REFUSALS.get(facts.machine_state)
    return not_met(known) if known else not_met(_MACHINE_UNKNOWN, known=False)


CONDITIONS: tuple[Callable[[UseFacts], Condition], ...] = (
    _account,
    _certification,
    _reservation,
    _order,
    _machine,
    _free,
)


def conditions(facts: UseFacts) -> list[Condition]:
    """Return every condition; all of them met is the only permission (see :func:`unmet`)."""
    return [*(condition(facts) for condition in CONDITIONS), *_asked_for(facts)]


TO_GO_ON: tuple[Callable[[UseFacts], Condition], ...] = (
    _account,
    _certification,
    _reservation,
    _order,
)
"""What must stay so while somebody uses a machine. What the machine itself does is not among it:
a tripped interlock blocks it, and its person is the one who puts that right."""


def conditions_to_go_on(facts: UseFacts) -> list[Condition]:
    """Return every condition of a use that has begun; all of them met lets it go on."""
    return [*(condition(facts) for condition in TO_GO_ON), *_asked_for(facts)]


def _asked_for(facts: UseFacts) -> list[Condition]:
    """Return the conditions that not every machine has and not everybody must meet."""
    asked = facts.house
    found = (house.hours(asked), house.company(asked), house.age(asked), _consent(facts))
    return [condition for condition in found if condition is not None]
