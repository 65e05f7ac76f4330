"""What may be done with a reservation that was made: every edge, one minute either side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fabctl.i18n import translate
from fabctl.model.booking_changes import (
    ChangeFacts,
    cancel_refusals,
    check_in_refusals,
    missed_when_cancelled,
    move_refusals,
    pardon_refusals,
    stop_refusals,
)
from fabctl.model.booking_policy import BookingRules
from fabctl.model.booking_slots import Slot
from fabctl.model.refusal import Refusal

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SLOT = Slot(START, START + timedelta(hours=1))
UNTIL_AN_HOUR = BookingRules(cancel_until=timedelta(hours=1))


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def at(now: float, **more: Any) -> ChangeFacts:
    """Return facts, some minutes after the start of a reservation made the day before."""
    facts = ChangeFacts(START + minutes(now), SLOT, START - timedelta(days=1))
    return replace(facts, **more)


def codes(found: Sequence[Refusal]) -> list[str]:
    return [one.code for one in found]


STRANGER = {"theirs": False}
STAFF = {"theirs": False, "for_others": True}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (at(-61, rules=UNTIL_AN_HOUR), []),
        (at(-60, rules=UNTIL_AN_HOUR), []),
        (at(-59, rules=UNTIL_AN_HOUR), ["past-cancellation-deadline"]),
        (at(-1, rules=UNTIL_AN_HOUR), ["past-cancellation-deadline"]),
        (at(0, rules=UNTIL_AN_HOUR), []),  # it runs: the rest is free for others
        (at(-1), []),
        (at(59), []),
        (at(60), ["already-over"]),
        (at(61), ["already-over"]),
        (at(-61, cancelled=True), ["already-cancelled"]),
        (at(-1, cancelled=True, rules=UNTIL_AN_HOUR), ["already-cancelled"]),
        (at(20, no_show=True), ["no-show"]),
        (at(-61, **STRANGER), ["not-yours"]),
        (at(-59, rules=UNTIL_AN_HOUR, **STRANGER), ["not-yours", "past-cancellation-deadline"]),
        (at(60, **STRANGER), ["not-yours", "already-over"]),
        (at(-61, **STAFF), ["reason-missing"]),
        (at(-61, reason=" ", **STAFF), ["reason-missing"]),
        (at(-59, rules=UNTIL_AN_HOUR, reason="ill", **STAFF), []),
        (at(60, **STAFF), ["already-over"]),
        (at(-59, rules=UNTIL_AN_HOUR, for_others=True), []),  # one of the staff, their own
    ],
)
def test_cancelling(facts: ChangeFacts, expected: list[str]) -> None:
    assert codes(cancel_refusals(facts)) == expected


@pytest.mark.parametrize(
    ("facts", "missed"),
    [
        (at(-1), False),
        (at(0), False),
        (at(1), True),
        (at(59), True),
        (at(1, came=True), False),
        (at(1, rules=BookingRules(release_after=None)), False),
        (at(6, made_at=START + minutes(5)), True),
        (at(5, made_at=START + minutes(5)), False),
        (at(1, reason="the ceiling leaks", **STAFF), False),
        (at(1, for_others=True), True),
        (at(1, reason="I forgot"), True),  # a reason is the staff's to give
    ],
)
def test_cancelling_what_has_begun_is_a_no_show(facts: ChangeFacts, missed: bool) -> None:
    assert missed_when_cancelled(facts) is missed


def moved(start: float, lasts: float = 60) -> Slot:
    return Slot(START + minutes(start), START + minutes(start + lasts))


@pytest.mark.parametrize(
    ("facts", "wanted", "elsewhere", "expected"),
    [
        (at(-61, rules=UNTIL_AN_HOUR), moved(90), False, []),
        (at(-60, rules=UNTIL_AN_HOUR), moved(90), True, []),
        (at(-59, rules=UNTIL_AN_HOUR), moved(90), False, ["past-cancellation-deadline"]),
        (at(-59, rules=UNTIL_AN_HOUR), SLOT, True, ["past-cancellation-deadline"]),
        (at(-59, rules=UNTIL_AN_HOUR), moved(0, 59), False, ["past-cancellation-deadline"]),
        (at(-59, rules=UNTIL_AN_HOUR), moved(0, 61), False, []),  # nothing is given back
        (at(-59, rules=UNTIL_AN_HOUR), moved(-1, 61), False, []),
        (at(-1), moved(90), False, []),
        (at(0), moved(90), False, ["has-begun"]),
        (at(0), SLOT, True, ["has-begun"]),
        (at(10), moved(0, 11), False, []),
        (at(10), moved(0, 10), False, ["has-begun"]),
        (at(60), moved(90), False, ["already-over"]),
        (at(-1, **STRANGER), moved(90), False, ["not-yours"]),
        (at(10, **STRANGER), moved(90), False, ["not-yours", "has-begun"]),
        (at(10, **STAFF), moved(90), False, ["has-begun"]),
    ],
)
def test_moving(facts: ChangeFacts, wanted: Slot, elsewhere: bool, expected: list[str]) -> None:
    assert codes(move_refusals(facts, wanted, elsewhere=elsewhere)) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (at(-16), ["check-in-too-early"]),
        (at(-15), []),
        (at(-14), []),
        (at(59), []),
        (at(60), ["already-over"]),
        (at(20, no_show=True), ["no-show"]),
        (at(-16, **STRANGER), ["not-yours", "check-in-too-early"]),
        (at(-16, cancelled=True), ["already-cancelled", "check-in-too-early"]),
        (at(0, **STRANGER), ["not-yours"]),
        (at(0, **STAFF), []),
    ],
)  # fmt: skip
def test_checking_in(facts: ChangeFacts, expected: list[str]) -> None:
    assert codes(check_in_refusals(facts)) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (at(-1), ["not-begun"]),
        (at(0), ["not-begun"]),
        (at(1), []),
        (at(59), []),
        (at(60), ["already-over"]),
        (at(1, used=True), ["still-in-use"]),
        (at(-1, used=True), ["not-begun", "still-in-use"]),
        (at(60, used=True), ["already-over"]),
        (at(-1, used=True, **STRANGER), ["not-yours", "not-begun", "still-in-use"]),
    ],
)
def test_stopping(facts: ChangeFacts, expected: list[str]) -> None:
    assert codes(stop_refusals(facts)) == expected


@pytest.mark.parametrize(
    ("no_show", "reason", "expected"),
    [
        (True, "the train", []),
        (True, " ", ["reason-missing"]),
        (False, "the train", ["not-a-no-show"]),
        (False, "", ["not-a-no-show", "reason-missing"]),
    ],
)
def test_pardoning(no_show: bool, reason: str, expected: list[str]) -> None:
    assert codes(pardon_refusals(no_show=no_show, reason=reason)) == expected


def test_each_refusal_is_said_in_both_languages_with_a_next_step() -> None:
    found = [
        *cancel_refusals(at(-1, rules=UNTIL_AN_HOUR, **STRANGER)),
        *cancel_refusals(at(-61, **STAFF)),
        *cancel_refusals(at(60)),
        *cancel_refusals(at(0, cancelled=True)),
        *cancel_refusals(at(0, no_show=True)),
        *check_in_refusals(at(-16)),
        *stop_refusals(at(-1, used=True)),
        *pardon_refusals(no_show=False, reason="x"),
    ]
    assert len(set(codes(found))) == 10
    for one in found:
        for words in (one.message, one.next_step):
            english, french = (translate(words, language) for language in ("en", "fr"))
            assert english
            assert french
            assert english != french
