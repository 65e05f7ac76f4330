"""People, for programs: one's own profile; the staff find, add, change and suspend."""

from __future__ import annotations

from flask import jsonify, make_response
from werkzeug.wrappers import Response

from fabctl.model.people import Role
from fabctl.services import people_desk, people_records, personal_data
from fabctl.services.people_desk import Change, NewPerson
from fabctl.services.people_records import PersonRecord
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.reading import MalformedError, Sent, malformed
from fabctl_web.api.shape import Json, instant
from fabctl_web.lab import current_lab

area = api_area("people")


@area.get("/me")
def me() -> Response:
    """Show the caller."""
    return _shown(caller().id)


@area.patch("/me")
def change_me() -> Response:
    """Change the caller's name or language."""
    return _changed(caller().id)


@area.get("/people")
def people() -> Response:
    """List people by name, or those who are searched for."""
    who, asked = caller().id, reading.page()
    with reading.query() as sent:
        words = sent.maybe_text("search") or ""
        role = sent.choice("role", Role, Role.MEMBER) if sent.has("role") else None
    with current_lab().db.reading() as db:
        found = people_records.find_people(
            db, by=who, words=words, role=role, after=_key(asked), limit=asked.limit + 1
        )
        whole = people_records.sees_all(db, person_id="", by=who)
    return reading.paged(
        "people", found, asked, lambda one: one.key, person_json if whole else short_json
    )


def _key(asked: reading.Page) -> people_records.Key | None:
    if asked.after is None:
        return None
    if len(asked.after) != 2:
        raise MalformedError([malformed("cursor")])
    return asked.after[0], asked.after[1]


@area.post("/people")
def add_person() -> Response:
    """Add a person."""
    lab, who = current_lab(), caller().id
    with reading.body() as sent:
        wanted = NewPerson(
            name=sent.text("name"),
            role=_role(sent) if sent.has("role") else Role.MEMBER,
            birth_year=_year(sent),
            language=sent.maybe_text("language"),
            login=sent.maybe_text("login"),
            password=sent.maybe_text("password"),
        )
    with lab.db.transaction() as db:
        made = people_desk.add(db, lab.clock, lab.config.time_zone, wanted=wanted, by=who)
    return make_response(jsonify(person_json(made)), 201)


@area.get("/people/<person>")
def person(person: str) -> Response:
    """Show one person."""
    return _shown(person)


@area.patch("/people/<person>")
def change_person(person: str) -> Response:
    """Change a person's name, language or year of birth."""
    return _changed(person)


@area.delete("/people/<person>")
def erase_person(person: str) -> Response:
    """Erase a person's data for good, with a reason."""
    lab, who = current_lab(), caller().id
    with reading.query() as sent:
        reason = sent.text("reason")
    with lab.db.transaction() as db:
        personal_data.erase_by_admin(
            db, lab.clock, lab.config.time_zone, person_id=person, reason=reason, by=who
        )
    return make_response("", 204)


@area.put("/people/<person>/role")
def set_role(person: str) -> Response:
    """Give a person another role."""
    lab, who = current_lab(), caller().id
    with reading.body() as sent:
        role = _role(sent)
    with lab.db.transaction() as db:
        people_desk.set_role(db, lab.clock, person_id=person, role=role, by=who)
    return _shown(person)


@area.post("/people/<person>/suspend")
def suspend(person: str) -> Response:
    """Suspend a person's account, with a reason."""
    lab, who = current_lab(), caller().id
    with reading.body() as sent:
        reason = sent.text("reason")
    with lab.db.transaction() as db:
        people_desk.suspend(db, lab.clock, person_id=person, reason=reason, by=who)
    return _shown(person)


@area.post("/people/<person>/reinstate")
def reinstate(person: str) -> Response:
    """Put a person's account in order again."""
    lab, who = current_lab(), caller().id
    with lab.db.transaction() as db:
        people_desk.reinstate(db, lab.clock, person_id=person, by=who)
    return _shown(person)


@area.post("/people/<person>/unlock")
def unlock(person: str) -> Response:
    """Let a person try their password again."""
    lab, who = current_lab(), caller().id
    with lab.db.transaction() as db:
        people_desk.unlock(db, lab.clock, person_id=person, by=who)
    return _shown(person)


def _shown(person: str) -> Response:
    who = caller().id
    with current_lab().db.reading() as db:
        found = people_records.record(db, person_id=person, by=who)
        whole = people_records.sees_all(db, person_id=person, by=who)
    return jsonify(person_json(found) if whole else short_json(found))


def _changed(person: str) -> Response:
    lab, who = current_lab(), caller().id
    with reading.body() as sent:
        wanted = Change(
            name=sent.maybe_text("name"),
            language=sent.maybe_text("language"),
            birth_year=_year(sent),
        )
    with lab.db.transaction() as db:
        found = people_desk.change(
            db, lab.clock, lab.config.time_zone, person_id=person, change=wanted, by=who
        )
    return jsonify(person_json(found))


def _role(sent: Sent) -> Role:
    return sent.choice("role", Role, Role.MEMBER)


def _year(sent: Sent) -> int | None:
    return sent.number("birth_year", 1, 9999) if sent.has("birth_year") else None


def short_json(found: PersonRecord) -> Json:
    """Return a person as trainers and animators see them."""
    return {"id": found.id, "name": found.display_name, "role": found.role.value}


def person_json(found: PersonRecord) -> Json:
    """Return a person as the staff and they themselves see them."""
    return short_json(found) | {
        "login": found.login,
        "language": found.language,
        "birth_year": found.birth_year,
        "has_pin": found.has_pin,
        "suspended_at": instant(found.suspended_at),
        "suspended_reason": found.suspended_reason,
        "created_at": instant(found.created_at),
    }
