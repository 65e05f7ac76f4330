"""The workshops that come, and what each session is to whoever looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Blueprint, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from fabctl.model.people import search_name
from fabctl.services import certificates, enrolment_lists, enrolment_outlook, resources, workshops
from fabctl.services.people import PersonView
from fabctl.services.rights import leads
from fabctl.services.workshops import SessionView, WorkshopView
from fabctl_web import tables
from fabctl_web.downloads import download
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import chosen_language, speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import not_on_a_shared_screen, person_needed, signed_in
from fabctl_web.workshops.shown import Card, Place, card, place
from fabctl_web.workshops.who import CLOSED, mine

area = Blueprint("workshops", __name__, template_folder="templates")

AHEAD = timedelta(days=180)
LED_SINCE = timedelta(days=14)
"""So long a session's sheet may still be filled in."""


@page(area, "/workshops")
def coming() -> str:
    """List the sessions to come; whoever is signed in sees their own places above."""
    lab, person = current_lab(), signed_in()
    now, words = lab.clock.now(), tables.words()
    with lab.db.reading() as db:
        soon = workshops.sessions_between(db, start=now, end=now + AHEAD)
        offered = {one.id: one for one in _workshops(db, soon)}
        places = _own_places(lab, db, person, offered) if person else []
        led = _led(lab, db, person, offered) if person else []
        held = _certificates(lab, db, person) if person else []
    wanted = [one for one in soon if _fits(offered[one.workshop_id], words)]
    shown, following = _leafed(wanted)
    return render_template(
        "workshops/list.html",
        cards=[card(lab, one, offered[one.workshop_id], speech()) for one in shown],
        more=tables.next_address(following),
        words=words,
        places=places,
        led=led,
        held=held,
    )


@page(area, "/workshops/<session>")
def session(session: str) -> str:
    """Show one session: what it is, who takes part of one's own, and how to get a place."""
    lab, person = current_lab(), signed_in()
    with lab.db.reading() as db:
        found = workshops.get_session(db, session)
        shown = card(lab, found, workshops.get_workshop(db, found.workshop_id), speech())
        own = mine(lab, db, found, person, speech()) if person else None
        names = {one.id: one.name for one in resources.list_all(db)}
        is_lead = bool(person) and leads(db, session, person.id if person else None)
    over = found.cancelled_at is not None or found.end <= lab.clock.now()
    return render_template(
        "workshops/session.html",
        card=shown,
        mine=own,
        used=[names.get(one, one) for one in found.resource_ids],
        is_lead=is_lead,
        over=over,
        begun=found.start <= lab.clock.now(),
        closed=CLOSED,
        plans=person is not None and person.role.acts_for_others,
        this_year=lab.clock.now().astimezone(lab.config.time_zone).year,
    )


@area.get("/certificates/<certificate>.pdf")
def certificate(certificate: str) -> Response:
    """Return a certificate to print: to its person, a guardian, and those who lead."""
    not_on_a_shared_screen()
    lab, person = current_lab(), person_needed()
    with lab.db.reading() as db:
        found = certificates.certificate(
            db, lab.clock, lab.config.time_zone, certificate_id=certificate, by=person.id
        )
    from fabctl.services.certificate_paper import (  # noqa: PLC0415  # reportlab: 7 MB, seldom
        certificate_pdf,
    )

    paper = certificate_pdf(found, lab=lab.config.name, language=chosen_language())
    return download(paper, "application/pdf", "certificate.pdf")


def _workshops(db: Session, found: list[SessionView]) -> list[WorkshopView]:
    return [workshops.get_workshop(db, one) for one in {one.workshop_id for one in found}]


def _fits(workshop: WorkshopView, words: str) -> bool:
    said = search_name(f"{workshop.title} {workshop.description}")
    return all(word in said for word in search_name(words).split())


def _leafed(found: list[SessionView]) -> tuple[list[SessionView], tuple[str, str] | None]:
    """Return one page of the sessions, and the key after which the next page begins."""
    after = tables.after()
    left = [one for one in found if after is None or _key(one) > after]
    shown = left[: tables.SHOWN]
    return shown, _key(shown[-1]) if len(left) > len(shown) else None


def _key(found: SessionView) -> tuple[str, str]:
    return found.start.astimezone(UTC).isoformat(), found.id


def _own_places(
    lab: Lab, db: Session, person: PersonView, offered: dict[str, WorkshopView]
) -> list[tuple[Card, list[Place]]]:
    """Return the places of somebody, their children and groups, by session."""
    found = enrolment_lists.coming_for(db, lab.clock, by=person.id)
    names = enrolment_outlook.names_on(db, lab.clock, enrolments=found, by=person.id)
    by_session: dict[str, list[Place]] = {}
    for one in found:
        shown = place(lab, one, names.get(one.id, ""), speech())
        by_session.setdefault(one.session_id, []).append(shown)
    return [
        (_card(lab, db, workshops.get_session(db, one), offered), shown)
        for one, shown in by_session.items()
    ]


def _card(lab: Lab, db: Session, found: SessionView, offered: dict[str, WorkshopView]) -> Card:
    known = offered.get(found.workshop_id)
    return card(lab, found, known or workshops.get_workshop(db, found.workshop_id), speech())


def _led(lab: Lab, db: Session, person: PersonView, offered: dict[str, WorkshopView]) -> list[Card]:
    """Return the sessions somebody leads: those of the last two weeks, and the next."""
    now = lab.clock.now()
    near = workshops.sessions_between(db, start=now - LED_SINCE, end=now + LED_SINCE)
    found = [one for one in near if person.id in one.animators and one.cancelled_at is None]
    return [_card(lab, db, one, offered) for one in found]


def _certificates(lab: Lab, db: Session, person: PersonView) -> list[tuple[str, str, str]]:
    """Return one's certificates: address, title, day."""
    found = certificates.certificates_of(db, lab.config.time_zone, person_id=person.id)
    now = lab.clock.now()
    return [
        (
            url_for("workshops.certificate", certificate=one.id),
            one.title,
            speech().day(datetime.combine(one.held_on, now.time(), lab.config.time_zone), now),
        )
        for one in found
    ]
