"""The quiz on the phone or a shared screen: one question at a time, then what was wrong and why.

Each answer is kept when it is tapped, so that a page that is loaded again shows it.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from fabctl.errors import UnknownIdError
from fabctl.model.refusal import RefusedError
from fabctl.model.training import CourseStep
from fabctl.services import courses, practical, quizzes, training
from fabctl.services.quizzes import QuestionView, Quiz
from fabctl_web.forms import form
from fabctl_web.lab import current_lab
from fabctl_web.language import chosen_language, speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, person_needed
from fabctl_web.training.quiz_kept import (
    Places,
    Result,
    answers_of,
    ids,
    keep_answers,
    keep_result,
    last_result,
)

area = Blueprint("training_quiz", __name__, template_folder="templates")

MOST_CHOSEN = 20


@dataclass(frozen=True)
class Wrong:
    """A question that was not answered right, as the page after the quiz shows it."""

    asked: str
    chosen: list[str]
    why: str
    """Empty: nobody wrote it."""


@page(area, "/training/<course>/quiz")
def quiz(course: str) -> Response | str:
    """Ask one question: the one that is named, else the first without an answer. Whoever may not
    take the quiz now reads why.
    """
    lab, me = current_lab(), person_needed()
    with lab.db.reading() as db:
        found = courses.get_course(db, course)
        facts = training.facts_of(db, lab.clock, course_id=course, person_id=me.id)
        if refusals := training.step_refusals(facts, CourseStep.QUIZ):
            raise RefusedError(refusals)
        asked = quizzes.quiz_for(db, course_id=course, language=chosen_language())
    chosen, most = answers_of(course, me.id), len(asked.questions)
    number = _number(request.args.get("q", ""), most) or _first_open(asked, chosen) or most
    one = asked.questions[number - 1]
    return render_template(
        "training/quiz.html",
        course=course,
        title=found.title(chosen_language()),
        language=asked.language,
        one=one,
        number=number,
        most=most,
        chosen=chosen.get(one.id, []),
        needed=_needed(most, found.rules.pass_mark),
    )


@area.post("/training/<course>/quiz")
def take(course: str) -> Response:
    """Keep the answers to one question, and go on or back; after the last one, mark them all."""
    lab, me = current_lab(), person_needed()
    with lab.db.reading() as db:
        asked = quizzes.quiz_for(db, course_id=course, language=chosen_language())
    with form() as sent:
        question, answers = sent.text("question"), sent.several("answer", MOST_CHOSEN)
        to = sent.maybe_text("to")
    number = next((n for n, one in enumerate(asked.questions, 1) if one.id == question), None)
    if number is None:  # it was retired meanwhile
        return go(url_for("training_quiz.quiz", course=course))
    chosen = _with_answers(answers_of(course, me.id), asked.questions[number - 1], answers)
    keep_answers(course, me.id, chosen)
    if to is None:
        return make_response("", 204)
    return _go_on(course, me.id, asked, chosen, number, back=to == "back")


def _go_on(  # whose answers, which question, and where to
    course: str, person: str, asked: Quiz, chosen: Places, number: int, *, back: bool
) -> Response:
    if back:
        return _ask(course, max(1, number - 1))
    if not chosen.get(asked.questions[number - 1].id):
        flash(speech()("Choose an answer first."), "bad")
        return _ask(course, number)
    last = number == len(asked.questions)
    to = _first_open(asked, chosen) if last else number + 1
    return _ask(course, to) if to else _mark(course, person, asked, chosen)


def _mark(course: str, person: str, asked: Quiz, chosen: Places) -> Response:
    lab = current_lab()
    with lab.db.transaction() as db:
        found = quizzes.take_quiz(
            db,
            lab.clock,
            course_id=course,
            person_id=person,
            language=asked.language,
            chosen=ids(asked, chosen),
        )
    keep_result(course, person, chosen, found)
    return go(url_for("training_quiz.result", course=course))


@page(area, "/training/<course>/result")
def result(course: str) -> Response | str:
    """Show what the last try amounted to, what was wrong in it and why, and what comes next."""
    lab, me = current_lab(), person_needed()
    kept = last_result(course, me.id)
    if kept is None:
        return go(url_for("training_path.course", course=course))
    with lab.db.reading() as db:
        found = courses.get_course(db, course)
        trainers = practical.trainers(db, lab.clock, course=found) if kept.passed else []
    return render_template(
        "training/result.html",
        course=course,
        title=found.title(chosen_language()),
        kept=kept,
        wrong=_wrong(course, kept),
        needed=_needed(kept.asked, found.rules.pass_mark),
        trainers=trainers,
        score=speech()("{right} of {asked} right", right=kept.right, asked=kept.asked),
    )


def _wrong(course: str, kept: Result) -> list[Wrong]:
    """Return the questions that were wrong, of those that are still asked."""
    with current_lab().db.reading() as db:
        try:
            asked = quizzes.quiz_for(db, course_id=course, language=chosen_language())
        except UnknownIdError:  # its last question was retired meanwhile
            return []
        return [
            Wrong(
                one.wording,
                [said for n, said in enumerate(one.answers.values()) if n in kept.wrong[one.id]],
                quizzes.explanation(db, one.id, asked.language),
            )
            for one in asked.questions
            if one.id in kept.wrong
        ]


def _with_answers(chosen: Places, one: QuestionView, answers: list[str]) -> Places:
    """Return the answers with those of one question anew; without any it is open again."""
    places = [place for place, key in enumerate(one.answers) if key in answers]
    rest = {question: found for question, found in chosen.items() if question != one.id}
    return rest | ({one.id: places if one.several else places[:1]} if places else {})


def _ask(course: str, number: int) -> Response:
    return go(url_for("training_quiz.quiz", course=course, q=number))


def _number(written: str, most: int) -> int | None:
    """Return which question an address names; None: none that there is."""
    found = int(written) if written.isascii() and written.isdigit() and len(written) < 5 else 0
    return found if 1 <= found <= most else None


def _first_open(asked: Quiz, chosen: Places) -> int | None:
    """Return the number of the first question without an answer; None: all have one."""
    return next((n for n, one in enumerate(asked.questions, 1) if not chosen.get(one.id)), None)


def _needed(asked: int, pass_mark: int) -> int:
    """Return how many right answers are enough."""
    return -(-asked * pass_mark // 100)
