"""A screen on a wall: its own address pairs it, once, and leads to its home page ever after."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for

from fabctl.model.screens import CODE_DIGITS
from fabctl.services import screens
from fabctl.services.people import TooManyTriesError
from fabctl_web.kiosks.paired import COOKIE, keep, paired_screen
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import close_session, go

area = Blueprint("kiosks", __name__, template_folder="templates")


@page(area, "/kiosk/<screen>")
def screen(screen: str) -> Response:
    """Lead a paired screen to its home page; ask every other browser for the code."""
    paired = paired_screen()
    if paired is not None and paired.id == screen:
        return keep(make_response(go(paired.settings.home)), request.cookies[COOKIE])
    with current_lab().db.reading() as db:
        found = screens.get_screen(db, screen)
    return make_response(
        render_template("kiosks/pair.html", screen_id=found.id, code_digits=CODE_DIGITS)
    )


@area.post("/kiosk/<screen>/pair")
def pair(screen: str) -> Response:
    """Make this browser the screen, with the code that the staff read out.

    Whoever was signed in here is out: a shared screen keeps nobody for long.
    """
    lab = current_lab()
    code = request.form.get("pin", "")[:CODE_DIGITS]
    try:
        with lab.db.transaction() as db:
            token = screens.pair(
                db,
                lab.clock,
                lab.secret,
                screen_id=screen,
                code=code,
                address=request.remote_addr or "",
            )
    except TooManyTriesError as error:
        return _again(
            screen, speech()("Too many wrong codes. Wait {seconds} s.", seconds=error.wait_s)
        )
    if token is None:
        return _again(screen, speech()("This code is wrong or too old. Ask the staff."))
    close_session()
    return keep(make_response(go(url_for("kiosks.screen", screen=screen))), token)


def _again(screen: str, message: str) -> Response:
    flash(message, "bad")
    return make_response(go(url_for("kiosks.screen", screen=screen)))
