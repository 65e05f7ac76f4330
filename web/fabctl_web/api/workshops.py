"""Workshops and their sessions, for programs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import jsonify, make_response
from werkzeug.wrappers import Response

from fabctl.model.booking import Slot
from fabctl.model.workshop_sessions import MOST_PLACES
from fabctl.services import session_changes, sessions, workshops
from fabctl.services.workshop_changes import Poster, change_workshop, poster_of
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.reading import Sent
from fabctl_web.api.workshops_shape import (
    series_json,
    session_json,
    session_key,
    workshop_json,
    workshop_key,
)
from fabctl_web.lab import current_lab

area = api_area("workshops")

LOOK_AHEAD = timedelta(days=60)
"""What is listed where a program does not say until when."""
LONGEST_LIST = timedelta(days=400)
FIRST_YEAR, LAST_YEAR = 1970, 9000
"""So that a day more or less is still in the calendar."""
MOST_CENTS = 1_000_000
MOST_RESOURCES = 50


@area.get("/workshops")
def workshop_list() -> Response:
    """List what is offered."""
    asked = reading.page()
    with current_lab().db.reading() as db:
        found = sorted(workshops.list_workshops(db), key=workshop_key)
    return reading.paged("workshops", found, asked, workshop_key, workshop_json)


@area.get("/workshops/<workshop>")
def workshop(workshop: str) -> Response:
    """Show one workshop."""
    with current_lab().db.reading() as db:
        return jsonify(workshop_json(workshops.get_workshop(db, workshop)))


@area.post("/workshops")
def create() -> Response:
    """Offer a workshop."""
    lab, me = current_lab(), caller()
    with reading.body() as sent:
        title, places = sent.text("title"), sent.number("places", 1, MOST_PLACES)
        price = sent.number("price_cents", 0, MOST_CENTS) if sent.has("price_cents") else 0
        hours = sent.number("accept_hours", 1, 720) if sent.has("accept_hours") else 48
        consent, course = sent.flag("consent_needed", usual=True), sent.maybe_text("course")
        least, most = _age(sent, "age_least"), _age(sent, "age_most")
        description = sent.maybe_text("description") or ""
        bring = sent.maybe_text("bring") or ""
    with lab.db.transaction() as db:
        made = workshops.create_workshop(
            db,
            lab.clock,
            title=title,
            places=places,
            by=me.id,
            description=description,
            bring=bring,
            price_cents=price,
            age_least=least,
            age_most=most,
            accept_hours=hours,
            consent_needed=consent,
            course_id=course,
        )
    return make_response(jsonify(workshop_json(made)), 201)


@area.patch("/workshops/<workshop>")
def change_poster(workshop: str) -> Response:
    """Change what a workshop's poster says; what is left out stays."""
    lab, me = current_lab(), caller()
    with lab.db.reading() as db:
        poster = poster_of(workshops.get_workshop(db, workshop))
    with reading.body() as sent:
        poster = _poster(sent, poster)
    with lab.db.transaction() as db:
        found = change_workshop(db, lab.clock, workshop_id=workshop, poster=poster, by=me.id)
    return jsonify(workshop_json(found))


@area.delete("/workshops/<workshop>")
def retire(workshop: str) -> Response:
    """Offer a workshop no more; its sessions stay."""
    lab, me = current_lab(), caller()
    with lab.db.transaction() as db:
        workshops.retire_workshop(db, lab.clock, workshop_id=workshop, by=me.id)
        found = workshops.get_workshop(db, workshop)
    return jsonify(workshop_json(found))


@area.get("/sessions")
def session_list() -> Response:
    """List the sessions between ``from`` and ``until``, the soonest first."""
    lab, me, asked = current_lab(), caller(), reading.page()
    with reading.query() as sent:
        start = sent.instant("from") if sent.has("from") else lab.clock.now()
        end = sent.instant("until") if sent.has("until") else _until(start)
        workshop_id = sent.maybe_text("workshop")
        if not timedelta() < end - start <= LONGEST_LIST:
            sent.refusals.append(reading.malformed("until"))
    after = reading.instant_and_id(asked)
    with lab.db.reading() as db:
        found = workshops.sessions_between(
            db, start=start, end=end, workshop_id=workshop_id, after=after, limit=asked.limit + 1
        )
    staff = me.role.acts_for_others
    return reading.paged(
        "sessions", found, asked, session_key, lambda one: session_json(one, staff=staff)
    )


@area.get("/sessions/<session>")
def session(session: str) -> Response:
    """Show one session."""
    with current_lab().db.reading() as db:
        found = workshops.get_session(db, session)
    return jsonify(session_json(found, staff=caller().role.acts_for_others))


@area.post("/sessions")
def schedule() -> Response:
    """Put a session on, with the machines and spaces that it uses."""
    lab, me = current_lab(), caller()
    with reading.body() as sent:
        workshop_id, slot = sent.text("workshop"), _slot(sent)
        resources, animators, places = _uses(sent)
    with lab.db.transaction() as db:
        made = sessions.schedule(
            db,
            lab.clock,
            workshop_id=workshop_id,
            slot=slot,
            resource_ids=resources,
            animators=animators,
            places=places,
            by=me.id,
        )
    _tell_screens(made.resource_ids)
    return make_response(jsonify(session_json(made, staff=True)), 201)


