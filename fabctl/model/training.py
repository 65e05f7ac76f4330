"""Courses: their steps in order, the quiz, who may certify, and until when a certification holds.

Facts in, every refusal out. What a certification's history amounts to is in
:mod:`fabctl.model.certification`.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from fractions import Fraction
from zoneinfo import ZoneInfo

from fabctl.model.certification import Level, Standing
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text

WARNING = timedelta(days=30)
"""So long before a certification ends its holder is warned."""

_LAST_MOMENT = timedelta(microseconds=1)


# -- until when -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Expiry:
    """Until when a course's certification holds. Several may be set: the earliest counts."""

    months: int | None = None
    """So many calendar months after the grant, ≥ 1."""
    on: date | None = None
    """To the end of this day by the lab's clocks."""
    unused_months: int | None = None
    """So many calendar months after the machine was used last, ≥ 1."""


def months_after(day: date, months: int) -> date:
    """Return the same day so many months later; the month's last day where it has none such."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    length = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, length))


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the last moment of a day by the lab's clocks, in UTC."""
    midnight = datetime.combine(day + timedelta(days=1), time(), zone)
    return midnight.astimezone(UTC) - _LAST_MOMENT


def fixed_end(expiry: Expiry, granted_at: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the last moment that is known when the certification is granted; None: never.

    What depends on use is not in it: see :func:`idle_end`.
    """
    granted_on = granted_at.astimezone(zone).date()
    days = [] if expiry.on is None else [expiry.on]
    if expiry.months is not None:
        days.append(months_after(granted_on, expiry.months))
    return end_of_day(min(days), zone) if days else None


def idle_end(granted_at: datetime, last_used: datetime | None, unused_months: int) -> datetime:
    """Return the last moment that is left to somebody who does not use the machine (again).

    Counted from the grant or the last use, whichever is later, to the same time of day in UTC:
    this is asked at every start, also where nobody knows the lab's zone.
    """
    base = max(granted_at, last_used or granted_at).astimezone(UTC)
    return datetime.combine(months_after(base.date(), unused_months), base.timetz())


def earliest(*ends: datetime | None) -> datetime | None:
    """Return the earliest of these ends; None, for never, only when all are."""
    return min((end for end in ends if end is not None), default=None)


def warning_due(expires_at: datetime, now: datetime) -> bool:
    """Say whether it is time to warn: from 30 days before the end, up to the end."""
    return expires_at - WARNING <= now <= expires_at


# -- the quiz ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Question:
    """A question's right answers. Its wording in each language is the store's."""

    id: str
    answers: frozenset[str]
    right: frozenset[str]
    """At least one. Exactly these must be chosen."""


@dataclass(frozen=True, slots=True)
class QuizResult:
    """What a set of answers amounts to."""

    right: int
    asked: int
    passed: bool
    wrong: tuple[str, ...] = ()
    """Ids of the questions that were not answered exactly right, in their order."""


def mark_quiz(
    questions: Sequence[Question], chosen: Mapping[str, Collection[str]], pass_mark: int
) -> QuizResult:
    """Count the questions answered exactly right; a quiz without questions cannot be passed.

    :param chosen: the answers chosen, by question; a question left out is wrong.
    :param pass_mark: percent of the questions, 0 to 100; exactly that many is enough.
    """
    wrong = tuple(one.id for one in questions if frozenset(chosen.get(one.id, ())) != one.right)
    right = len(questions) - len(wrong)
    enough = bool(questions) and Fraction(right, len(questions)) >= Fraction(pass_mark, 100)
    return QuizResult(right, len(questions), enough, wrong)


def language_for(wanted: str | None, written: Collection[str]) -> str | None:
    """Return the language to ask in: the wanted one, else English, else any; None: there is none.

    A course is offered only in languages in which all of it is written.
    """
    if wanted in written:
        return wanted
    return "en" if "en" in written else min(written, default=None)


# -- the steps --------------------------------------------------------------------------------


class CourseStep(StrEnum):
    """The steps of a course, in their order."""

    PREREQUISITES = "prerequisites"
    QUIZ = "quiz"
    PRACTICAL = "practical"
    FIRST_JOB = "first-job"


@dataclass(frozen=True, slots=True)
class CourseRules:
    """What a course asks for."""

    level: Level = Level.AUTONOMOUS
    has_quiz: bool = True
    pass_mark: int = 80
    """Percent."""
    first_job: bool = False
    """Whether a supervised first job follows the practical check."""

    @property
    def steps(self) -> tuple[CourseStep, ...]:
        """The steps of this course, in order."""
        left_out = {
            *(() if self.has_quiz else (CourseStep.QUIZ,)),
            *(() if self.first_job else (CourseStep.FIRST_JOB,)),
        }
        return tuple(step for step in CourseStep if step not in left_out)


@dataclass(frozen=True, slots=True)
class CourseFacts:
    """Where somebody stands in a course."""

    rules: CourseRules
    prerequisites_met: bool = True
    quiz_passed: bool = False
    practical_passed: bool = False
    first_job_done: bool = False
    standing: Standing = Standing.NONE
    """On the course's machines: the worst of them."""
    held_before: bool = False
    """Whether this course has certified them before: then the practical check alone renews."""


def next_step(facts: CourseFacts) -> CourseStep | None:
    """Return the first step that is not done; None: all are."""
    done = {
        CourseStep.PREREQUISITES: facts.prerequisites_met,
        CourseStep.QUIZ: facts.quiz_passed or facts.held_before,
        CourseStep.PRACTICAL: facts.practical_passed,
        CourseStep.FIRST_JOB: facts.first_job_done or facts.held_before,
    }
    return next((step for step in facts.rules.steps if not done[step]), None)


def level_after(facts: CourseFacts) -> Level | None:
    """Return what the steps done so far are worth; None: nothing yet.

    Between the practical check and the first job it is ``supervised``.
    """
    step = next_step(facts)
    if step is None:
        return facts.rules.level
    return Level.SUPERVISED if step is CourseStep.FIRST_JOB else None


def level_if_passed(facts: CourseFacts, step: CourseStep) -> Level | None:
    """Return what the steps would be worth with this check passed; None: nothing yet."""
    if step is CourseStep.FIRST_JOB:
        return level_after(replace(facts, first_job_done=True))
    return level_after(replace(facts, practical_passed=True))


_STEP_REFUSALS: Mapping[CourseStep, Refusal] = {
    CourseStep.PREREQUISITES: Refusal(
        "prerequisite-missing",
        text("Another certification comes before this training."),
        text("Do the other training first."),
    ),
    CourseStep.QUIZ: Refusal(
        "quiz-first",
        text("The quiz of this training is not passed yet."),
        text("Pass the quiz first."),
    ),
    CourseStep.PRACTICAL: Refusal(
        "practical-first",
        text("The practical check of this training is not passed yet."),
        text("Do the practical check with a trainer first."),
    ),
}
_SUSPENDED = Refusal(
    "certification-suspended",
    text("This certification is suspended."),
    text("A trainer or the staff must end the suspension first."),
)
_NOTHING_LEFT = Refusal(
    "already-done",
    text("This step is done already."),
    text("Go on with the next step."),
)


def step_refusals(facts: CourseFacts, wanted: CourseStep) -> list[Refusal]:
    """Say why somebody may not do this step now: an earlier one is missing, or a suspension.

    Somebody who held the certification renews it by the practical check, as often as they like.
    """
    found = [_SUSPENDED] if facts.standing is Standing.SUSPENDED else []
    if wanted not in facts.rules.steps:
        return [*found, _NOTHING_LEFT]
    missing = next_step(facts)
    order = list(CourseStep)
    if missing is not None and order.index(missing) < order.index(wanted):
        found.append(_STEP_REFUSALS[missing])
    if wanted is CourseStep.FIRST_JOB and missing is None:
        found.append(_NOTHING_LEFT)
    return found


# -- who may certify --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TrainerFacts:
    """Who wants to certify, suspend or reinstate whom."""

    staff: bool
    """Whether they are of the staff: these may for every machine."""
    trainer_on: frozenset[str] = frozenset()
    """The machines on which they hold a valid certification as trainer."""
    machines: frozenset[str] = field(default_factory=frozenset)
    """The machines it is about."""
    themselves: bool = False
    granting: bool = True
    level: Level | None = None
    """What they would hold then; None: nothing, or it makes no difference."""


_NOT_A_TRAINER = Refusal(
    "not-a-trainer",
    text("Only a trainer of this machine and the staff may do this."),
    text("Ask a trainer of this machine."),
)
_NOT_YOURSELF = Refusal(
    "not-yourself",
    text("Nobody certifies themselves."),
    text("Ask another trainer."),
)


_TRAINERS_BY_STAFF = Refusal(
    "trainer-by-staff",
    text("Only the staff makes somebody a trainer."),
    text("Ask the staff."),
)


def _rights(facts: TrainerFacts) -> Refusal | None:
    fits = facts.staff or (bool(facts.machines) and facts.machines <= facts.trainer_on)
    return None if fits else _NOT_A_TRAINER


def _self(facts: TrainerFacts) -> Refusal | None:
    return _NOT_YOURSELF if facts.themselves and facts.granting else None


def _trainers(facts: TrainerFacts) -> Refusal | None:
    """A trainer certifies users; who may certify is for the lab to say."""
    makes_one = facts.granting and facts.level is Level.TRAINER
    return _TRAINERS_BY_STAFF if makes_one and not facts.staff else None


TRAINER_RULES: tuple[Callable[[TrainerFacts], Refusal | None], ...] = (_rights, _self, _trainers)


def trainer_refusals(facts: TrainerFacts) -> list[Refusal]:
    """Return every reason why this person may not; an empty list is the only permission."""
    return [refusal for rule in TRAINER_RULES if (refusal := rule(facts)) is not None]
