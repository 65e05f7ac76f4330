"""Making courses and their quizzes, for programs of the staff."""

from __future__ import annotations

from flask import jsonify, make_response
from werkzeug.wrappers import Response

from fabctl.model.certification import Level
from fabctl.model.training import Expiry
from fabctl.services import courses, quiz_making
from fabctl.services.course_changes import change_course
from fabctl.services.courses import Wording
from fabctl.services.quiz_making import MOST_ANSWERS
from fabctl.services.quizzes import QuestionWording
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.reading import Sent
from fabctl_web.api.training_shape import course_json
from fabctl_web.lab import current_lab

area = api_area("course_making")

MOST_MONTHS = 240
MOST_LANGUAGES = 20
MOST_MACHINES = 100


@area.post("/courses")
def create() -> Response:
    """Make a course; its quiz is added question by question."""
    lab, me = current_lab(), caller()
    with reading.body() as sent:
        wording = {
            one.text("language"): Wording(one.text("title"), one.maybe_text("description") or "")
            for one in sent.records("wordings", MOST_LANGUAGES)
        }
        machines = sent.texts("machines", MOST_MACHINES)
        before = sent.texts("prerequisites", MOST_MACHINES) if sent.has("prerequisites") else []
        level = Level.AUTONOMOUS
        if sent.has("level"):
            level = sent.choice("level", Level, level)
        pass_mark = sent.number("pass_mark", 0, 100) if sent.has("pass_mark") else 80
        first_job, expiry = sent.flag("first_job"), _expiry(sent)
    with lab.db.transaction() as db:
        made = courses.create_course(
            db,
            lab.clock,
            wording=wording,
            resource_ids=machines,
            level=level,
            prerequisites=before,
            pass_mark=pass_mark,
            first_job=first_job,
            expiry=expiry,
            by=me.id,
        )
    return make_response(jsonify(course_json(made)), 201)


@area.patch("/courses/<course>")
def change(course: str) -> Response:
    """Change what a course asks for; certifications that were given stay as they are."""
    lab, me = current_lab(), caller()
    with lab.db.reading() as db:
        was = courses.get_course(db, course)
    with reading.body() as sent:
        machines = sent.texts("machines", MOST_MACHINES) if sent.has("machines") else None
        before = sent.texts("prerequisites", MOST_MACHINES) if sent.has("prerequisites") else None
        pass_mark = sent.number("pass_mark", 0, 100) if sent.has("pass_mark") else None
        first_job = sent.flag("first_job") if sent.has("first_job") else None
        until = _expiry_now(sent, was.expiry)
    with lab.db.transaction() as db:
        found = change_course(
            db,
            lab.clock,
            course_id=course,
            resource_ids=machines,
            prerequisites=before,
            pass_mark=pass_mark,
            first_job=first_job,
            expiry=until,
            by=me.id,
        )
    return jsonify(course_json(found))


@area.delete("/courses/<course>")
def retire(course: str) -> Response:
    """Offer a course no more; its certifications stay."""
    lab, me = current_lab(), caller()
    with lab.db.transaction() as db:
        courses.retire_course(db, lab.clock, course_id=course, by=me.id)
        found = courses.get_course(db, course)
    return jsonify(course_json(found))


@area.post("/courses/<course>/questions")
def add_question(course: str) -> Response:
    """Add a question at the end of a course's quiz."""
    lab, me = current_lab(), caller()
    with reading.body() as sent:
        wording, right = _question(sent)
    with lab.db.transaction() as db:
        made = quiz_making.add_question(
            db, lab.clock, course_id=course, wording=wording, right=right, by=me.id
        )
    return make_response(jsonify({"id": made}), 201)


@area.put("/questions/<question>")
def replace_question(question: str) -> Response:
    """Ask another question in the place of one."""
    lab, me = current_lab(), caller()
    with reading.body() as sent:
        wording, right = _question(sent)
    with lab.db.transaction() as db:
        made = quiz_making.replace_question(
            db, lab.clock, question_id=question, wording=wording, right=right, by=me.id
        )
    return jsonify({"id": made})


@area.delete("/questions/<question>")
def retire_question(question: str) -> Response:
    """Ask a question no more."""
    lab, me = current_lab(), caller()
    with lab.db.transaction() as db:
        quiz_making.retire_question(db, lab.clock, question_id=question, by=me.id)
    return jsonify({"id": question})


def _question(sent: Sent) -> tuple[dict[str, QuestionWording], list[int]]:
    """Read a question in its languages, and the places of its right answers."""
    wording = {
        one.text("language"): QuestionWording(
            one.text("question"),
            tuple(one.texts("answers", MOST_ANSWERS)),
            one.maybe_text("explanation") or "",
        )
        for one in sent.records("wordings", MOST_LANGUAGES)
    }
    right: list[int] = sent.choice("right", _places, [])
    return wording, right


def _expiry_now(sent: Sent, was: Expiry) -> Expiry:
    """Read what is said of the end; what is left out stays, what is null is none any more."""
    said = _expiry(sent)
    return Expiry(
        was.months if _unsaid(sent, "expires_after_months") else said.months,
        was.on if _unsaid(sent, "expires_on") else said.on,
        was.unused_months if _unsaid(sent, "expires_after_months_unused") else said.unused_months,
    )


def _unsaid(sent: Sent, name: str) -> bool:
    return not sent.has(name) and not sent.is_null(name)


def _expiry(sent: Sent) -> Expiry:
    return Expiry(
        _months(sent, "expires_after_months"),
        sent.day("expires_on") if sent.has("expires_on") else None,
        _months(sent, "expires_after_months_unused"),
    )


def _months(sent: Sent, name: str) -> int | None:
    return sent.number(name, 1, MOST_MONTHS) if sent.has(name) else None


def _places(value: object) -> list[int]:
    """Return the places of the right answers, from 0.

    :raises TypeError: they are no list of whole numbers.
    """
    if not isinstance(value, list) or len(value) > MOST_ANSWERS:
        raise TypeError(value)
    if not all(isinstance(one, int) and not isinstance(one, bool) for one in value):
        raise TypeError(value)
    return value
