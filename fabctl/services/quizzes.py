"""Quizzes: questions in the database, in several languages; taking one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import InputError, UnknownIdError
from fabctl.model.refusal import RefusedError
from fabctl.model.training import CourseStep, Question, QuizResult, language_for, mark_quiz
from fabctl.services.audit import audit
from fabctl.services.courses import course_row, get_course
from fabctl.services.rights import require_staff
from fabctl.services.training import facts_of, step_refusals
from fabctl.store.ids import new_id
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


def add_question(
    session: Session,
    clock: Clock,
    *,
    course_id: str,
    wording: Mapping[str, QuestionWording],
    right: Collection[int],
    by: str | None,
) -> str:
    """Add a question at the end of a course's quiz; return its id.

    :param wording: by language.
    :param right: the places of the right answers, from 0; one at least.
    :raises RefusedError: staff-only.
    :raises InputError: a wording is missing, or the languages have unequal answers.
    """
    require_staff(session, by)
    course_row(session, course_id)
    last = session.scalar(
        select(func.max(QuizQuestion.position)).where(QuizQuestion.course_id == course_id)
    )
    made = _write(session, course_id, (last or 0) + 1, wording, right)
    audit(session, clock, by, "quiz.question-added", f"course:{course_id}", {"id": made})
    return made


def replace_question(
    session: Session,
    clock: Clock,
    *,
    question_id: str,
    wording: Mapping[str, QuestionWording],
    right: Collection[int],
    by: str | None,
) -> str:
    """Ask another question in the place of one; return its id. What people passed stays passed.

    :param wording: by language, as for :func:`add_question`.
    :raises RefusedError: staff-only.
    :raises InputError: it is no question.
    :raises UnknownIdError: there is none, or it is not asked any more.
    """
    require_staff(session, by)
    row = _asked_row(session, question_id)
    made = _write(session, row.course_id, row.position, wording, right)
    row.retired_at = clock.now()
    session.flush()
    details = {"id": made, "instead_of": question_id}
    audit(session, clock, by, "quiz.question-changed", f"course:{row.course_id}", details)
    return made


def _write(
    session: Session,
    course_id: str,
    position: int,
    wording: Mapping[str, QuestionWording],
    right: Collection[int],
) -> str:
    """Write a question down; return its id. :raises InputError: it is none."""
    count = _answers_in(wording, right)
    question = QuizQuestion(id=new_id(), course_id=course_id, position=position)
    session.add(question)
    answers = [
        QuizAnswer(id=new_id(), question_id=question.id, position=place, is_right=place in right)
        for place in range(count)
    ]
    session.flush()
    session.add_all(answers)
    session.flush()
    for language, said in wording.items():
        session.add(
            QuizQuestionWording(
                question_id=question.id,
                language=language,
                wording=said.question,
                explanation=said.explanation.strip(),
            )
        )
        for answer, words in zip(answers, said.answers, strict=True):
            session.add(QuizAnswerWording(answer_id=answer.id, language=language, wording=words))
    session.flush()
    return question.id


def _answers_in(wording: Mapping[str, QuestionWording], right: Collection[int]) -> int:
    """Return how many answers there are. :raises InputError: it is no question."""
    counts = {len(said.answers) for said in wording.values()}
    words = [word for said in wording.values() for word in (said.question, *said.answers)]
    if len(counts) != 1 or not all(word.strip() for word in words):
        raise InputError("a question has as many answers in each language, none of them empty")
    count = counts.pop()
    if count < 2 or not right or not set(right) <= set(range(count)):
        raise InputError("a question has two answers at least, and one that is right")
    return count


def retire_question(session: Session, clock: Clock, *, question_id: str, by: str | None) -> None:
    """Ask a question no more. :raises RefusedError: staff-only. :raises UnknownIdError: none."""
    require_staff(session, by)
    row = session.get(QuizQuestion, question_id)
    if row is None:
        raise UnknownIdError(f"there is no question {question_id!r}")
    row.retired_at = row.retired_at or clock.now()
    details = {"id": question_id}
    audit(session, clock, by, "quiz.question-retired", f"course:{row.course_id}", details)
    session.flush()


@dataclass(frozen=True, slots=True)
class QuestionRecord:
    """A question as those who write it see it: with its right answers."""

    id: str
    course_id: str
    wording: Mapping[str, QuestionWording]
    """By language."""
    right: frozenset[int]
    """The places of the right answers, from 0."""


def questions(session: Session, *, course_id: str, by: str | None) -> list[QuestionRecord]:
    """Return the questions that are asked, in their order, with the right answers.

    :raises RefusedError: staff-only.
    :raises UnknownIdError: no such course.
    """
    require_staff(session, by)
    course_row(session, course_id)
    return [_record(session, one) for one in _asked(session, course_id)]


def get_question(session: Session, *, question_id: str, by: str | None) -> QuestionRecord:
    """Return one question that is asked, with its right answers.

    :raises RefusedError: staff-only.
    :raises UnknownIdError: there is none, or it is not asked any more.
    """
    require_staff(session, by)
    _asked_row(session, question_id)
    return _record(session, question_id)


def _asked_row(session: Session, question_id: str) -> QuizQuestion:
    row = session.get(QuizQuestion, question_id)
    if row is None or row.retired_at is not None:
        raise UnknownIdError(f"there is no question {question_id!r} that is asked")
    return row


def _record(session: Session, question_id: str) -> QuestionRecord:
    course_id = session.get_one(QuizQuestion, question_id).course_id
    answers = _answers(session, question_id)
    query = select(QuizQuestionWording).where(QuizQuestionWording.question_id == question_id)
    wording = {
        asked.language: QuestionWording(
            asked.wording,
            tuple(
                session.get_one(QuizAnswerWording, (one.id, asked.language)).wording
                for one in answers
            ),
            asked.explanation,
        )
        for asked in session.scalars(query.order_by(QuizQuestionWording.language))
    }
    right = frozenset(place for place, one in enumerate(answers) if one.is_right)
    return QuestionRecord(question_id, course_id, wording, right)


def quiz_languages(session: Session, course_id: str) -> set[str]:
    """Return the languages in which every question of a course is written."""
    asked = _asked(session, course_id)
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
    questions = [_view(session, one, found) for one in _asked(session, course_id)]
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
    questions = [_question(session, one) for one in _asked(session, course_id)]
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


def _asked(session: Session, course_id: str) -> Sequence[str]:
    query = select(QuizQuestion.id).where(
        QuizQuestion.course_id == course_id, QuizQuestion.retired_at.is_(None)
    )
    return session.scalars(query.order_by(QuizQuestion.position)).all()


def _answers(session: Session, question_id: str) -> Sequence[QuizAnswer]:
    query = select(QuizAnswer).where(QuizAnswer.question_id == question_id)
    return session.scalars(query.order_by(QuizAnswer.position)).all()


def _question(session: Session, question_id: str) -> Question:
    answers = _answers(session, question_id)
    return Question(
        question_id,
        frozenset(answer.id for answer in answers),
        frozenset(answer.id for answer in answers if answer.is_right),
    )


def _view(session: Session, question_id: str, language: str) -> QuestionView:
    answers = _answers(session, question_id)
    said = {
        answer.id: session.get_one(QuizAnswerWording, (answer.id, language)).wording
        for answer in answers
    }
    wording = session.get_one(QuizQuestionWording, (question_id, language)).wording
    several = sum(answer.is_right for answer in answers) > 1
    return QuestionView(question_id, wording, said, several)
