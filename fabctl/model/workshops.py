"""Workshops: who gets a place, and what a waiting list does.

Facts in, every refusal out. When a session is, is in :mod:`fabctl.model.workshop_sessions`, age
and consent are in :mod:`fabctl.model.consent`, attendance in :mod:`fabctl.model.attendance`, a
session's machines in :mod:`fabctl.model.group_use`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from fabctl.model.booking import Slot
from fabctl.model.consent import Birth, Consent, age_refusals, consent_refusals, under_age
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text
from fabctl.model.workshop_sessions import session_over

# -- enrolments -------------------------------------------------------------------------------


class EnrolmentState(StrEnum):
    """Where an enrolment stands."""

    CONFIRMED = "confirmed"
    WAITING = "waiting"
    OFFERED = "offered"
    """A place is held for it until a deadline."""
    CANCELLED = "cancelled"
    LAPSED = "lapsed"
    """The deadline passed, or the session began while it waited."""


HOLDS_A_PLACE = frozenset({EnrolmentState.CONFIRMED, EnrolmentState.OFFERED})
LIVE = HOLDS_A_PLACE | {EnrolmentState.WAITING}


class Via(StrEnum):
    """Who made an enrolment."""

    SELF = "self"
    GUARDIAN = "guardian"
    STAFF = "staff"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True)
class EnrolmentFacts:
    """One person who wants a place."""

    now: datetime
    session: Slot
    on: date
    """The session's first day by the lab's clocks: age is counted on it."""
    may_act: bool = True
    cancelled: bool = False
    already: bool = False
    via: Via = Via.SELF
    birth: Birth = field(default_factory=Birth)
    age_least: int | None = None
    age_most: int | None = None
    consents: Sequence[Consent] = ()
    consent_needed: bool = True
    prerequisites_met: bool = True
    override: bool = False
    """Staff gave a reason to let them in against the rules marked so."""


def _may_act(facts: EnrolmentFacts) -> list[Refusal]:
    return [] if facts.may_act else [not_yours()]


def _open(facts: EnrolmentFacts) -> list[Refusal]:
    if facts.cancelled:
        return [session_cancelled()]
    if facts.session.end <= facts.now:
        return [session_over()]
    begun = facts.session.start <= facts.now
    return [_BEGUN] if begun and facts.via is not Via.STAFF else []


def _once(facts: EnrolmentFacts) -> list[Refusal]:
    return [already_enrolled()] if facts.already else []


def _age(facts: EnrolmentFacts) -> list[Refusal]:
    if facts.override:
        return []
    return age_refusals(facts.birth, facts.on, facts.age_least, facts.age_most)


def _consent(facts: EnrolmentFacts) -> list[Refusal]:
    """Ask those who can sign now; staff and partners bring the paper later."""
    if not facts.consent_needed or facts.via in {Via.STAFF, Via.PARTNER}:
        return []
    return consent_refusals(facts.consents, minor=under_age(facts.birth, facts.on))


def _prerequisites(facts: EnrolmentFacts) -> list[Refusal]:
    if facts.prerequisites_met or facts.override:
        return []
    return [
        Refusal(
            "prerequisite-missing",
            text("Another certification comes before this training."),
            text("Do the other training first."),
        )
    ]


ENROLMENT_RULES: tuple[Callable[[EnrolmentFacts], list[Refusal]], ...] = (
    _may_act,
    _open,
    _once,
    _age,
    _consent,
    _prerequisites,
)


def enrolment_refusals(facts: EnrolmentFacts) -> list[Refusal]:
    """Return every reason against this person's place; an empty list is the only permission.

    That a session is full is none of them: it makes people wait.
    """
    return [refusal for rule in ENROLMENT_RULES for refusal in rule(facts)]


# -- places and the waiting list --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """One party on a waiting list: a person, or several who want to be placed together."""

    id: str
    size: int = 1


def takes_places(size: int, free: int) -> bool:
    """Say whether a party gets its places at once: all of it or none.

    :param free: what is left after :func:`promoted`, so nobody overtakes who could have it.
    """
    return size <= free


def promoted(queue: Sequence[Waiting], free: int) -> list[Waiting]:
    """Return who is offered the free places, in the order of the list.

    A party that does not fit keeps its rank, and does not keep others from a place it cannot use.
    """
    chosen = []
    for party in queue:
        if party.size <= free:
            chosen.append(party)
            free -= party.size
    return chosen


def accept_by(now: datetime, session: Slot, hours: int) -> datetime:
    """Return until when an offer stands: so many hours, and never past the session's start."""
    return min(now + timedelta(hours=hours), session.start)


def answer_refusals(
    state: EnrolmentState, offer_ends: datetime | None, now: datetime
) -> list[Refusal]:
    """Say why an offered place cannot be accepted; the last moment of the deadline still can."""
    if state is not EnrolmentState.OFFERED or offer_ends is None:
        return [
            Refusal(
                "not-offered",
                text("No place is offered to you now."),
                text("Look at your page for where you stand."),
            )
        ]
    return [] if now <= offer_ends else [_OFFER_OVER]


def cancel_refusals(state: EnrolmentState, session: Slot, now: datetime) -> list[Refusal]:
    """Say why an enrolment cannot be cancelled any more."""
    if state not in LIVE:
        return [
            Refusal(
                "already-cancelled",
                text("This enrolment is cancelled already."),
                text("Nothing needs to be done."),
            )
        ]
    return [] if now < session.end else [session_over()]


# -- refusals that several say ----------------------------------------------------------------


def not_yours() -> Refusal:
    """Return the refusal for somebody who is neither concerned nor of the staff."""
    return Refusal(
        "not-yours",
        text("Only the person concerned and the staff may do this."),
        text("Ask the staff."),
    )


def already_enrolled() -> Refusal:
    """Return the refusal for a second place in one session; the database says it this way too."""
    return Refusal(
        "already-enrolled",
        text("This person has a place in this session, or waits for one."),
        text("Nothing needs to be done."),
    )


def session_cancelled() -> Refusal:
    """Return the refusal for a session that does not take place."""
    return Refusal(
        "session-cancelled",
        text("This session is cancelled."),
        text("Choose another session."),
    )


def session_full() -> Refusal:
    """Return the refusal for a place that is not there; the database says it this way too."""
    return Refusal(
        "session-full",
        text("This session is full."),
        text("Join the waiting list, or choose another session."),
    )


_BEGUN = Refusal(
    "session-begun",
    text("This session has begun."),
    text("Ask the animators of the session."),
)
_OFFER_OVER = Refusal(
    "offer-over",
    text("The time to accept this place is over."),
    text("Join the waiting list again."),
)
