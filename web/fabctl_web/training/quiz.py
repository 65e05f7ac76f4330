"""The quiz on the phone or a shared screen: all questions on one page, then what was wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from flask import Blueprint, render_template, session, url_for
from werkzeug.wrappers import Response

from fabctl.errors import UnknownIdError
from fabctl.model.refusal import RefusedError
from fabctl.model.training import CourseStep, QuizResult
from fabctl.services import courses, practical, quizzes, training
from fabctl.services.quizzes import Quiz
from fabctl_web.forms import form
from fabctl_web.lab import current_lab
from fabctl_web.language import chosen_language, speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, person_needed

area = Blueprint("training_quiz", __name__, template_folder="templates")

KEY = "quiz"
"""Where the last result lies in the session cookie; it goes when the session ends."""
MOST_WRONG = 30
"""So many wrong questions are named: a cookie has no room for more."""


@dataclass(frozen=True)
class Result:
    """What a try amounted to, for the page after it."""

    course: str
    person: str
    right: int
    asked: int
    passed: bool
    wrong: list[str]


@page(area, "/training/<course>/quiz")
def quiz(course: str) -> Response | str:
    """Ask every question; whoever may not take the quiz now reads why."""
    lab, me = current_lab(), person_needed()
    with lab.db.reading() as db:
        found = courses.get_course(db, course)
        facts = training.facts_of(db, lab.clock, course_id=course, person_id=me.id)
        if refusals := training.step_refusals(facts, CourseStep.QUIZ):
            raise RefusedError(refusals)
        asked = quizzes.quiz_for(db, course_id=course, language=chosen_language())
    return render_template(
        "training/quiz.html",
        course=course,
        title=found.title(chosen_language()),
        quiz=asked,
        needed=_needed(len(asked.questions), found.rules.pass_mark),
    )


@area.post("/training/<course>/quiz")
def take(course: str) -> Response:
    """Mark the answers; a question left out is wrong."""
    lab, me = current_lab(), person_needed()
    with lab.db.reading() as db:
        asked = quizzes.quiz_for(db, course_id=course, language=chosen_language())
    with form() as sent:
        chosen = {one.id: sent.several(f"q-{one.id}", 20) for one in asked.questions}
    with lab.db.transaction() as db:
        found = quizzes.take_quiz(
            db,
            lab.clock,
            course_id=course,
            person_id=me.id,
            language=asked.language,
            chosen=chosen,
        )
    session[KEY] = asdict(_kept(course, me.id, found))
    return go(url_for("training_quiz.result", course=course))


@page(area, "/training/<course>/result")
def result(course: str) -> Response | str:
    """Show what the last try amounted to, what was wrong in it, and what comes next."""
    lab, me = current_lab(), person_needed()
    kept = _last(course, me.id)
    if kept is None:
        return go(url_for("training_path.course", course=course))
    with lab.db.reading() as db:
        found = courses.get_course(db, course)
        trainers = practical.trainers(db, lab.clock, course=found) if kept.passed else []
        try:
            asked: Quiz | None = quizzes.quiz_for(db, course_id=course, language=chosen_language())
        except UnknownIdError:  # its last question was retired meanwhile
            asked = None
    wrong = [one.wording for one in asked.questions if one.id in kept.wrong] if asked else []
    return render_template(
        "training/result.html",
        course=course,
        title=found.title(chosen_language()),
        kept=kept,
        wrong=wrong,
        needed=_needed(kept.asked, found.rules.pass_mark),
        trainers=trainers,
        score=speech()("{right} of {asked} right", right=kept.right, asked=kept.asked),
    )


def _kept(course: str, person: str, found: QuizResult) -> Result:
    wrong = list(found.wrong[:MOST_WRONG])
    return Result(course, person, found.right, found.asked, found.passed, wrong)


def _last(course: str, person: str) -> Result | None:
    """Return the result of this browser's last try, if it was this person's in this course."""
    kept = session.get(KEY)
    found = Result(**kept) if isinstance(kept, dict) else None
    fits = found is not None and (found.course, found.person) == (course, person)
    return found if fits else None


def _needed(asked: int, pass_mark: int) -> int:
    """Return how many right answers are enough."""
    return -(-asked * pass_mark // 100)
