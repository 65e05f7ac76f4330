"""A quiz's questions at the desk: add, change, ask no more. For the staff."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from fabctl.errors import InputError
from fabctl.services import courses, quiz_making
from fabctl.services.quiz_making import MOST_ANSWERS, QuestionRecord
from fabctl.services.quizzes import QuestionWording
from fabctl_web.forms import Form, form
from fabctl_web.lab import current_lab
from fabctl_web.language import chosen_language, speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, staff_needed
from fabctl_web.training.desk import ANSWERS, course_page, lab_languages

area = Blueprint("questions_desk", __name__, template_folder="templates")


@area.post("/staff/courses/<course>/questions")
def add(course: str) -> Response:
    """Add a question; one that cannot be is shown again with all that was typed."""
    lab, me = current_lab(), staff_needed()
    wording, right = _typed()
    try:
        with lab.db.transaction() as db:
            quiz_making.add_question(
                db, lab.clock, course_id=course, wording=wording, right=right, by=me.id
            )
    except InputError:
        return make_response(course_page(course, me.id, typed=request.form), 422)
    flash(speech()("The question is added."), "good")
    return go(url_for("courses_desk.course", course=course) + "#new-question")


@page(area, "/staff/questions/<question>")
def question(question: str) -> str:
    """Show one question with its right answers, to be changed."""
    me = staff_needed()
    return _question_page(question, me.id)


@area.post("/staff/questions/<question>")
def change(question: str) -> Response:
    """Ask another question in the place of this one; who has passed the quiz has passed it."""
    lab, me = current_lab(), staff_needed()
    wording, right = _typed()
    try:
        with lab.db.transaction() as db:
            course = quiz_making.get_question(db, question_id=question, by=me.id).course_id
            quiz_making.replace_question(
                db, lab.clock, question_id=question, wording=wording, right=right, by=me.id
            )
    except InputError:
        return make_response(_question_page(question, me.id, typed=request.form), 422)
    flash(speech()("The question is changed."), "good")
    return go(url_for("courses_desk.course", course=course) + "#quiz")


@area.post("/staff/questions/<question>/retire")
def retire(question: str) -> Response:
    """Ask a question no more."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        back = sent.text("course")
    with lab.db.transaction() as db:
        quiz_making.retire_question(db, lab.clock, question_id=question, by=me.id)
    flash(speech()("This question is not asked any more."), "good")
    return go(url_for("courses_desk.course", course=back))


def _question_page(question: str, by: str, typed: Mapping[str, Any] | None = None) -> str:
    with current_lab().db.reading() as db:
        found = quiz_making.get_question(db, question_id=question, by=by)
        title = courses.get_course(db, found.course_id).title(chosen_language())
    return render_template(
        "training/question.html",
        question=found,
        title=title,
        languages=lab_languages(),
        answers=range(max(len(ANSWERS), *(len(one.answers) for one in found.wording.values()))),
        typed=typed or _written(found),
        wrong=typed is not None,
    )


def _written(found: QuestionRecord) -> dict[str, str]:
    """Return a question as its form's fields."""
    fields = {f"right_{place}": "1" for place in found.right}
    for code, said in found.wording.items():
        fields |= {f"question_{code}": said.question, f"why_{code}": said.explanation}
        fields |= {f"answer_{code}_{place}": words for place, words in enumerate(said.answers)}
    return fields


def _typed() -> tuple[dict[str, QuestionWording], list[int]]:
    """Read a question: answers that are left empty are none, in whichever place."""
    with form() as sent:
        places = range(MOST_ANSWERS)
        right = [place for place in places if sent.ticked(f"right_{place}")]
        found = {
            code: _in(sent, code)
            for code, _name in lab_languages()
            if any(sent.has(f"{name}_{code}") for name in ("question", "why"))
            or any(sent.has(f"answer_{code}_{place}") for place in places)
        }
    used = sorted({place for _, answers, _ in found.values() for place in answers})
    wording = {
        code: QuestionWording(asked, tuple(answers.get(place, "") for place in used), why)
        for code, (asked, answers, why) in found.items()
    }
    return wording, [used.index(one) if one in used else len(used) for one in right]


def _in(sent: Form, code: str) -> tuple[str, dict[int, str], str]:
    """Return a question in one language: the words, the answers by their places, the reason."""
    answers = {
        place: sent.text(f"answer_{code}_{place}")
        for place in range(MOST_ANSWERS)
        if sent.has(f"answer_{code}_{place}")
    }
    asked, why = sent.maybe_text(f"question_{code}"), sent.maybe_text(f"why_{code}")
    return asked or "", answers, why or ""
