"""Putting workshops on: what is offered, sessions, series, places. For staff and animators."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import timedelta

from flask import Blueprint, flash, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from fabctl.model.people import Role, search_name
from fabctl.model.workshop_sessions import MOST_PLACES
from fabctl.services import courses, workshops
from fabctl.services.workshop_changes import Poster, change_workshop
from fabctl.services.workshops import SessionView, WorkshopView
from fabctl_web import tables
from fabctl_web.api.reading import malformed
from fabctl_web.forms import Form, form
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import chosen_language, speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, staff_needed
from fabctl_web.workshops.choices import certifying, may_lead, usable
from fabctl_web.workshops.shown import Card, card, for_whom, price

area = Blueprint("workshop_desk", __name__, template_folder="templates")


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


HEADS = (_("Title"), _("For whom"), _("Price"), _("Places"), _("Sessions to come"))
SESSION_HEADS = (
    _("Start"), _("End"), _("Places"), _("Places held"), _("Waiting"), _("Cancelled"),
)  # fmt: skip
AHEAD, BACK = timedelta(days=400), timedelta(days=60)
MOST_CENTS = 1_000_000
EUROS = re.compile(r"([0-9]{1,5})(?:[.,]([0-9]{1,2}))?")


@dataclass(frozen=True)
class Offer:
    """A workshop as the desk lists it."""

    workshop: WorkshopView
    for_whom: str
    price: str
    sessions: int
    """To come."""
    next: str
    """When the next session is; empty: none is planned."""


@page(area, "/staff/workshops")
def offered() -> str:
    """List what is offered, with a form for one more."""
    staff_needed(Role.ANIMATOR)
    lab, words = current_lab(), tables.words()
    with lab.db.reading() as db:
        found = _offers(lab, db, words)
        known = certifying(db)
    return render_template(
        "workshops/desk.html",
        offers=found,
        words=words,
        courses=known,
        most_places=MOST_PLACES,
    )


@area.get("/staff/workshops.csv")
def export() -> Response:
    """Return the same as a table."""
    staff_needed(Role.ANIMATOR)
    lab, say = current_lab(), speech()
    with lab.db.reading() as db:
        found = _offers(lab, db, tables.words())
    heads = [say(one) for one in HEADS]
    rows = [
        (one.workshop.title, one.for_whom, one.price, one.workshop.places, one.sessions)
        for one in found
    ]
    return tables.saved("workshops", heads, rows)


@area.post("/staff/workshops")
def create() -> Response:
    """Offer a workshop."""
    lab, me = current_lab(), staff_needed(Role.ANIMATOR)
    with form() as sent:
        poster = _poster(sent)
    with lab.db.transaction() as db:
        made = workshops.create_workshop(db, lab.clock, by=me.id, **asdict(poster))
    flash(speech()("The workshop is there. Plan its first session now."), "good")
    return go(url_for("workshop_desk.workshop", workshop=made.id))


@page(area, "/staff/workshops/<workshop>")
def workshop(workshop: str) -> str:
    """Show one workshop with its sessions, and forms for one more or a series."""
    me = staff_needed(Role.ANIMATOR)
    lab = current_lab()
    today = lab.clock.now().astimezone(lab.config.time_zone).date()
    with lab.db.reading() as db:
        found = workshops.get_workshop(db, workshop)
        planned = sessions_of(lab, db, found)
        leaders, uses, known = may_lead(db, me.id), usable(db), _certifying(db, found)
    return render_template(
        "workshops/desk_workshop.html",
        workshop=found,
        for_whom=for_whom(found, speech()),
        price=price(found, speech()),
        cards=planned,
        leaders=leaders,
        uses=uses,
        courses=known,
        me=me,
        today=today,
        tomorrow=today + timedelta(days=1),
        in_ten_weeks=today + timedelta(weeks=10),
        most_places=MOST_PLACES,
    )


@area.post("/staff/workshops/<workshop>/change")
def change(workshop: str) -> Response:
    """Say anew what a workshop is; who has a place keeps it."""
    lab, me = current_lab(), staff_needed(Role.ANIMATOR)
    with form() as sent:
        poster = _poster(sent)
    with lab.db.transaction() as db:
        change_workshop(db, lab.clock, workshop_id=workshop, poster=poster, by=me.id)
    flash(speech()("The workshop is changed."), "good")
    return go(url_for("workshop_desk.workshop", workshop=workshop))


@area.get("/staff/workshops/<workshop>/sessions.csv")
def export_sessions(workshop: str) -> Response:
    """Return a workshop's sessions as a table: no names of people."""
    staff_needed(Role.ANIMATOR)
    lab, say = current_lab(), speech()
    with lab.db.reading() as db:
        planned = sessions_of(lab, db, workshops.get_workshop(db, workshop))
    heads = [say(one) for one in SESSION_HEADS]
    zone = lab.config.time_zone
    rows = [
        (
            f"{one.session.start.astimezone(zone):%Y-%m-%d %H:%M}",
            f"{one.session.end.astimezone(zone):%Y-%m-%d %H:%M}",
            one.session.places,
            one.session.held,
            one.session.waiting,
            say("Yes") if one.session.cancelled_at else say("No"),
        )
        for one in planned
    ]
    return tables.saved("sessions", heads, rows)


