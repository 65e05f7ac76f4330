"""The parts of a person's own page beside their reservations: notices and jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, render_template, url_for
from werkzeug.wrappers import Response

from fabctl.errors import LocalError
from fabctl.services import jobs
from fabctl.services import notices as service
from fabctl.services.notice_words import worded
from fabctl.services.notices import NoticeView
from fabctl_web.api.reading import instant
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.own import own_jobs
from fabctl_web.people.signed_in import go, person_needed, signed_in
from fabctl_web.tables import SHOWN, after, next_address

area = Blueprint("mine", __name__, template_folder="templates")


@dataclass(frozen=True)
class Told:
    """One notice as it is shown."""

    id: str
    heading: str
    body: str
    at: datetime
    new: bool
    address: str
    """Where there is something to do about it; empty: nowhere."""


def unread() -> int:
    """Return how many notices whoever is signed in has not read."""
    person = signed_in()
    if person is None:
        return 0
    with current_lab().db.reading() as db:
        return service.unread_count(db, person_id=person.id)


@page(area, "/me/notices")
def notices() -> str:
    """Show what a person was told, the newest first."""
    person, lab = person_needed(), current_lab()
    with lab.db.reading() as db:
        found = service.of_person(db, person_id=person.id, limit=SHOWN + 1, after=_after())
    more = found[SHOWN - 1] if len(found) > SHOWN else None
    return render_template(
        "people/notices.html",
        rows=[_told(lab, view) for view in found[:SHOWN]],
        next=next_address((more.at.isoformat(), more.id) if more else None),
    )


def _after() -> tuple[datetime, str] | None:
    key = after()
    if key is None or len(key) != 2:
        return None
    try:
        return instant(key[0]), key[1]
    except ValueError:
        return None


def _told(lab: Lab, view: NoticeView) -> Told:
    said = worded(view, speech().language, lab.config.time_zone)
    address = ""
    if view.about.session_id is not None:
        address = url_for("workshops.session", session=view.about.session_id)
    elif view.subject.startswith(("reservation:", "waiting:")):
        address = url_for("people.me")
    elif view.about.resource_id in lab.config.machines:
        address = url_for("machines.page", machine=view.about.resource_id)
    return Told(view.id, said.heading, said.body, view.at, view.read_at is None, address)


@area.post("/me/notices/read")
def read_all() -> Response:
    """Note that all were read."""
    return _read(None)


@area.post("/me/notices/<notice>/read")
def read(notice: str) -> Response:
    """Note that one was read."""
    return _read(notice)


def _read(notice_id: str | None) -> Response:
    person, lab = person_needed(), current_lab()
    with lab.db.transaction() as db:
        service.mark_read(db, lab.clock, person_id=person.id, notice_id=notice_id)
    return go(url_for("mine.notices"))


@page(area, "/me/files")
def files() -> str:
    """Show a person's jobs, the newest first."""
    person = person_needed()
    rows, last = own_jobs(current_lab(), person, speech(), _after())
    return render_template("people/files.html", jobs=rows, next=next_address(last))


@area.post("/me/files/<job>/drop")
def drop(job: str) -> Response:
    """Drop a job of one's own that was never started."""
    person, lab = person_needed(), current_lab()
    try:
        with lab.db.transaction() as db:
            jobs.withdraw(db, lab.clock, job_id=job, by=person.id)
    except LocalError:
        flash(speech()("This job was started already."), "bad")
    return go(url_for("mine.files"))
