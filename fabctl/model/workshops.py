"""Workshop sessions: when they are, who gets a place, and what a waiting list does.

Facts in, every refusal out. Age and consent are in :mod:`fabctl.model.consent`, attendance in
:mod:`fabctl.model.attendance`, a session's machines in :mod:`fabctl.model.group_use`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from fabctl.model.booking import Slot
from fabctl.model.consent import Birth, Consent, age_refusals, consent_refusals, under_age
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text

LONGEST = timedelta(hours=24)
"""A session is one meeting; a camp of a week is a session each day."""

MOST_IN_SERIES = 60
MOST_PLACES = 500


# -- when -------------------------------------------------------------------------------------


def session_slot(day: date, starts: time, ends: time, zone: ZoneInfo) -> Slot:
    """Return a session's stretch of time from what its poster says, in UTC.

    An end that is not after the start is on the next day. When the clocks change meanwhile, the
    poster stays true and the length changes. A time that the clocks skip is an hour later by
    them; one that they show twice is the first. Should no time be left so, the length stays.
    """
    ends_on = day if ends > starts else day + timedelta(days=1)
    start = datetime.combine(day, starts, zone).astimezone(UTC)
    end = datetime.combine(ends_on, ends, zone).astimezone(UTC)
    if end <= start:
        end = start + (datetime.combine(ends_on, ends) - datetime.combine(day, starts))
    return Slot(start, end)


def weekly(first: date, until: date) -> list[date]:
    """Return the same weekday of every week, from ``first`` to ``until`` (both may be in it)."""
    return [first + timedelta(weeks=week) for week in range(((until - first).days // 7) + 1)]


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """A session that staff want to put on."""

    now: datetime
    wanted: Slot
    places: int
    taken: Sequence[Slot] = ()
    """Live claims on the machines and spaces that it uses."""
    out_of_order: bool = False


def _ended(facts: SessionFacts) -> Refusal | None:
    return None if facts.wanted.end > facts.now else _SESSION_OVER


def _length(facts: SessionFacts) -> Refusal | None:
    if timedelta() < facts.wanted.end - facts.wanted.start <= LONGEST:
        return None
    most = int(LONGEST.total_seconds() // 3600)
    return Refusal(
        "session-length",
        text("A session ends after it begins, and lasts at most {hours} hours.", hours=most),
        text("Choose another end, or make a session for each day."),
    )


def _places(facts: SessionFacts) -> Refusal | None:
    if 1 <= facts.places <= MOST_PLACES:
        return None
    return Refusal(
        "places-impossible",
        text("A session has 1 to {most} places.", most=MOST_PLACES),
        text("Choose another number of places."),
    )


def _claims(facts: SessionFacts) -> Refusal | None:
    if not any(facts.wanted.overlaps(slot) for slot in facts.taken):
        return None
    return Refusal(
        "overlap",
        text("A machine or space of this session is already booked then."),
        text("Choose another time, or move what is booked."),
    )


SESSION_RULES: tuple[Callable[[SessionFacts], Refusal | None], ...] = (
    _ended,
    _length,
    _places,
    _claims,
)


def session_refusals(facts: SessionFacts) -> list[Refusal]:
    """Return every reason against a session; an empty list is the only permission."""
    return [refusal for rule in SESSION_RULES if (refusal := rule(facts)) is not None]


def series_refusals(dates: int) -> list[Refusal]:
    """Say whether a series has too many dates, or none."""
    if 1 <= dates <= MOST_IN_SERIES:
        return []
    return [
        Refusal(
            "series-length",
            text("A series has 1 to {most} dates.", most=MOST_IN_SERIES),
            text("Choose another last day."),
        )
    ]


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
        return [_SESSION_CANCELLED]
    if facts.session.end <= facts.now:
        return [_SESSION_OVER]
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
    return [] if now < session.end else [_SESSION_OVER]


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


def session_full() -> Refusal:
    """Return the refusal for a place that is not there; the database says it this way too."""
    return Refusal(
        "session-full",
        text("This session is full."),
        text("Join the waiting list, or choose another session."),
    )


_SESSION_OVER = Refusal(
    "session-over",
    text("This session is over."),
    text("Choose another session."),
)
_BEGUN = Refusal(
    "session-begun",
    text("This session has begun."),
    text("Ask the animators of the session."),
)
_SESSION_CANCELLED = Refusal(
    "session-cancelled",
    text("This session is cancelled."),
    text("Choose another session."),
)
_OFFER_OVER = Refusal(
    "offer-over",
    text("The time to accept this place is over."),
    text("Join the waiting list again."),
)
