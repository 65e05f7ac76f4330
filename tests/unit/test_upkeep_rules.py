"""After use: who may say what, who owns a task, and when maintenance is due; with the edges."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fabctl.model.maintenance import (
    MOST_HOURS,
    DoneFacts,
    Work,
    done_refusals,
    hours_refusals,
    runs_over_at,
    seconds_worked,
)
from fabctl.model.out_of_order import Stop, out_of_order_refusal
from fabctl.model.people import Role
from fabctl.model.refusal import Refusal
from fabctl.model.upkeep import (
    ANSWER_WITHIN,
    SHORT,
    AfterUseFacts,
    StopperFacts,
    TaskFacts,
    after_use_refusals,
    owner_refusals,
    stopper_refusals,
    task_refusals,
    words_refusals,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def codes(found: list[Refusal]) -> list[str]:
    return [refusal.code for refusal in found]


def test_a_reason_and_its_next_step_are_said() -> None:
    refusal = out_of_order_refusal(Stop("the belt is torn", NOW, "a new one comes on Friday"))
    assert refusal.code == "out-of-order"
    assert "the belt is torn" in str(refusal.message)
    assert "Friday" in str(refusal.next_step)


@pytest.mark.parametrize("stop", [None, Stop("", NOW), Stop("{belt}", NOW)])
def test_without_a_next_step_there_is_still_one(stop: Stop | None) -> None:
    refusal = out_of_order_refusal(stop)
    assert str(refusal.message)
    assert "Choose another machine" in str(refusal.next_step)


@pytest.mark.parametrize(
    ("words", "needed", "expected"),
    [
        ("x", True, []),
        ("", True, ["words-missing"]),
        ("", False, []),
        ("x" * SHORT, True, []),
        ("x" * (SHORT + 1), True, ["words-too-long"]),
        ("x" * (SHORT + 1), False, ["words-too-long"]),
    ],
)
def test_words(words: str, needed: bool, expected: list[str]) -> None:  # a table
    assert codes(words_refusals(words, SHORT, needed=needed)) == expected


JUST_DONE = AfterUseFacts(now=NOW, own=True, staff=False, closed_at=NOW)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"closed_at": None}, []),
        ({"closed_at": NOW - ANSWER_WITHIN}, []),
        ({"closed_at": NOW - ANSWER_WITHIN - MINUTE}, ["answer-too-late"]),
        ({"closed_at": NOW - ANSWER_WITHIN - MINUTE, "staff": True}, []),
        ({"own": False}, ["not-yours"]),
        ({"own": False, "closed_at": None}, ["not-yours"]),
        ({"own": False, "staff": True}, []),
    ],
)
def test_who_may_say_how_a_machine_was_left(change: dict[str, Any], expected: list[str]) -> None:
    assert codes(after_use_refusals(replace(JUST_DONE, **change))) == expected


STRANGER = StopperFacts(now=NOW, staff=False, certified=False, last_used_at=None)


@pytest.mark.parametrize(
    ("change", "may"),
    [
        ({}, False),
        ({"staff": True}, True),
        ({"certified": True}, True),
        ({"last_used_at": NOW}, True),
        ({"last_used_at": NOW - ANSWER_WITHIN}, True),
        ({"last_used_at": NOW - ANSWER_WITHIN - MINUTE}, False),
    ],
)
def test_who_may_put_a_machine_out_of_order(change: dict[str, Any], may: bool) -> None:  # a table
    found = codes(stopper_refusals(replace(STRANGER, **change)))
    assert found == ([] if may else ["may-not-stop-machine"])


@pytest.mark.parametrize("role", Role)
def test_members_own_no_tasks(role: Role) -> None:
    assert codes(owner_refusals(role)) == (["owner-not-staff"] if role is Role.MEMBER else [])


MINE = TaskFacts(staff=False, owner=True, ended=False, planned=False, dropping=False)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"dropping": True}, []),
        ({"planned": True}, []),
        ({"owner": False, "staff": True}, []),
        ({"owner": False}, ["not-yours"]),
        ({"ended": True}, ["task-ended"]),
        ({"planned": True, "dropping": True}, ["task-is-planned"]),
        (
            {"owner": False, "ended": True, "planned": True, "dropping": True},
            ["not-yours", "task-ended", "task-is-planned"],
        ),
    ],
)
def test_ending_a_task(change: dict[str, Any], expected: list[str]) -> None:
    assert codes(task_refusals(replace(MINE, **change))) == expected


# -- maintenance ------------------------------------------------------------------------------


def use(begin_h: float, length_h: float, worked_h: float | None = None) -> Work:
    """Return a use that begins so many hours after NOW; it worked all the while, or less."""
    begin = NOW + HOUR * begin_h
    worked = length_h if worked_h is None else worked_h
    return Work(begin, begin + HOUR * length_h, worked * 3600)


@pytest.mark.parametrize(
    ("works", "hours"),
    [
        ([], 0),
        ([use(1, 2)], 2),
        ([use(0, 2)], 2),
        ([use(-2, 2)], 0),  # ended as the counter was reset
        ([use(-1, 2)], 1),  # across the reset: what lies after it
        ([use(-1, 2, 0.5)], 0.25),
        ([use(-3, 1), use(1, 1), use(4, 0.5)], 1.5),
        ([use(1, 0, 3)], 3),  # the interlock's words came with no time between
        ([use(1, 0)], 0),
    ],
)
def test_hours_since_the_counter_was_reset(works: list[Work], hours: float) -> None:
    assert seconds_worked(works, NOW) == pytest.approx(hours * 3600)


@pytest.mark.parametrize(
    ("works", "due_h"),
    [
        ([], None),
        ([use(1, 2)], 3),  # exactly the limit
        ([use(1, 2 - 1 / 60)], None),  # a minute less
        ([use(1, 2 + 1 / 60)], 3),  # a minute more: due when the hours ran over, not later
        ([use(1, 1), use(5, 1)], 6),
        ([use(1, 1), use(5, 0.9)], None),
        ([use(1, 1.5), use(5, 2)], 5.5),
        ([use(-1, 3)], 2),  # across the reset: its last two hours count
        ([use(-1, 2.5)], None),
        ([use(1, 4, 2)], 5),  # half of the time it worked
        ([use(1, 8, 4)], 5),
        ([use(2, 0, 2)], 2),
        ([use(n, 0.1) for n in range(1, 21)], 20.1),  # adding up loses nothing
        ([use(-9, 8), use(1, 1.9)], None),  # what was before the reset does not count
    ],
)
def test_due_when_the_hours_run_over(works: list[Work], due_h: float | None) -> None:
    found = runs_over_at(works, NOW, HOUR * 2)
    if due_h is None:
        assert found is None
    else:
        assert found is not None
        assert abs(found - (NOW + HOUR * due_h)) < timedelta(milliseconds=1)


def test_whenever_one_asks_it_was_due_at_the_same_moment() -> None:
    early = [use(1, 3)]
    late = [use(1, 30), use(50, 8)]
    assert runs_over_at(early, NOW, HOUR * 2) == runs_over_at(late, NOW, HOUR * 2)


DONE = DoneFacts(
    now=NOW, done_at=NOW, counted_from=NOW - HOUR, ended=False, expected=3, cycle=3
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"expected": None}, []),
        ({"expected": 2}, ["already-done"]),
        ({"expected": 4}, ["already-done"]),
        ({"done_at": NOW + MINUTE}, ["done-in-the-future"]),
        ({"done_at": NOW - HOUR}, []),
        ({"done_at": NOW - HOUR - MINUTE}, ["done-before-the-last"]),
        ({"ended": True}, ["plan-ended"]),
        (
            {"ended": True, "expected": 0, "done_at": NOW + MINUTE},
            ["plan-ended", "already-done", "done-in-the-future"],
        ),
    ],
)
def test_noting_that_it_was_done(change: dict[str, Any], expected: list[str]) -> None:
    assert codes(done_refusals(replace(DONE, **change))) == expected


@pytest.mark.parametrize(
    ("hours", "possible"),
    [
        (0.1, True),
        (MOST_HOURS, True),
        (MOST_HOURS + 1, False),
        (0, False),
        (-1, False),
        (float("nan"), False),
        (float("inf"), False),
    ],
)
def test_hours_of_a_plan(hours: float, possible: bool) -> None:  # a table
    assert codes(hours_refusals(hours)) == ([] if possible else ["hours-not-possible"])
