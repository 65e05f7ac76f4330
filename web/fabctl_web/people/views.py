"""Signing in and out, and a person's own page."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, flash, render_template, request, url_for
from werkzeug.wrappers import Response

from fabctl.model.people import PASSWORD_MAX, PIN_DIGITS
from fabctl.model.screens import BADGE_MOST
from fabctl.services import badges, people, wrong_tries
from fabctl.services.password_sign_in import check_password
from fabctl.services.people import PersonView, TooManyFromHereError, TooManyTriesError
from fabctl_web.kiosks.paired import device
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.outside import offered
from fabctl_web.people.own import own_things
from fabctl_web.people.own_workshops import own_workshops
from fabctl_web.people.signed_in import (
    close_session,
    extend_session,
    go,
    is_kiosk,
    open_session,
    person_needed,
    safe_next,
)

area = Blueprint("people", __name__, template_folder="templates")

LONG_AGO_S = 3600
"""A touch as old as this extends nothing."""


@area.get("/in")
def enter() -> str:
    """Show the PIN pad on a shared screen, the password form elsewhere and on demand."""
    wants_password = request.args.get("with") == "password"
    by_code = is_kiosk() and not wants_password
    return render_template(
        "people/pin.html" if by_code else "people/password.html",
        next=safe_next(request.args.get("next")),
        pin_digits=PIN_DIGITS,
        wait_s=_pin_wait_s() if by_code else 0,
        elsewhere=offered(),
        needs_token=True,
    )


def _pin_wait_s() -> int:
    """Return for how long this screen takes no PIN; badges and passwords go on."""
    lab = current_lab()
    with lab.db.reading() as db:
        return wrong_tries.wait_s(db, lab.clock, "pin", device())


@area.post("/in/password")
def by_password() -> Response:
    """Sign in with login and password."""
    login = request.form.get("login", "")[:200]
    password = request.form.get("password", "")[: PASSWORD_MAX + 1]
    lab = current_lab()
    try:
        person = check_password(lab.db, lab.clock, login, password, request.remote_addr)
    except TooManyFromHereError as error:
        wait = speech().lasting(error.wait_s)
        said = speech()("Too many wrong tries from here. Wait {time}.", time=wait)
        return _again(said, with_password=True)
    except TooManyTriesError as error:
        return _again(_locked(error), with_password=True)
    if person is None:
        return _again(speech()("This login and this password do not fit."), with_password=True)
    return _welcome(person)


@area.post("/in/pin")
def by_pin() -> Response:
    """Sign in with a PIN: only on a shared screen of the lab."""
    if not is_kiosk():
        return _again(speech()("A PIN works on the lab's screens only."), with_password=True)
    lab = current_lab()
    pin = request.form.get("pin", "")[:PIN_DIGITS]
    try:
        with lab.db.transaction() as db:
            person = people.check_pin(db, lab.clock, lab.secret, pin, device())
    except TooManyTriesError:
        return _again()  # the page says it, and offers the other ways
    if person is None:
        return _again(speech()("This code is wrong. Try again."))
    return _welcome(person)


@area.post("/in/badge")
def by_badge() -> Response:
    """Sign in with the badge that was held before a shared screen's reader.

    Whoever was signed in there is out, whatever the badge is: somebody else stands there now.
    """
    if not is_kiosk():
        return _again(speech()("A badge works on the lab's screens only."), with_password=True)
    lab = current_lab()
    close_session()
    number = request.form.get("number", "")[: BADGE_MOST + 1]
    try:
        with lab.db.transaction() as db:
            person = badges.check_badge(db, lab.clock, lab.secret, number, device())
    except TooManyTriesError as error:
        wait = error.wait_s
        return _again(speech()("Too many unknown badges here. Wait {seconds} s.", seconds=wait))
    if person is None:
        return _again(speech()("This badge is not known. Ask the staff."))
    return _welcome(person)


@area.post("/in/extend")
def extend() -> Response:
    """Begin a shared screen's idle minute anew: somebody touched it, ``idle`` seconds ago."""
    idle_s = request.args.get("idle", 0, type=int)
    return Response(status=204 if extend_session(min(max(idle_s, 0), LONG_AGO_S)) else 401)


@area.post("/out")
def leave() -> Response:
    """Sign out."""
    close_session()
    return go("/")


@page(area, "/me")
def me() -> str:
    """Show a person what is theirs: reservations, certifications, jobs."""
    person = person_needed()
    lab, said = current_lab(), speech()
    return render_template(
        "people/me.html",
        own=own_things(lab, person, said),
        workshops=own_workshops(lab, person, said),
    )


def _welcome(person: PersonView) -> Response:
    close_session()
    open_session(person)
    return go(safe_next(request.form.get("next")))


def _again(message: str = "", *, with_password: bool = False) -> Response:
    if message:
        flash(message, "bad")
    values = {"next": safe_next(request.form.get("next"))}
    if with_password:
        values["with"] = "password"
    return go(f"{url_for('people.enter')}?{urlencode(values)}")


def _locked(error: TooManyTriesError) -> str:
    minutes = speech().lasting(error.wait_s)
    return speech()("Too many wrong tries. Ask the staff, or wait {time}.", time=minutes)
