"""Sessions as the desk plans them: one or a series, changed, made larger, cancelled."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time

from flask import Blueprint, flash, render_template, url_for
from werkzeug.wrappers import Response

from fabctl.model.booking import Slot
from fabctl.model.people import Role
from fabctl.model.workshop_sessions import MOST_PLACES, session_slot
from fabctl.services import session_changes, sessions, workshops
from fabctl_web.api.reading import malformed
from fabctl_web.forms import Form, form
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.people.signed_in import go, staff_needed

area = Blueprint("session_planning", __name__, template_folder="templates")

FIRST_YEAR, LAST_YEAR = 1970, 9000
"""So that a day more or less is still in the calendar."""


@area.post("/staff/workshops/<workshop>/sessions")
def schedule(workshop: str) -> Response:
    """Put one session on, with the machines and spaces that it uses."""
    lab, me = current_lab(), staff_needed(Role.ANIMATOR)
    with form() as sent:
        slot = _slot(sent)
        uses, leaders, places = _uses(sent)
    with lab.db.transaction() as db:
        made = sessions.schedule(
            db,
            lab.clock,
            workshop_id=workshop,
            slot=slot,
            resource_ids=uses,
            animators=leaders,
            places=places,
            by=me.id,
        )
    _tell_screens(made.resource_ids)
    flash(speech()("The session is planned."), "good")
    return go(url_for("session_desk.page", session=made.id))


@area.post("/staff/workshops/<workshop>")
def schedule_weekly(workshop: str) -> Response | str:
    """Put a session on every week. Dates that cannot be are listed, with why."""
    lab, me = current_lab(), staff_needed(Role.ANIMATOR)
    with form() as sent:
        first, until = _day(sent, "first"), _day(sent, "until")
        starts, ends = _time(sent, "starts"), _time(sent, "ends")
        uses, leaders, places = _uses(sent)
    with lab.db.transaction() as db:
        report = sessions.schedule_weekly(
            db,
            lab.clock,
            lab.config.time_zone,
            workshop_id=workshop,
            first=first,
            until=until,
            starts=starts,
            ends=ends,
            resource_ids=uses,
            animators=leaders,
            places=places,
            skip_refused=sent.ticked("skip_refused"),
            by=me.id,
        )
        title = workshops.get_workshop(db, workshop).title
    _tell_screens(uses)
    if not report.refused:
        flash(speech()("Sessions planned: {count}.", count=len(report.made)), "good")
        return go(url_for("workshop_desk.workshop", workshop=workshop))
    zone = lab.config.time_zone
    return render_template(
        "workshops/series_refused.html",
        title=title,
        workshop_id=workshop,
        made=len(report.made),
        refused=[
            (speech().day(session_slot(one.day, starts, ends, zone).start, lab.clock.now()), one)
            for one in report.refused
        ],
        again={"first": first, "until": until, "starts": starts, "ends": ends, "places": places},
        uses=uses,
        leaders=leaders,
    )


@area.post("/staff/sessions/<session>/change")
def change(session: str) -> Response:
    """Change when a session is, what it uses and who leads it; whom that concerns is told."""
    lab, me = current_lab(), staff_needed(Role.ANIMATOR)
    with form() as sent:
        slot = _slot(sent)
        uses, leaders, _places = _uses(sent)
    with lab.db.transaction() as db:
        before = workshops.get_session(db, session)
        after = session_changes.change(
            db,
            lab.clock,
            session_id=session,
            slot=None if _same_minutes(slot, before.slot) else slot,
            resource_ids=uses,
            animators=leaders,
            by=me.id,
        )
    _tell_screens({*before.resource_ids, *after.resource_ids})
    if after == before:
        flash(speech()("Nothing was different."), "good")
    elif after.slot != before.slot:
        flash(speech()("The session is moved. Everybody with a place is told."), "good")
    else:
        flash(speech()("The session is changed. Who has a place is told of a new room."), "good")
    return go(url_for("session_desk.page", session=session))


def _same_minutes(one: Slot, other: Slot) -> bool:
    """Say whether a form shows two stretches of time alike: it knows no seconds."""
    moments = ((one.start, other.start), (one.end, other.end))
    return all(
        a.replace(second=0, microsecond=0) == b.replace(second=0, microsecond=0) for a, b in moments
    )


@area.post("/staff/sessions/<session>/places")
def set_places(session: str) -> Response:
    """Change how many places a session has."""
    lab, me = current_lab(), staff_needed(Role.ANIMATOR)
    with form() as sent:
        places = sent.number("places", 1, MOST_PLACES)
    with lab.db.transaction() as db:
        sessions.set_places(db, lab.clock, session_id=session, places=places, by=me.id)
    flash(speech()("Places in this session now: {count}.", count=places), "good")
    return go(url_for("session_desk.page", session=session))


@area.post("/staff/sessions/<session>/cancel")
def cancel(session: str) -> Response:
    """Cancel a session, with a reason that people are told."""
    lab, me = current_lab(), staff_needed(Role.ANIMATOR)
    with form() as sent:
        reason = sent.text("reason")
    with lab.db.transaction() as db:
        used = workshops.get_session(db, session).resource_ids
        told = sessions.cancel_session(db, lab.clock, session_id=session, reason=reason, by=me.id)
    _tell_screens(used)
    flash(speech()("The session is cancelled. People told: {count}.", count=len(told)), "good")
    return go(url_for("session_desk.page", session=session))


def _slot(sent: Form) -> Slot:
    """Read a day, a begin and an end; an end before the begin is on the next day."""
    zone = current_lab().config.time_zone
    return session_slot(_day(sent, "day"), _time(sent, "starts"), _time(sent, "ends"), zone)


def _day(sent: Form, name: str) -> date:
    found = sent.day(name)
    if FIRST_YEAR <= found.year <= LAST_YEAR:
        return found
    sent.refusals.append(malformed(name))
    return date(FIRST_YEAR, 1, 1)


def _time(sent: Form, name: str) -> time:
    found = sent.choice(name, time.fromisoformat, time())
    if found.tzinfo is not None:
        sent.refusals.append(malformed(name))
    return found.replace(tzinfo=None)


def _uses(sent: Form) -> tuple[list[str], list[str], int | None]:
    """Read what a session uses: machines and spaces, animators, places."""
    return (
        sent.several("uses"),
        sent.several("leaders"),
        sent.number("places", 1, MOST_PLACES) if sent.has("places") else None,
    )


def _tell_screens(used: Iterable[str]) -> None:
    """Let every screen that shows one of the lab's machines look again."""
    lab = current_lab()
    for one in used:
        lab.booked_anew(one)
