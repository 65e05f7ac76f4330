"""Courses: until when, the quiz, the steps in order, who may certify; each rule at its edges."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.model.certification import Level, Standing
from fabctl.model.training import (
    CourseFacts,
    CourseRules,
    CourseStep,
    Expiry,
    Question,
    TrainerFacts,
    earliest,
    end_of_day,
    fixed_end,
    idle_end,
    language_for,
    level_after,
    mark_quiz,
    months_after,
    next_step,
    step_refusals,
    trainer_refusals,
    warning_due,
)

PARIS = ZoneInfo("Europe/Paris")
NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2028, 2, 29), 48, date(2032, 2, 29)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2026, 11, 23), 1, date(2026, 12, 23)),
        (date(2026, 11, 23), 2, date(2027, 1, 23)),
        (date(2026, 11, 23), 12, date(2027, 11, 23)),
    ],
)
def test_months_after(day: date, months: int, expected: date) -> None:
    assert months_after(day, months) == expected


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(1, 120))
def test_so_many_months_later_is_in_that_month_and_never_a_later_day(
    day: date, months: int
) -> None:
    after = months_after(day, months)
    assert (after.year * 12 + after.month) - (day.year * 12 + day.month) == months
    assert after.day <= day.day
    assert after.day == day.day or (after + timedelta(days=1)).day == 1


@pytest.mark.parametrize(
    ("day", "midnight_after"),
    [
        (date(2026, 11, 23), datetime(2026, 11, 23, 23, 0, tzinfo=UTC)),  # winter: UTC+1
        (date(2026, 7, 14), datetime(2026, 7, 14, 22, 0, tzinfo=UTC)),  # summer: UTC+2
        (date(2026, 3, 29), datetime(2026, 3, 29, 22, 0, tzinfo=UTC)),  # the clocks change
        (date(2026, 10, 25), datetime(2026, 10, 25, 23, 0, tzinfo=UTC)),  # and back
        (date(2028, 2, 29), datetime(2028, 2, 29, 23, 0, tzinfo=UTC)),
    ],
)
def test_the_end_of_a_day_is_the_labs(day: date, midnight_after: datetime) -> None:
    assert end_of_day(day, PARIS) == midnight_after - MOMENT


@pytest.mark.parametrize(
    ("expiry", "expected"),
    [
        (Expiry(), None),
        (Expiry(unused_months=3), None),
        (Expiry(months=12), end_of_day(date(2027, 11, 23), PARIS)),
        (Expiry(on=date(2026, 12, 31)), end_of_day(date(2026, 12, 31), PARIS)),
        (Expiry(months=1, on=date(2026, 12, 31)), end_of_day(date(2026, 12, 23), PARIS)),
        (Expiry(months=2, on=date(2026, 12, 31)), end_of_day(date(2026, 12, 31), PARIS)),
    ],
)
def test_the_end_that_is_known_at_the_grant(expiry: Expiry, expected: datetime | None) -> None:
    assert fixed_end(expiry, NINE, PARIS) == expected


def test_a_grant_late_in_the_evening_counts_from_the_labs_day() -> None:
    late = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)  # the 24th in Paris
    assert fixed_end(Expiry(months=1), late, PARIS) == end_of_day(date(2026, 12, 24), PARIS)


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        (None, datetime(2027, 2, 23, 9, 0, tzinfo=UTC)),
        (NINE - timedelta(days=90), datetime(2027, 2, 23, 9, 0, tzinfo=UTC)),
        (datetime(2026, 12, 31, 8, 0, tzinfo=UTC), datetime(2027, 3, 31, 8, 0, tzinfo=UTC)),
        (datetime(2027, 11, 30, 8, 0, tzinfo=UTC), datetime(2028, 2, 29, 8, 0, tzinfo=UTC)),
    ],
)
def test_the_end_without_use(used: datetime | None, expected: datetime) -> None:
    assert idle_end(NINE, used, 3) == expected


def test_the_earliest_end_counts_and_never_is_no_end() -> None:
    assert earliest(None, NINE, NINE - MINUTE) == NINE - MINUTE
    assert earliest(None, None) is None


@pytest.mark.parametrize(
    ("before", "due"),
    [
        (timedelta(days=30) + MINUTE, False),
        (timedelta(days=30), True),
        (timedelta(days=30) - MINUTE, True),
        (timedelta(), True),
        (-MINUTE, False),
    ],
)
def test_the_warning_is_due_from_30_days_before(before: timedelta, due: bool) -> None:
    assert warning_due(NINE + before, NINE) is due


# -- the quiz ---------------------------------------------------------------------------------


def questions(count: int) -> list[Question]:
    return [
        Question(f"q{one}", frozenset({"a", "b", "c"}), frozenset({"a"})) for one in range(count)
    ]


def answers(right: int, wrong: int) -> dict[str, set[str]]:
    return {f"q{one}": {"a"} if one < right else {"b"} for one in range(right + wrong)}


@pytest.mark.parametrize(
    ("right", "wrong", "pass_mark", "passed"),
    [
        (8, 2, 80, True),
        (7, 3, 80, False),
        (10, 0, 100, True),
        (9, 1, 100, False),
        (2, 1, 66, True),  # 66.67 %
        (2, 1, 67, False),
        (1, 2, 33, True),
        (0, 3, 0, True),
    ],
)
def test_the_pass_mark_is_exact(right: int, wrong: int, pass_mark: int, passed: bool) -> None:
    result = mark_quiz(questions(right + wrong), answers(right, wrong), pass_mark)
    assert (result.right, result.asked, result.passed) == (right, right + wrong, passed)


@pytest.mark.parametrize(
    ("chosen", "right"),
    [
        ({"a", "b"}, 1),
        ({"a"}, 0),
        ({"a", "b", "c"}, 0),
        (set(), 0),
        ({"no such answer"}, 0),
        ({"a", "b", "no such answer"}, 0),
    ],
)
def test_exactly_the_right_answers_must_be_chosen(chosen: set[str], right: int) -> None:
    two = Question("q", frozenset({"a", "b", "c"}), frozenset({"a", "b"}))
    assert mark_quiz([two], {"q": chosen}, 100).right == right


def test_a_question_left_out_is_wrong_and_an_empty_quiz_cannot_be_passed() -> None:
    assert mark_quiz(questions(2), {"q0": {"a"}}, 100).right == 1
    assert not mark_quiz([], {}, 0).passed


@pytest.mark.parametrize(
    ("wanted", "written", "expected"),
    [
        ("fr", {"fr", "en"}, "fr"),
        ("de", {"fr", "en"}, "en"),
        ("de", {"fr"}, "fr"),
        (None, {"fr", "en"}, "en"),
        ("fr", set(), None),
    ],
)
def test_the_language_of_a_quiz(
    wanted: str | None, written: set[str], expected: str | None
) -> None:
    assert language_for(wanted, written) == expected


# -- the steps --------------------------------------------------------------------------------

FULL = CourseRules(first_job=True)
NOBODY = CourseFacts(FULL, prerequisites_met=False)
READY = CourseFacts(FULL)
ASKED = replace(READY, quiz_passed=True)
CHECKED = replace(ASKED, practical_passed=True)
DONE = replace(CHECKED, first_job_done=True)
EXPIRED = replace(READY, held_before=True, standing=Standing.EXPIRED)


@pytest.mark.parametrize(
    ("facts", "expected", "level"),
    [
        (NOBODY, CourseStep.PREREQUISITES, None),
        (READY, CourseStep.QUIZ, None),
        (ASKED, CourseStep.PRACTICAL, None),
        (CHECKED, CourseStep.FIRST_JOB, Level.SUPERVISED),
        (DONE, None, Level.AUTONOMOUS),
        (EXPIRED, CourseStep.PRACTICAL, None),
        (replace(EXPIRED, practical_passed=True), None, Level.AUTONOMOUS),
        (replace(EXPIRED, prerequisites_met=False), CourseStep.PREREQUISITES, None),
        (replace(READY, rules=CourseRules(has_quiz=False)), CourseStep.PRACTICAL, None),
        (replace(ASKED, rules=CourseRules(), practical_passed=True), None, Level.AUTONOMOUS),
        (
            replace(ASKED, rules=CourseRules(level=Level.TRAINER), practical_passed=True),
            None,
            Level.TRAINER,
        ),
    ],
)
def test_the_next_step_and_what_is_reached(
    facts: CourseFacts, expected: CourseStep | None, level: Level | None
) -> None:
    assert (next_step(facts), level_after(facts)) == (expected, level)


@pytest.mark.parametrize(
    ("facts", "wanted", "codes"),
    [
        (READY, CourseStep.QUIZ, []),
        (NOBODY, CourseStep.QUIZ, ["prerequisite-missing"]),
        (NOBODY, CourseStep.PRACTICAL, ["prerequisite-missing"]),
        (READY, CourseStep.PRACTICAL, ["quiz-first"]),
        (ASKED, CourseStep.PRACTICAL, []),
        (ASKED, CourseStep.QUIZ, []),
        (ASKED, CourseStep.FIRST_JOB, ["practical-first"]),
        (CHECKED, CourseStep.FIRST_JOB, []),
        (DONE, CourseStep.FIRST_JOB, ["already-done"]),
        (EXPIRED, CourseStep.PRACTICAL, []),
        (replace(EXPIRED, standing=Standing.VALID), CourseStep.PRACTICAL, []),
        (replace(DONE, standing=Standing.VALID), CourseStep.PRACTICAL, []),
        (
            replace(READY, standing=Standing.SUSPENDED),
            CourseStep.PRACTICAL,
            ["certification-suspended", "quiz-first"],
        ),
        (
            replace(EXPIRED, standing=Standing.SUSPENDED),
            CourseStep.PRACTICAL,
            ["certification-suspended"],
        ),
        (replace(READY, rules=CourseRules(has_quiz=False)), CourseStep.QUIZ, ["already-done"]),
        (replace(READY, rules=CourseRules()), CourseStep.FIRST_JOB, ["already-done"]),
    ],
)
def test_steps_in_order(facts: CourseFacts, wanted: CourseStep, codes: list[str]) -> None:
    refusals = step_refusals(facts, wanted)
    assert [refusal.code for refusal in refusals] == codes
    assert all(str(refusal.next_step) for refusal in refusals)


TRAINS = TrainerFacts(False, frozenset({"laser"}), frozenset({"laser"}))


@pytest.mark.parametrize(
    ("facts", "codes"),
    [
        (TrainerFacts(staff=True, machines=frozenset({"laser"})), []),
        (TrainerFacts(False, frozenset({"laser"}), frozenset({"laser"})), []),
        (TrainerFacts(False, frozenset({"laser", "mill"}), frozenset({"laser"})), []),
        (
            TrainerFacts(False, frozenset({"laser"}), frozenset({"laser", "mill"})),
            ["not-a-trainer"],
        ),
        (TrainerFacts(False, frozenset({"mill"}), frozenset({"laser"})), ["not-a-trainer"]),
        (TrainerFacts(False, frozenset(), frozenset()), ["not-a-trainer"]),
        (TrainerFacts(True, frozenset(), frozenset({"laser"}), themselves=True), ["not-yourself"]),
        (
            TrainerFacts(False, frozenset(), frozenset({"laser"}), themselves=True),
            ["not-a-trainer", "not-yourself"],
        ),
        (
            TrainerFacts(True, frozenset(), frozenset({"laser"}), themselves=True, granting=False),
            [],
        ),
        (replace(TRAINS, level=Level.AUTONOMOUS), []),
        (replace(TRAINS, level=Level.SUPERVISED), []),
        (replace(TRAINS, level=Level.TRAINER), ["trainer-by-staff"]),
        (replace(TRAINS, level=Level.TRAINER, granting=False), []),
        (replace(TRAINS, level=Level.TRAINER, staff=True), []),
        (
            replace(TRAINS, level=Level.TRAINER, trainer_on=frozenset()),
            ["not-a-trainer", "trainer-by-staff"],
        ),
    ],
)
def test_trainers_rights_are_per_machine(facts: TrainerFacts, codes: list[str]) -> None:
    assert [refusal.code for refusal in trainer_refusals(facts)] == codes
