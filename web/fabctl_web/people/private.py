"""What never opens on a shared screen: language, mail, calendar addresses, keys, one's own data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import flash, make_response, render_template, session, url_for
from werkzeug.wrappers import Response

from fabctl.errors import UnknownIdError
from fabctl.model.refusal import RefusedError
from fabctl.services import (
    feeds,
    mail_queue,
    participants,
    people_desk,
    personal_data,
    staff_day,
    tokens,
)
from fabctl.services.feeds import FeedView
from fabctl.services.people import PersonView
from fabctl.services.people_desk import Change
from fabctl.services.personal_data import Reading
from fabctl_web.bookings.places import all_places
from fabctl_web.downloads import download
from fabctl_web.forms import form
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import NAMES, speech
from fabctl_web.pages import page
from fabctl_web.people import looked
from fabctl_web.people.mine import area
from fabctl_web.people.signed_in import NOT_ON_A_SHARED_SCREEN, go, is_kiosk, person_needed


@dataclass(frozen=True)
class Secret:
    """What is shown once."""

    word: str
    value: str


@dataclass(frozen=True)
class Looked:
    """Somebody looked at a person's file, in words."""

    at: datetime
    who: str
    what: str


def alone() -> PersonView:
    """Return the person, if they are not at a shared screen; else end the request.

    :raises RefusedError: not-on-a-shared-screen.
    """
    person = person_needed()
    if is_kiosk():
        raise RefusedError([NOT_ON_A_SHARED_SCREEN])
    return person


@page(area, "/me/data")
def settings() -> str:
    """Show language, mail, calendar, keys, and what the lab knows of a person."""
    return _settings(alone())


def _settings(person: PersonView, secret: Secret | None = None) -> str:
    lab = current_lab()
    places = {one.id: one.name for one in all_places(lab)}
    with lab.db.reading() as db:
        wish = mail_queue.read_wish(db, person_id=person.id, by=person.id)
        made = tokens.list_tokens(db, person_id=person.id)
        calendars = feeds.of_person(db, person_id=person.id)
        readings, following = looked.page_of(db, person.id)
        names = staff_day.names_of(db, [one.who for one in readings])
        children = participants.children(db, lab.clock, by=person.id)
    return render_template(
        "people/settings.html",
        secret=secret,
        languages=[(code, NAMES.get(code, code)) for code in lab.config.languages],
        lab_sends_mail=lab.config.mail is not None,
        wish=wish,
        tokens=[one for one in made if one.revoked_at is None],
        feeds=[(one, _calendar_word(one, places)) for one in calendars],
        calendars=[
            (feeds.PERSON, speech()("What I have booked")),
            (feeds.WORKSHOPS, speech()("All workshops")),
            *places.items(),
        ],
        readings=[_looked(lab, one, names) for one in readings],
        more_readings=following,
        children=children,
    )


def _calendar_word(found: FeedView, places: Mapping[str, str]) -> str:
    if found.kind == feeds.RESOURCE:
        return places.get(found.subject, found.subject)
    mine = found.kind == feeds.PERSON
    return speech()("What I have booked") if mine else speech()("All workshops")


def _looked(lab: Lab, one: Reading, names: dict[str, str]) -> Looked:
    said = speech()
    who = names.get(one.who or "", lab.config.name)  # the steward, the command line
    return Looked(one.at, who, said(looked.WORDS[one.what]))


@area.post("/me/language")
def set_language() -> Response:
    """Choose the language of the screens and of mails."""
    person, lab = alone(), current_lab()
    with form() as sent:
        language = sent.text("language")
    with lab.db.transaction() as db:
        people_desk.change(
            db,
            lab.clock,
            lab.config.time_zone,
            person_id=person.id,
            change=Change(language=language),
            by=person.id,
        )
    session["language"] = language
    flash(lab.speech(language)("Kept."), "good")
    return go(url_for("mine.settings"))


@area.post("/me/mail")
def set_mail() -> Response:
    """Say where mail goes, and yes or no to it."""
    person, lab = alone(), current_lab()
    with form() as sent:
        address, wanted = sent.maybe_text("address"), sent.ticked("wanted")
    with lab.db.transaction() as db:
        mail_queue.set_wish(
            db, lab.clock, person_id=person.id, address=address, wanted=wanted, by=person.id
        )
    flash(speech()("Kept."), "good")
    return go(url_for("mine.settings"))


@area.post("/me/calendars")
def make_calendar() -> Response:
    """Make a calendar's address and show it once."""
    person, lab = alone(), current_lab()
    with form() as sent:
        what = sent.maybe_text("what") or feeds.PERSON
    own = what in {feeds.PERSON, feeds.WORKSHOPS}
    kind, subject = (what, person.id) if own else (feeds.RESOURCE, what)
    with lab.db.transaction() as db:
        _made, secret = feeds.create(db, lab.clock, kind=kind, subject=subject, by=person.id)
    address = url_for("api_calendars.feed", secret=secret, _external=True)
    shown = Secret(speech()("The address of your calendar"), address)
    return make_response(_settings(person, shown))


@area.post("/me/calendars/<calendar>/revoke")
def revoke_calendar(calendar: str) -> Response:
    """Let an address answer no more."""
    person, lab = alone(), current_lab()
    with lab.db.transaction() as db:
        feeds.revoke(db, lab.clock, feed_id=calendar, by=person.id)
    flash(speech()("This address works no more."), "good")
    return go(url_for("mine.settings"))


@area.post("/me/tokens")
def make_token() -> Response:
    """Make a key for a program and show it once."""
    person, lab = alone(), current_lab()
    with form() as sent:
        name = sent.text("name")[:100]
    with lab.db.transaction() as db:
        _made, secret = tokens.create_token(
            db, lab.clock, person_id=person.id, name=name, by=person.id
        )
    return make_response(_settings(person, Secret(speech()("Your new key"), secret)))


@area.post("/me/tokens/<token>/revoke")
def revoke_token(token: str) -> Response:
    """End one of one's own keys."""
    person, lab = alone(), current_lab()
    with lab.db.transaction() as db:
        tokens.revoke_token(db, lab.clock, token_id=token, by=person.id)
    flash(speech()("This key works no more."), "good")
    return go(url_for("mine.settings"))


@area.post("/me/export")
def export() -> Response:
    """Hand out all that is kept about a person, or a child of theirs, as a file."""
    person, lab = alone(), current_lab()
    with form() as sent:
        whose = sent.maybe_text("person") or person.id
    with lab.db.transaction() as db:
        children = {one.id for one in participants.children(db, lab.clock, by=person.id)}
        if whose not in {person.id, *children}:
            raise UnknownIdError(f"no data of {whose!r} for this person")
        found = personal_data.export(db, lab.clock, person_id=whose, by=person.id)
    text = json.dumps(found, ensure_ascii=False, indent=1)
    return download(text, "application/json; charset=utf-8", "my-data.json")