@area.post("/sessions/weekly")
def schedule_weekly() -> Response:
    """Put a session on every week: 201, or 200 when nothing was made because dates were refused."""
    lab, me = current_lab(), caller()
    with reading.body() as sent:
        workshop_id, first, until = sent.text("workshop"), _day(sent, "first"), _day(sent, "until")
        starts, ends = _time(sent, "starts"), _time(sent, "ends")
        resources, animators, places = _uses(sent)
        skip_refused = sent.flag("skip_refused")
    with lab.db.transaction() as db:
        report = sessions.schedule_weekly(
            db,
            lab.clock,
            lab.config.time_zone,
            workshop_id=workshop_id,
            first=first,
            until=until,
            starts=starts,
            ends=ends,
            resource_ids=resources,
            animators=animators,
            places=places,
            skip_refused=skip_refused,
            by=me.id,
        )
    _tell_screens(resources)
    return make_response(jsonify(series_json(report)), 201 if report.made else 200)


@area.patch("/sessions/<session>")
def change(session: str) -> Response:
    """Move a session, change what it uses, who leads it, or how many places it has."""
    lab, me = current_lab(), caller()
    with reading.body() as sent:
        slot = _slot(sent) if sent.has("start") or sent.has("end") else None
        uses, leaders, places = _uses(sent)
        resource_ids = uses if sent.has("resources") else None
        animators = leaders if sent.has("animators") else None
        if slot is None and resource_ids is None and animators is None and places is None:
            sent.refusals.append(reading.malformed("start"))
    with lab.db.transaction() as db:
        before = workshops.get_session(db, session)
        found = session_changes.change(
            db,
            lab.clock,
            session_id=session,
            slot=slot,
            resource_ids=resource_ids,
            animators=animators,
            by=me.id,
        )
        if places is not None:
            found = sessions.set_places(db, lab.clock, session_id=session, places=places, by=me.id)
    _tell_screens({*before.resource_ids, *found.resource_ids})
    return jsonify(session_json(found, staff=True))


@area.delete("/sessions/<session>")
def cancel(session: str) -> Response:
    """Cancel a session, with a reason."""
    lab, me = current_lab(), caller()
    with reading.query() as sent:
        reason = sent.text("reason")
    with lab.db.transaction() as db:
        told = sessions.cancel_session(db, lab.clock, session_id=session, reason=reason, by=me.id)
        found = workshops.get_session(db, session)
    _tell_screens(found.resource_ids)
    return jsonify({"session": session_json(found, staff=True), "tell": told})


def _poster(sent: Sent, was: Poster) -> Poster:
    """Read a poster's fields; an age or a course that is null is none any more."""
    fields: dict[str, Any] = {
        name: sent.text(name) for name in ("title", "description", "bring") if sent.has(name)
    }
    limits = {"places": (1, MOST_PLACES), "price_cents": (0, MOST_CENTS), "accept_hours": (1, 720)}
    fields |= {name: sent.number(name, *of) for name, of in limits.items() if sent.has(name)}
    for age in ("age_least", "age_most"):
        if sent.has(age) or sent.is_null(age):
            fields[age] = _age(sent, age)
    course = None if sent.is_null("course") else sent.maybe_text("course") or was.course_id
    consent = sent.flag("consent_needed", usual=was.consent_needed)
    return replace(was, **fields, consent_needed=consent, course_id=course)


def _until(start: datetime) -> datetime:
    """Return the usual end of a list. The last days of the calendar have none."""
    try:
        return start + LOOK_AHEAD
    except OverflowError:
        return start


def _age(sent: Sent, name: str) -> int | None:
    return sent.number(name, 0, 120) if sent.has(name) else None


def _slot(sent: Sent) -> Slot:
    """Read a stretch of time; that its end comes after its begin is a rule's, not ours."""
    for name in ("start", "end"):
        if sent.instant(name).year > LAST_YEAR:
            sent.refusals.append(reading.malformed(name))
    return Slot(sent.instant("start"), sent.instant("end"))


def _day(sent: Sent, name: str) -> date:
    found = sent.day(name)
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        sent.refusals.append(reading.malformed(name))
    return found


def _time(sent: Sent, name: str) -> time:
    found = sent.choice(name, time.fromisoformat, time())
    if found.tzinfo is not None:
        sent.refusals.append(reading.malformed(name))
    return found


def _uses(sent: Sent) -> tuple[list[str], list[str], int | None]:
    """Read what a session uses: resources, animators, places."""
    return (
        sent.texts("resources", MOST_RESOURCES) if sent.has("resources") else [],
        sent.texts("animators", MOST_RESOURCES) if sent.has("animators") else [],
        sent.number("places", 1, MOST_PLACES) if sent.has("places") else None,
    )


def _tell_screens(resource_ids: Iterable[str]) -> None:
    """Let every screen that shows one of the lab's machines look again."""
    lab = current_lab()
    for resource_id in resource_ids:
        if resource_id in lab.config.machines:
            lab.booked_anew(resource_id)
