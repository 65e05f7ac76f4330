"""Courses at the desk: list, make, reword, the quiz in each language, retire. For the staff."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from fabctl.model.booking_facts import ResourceKind
from fabctl.model.certification import Level
from fabctl.model.people import search_name
from fabctl.model.training import Expiry
from fabctl.services import courses, quiz_making, quizzes, resources
from fabctl.services.course_changes import certified_by, change_course
from fabctl.services.courses import CourseView, Wording
from fabctl_web import tables
from fabctl_web.api.reading import malformed
from fabctl_web.forms import Form, form
from fabctl_web.lab import current_lab
from fabctl_web.language import NAMES, chosen_language, speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, staff_needed
from fabctl_web.training.check import LEVEL_WORDS
from fabctl_web.training.shown import shown

area = Blueprint("courses_desk", __name__, template_folder="templates")


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


HEADS = (_("Title"), _("Machines"), _("Pass mark in percent"), _("Languages"), _("Offered"))
MOST_MONTHS = 240
ANSWERS = range(5)
"""So many answers has a form for a question; an unused one stays empty."""


@page(area, "/staff/courses")
def offered() -> str:
    """List the courses, with a form for one more."""
    staff_needed()
    lab, words = current_lab(), tables.words()
    with lab.db.reading() as db:
        found = _found(db, words)
        names = {one.id: one.name for one in resources.list_all(db)}
        machines = _machines(db)
    return render_template(
        "training/desk.html",
        courses=[shown(one, names, speech()) for one in found],
        words=words,
        machines=machines,
        languages=lab_languages(),
        levels=[(level.value, speech()(word)) for level, word in LEVEL_WORDS.items()],
        most_months=MOST_MONTHS,
    )


@area.get("/staff/courses.csv")
def export() -> Response:
    """Return the same as a table."""
    staff_needed()
    say = speech()
    with current_lab().db.reading() as db:
        found = _found(db, tables.words())
        names = {one.id: one.name for one in resources.list_all(db)}
        written = {one.id: sorted(quizzes.quiz_languages(db, one.id)) for one in found}
    rows = [
        (
            one.title(chosen_language()),
            ", ".join(names.get(machine, machine) for machine in one.resource_ids),
            one.rules.pass_mark,
            ", ".join(written[one.id]),
            say("No") if one.retired_at else say("Yes"),
        )
        for one in found
    ]
    return tables.saved("courses", [say(one) for one in HEADS], rows)


@area.post("/staff/courses")
def create() -> Response:
    """Make a course; its quiz is added question by question."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        wording, machines = _wording(sent), _machines_of(sent)
        level = sent.choice("level", Level, Level.AUTONOMOUS)
        pass_mark, until = sent.number("pass_mark", 0, 100), _expiry(sent)
        before = sent.several("before")
    with lab.db.transaction() as db:
        made = courses.create_course(
            db,
            lab.clock,
            wording=wording,
            resource_ids=machines,
            level=level,
            prerequisites=before,
            pass_mark=pass_mark,
            first_job=sent.ticked("first_job"),
            expiry=until,
            by=me.id,
        )
    flash(speech()("The training is there. Write its quiz now."), "good")
    return go(url_for("courses_desk.course", course=made.id))


@page(area, "/staff/courses/<course>")
def course(course: str) -> str:
    """Show one course: its words, its questions with their right answers."""
    me = staff_needed()
    return course_page(course, me.id)


@area.post("/staff/courses/<course>/wording")
def reword(course: str) -> Response:
    """Say anew what the course is, in each language."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        wording = _wording(sent)
    with lab.db.transaction() as db:
        courses.reword_course(db, lab.clock, course_id=course, wording=wording, by=me.id)
    flash(speech()("The words are changed."), "good")
    return go(url_for("courses_desk.course", course=course))


@area.post("/staff/courses/<course>/change")
def change(course: str) -> Response:
    """Change what the course asks for; certifications that were given stay as they are."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        machines, before = _machines_of(sent), sent.several("before")
        pass_mark, until = sent.number("pass_mark", 0, 100), _expiry(sent)
    with lab.db.transaction() as db:
        change_course(
            db,
            lab.clock,
            course_id=course,
            resource_ids=machines,
            prerequisites=before,
            pass_mark=pass_mark,
            first_job=sent.ticked("first_job"),
            expiry=until,
            by=me.id,
        )
    flash(speech()("The training is changed. Certifications stay as they are."), "good")
    return go(url_for("courses_desk.course", course=course))


@area.post("/staff/courses/<course>/retire")
def retire(course: str) -> Response:
    """Offer a course no more; its certifications stay."""
    lab, me = current_lab(), staff_needed()
    with lab.db.transaction() as db:
        courses.retire_course(db, lab.clock, course_id=course, by=me.id)
    flash(speech()("This training is not offered any more. Certifications stay."), "good")
    return go(url_for("courses_desk.offered"))


def course_page(course: str, by: str, typed: Mapping[str, Any] | None = None) -> str:
    """Return the page of one course, with what was typed for a new question."""
    with current_lab().db.reading() as db:
        found = courses.get_course(db, course)
        names = {one.id: one.name for one in resources.list_all(db)}
        asked = quiz_making.questions(db, course_id=course, by=by)
        written = quizzes.quiz_languages(db, course)
        machines, certified = _machines(db), certified_by(db, course_id=course, by=by)
    return render_template(
        "training/desk_course.html",
        one=shown(found, names, speech()),
        level=speech()(LEVEL_WORDS[found.rules.level]),
        questions=asked,
        languages=lab_languages(),
        written=[NAMES.get(one, one) for one in sorted(written)],
        missing=[word for code, word in lab_languages() if asked and code not in written],
        answers=ANSWERS,
        typed=typed or {},
        machines=machines,
        certified=certified,
        most_months=MOST_MONTHS,
    )


def _found(db: Session, words: str) -> list[CourseView]:
    """Return the courses that hold every word, those that are offered first."""
    wanted = search_name(words).split()
    found = [
        one
        for one in courses.list_courses(db, retired=True)
        if all(word in _searched(one) for word in wanted)
    ]
    return sorted(found, key=lambda one: (one.retired_at is not None, _searched(one)))


def _searched(found: CourseView) -> str:
    return search_name(" ".join(f"{one.title} {one.description}" for one in found.wording.values()))


def _machines(db: Session) -> list[tuple[str, str]]:
    found = [one for one in resources.list_all(db) if one.kind is ResourceKind.MACHINE]
    return [(one.id, one.name) for one in sorted(found, key=lambda one: search_name(one.name))]


def lab_languages() -> list[tuple[str, str]]:
    """Return the lab's languages, with their names."""
    return [(one, NAMES.get(one, one)) for one in current_lab().config.languages]


def _wording(sent: Form) -> dict[str, Wording]:
    """Return title and description by language; one language at least has a title."""
    found = {
        code: Wording(sent.text(f"title_{code}"), sent.maybe_text(f"description_{code}") or "")
        for code, _name in lab_languages()
        if sent.has(f"title_{code}") or sent.has(f"description_{code}")
    }
    if not found:
        sent.refusals.append(malformed(speech()("Title")))
    return found


def _machines_of(sent: Form) -> list[str]:
    found = sent.several("machines")
    if not found:
        sent.refusals.append(malformed(speech()("Machines")))
    return found


def _expiry(sent: Form) -> Expiry:
    return Expiry(
        sent.number("months", 1, MOST_MONTHS) if sent.has("months") else None,
        sent.day("on") if sent.has("on") else None,
        sent.number("unused_months", 1, MOST_MONTHS) if sent.has("unused_months") else None,
    )
