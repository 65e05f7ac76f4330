"""Putting workshops on: what is offered, sessions, series, places. For staff and animators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, flash, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from fabctl.model.booking_facts import ResourceKind
from fabctl.model.people import Role, search_name
from fabctl.model.workshop_sessions import MOST_PLACES
from fabctl.services import courses, people_records, resources, workshops
from fabctl.services.workshops import SessionView, WorkshopView
from fabctl_web import tables
from fabctl_web.api.reading import malformed
from fabctl_web.forms import Form, form
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import chosen_language, speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, staff_needed
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
MOST_EUROS = 10_000
LEADERS = (Role.ANIMATOR, Role.STAFF, Role.ADMIN, Role.TRAINER)


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
        known = courses.list_courses(db)
    return render_template(
        "workshops/desk.html",
        offers=found,
        words=words,
        courses=[("", speech()("None"))]
        + [(one.id, one.title(chosen_language())) for one in known],
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
        title, places = sent.text("title"), sent.number("places", 1, MOST_PLACES)
        euros = sent.number("euros", 0, MOST_EUROS) if sent.has("euros") else 0
        hours = sent.number("accept_hours", 1, 720) if sent.has("accept_hours") else 48
        least, most = _age(sent, "age_least"), _age(sent, "age_most")
        if least is not None and most is not None and least > most:
            sent.refusals.append(malformed("age_most"))
        described, bring = sent.maybe_text("description"), sent.maybe_text("bring")
        course = sent.maybe_text("course")
    with lab.db.transaction() as db:
        made = workshops.create_workshop(
            db,
            lab.clock,
            title=title,
            places=places,
            by=me.id,
            description=described or "",
            bring=bring or "",
            price_cents=euros * 100,
            age_least=least,
            age_most=most,
            accept_hours=hours,
            consent_needed=sent.ticked("consent_needed"),
            course_id=course,
        )
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
        leaders = [
            (one.id, one.display_name)
            for role in LEADERS
            for one in people_records.find_people(db, by=me.id, role=role, limit=200)
        ]
        uses = usable(db)
    return render_template(
        "workshops/desk_workshop.html",
        workshop=found,
        for_whom=for_whom(found, speech()),
        price=price(found, speech()),
        cards=planned,
        leaders=leaders,
        uses=uses,
        me=me,
        today=today,
        tomorrow=today + timedelta(days=1),
        in_ten_weeks=today + timedelta(weeks=10),
        most_places=MOST_PLACES,
    )


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


def usable(db: Session) -> list[tuple[str, str]]:
    """Return what a session can use: machines and spaces, ids and names."""
    found = [one for one in resources.list_all(db) if one.kind is not ResourceKind.SEAT]
    return [(one.id, one.name) for one in sorted(found, key=lambda one: one.name.casefold())]


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


def _age(sent: Form, name: str) -> int | None:
    return sent.number(name, 0, 120) if sent.has(name) else None
