"""The audit trail: who did what, when, to what. It is read here, and never changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from flask import Blueprint, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from fabctl.services import audit_trail, people_records, staff_day
from fabctl.services.audit import SHELL
from fabctl.services.audit_trail import TrailLine
from fabctl.services.people_records import PersonRecord
from fabctl_web import tables
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import staff_needed
from fabctl_web.speech import Speech
from fabctl_web.staff.audit_words import DEEDS
from fabctl_web.staff.tabs import tabs
from fabctl_web.staff.upkeep_lines import lab_names

area = Blueprint("staff_audit", __name__, template_folder="templates")


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


HEADS = (_("When"), _("Who"), _("What"), _("Code"), _("About"), _("Details"))
AT_ONCE = 500
FOUND = 8
LONGEST = 200
YEARS = range(2000, 2200)
"""Days outside are no search; arithmetic with them may leave the calendar."""
PERSON, RESOURCE = "person:", "resource:"


@dataclass(frozen=True)
class Wanted:
    """Which lines are searched for."""

    what: str | None
    who: str | None
    subject: str | None
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True)
class Row:
    """One line, ready to be shown."""

    number: int
    when: str
    who: str
    word: str
    about: str
    address: str
    """Where what it is about is shown; empty: nowhere."""
    details: str


@page(area, "/staff/audit")
def trail() -> str:
    """Show the trail, the newest first."""
    me, lab, words, wanted = staff_needed(), current_lab(), tables.words(), _wanted(current_lab())
    last = tables.after()
    before = int(last[0]) if last and last[0].isdecimal() and len(last[0]) < 16 else None
    with lab.db.reading() as db:
        found = _read(db, me.id, wanted, before, tables.SHOWN + 1)
        shown = found[: tables.SHOWN]
        rows = _rows(lab, db, shown)
        people = people_records.find_people(db, by=me.id, words=words, limit=FOUND) if words else []
        named = staff_day.names_of(db, [wanted.who, (wanted.subject or "").removeprefix(PERSON)])
    more = (str(shown[-1].number),) if len(found) > len(shown) else None
    return render_template(
        "staff/audit.html",
        rows=rows,
        next=tables.next_address(more),
        words=words,
        people=[(one, *_links(one)) for one in people],
        asked=_asked(),
        narrowed=_narrowed(wanted, named),
        deeds=sorted(((one, speech()(word)) for one, word in DEEDS.items()), key=lambda d: d[1]),
        tabs=tabs(),
    )


@area.get("/staff/audit.csv")
def export() -> Response:
    """Return everything that is searched for as a table, the newest first."""
    me, lab, wanted = staff_needed(), current_lab(), _wanted(current_lab())
    heads = [speech()(one) for one in HEADS]
    return tables.saved("audit", heads, _all(lab, me.id, wanted, speech()))


def _all(lab: Lab, by: str, wanted: Wanted, _: Speech) -> Iterator[tuple[object, ...]]:
    """Yield the lines while they are sent: the request is over by then, the words are given."""
    with lab.db.reading() as db:
        for part in _pages(db, by, wanted):
            names = staff_day.names_of(db, [one.named or one.who for one in part])
            for one in part:
                word = _(DEEDS[one.what]) if one.what in DEEDS else one.what
                who = _named(_, one, names) or names.get(one.who or "", one.who or "")
                at = one.at.astimezone(lab.config.time_zone)
                yield (f"{at:%Y-%m-%d %H:%M:%S}", who, word, one.what, one.subject, _details(one))


def _pages(db: Session, by: str, wanted: Wanted) -> Iterator[list[TrailLine]]:
    before: int | None = None
    while part := _read(db, by, wanted, before, AT_ONCE):
        yield part
        before = part[-1].number


def _read(db: Session, by: str, wanted: Wanted, before: int | None, limit: int) -> list[TrailLine]:
    return audit_trail.trail(
        db,
        by=by,
        subject=wanted.subject,
        who=wanted.who,
        what=wanted.what,
        since=wanted.since,
        until=wanted.until,
        before=before,
        limit=limit,
    )


def _rows(lab: Lab, db: Session, found: list[TrailLine]) -> list[Row]:
    about = [one.subject.removeprefix(PERSON) for one in found if one.subject.startswith(PERSON)]
    told = [value for one in found for value in one.details.values() if isinstance(value, str)]
    names = staff_day.names_of(db, [*about, *told, *(one.who for one in found)])
    places = lab_names(lab, db)
    return [_row(lab, one, names, places) for one in found]


def _row(lab: Lab, one: TrailLine, names: dict[str, str], places: dict[str, str]) -> Row:
    _ = speech()
    about, address = one.subject, ""
    if one.subject.startswith(PERSON):
        person = one.subject.removeprefix(PERSON)
        about = names.get(person, one.subject)
        address = url_for("staff_person.record", person=person) if person in names else ""
    elif one.subject.startswith(RESOURCE):
        about = places.get(one.subject.removeprefix(RESOURCE), one.subject)
    return Row(
        number=one.number,
        when=_.moment(one.at, lab.clock.now()),
        who=_named(_, one, names) or _who(lab, one.who, names),
        word=_(DEEDS[one.what]) if one.what in DEEDS else one.what,
        about=about,
        address=address,
        details=_plain(one, names | places),
    )


def _named(_: Speech, one: TrailLine, names: Mapping[str, str]) -> str | None:
    """Return whom a machine names, and that it is the machine who does."""
    if one.named is None:
        return None
    return _("{name}, as the machine says", name=names.get(one.named, one.named))


def _who(lab: Lab, who: str | None, names: dict[str, str]) -> str:
    if who is None:
        return lab.config.name
    if who.startswith(SHELL):
        return speech()("{user}, by a command", user=who.removeprefix(SHELL))
    return names.get(who, who)


def _details(one: TrailLine) -> str:
    """Return the details for a table, as the trail has them."""
    return json.dumps(dict(one.details), ensure_ascii=False) if one.details else ""


def _plain(one: TrailLine, names: Mapping[str, str]) -> str:
    """Return the details as the trail has them, ids of ours as names, shortened."""
    parts = (
        f"{name}: {_value(value, names)}"
        for name, value in one.details.items()
        if value not in (None, "")
    )
    written = " · ".join(parts)
    return written if len(written) <= LONGEST else f"{written[: LONGEST - 1]}…"


def _value(value: object, names: Mapping[str, str]) -> str:
    if not isinstance(value, str):
        return str(value)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return names.get(value, value)
    local = moment.astimezone(current_lab().config.time_zone) if moment.tzinfo else moment
    return f"{local:%Y-%m-%d %H:%M}" if len(value) > len("2026-11-23") else value


def _links(found: PersonRecord) -> tuple[str, str]:
    """Return the addresses of what somebody did, and of what was done to them."""
    did = url_for("staff_audit.trail", who=found.id)
    return did, url_for("staff_audit.trail", subject=f"{PERSON}{found.id}")


def _narrowed(wanted: Wanted, names: dict[str, str]) -> list[str]:
    """Return in words to whom the search is narrowed."""
    _ = speech()
    found = []
    if wanted.who is not None:
        found.append(_("Done by {name}", name=names.get(wanted.who, wanted.who)))
    if wanted.subject is not None:
        plain = wanted.subject.removeprefix(PERSON)
        found.append(_("About {name}", name=names.get(plain, wanted.subject)))
    return found


def _asked() -> dict[str, str]:
    names = ("what", "who", "subject", "since", "until")
    return {
        name: request.args.get(name, "")[: tables.MOST_WORDS].replace("\0", "") for name in names
    }


def _wanted(lab: Lab) -> Wanted:
    asked = _asked()
    until = _day(lab, asked["until"])
    return Wanted(
        what=asked["what"] or None,
        who=asked["who"] or None,
        subject=asked["subject"] or None,
        since=_day(lab, asked["since"]),
        until=until + timedelta(days=1) if until else None,
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
