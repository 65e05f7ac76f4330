"""What a browser keeps of a quiz, in its signed session: the answers so far, then the result.

It goes with the session. The lab's database keeps none of it but the count. An answer is kept as
its place, so that a hundred questions still fit into a cookie.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from flask import session

from fabctl.model.training import QuizResult
from fabctl.services.quizzes import Quiz

TRY, RESULT = "quiz-try", "quiz-result"
MOST_WRONG = 30
"""So many wrong questions are named: a cookie has no room for more."""

Places = dict[str, list[int]]
"""By question: the places of the answers chosen, from 0."""


@dataclass(frozen=True)
class Try:
    """Somebody's answers so far."""

    course: str
    person: str
    chosen: Places = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What a try amounted to, for the page after it."""

    course: str
    person: str
    right: int
    asked: int
    passed: bool
    wrong: Places
    """What was chosen, by the questions that were not answered right."""


def answers_of(course: str, person: str) -> Places:
    """Return this person's answers so far in this course; of anybody else's, none."""
    kept = session.get(TRY)
    found = Try(**kept) if isinstance(kept, dict) else Try(course, person)
    return found.chosen if (found.course, found.person) == (course, person) else {}


def keep_answers(course: str, person: str, chosen: Places) -> None:
    """Keep somebody's answers, in the place of whatever was kept."""
    session[TRY] = asdict(Try(course, person, chosen))


def keep_result(course: str, person: str, chosen: Places, found: QuizResult) -> None:
    """Keep what a try amounted to; its answers go."""
    wrong = {one: chosen.get(one, []) for one in found.wrong[:MOST_WRONG]}
    kept = Result(course, person, found.right, found.asked, found.passed, wrong)
    session.pop(TRY, None)
    session[RESULT] = asdict(kept)


def last_result(course: str, person: str) -> Result | None:
    """Return the result of this browser's last try, if it was this person's in this course."""
    kept = session.get(RESULT)
    found = Result(**kept) if isinstance(kept, dict) else None
    fits = found is not None and (found.course, found.person) == (course, person)
    return found if fits else None


def ids(asked: Quiz, chosen: Mapping[str, list[int]]) -> dict[str, list[str]]:
    """Return the answers' ids, by question; places that there are not are left out."""
    return {
        one.id: [key for place, key in enumerate(one.answers) if place in chosen.get(one.id, ())]
        for one in asked.questions
    }
