"""The interlock's panel for a page that polls, and the history for the staff. Only ever read.

No address of the web presses reset, bypasses an input or clears a fault: that is done at the
machine (a test lists every address and verb).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from flask import Blueprint, abort, render_template, request
from werkzeug.wrappers import Response

from fabctl.model.event import INTERLOCK_PREFIX, EventKind
from fabctl.services import interlock_history
from fabctl.services.interlock_history import Wanted
from fabctl.services.people import PersonView
from fabctl_web.downloads import download
from fabctl_web.interlocks.history import KINDS, rows_of
from fabctl_web.interlocks.shown import interlock_of
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import person_needed, signed_in

area = Blueprint("interlocks", __name__, template_folder="templates")

MOST_WORDS = 80
YEARS = range(2000, 2200)
"""Days outside are no search; arithmetic with them may leave the calendar."""


@area.get("/m/<machine>/interlock")
def panel(machine: str) -> str:
    """Return the panel alone: for a page that polls because every stream is taken."""
    lock = interlock_of(current_lab(), machine, speech())
    if lock is None:
        abort(404)
    return render_template("interlocks/panel.html", lock=lock)


@page(area, "/interlocks")
def history() -> str:
    """Show what happened: trips, faults, refused permits. Staff only."""
    lab, person = current_lab(), _reader()
    with lab.db.reading() as db:
        found = interlock_history.search(db, by=person.id, wanted=_wanted(lab))
    return render_template(
        "interlocks/history.html",
        rows=rows_of(found, lab, speech()),
        full=len(found) >= interlock_history.MOST_SHOWN,
        asked=_asked(),
        machines=[
            lab.config.machines[m] for m in lab.config.interlocks if m in lab.config.machines
        ],
        kinds=[(kind.value, speech()(word)) for kind, word in KINDS.items()],
    )


@area.get("/interlocks.csv")
def export() -> Response:
    """Send the same lines as CSV, every one of them. Staff only."""
    lab, person = current_lab(), _reader()
    lines = _lines(lab, person.id, _wanted(lab))
    return download(lines, "text/csv; charset=utf-8", "interlocks.csv")


def reads_history() -> bool:
    """Say whether whoever is signed in may read the history."""
    person = signed_in()
    return person is not None and _may_read(person)


def _reader() -> PersonView:
    """Return the person, if they are of the staff; else end the request (sign-in, or 403)."""
    person = person_needed()
    if not _may_read(person):
        abort(403)
    return person


def _may_read(person: PersonView) -> bool:
    lab = current_lab()
    with lab.db.reading() as db:
        return interlock_history.may_read(db, person.id)


def _lines(lab: Lab, person: str, wanted: Wanted) -> Iterator[bytes]:
    with lab.db.reading() as db:
        for line in interlock_history.export_csv(db, by=person, wanted=wanted):
            yield line.encode()


def _asked() -> dict[str, str]:
    names = ("machine", "kind", "words", "since", "until")
    return {name: request.args.get(name, "")[:MOST_WORDS] for name in names}


def _wanted(lab: Lab) -> Wanted:
    asked = _asked()
    known: set[str] = {kind.value for kind in EventKind if kind.startswith(INTERLOCK_PREFIX)}
    until = _day(lab, asked["until"])
    return Wanted(
        machine=asked["machine"] or None,
        kind=asked["kind"] if asked["kind"] in known else None,
        words=asked["words"].strip(),
        since=_day(lab, asked["since"]),
        before=until + timedelta(days=1) if until else None,
    )


def _day(lab: Lab, written: str) -> datetime | None:
    """Return when a day begins in the lab's zone; None for what is no day."""
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return None
    if day.year not in YEARS:
        return None
    return datetime.combine(day, time(), lab.config.time_zone)
