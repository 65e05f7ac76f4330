"""Writing a quiz: questions with their right answers, added, replaced, retired. For the staff."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import InputError, UnknownIdError
from fabctl.services.audit import audit
from fabctl.services.courses import course_row
from fabctl.services.quizzes import QuestionWording, answers_to, asked_of
from fabctl.services.rights import require_staff
from fabctl.store.ids import new_id
from fabctl.store.tables_training import (
    QuizAnswer,
    QuizAnswerWording,
    QuizQuestion,
    QuizQuestionWording,
)

MOST_ANSWERS = 20
"""To one question, by programs and by forms; a form shows fewer."""


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
    course_row(session, course_id, lock=True)  # no other question gets the same place
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
    row = _asked_row(session, question_id, lock=True)
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
    row = session.get(QuizQuestion, question_id, with_for_update=True, populate_existing=True)
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
    return [_record(session, one) for one in asked_of(session, course_id)]


def get_question(session: Session, *, question_id: str, by: str | None) -> QuestionRecord:
    """Return one question that is asked, with its right answers.

    :raises RefusedError: staff-only.
    :raises UnknownIdError: there is none, or it is not asked any more.
    """
    require_staff(session, by)
    _asked_row(session, question_id)
    return _record(session, question_id)


def _asked_row(session: Session, question_id: str, *, lock: bool = False) -> QuizQuestion:
    row = session.get(
        QuizQuestion, question_id, with_for_update=True if lock else None, populate_existing=lock
    )
    if row is None or row.retired_at is not None:
        raise UnknownIdError(f"there is no question {question_id!r} that is asked")
    return row


def _record(session: Session, question_id: str) -> QuestionRecord:
    course_id = session.get_one(QuizQuestion, question_id).course_id
    answers = answers_to(session, question_id)
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
