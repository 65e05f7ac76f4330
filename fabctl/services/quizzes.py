"""Quizzes: questions in the database, in several languages; taking one.

They are written by :mod:`fabctl.services.quiz_making`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.model.refusal import RefusedError
from fabctl.model.training import CourseStep, Question, QuizResult, language_for, mark_quiz
from fabctl.services.audit import audit
from fabctl.services.courses import course_row, get_course
from fabctl.services.training import facts_of, step_refusals
from fabctl.store.tables_training import (
    QuizAnswer,
    QuizAnswerWording,
    QuizAttempt,
    QuizQuestion,
    QuizQuestionWording,
)


@dataclass(frozen=True, slots=True)
class QuestionWording:
    """A question and its answers in one language, the answers in the same order in each."""

    question: str
    answers: tuple[str, ...]
    explanation: str = ""
    """Why the right answers are right: told to whoever chose others. Empty: nothing is told."""


@dataclass(frozen=True, slots=True)
class QuestionView:
    """A question as it is asked: which answers are right is not in it."""

    id: str
    wording: str
    answers: Mapping[str, str]
    """Wording by id, in order."""
    several: bool
    """Whether more than one answer is right."""


@dataclass(frozen=True, slots=True)
class Quiz:
    """A course's quiz in one language."""

    course_id: str
    language: str
    questions: tuple[QuestionView, ...]


def quiz_languages(session: Session, course_id: str) -> set[str]:
    """Return the languages in which every question of a course is written."""
    asked = asked_of(session, course_id)
    written = [
        set(
            session.scalars(
                select(QuizQuestionWording.language).where(QuizQuestionWording.question_id == one)
            )
        )
        for one in asked
    ]
    return set.intersection(*written) if written else set()


def quiz_for(session: Session, *, course_id: str, language: str | None) -> Quiz:
    """Return the questions in a language, or in one in which there is a whole quiz.

    :raises UnknownIdError: no such course, or it has no quiz.
    """
    course_row(session, course_id)
    found = language_for(language, quiz_languages(session, course_id))
    if found is None:
        raise UnknownIdError(f"the course {course_id!r} has no quiz")
    questions = [_view(session, one, found) for one in asked_of(session, course_id)]
    return Quiz(course_id, found, tuple(questions))


def explanation(session: Session, question_id: str, language: str) -> str:
    """Return why a question's right answers are right; empty where nobody wrote it."""
    found = session.get(QuizQuestionWording, (question_id, language))
    return found.explanation if found else ""


def take_quiz(
    session: Session,
    clock: Clock,
    *,
    course_id: str,
    person_id: str,
    language: str,
    chosen: Mapping[str, Collection[str]],
) -> QuizResult:
    """Mark a try at a quiz and put it on record. What was chosen is not kept.

    :param chosen: ids of answers, by question.
    :raises RefusedError: prerequisite-missing, certification-suspended, already-done.
    :raises UnknownIdError: no such course or person.
    """
    facts = facts_of(session, clock, course_id=course_id, person_id=person_id)
    if refusals := step_refusals(facts, CourseStep.QUIZ):
        raise RefusedError(refusals)
    questions = [_question(session, one) for one in asked_of(session, course_id)]
    result = mark_quiz(questions, chosen, get_course(session, course_id).rules.pass_mark)
    session.add(
        QuizAttempt(
            course_id=course_id,
            person_id=person_id,
            language=language,
            at=clock.now(),
            right_count=result.right,
            asked=result.asked,
            passed=result.passed,
        )
    )
    session.flush()
    details = {"course": course_id, "right": result.right, "asked": result.asked}
    audit(session, clock, person_id, "quiz.taken", f"person:{person_id}", details)
    return result


def asked_of(session: Session, course_id: str) -> Sequence[str]:
    """Return the ids of the questions that are asked, in their order. For services only."""
    query = select(QuizQuestion.id).where(
        QuizQuestion.course_id == course_id, QuizQuestion.retired_at.is_(None)
    )
    return session.scalars(query.order_by(QuizQuestion.position)).all()


def answers_to(session: Session, question_id: str) -> Sequence[QuizAnswer]:
    """Return the rows of a question's answers, in their order. For services only."""
    query = select(QuizAnswer).where(QuizAnswer.question_id == question_id)
    return session.scalars(query.order_by(QuizAnswer.position)).all()


def _question(session: Session, question_id: str) -> Question:
    answers = answers_to(session, question_id)
    return Question(
        question_id,
        frozenset(answer.id for answer in answers),
        frozenset(answer.id for answer in answers if answer.is_right),
    )


def _view(session: Session, question_id: str, language: str) -> QuestionView:
    answers = answers_to(session, question_id)
    said = {
        answer.id: session.get_one(QuizAnswerWording, (answer.id, language)).wording
        for answer in answers
    }
    wording = session.get_one(QuizQuestionWording, (question_id, language)).wording
    several = sum(answer.is_right for answer in answers) > 1
    return QuestionView(question_id, wording, said, several)
