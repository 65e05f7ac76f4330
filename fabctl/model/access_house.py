"""What the house asks of whoever uses a machine now: hours, company, age, consent, maintenance.

A condition that does not concern a machine (no hours are set, no age is asked for) is not among
the answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from fabctl.model.booking_facts import PARIS, ClaimKind
from fabctl.model.booking_policy import BookingRules
from fabctl.model.booking_refusals import age_refusal, minors_consent_refusal
from fabctl.model.booking_slots import Slot
from fabctl.model.conditions import Condition, met, not_met
from fabctl.model.consent import Birth, Consent, local_day, under_age
from fabctl.model.person_rights import PersonRight
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text


@dataclass(frozen=True, slots=True)
class HouseFacts:
    """What the house knows of a machine, a person and this moment."""

    now: datetime
    zone: ZoneInfo = PARIS
    rules: BookingRules = field(default_factory=BookingRules)
    open: Sequence[Slot] | None = None
    """When it is open around now; None: always."""
    claims: frozenset[ClaimKind] = frozenset()
    """What keeps the machine, or what it is in the way of, at this moment."""
    rights: frozenset[PersonRight] = frozenset()
    """Those of the person that count now, on this machine."""
    let_in: bool = False
    """Whether the staff let the person in now: a session, or a reservation outside the hours."""
    in_lab: int = 1
    """How many people are in the lab, the person among them."""
    birth: Birth = field(default_factory=Birth)
    consents: Sequence[Consent] = ()
    """The person's forms, oldest first."""

    @property
    def walk_up(self) -> bool:
        """Whether the machine may be used without a reservation while it is free."""
        return self.rules.walk_up or PersonRight.WALK_UP in self.rights

    @property
    def is_open(self) -> bool:
        """Whether the opening hours say so; the first moment belongs to them, the last not."""
        if self.open is None:
            return True
        return any(span.start <= self.now < span.end for span in self.open)


CONSENT_ON_FILE = text("The consent for you is on file.")
_CLOSED_FOR_SOME_TIME = Refusal(
    "closed",
    text("This is closed for some time."),
    text("Choose something else, or ask the staff when it opens again."),
)
_CLOSED_NOW = Refusal(
    "closed",
    text("The lab is closed now."),
    text("Come back within the opening hours."),
)
_MAINTENANCE_NOW = Refusal(
    "out-of-order",
    text("Maintenance is going on."),
    text("Wait until it ends, or choose another machine."),
)


def hours(facts: HouseFacts) -> Condition | None:
    """Say whether the lab is open, or the person may be here all the same."""
    if ClaimKind.CLOSURE in facts.claims:
        return not_met(_CLOSED_FOR_SOME_TIME)
    if facts.open is None:
        return None
    if facts.is_open:
        return met("closed", text("The lab is open."))
    if facts.let_in:
        return met("closed", text("The staff opened this for you now."))
    if facts.rules.after_hours and PersonRight.AFTER_HOURS in facts.rights:
        return met("closed", text("The lab is closed, and you may work here after hours."))
    return not_met(_CLOSED_NOW)


def company(facts: HouseFacts) -> Condition | None:
    """Say whether enough people are in the lab. Nobody is exempt: it is about help at hand."""
    least = facts.rules.company
    if least <= 1:
        return None
    if facts.in_lab >= least:
        return met("company-missing", text("Enough people are in the lab."))
    missing = Refusal(
        "company-missing",
        text("At least {least} people must be in the lab to use this.", least=least),
        text("Ask somebody to come, and to check in."),
    )
    return not_met(missing)


def age(facts: HouseFacts) -> Condition | None:
    """Say whether the person is as old as the machine asks for."""
    day = local_day(facts.now, facts.zone)
    refusal = age_refusal(facts.birth, day, facts.rules.minimum_age)
    if refusal is not None:
        return not_met(refusal)
    if facts.rules.minimum_age is None:
        return None
    return met("under-age", text("You are old enough to use this."))


def consent(facts: HouseFacts) -> Condition | None:
    """Say whether somebody who may be under 18 has a guardian's consent on file."""
    day = local_day(facts.now, facts.zone)
    if not facts.rules.minors_consent or under_age(facts.birth, day) is not True:
        return None
    refusal = minors_consent_refusal(facts.birth, day, facts.consents)
    return not_met(refusal) if refusal else met("consent-missing", CONSENT_ON_FILE)


def maintenance(facts: HouseFacts) -> Condition | None:
    """Say that planned maintenance keeps the machine now."""
    return not_met(_MAINTENANCE_NOW) if ClaimKind.MAINTENANCE in facts.claims else None
