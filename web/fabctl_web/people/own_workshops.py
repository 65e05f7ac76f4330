"""The workshops of a person: their places and their children's, and their certificates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from flask import url_for

from fabctl.services import certificates, enrolment_lists, enrolment_outlook, workshops
from fabctl.services.people import PersonView
from fabctl_web.lab import Lab
from fabctl_web.speech import Speech
from fabctl_web.workshops.shown import STATE_WORDS


@dataclass(frozen=True)
class OwnPlace:
    """A place in a session."""

    session: str
    title: str
    when: str
    name: str
    """Whose it is, where it is somebody else's; empty: one's own."""
    word: str
    icon: str


@dataclass(frozen=True)
class OwnCertificate:
    """A certificate to save."""

    address: str
    title: str
    day: str


@dataclass(frozen=True)
class OwnWorkshops:
    """What a person's page says of workshops."""

    places: list[OwnPlace]
    certificates: list[OwnCertificate]


def own_workshops(lab: Lab, person: PersonView, speech: Speech) -> OwnWorkshops:
    """Read a person's places to come, and their certificates."""
    now, zone = lab.clock.now(), lab.config.time_zone
    with lab.db.reading() as db:
        coming = enrolment_lists.coming_for(db, lab.clock, by=person.id)
        names = enrolment_outlook.names_on(db, lab.clock, enrolments=coming, by=person.id)
        sessions = {
            one: workshops.get_session(db, one) for one in {place.session_id for place in coming}
        }
        held = certificates.certificates_of(db, zone, person_id=person.id)
    places = []
    for one in sorted(coming, key=lambda place: sessions[place.session_id].start):
        session = sessions[one.session_id]
        word, icon, _css = STATE_WORDS[one.state]
        name = "" if one.person_id == person.id else names.get(one.id, "")
        when = speech.slot(session.start, session.end, now)
        places.append(OwnPlace(session.id, session.title, when, name, speech(word), icon))
    return OwnWorkshops(
        places,
        [
            OwnCertificate(
                url_for("workshops.certificate", certificate=one.id),
                one.title,
                speech.day(datetime.combine(one.held_on, time(12), zone), now),
            )
            for one in held
        ],
    )