@area.post("/staff/workshops/<workshop>/retire")
def retire(workshop: str) -> Response:
    """Offer a workshop no more; its sessions stay."""
    lab, me = current_lab(), staff_needed(Role.ANIMATOR)
    with lab.db.transaction() as db:
        workshops.retire_workshop(db, lab.clock, workshop_id=workshop, by=me.id)
    flash(speech()("This workshop is not offered any more. Its sessions stay."), "good")
    return go(url_for("workshop_desk.offered"))


def sessions_of(lab: Lab, db: Session, found: WorkshopView) -> list[Card]:
    """Return a workshop's sessions of the last weeks and to come, the soonest first."""
    now = lab.clock.now()
    near = workshops.sessions_between(db, start=now - BACK, end=now + AHEAD, workshop_id=found.id)
    return [card(lab, one, found, speech()) for one in near]


def _offers(lab: Lab, db: Session, words: str) -> list[Offer]:
    now = lab.clock.now()
    coming: dict[str, list[SessionView]] = {}
    for one in workshops.sessions_between(db, start=now, end=now + AHEAD):
        if one.cancelled_at is None:
            coming.setdefault(one.workshop_id, []).append(one)
    wanted = search_name(words).split()
    return [
        Offer(one, for_whom(one, speech()), price(one, speech()), *_next(lab, coming.get(one.id)))
        for one in workshops.list_workshops(db)
        if all(word in search_name(f"{one.title} {one.description}") for word in wanted)
    ]


def _next(lab: Lab, found: list[SessionView] | None) -> tuple[int, str]:
    if not found:
        return 0, ""
    return len(found), speech().slot(found[0].start, found[0].end, lab.clock.now())


def _certifying(db: Session, found: WorkshopView) -> list[tuple[str, str]]:
    """Return the courses to choose from, the workshop's own with them when it is retired."""
    known = certifying(db)
    if found.course_id is None or found.course_id in dict(known):
        return known
    return [
        *known,
        (found.course_id, courses.get_course(db, found.course_id).title(chosen_language())),
    ]


def _poster(sent: Form) -> Poster:
    """Read what a poster says; the service knows its limits, which are named here by field."""
    least, most = _age(sent, "age_least"), _age(sent, "age_most")
    if least is not None and most is not None and least > most:
        sent.refusals.append(malformed("age_most"))
    return Poster(
        title=sent.text("title"),
        description=sent.maybe_text("description") or "",
        bring=sent.maybe_text("bring") or "",
        places=sent.number("places", 1, MOST_PLACES),
        price_cents=sent.choice("euros", _cents, 0) if sent.has("euros") else 0,
        age_least=least,
        age_most=most,
        accept_hours=sent.number("accept_hours", 1, 720) if sent.has("accept_hours") else 48,
        consent_needed=sent.ticked("consent_needed"),
        course_id=sent.maybe_text("course"),
    )


def _cents(written: str) -> int:
    """Return a price in cents. :raises ValueError: it is none that a workshop can have."""
    found = EUROS.fullmatch(written.strip())
    if (
        found is None
        or (cents := int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))) > MOST_CENTS
    ):
        raise ValueError(written)
    return cents


def _age(sent: Form, name: str) -> int | None:
    return sent.number(name, 0, 120) if sent.has(name) else None
