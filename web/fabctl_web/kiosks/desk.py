"""The staff's page of shared screens: new ones, codes to pair them, settings, locks."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, flash, make_response, render_template, url_for
from werkzeug.wrappers import Response as Answer

from fabctl.model.screens import BRIGHTNESS, IDLE_S, ScreenSettings
from fabctl.services import screens, unlocking
from fabctl.services.screens import ScreenView
from fabctl_web.api.reading import malformed
from fabctl_web.forms import Form, form
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, safe_next, staff_needed

area = Blueprint("screen_desk", __name__, template_folder="templates")


@dataclass(frozen=True)
class Line:
    """A screen as the page lists it."""

    view: ScreenView
    paired: str
    """Since when; empty: it is not paired."""
    address: str
    night_from: str
    night_until: str


@page(area, "/staff/screens")
def listed() -> str:
    """List the shared screens, and those that are locked."""
    return _page()


@area.post("/staff/screens")
def add() -> Answer:
    """Add a screen."""
    me, lab = staff_needed(), current_lab()
    with form() as sent:
        screen_id = sent.text("screen")
        wanted = _settings(sent)
    with lab.db.transaction() as db:
        screens.add_screen(db, lab.clock, screen_id=screen_id, wanted=wanted, by=me.id)
    flash(speech()("Added. Now make a code to pair it."), "good")
    return go(url_for("screen_desk.listed"))


@area.post("/staff/screens/<screen>/change")
def change(screen: str) -> Answer:
    """Change a screen's settings."""
    me, lab = staff_needed(), current_lab()
    with form() as sent:
        wanted = _settings(sent)
    with lab.db.transaction() as db:
        screens.change_screen(db, lab.clock, screen_id=screen, wanted=wanted, by=me.id)
    flash(speech()("Saved. The screen follows at its next page."), "good")
    return go(url_for("screen_desk.listed"))


@area.post("/staff/screens/<screen>/code")
def code(screen: str) -> Response:
    """Show a new code: once, on this answer, to be read out."""
    me, lab = staff_needed(), current_lab()
    with lab.db.transaction() as db:
        made = screens.new_code(db, lab.clock, lab.secret, screen_id=screen, by=me.id)
    return make_response(_page(code=(screen, made)))


@area.post("/staff/screens/<screen>/unpair")
def unpair(screen: str) -> Answer:
    """Let the browser on the wall be no shared screen any more."""
    me, lab = staff_needed(), current_lab()
    with lab.db.transaction() as db:
        screens.unpair(db, lab.clock, screen_id=screen, by=me.id)
    flash(speech()("That browser is no shared screen any more."), "good")
    return go(url_for("screen_desk.listed"))


@area.post("/staff/screens/<screen>/remove")
def remove(screen: str) -> Answer:
    """Delete a screen and its settings."""
    me, lab = staff_needed(), current_lab()
    with lab.db.transaction() as db:
        screens.remove_screen(db, lab.clock, screen_id=screen, by=me.id)
    flash(speech()("Removed."), "good")
    return go(url_for("screen_desk.listed"))


def _page(code: tuple[str, str] | None = None) -> str:
    me, lab = staff_needed(), current_lab()
    with lab.db.reading() as db:
        found = screens.list_screens(db, by=me.id)
        locked = unlocking.locked_devices(db, lab.clock)
    names = {one.device: one.settings.name for one in found}
    return render_template(
        "kiosks/screens.html",
        lines=[_line(one) for one in found],
        locked=[(device, names.get(device, device)) for device in locked],
        code=code,
        idle=IDLE_S,
        new=ScreenSettings(""),
        brightness=[(step, speech().percent(step / 100)) for step in BRIGHTNESS],
    )


def _line(one: ScreenView) -> Line:
    night = one.settings.night
    now = current_lab().clock.now()
    return Line(
        one,
        speech().moment(one.paired_at, now) if one.paired_at else "",
        url_for("kiosks.screen", screen=one.id, _external=True),
        _clock(night[0]) if night else "",
        _clock(night[1]) if night else "",
    )


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _settings(sent: Form) -> ScreenSettings:
    """Return what was typed; a home page that is none of ours is malformed."""
    name = sent.text("name")
    idle_s = sent.number("idle", 1, 86_400)
    brightness = sent.number("brightness", 1, 100)
    home = sent.maybe_text("home") or "/"
    if safe_next(home) != home:
        sent.refusals.append(malformed("home"))
    return ScreenSettings(name, idle_s, brightness, _night(sent), home)


def _night(sent: Form) -> tuple[int, int] | None:
    ends = _minutes(sent, "night_from"), _minutes(sent, "night_until")
    if ends == (None, None):
        return None
    if ends[0] is None or ends[1] is None:
        sent.refusals.append(malformed("night"))
        return None
    return ends[0], ends[1]


def _minutes(sent: Form, name: str) -> int | None:
    written = sent.maybe_text(name)
    if written is None:
        return None
    hours, _, minutes = written.partition(":")
    if not (hours.isdecimal() and minutes.isdecimal() and int(hours) < 24 and int(minutes) < 60):
        sent.refusals.append(malformed(name))
        return None
    return int(hours) * 60 + int(minutes)
