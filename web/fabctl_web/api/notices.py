"""What people are told, and mail, for programs."""

from __future__ import annotations

from typing import Any

from flask import jsonify
from werkzeug.wrappers import Response

from fabctl.services import mail_queue
from fabctl.services import notices as service
from fabctl.services.mail_queue import MailTrouble, MailWish
from fabctl.services.notice_words import worded
from fabctl.services.notices import NoticeView
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.shape import instant
from fabctl_web.lab import current_lab
from fabctl_web.language import speech

area = api_area("notices")


@area.get("/notices")
def notices() -> Response:
    """List what the caller was told, the newest first."""
    lab, person, page = current_lab(), caller(), reading.page()
    with reading.query() as sent:
        unread = sent.flag("unread")
    with lab.db.reading() as db:
        found = service.of_person(
            db,
            person_id=person.id,
            limit=page.limit + 1,
            after=reading.instant_and_id(page),
            only_unread=unread,
        )
    return reading.paged("notices", found, page, _key, _json, newest_first=True)


@area.get("/notices/unread")
def unread() -> Response:
    """Say how many the caller has not read."""
    return _left(caller().id)


@area.post("/notices/read")
def read_all() -> Response:
    """Note that the caller has read all."""
    return _read(None)


@area.post("/notices/<notice>/read")
def read(notice: str) -> Response:
    """Note that the caller has read one."""
    return _read(notice)


@area.get("/me/mail")
def own_mail() -> Response:
    """Show where the caller's mail goes, and whether they want any."""
    return _wish(caller().id)


@area.put("/me/mail")
def set_own_mail() -> Response:
    """Say where the caller's mail goes, and yes or no to it."""
    return _set_wish(caller().id)


@area.get("/people/<person>/mail")
def mail(person: str) -> Response:
    """Show the same of anybody: for the staff."""
    return _wish(person)


@area.put("/people/<person>/mail")
def set_mail(person: str) -> Response:
    """Set it for somebody who asked: for the staff."""
    return _set_wish(person)


@area.get("/mail/undelivered")
def undelivered() -> Response:
    """List the mails that did not arrive: for the staff."""
    lab, person, page = current_lab(), caller(), reading.page()
    with lab.db.reading() as db:
        found = mail_queue.troubles(
            db, by=person.id, limit=page.limit + 1, after=reading.instant_and_id(page)
        )
    return reading.paged("mails", found, page, _trouble_key, _trouble_json, newest_first=True)


def _read(notice_id: str | None) -> Response:
    lab, person = current_lab(), caller()
    with lab.db.transaction() as db:
        service.mark_read(db, lab.clock, person_id=person.id, notice_id=notice_id)
    return _left(person.id)


def _left(person_id: str) -> Response:
    with current_lab().db.reading() as db:
        return jsonify({"unread": service.unread_count(db, person_id=person_id)})


def _wish(person_id: str) -> Response:
    with current_lab().db.reading() as db:
        return _wished(mail_queue.read_wish(db, person_id=person_id, by=caller().id))


def _set_wish(person_id: str) -> Response:
    lab, by = current_lab(), caller().id
    with reading.body() as sent:
        address, wanted = sent.maybe_text("address"), sent.flag("wanted", usual=True)
    with lab.db.transaction() as db:
        found = mail_queue.set_wish(
            db, lab.clock, person_id=person_id, address=address, wanted=wanted, by=by
        )
    return _wished(found)


def _wished(found: MailWish) -> Response:
    sends = current_lab().config.mail is not None
    return jsonify({"address": found.address, "wanted": found.wanted, "lab_sends_mail": sends})


def _key(view: NoticeView) -> tuple[str, ...]:
    return (view.at.isoformat(), view.id)


def _json(view: NoticeView) -> dict[str, Any]:
    said, about = worded(view, speech().language, current_lab().config.time_zone), view.about
    return {
        "id": view.id,
        "code": view.code,
        "heading": said.heading,
        "text": said.body,
        "subject": view.subject,
        "about": about.person_id,
        "resource": about.resource_id,
        "session": about.session_id,
        "start": instant(about.slot.start) if about.slot else None,
        "end": instant(about.slot.end) if about.slot else None,
        "until": instant(about.until),
        "at": instant(view.at),
        "read_at": instant(view.read_at),
    }


def _trouble_key(mail: MailTrouble) -> tuple[str, ...]:
    return (mail.ended_at.isoformat(), mail.id)


def _trouble_json(mail: MailTrouble) -> dict[str, Any]:
    return {
        "id": mail.id,
        "person": mail.person_id,
        "name": mail.name,
        "code": mail.code,
        "outcome": mail.outcome,
        "trouble": mail.trouble,
        "tries": mail.tries,
        "queued_at": instant(mail.queued_at),
        "ended_at": instant(mail.ended_at),
    }
