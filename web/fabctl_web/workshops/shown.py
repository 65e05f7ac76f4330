"""What pages say of a session: when, for whom, how many places are left. No names of people."""

from __future__ import annotations

from dataclasses import dataclass

from babel.numbers import format_currency

from fabctl.model.workshops import EnrolmentState
from fabctl.services.enrolment_lists import EnrolmentView
from fabctl.services.workshops import SessionView, WorkshopView
from fabctl_web.lab import Lab
from fabctl_web.speech import Speech


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


STATE_WORDS = {
    EnrolmentState.CONFIRMED: (_("Your place is kept"), "circle-check", "free"),
    EnrolmentState.WAITING: (_("On the waiting list"), "hourglass", "reserved"),
    EnrolmentState.OFFERED: (_("A place is free: do you take it?"), "bell", "blocked"),
}
"""How a place stands: the word, the icon, the pattern of the edge."""


@dataclass(frozen=True)
class Card:
    """One session of the list, ready to be shown."""

    session: SessionView
    workshop: WorkshopView
    when: str
    for_whom: str
    price: str
    left: str
    icon: str
    css: str


def card(lab: Lab, session: SessionView, workshop: WorkshopView, speech: Speech) -> Card:
    """Return a session as the list shows it."""
    left, icon, css = _left(lab, session, speech)
    return Card(
        session=session,
        workshop=workshop,
        when=speech.slot(session.start, session.end, lab.clock.now()),
        for_whom=for_whom(workshop, speech),
        price=price(workshop, speech),
        left=left,
        icon=icon,
        css=css,
    )


def _left(lab: Lab, found: SessionView, speech: Speech) -> tuple[str, str, str]:
    """Return whether places are left in one word, with its icon and the pattern of its edge."""
    if found.cancelled_at is not None:
        return speech("Cancelled"), "ban", "broken"
    if found.end <= lab.clock.now():
        return speech("Over"), "history", "silent"
    if found.start <= lab.clock.now():
        return speech("Has begun"), "play", "busy"
    if found.free:
        one = speech("One place left")
        several = speech("{count} places left", count=found.free)
        return one if found.free == 1 else several, "circle-check", "free"
    waiting = speech("Full, {count} waiting", count=found.waiting)
    return waiting if found.waiting else speech("Full"), "hourglass", "reserved"


def for_whom(workshop: WorkshopView, speech: Speech) -> str:
    """Return the ages a workshop is for."""
    least, most = workshop.age_least, workshop.age_most
    if least is None and most is None:
        return speech("For everybody")
    if most is None:
        return speech("From {least} years on", least=least or 0)
    if least is None:
        return speech("Up to {most} years", most=most)
    return speech("{least} to {most} years", least=least, most=most)


def price(workshop: WorkshopView, speech: Speech) -> str:
    """Return what a place costs."""
    if not workshop.price_cents:
        return speech("No charge")
    euros = workshop.price_cents / 100
    return format_currency(euros, "EUR", locale="fr_FR" if speech.language == "fr" else "en_GB")


@dataclass(frozen=True)
class Place:
    """A place of one's own, a child's or a group's, ready to be shown."""

    id: str
    session_id: str
    name: str
    """Empty: it has no name yet."""
    person_id: str | None
    word: str
    icon: str
    css: str
    offered: bool
    until: str
    """Until when an offer stands."""
    several: bool
    """Placed together with others."""


def place(
    lab: Lab, found: EnrolmentView, name: str, speech: Speech, *, several: bool = False
) -> Place:
    """Return a place as those who decide about it see it."""
    word, icon, css = STATE_WORDS[found.state]
    until = speech.moment(found.accept_by, lab.clock.now()) if found.accept_by else ""
    return Place(
        id=found.id,
        session_id=found.session_id,
        name=name,
        person_id=found.person_id,
        word=speech(word),
        icon=icon,
        css=css,
        offered=found.state is EnrolmentState.OFFERED,
        until=until,
        several=several,
    )
