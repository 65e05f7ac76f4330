"""Signing in and out, and a person's own page."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, flash, render_template, request, url_for
from werkzeug.wrappers import Response

from fabctl.model.people import PASSWORD_MAX, PIN_DIGITS
from fabctl.services import people
from fabctl.services.people import PersonView, TooManyTriesError
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.own import own_things
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


@area.get("/in")
def enter() -> str:
    """Show the PIN pad on a shared screen, the password form elsewhere and on demand."""
    wants_password = request.args.get("with") == "password"
    template = "people/pin.html" if is_kiosk() and not wants_password else "people/password.html"
    return render_template(
        template,
        next=safe_next(request.args.get("next")),
        pin_digits=PIN_DIGITS,
        needs_token=True,
    )


@area.post("/in/password")
def by_password() -> Response:
    """Sign in with login and password."""
    login = request.form.get("login", "")[:200]
    password = request.form.get("password", "")[: PASSWORD_MAX + 1]
    lab = current_lab()
    try:
        with lab.db.transaction() as db:
            person = people.check_password(db, lab.clock, login, password)
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
            person = people.check_pin(db, lab.clock, lab.secret, pin, request.remote_addr or "")
    except TooManyTriesError as error:
        return _again(_locked(error))
    if person is None:
        return _again(speech()("This code is wrong. Try again."))
    return _welcome(person)


@area.post("/in/extend")
def extend() -> Response:
    """Begin a shared screen's idle minute anew: somebody touched it."""
    return Response(status=204 if extend_session() else 401)


@area.post("/out")
def leave() -> Response:
    """Sign out."""
    close_session()
    return go("/")


@page(area, "/me")
def me() -> str:
    """Show a person what is theirs: reservations, certifications, jobs."""
    person = person_needed()
    return render_template("people/me.html", own=own_things(current_lab(), person, speech()))


def _welcome(person: PersonView) -> Response:
    close_session()
    open_session(person)
    return go(safe_next(request.form.get("next")))


def _again(message: str, *, with_password: bool = False) -> Response:
    flash(message, "bad")
    values = {"next": safe_next(request.form.get("next"))}
    if with_password:
        values["with"] = "password"
    return go(f"{url_for('people.enter')}?{urlencode(values)}")


def _locked(error: TooManyTriesError) -> str:
    minutes = speech().lasting(error.wait_s)
    return speech()("Too many wrong tries. Ask the staff, or wait {time}.", time=minutes)
