"""Policies: the nearest wins for each number, and nothing that cannot be is taken."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from fabctl.model.booking_policy import (
    NUMBERS,
    BookingRules,
    Kind,
    Reach,
    Scope,
    effective,
    policy_refusals,
)

LAB = Scope()
PRINTERS = Scope(Reach.CATEGORY, "printer")
PRINTER_A = Scope(Reach.RESOURCE, "printer-a")


def test_without_any_policy_the_usual_numbers_hold() -> None:
    assert effective([]) == BookingRules()


def test_the_nearest_wins_number_by_number_whatever_the_order() -> None:
    policies = [
        (LAB, {"longest_min": 60, "notice_min": 10, "coming_most": 3}),
        (PRINTER_A, {"longest_min": 240}),
        (PRINTERS, {"longest_min": 120, "notice_min": 20}),
    ]
    for order in (policies, policies[::-1]):
        found = effective(order)
        assert found.longest == timedelta(minutes=240)
        assert found.notice == timedelta(minutes=20)
        assert found.coming_most == 3
        assert found.scope_of("longest") == PRINTER_A
        assert found.scope_of("notice") == PRINTERS
        assert found.scope_of("per_day") == LAB


def test_a_nearer_none_takes_a_limit_away() -> None:
    found = effective([(LAB, {"per_day_min": 60}), (PRINTERS, {"per_day_min": None})])
    assert found.per_day is None


@pytest.mark.parametrize(
    ("scope", "expected"), [(LAB, True), (PRINTERS, True), (PRINTER_A, True),
                            (Scope(Reach.CATEGORY, "laser"), False),
                            (Scope(Reach.RESOURCE, "printer"), False)],
)  # fmt: skip
def test_what_a_scope_covers(scope: Scope, expected: bool) -> None:  # a table
    assert scope.covers("printer-a", "printer") is expected


def edges() -> list[tuple[str, Any, bool]]:
    found: list[tuple[str, Any, bool]] = []
    for name, number in NUMBERS.items():
        found.append((name, None, number.may_be_none))
        if number.kind is Kind.YES_NO:
            found += [
                (name, True, True),
                (name, False, True),
                (name, 1, False),
                (name, "yes", False),
            ]
        else:
            found += [
                (name, number.least, True),
                (name, number.most, True),
                (name, number.least - 1, False),
                (name, number.most + 1, False),
                (name, 1.5, False),
                (name, "5", False),
                (name, True, False),
            ]
    return found


@pytest.mark.parametrize(("name", "value", "fits"), edges())
def test_the_edges_of_every_number(name: str, value: object, fits: bool) -> None:
    assert [refusal.code for refusal in policy_refusals({name: value})] == (
        [] if fits else ["policy-number-malformed"]
    )


def test_all_that_is_wrong_comes_at_once() -> None:
    found = policy_refusals({"longest_min": 0, "nonsense": 1, "coming_most": 5})
    assert {refusal.code for refusal in found} == {
        "policy-number-malformed",
        "policy-unknown-number",
    }
    assert all(str(refusal.message) and str(refusal.next_step) for refusal in found)


def test_a_policy_does_not_contradict_itself() -> None:
    found = policy_refusals({"shortest_min": 61, "longest_min": 60})
    assert [refusal.code for refusal in found] == ["policy-contradicts-itself"]
    assert policy_refusals({"shortest_min": 60, "longest_min": 60}) == []


def test_every_number_becomes_a_rule() -> None:
    fields = {number.field for number in NUMBERS.values()}
    assert fields == set(BookingRules.__dataclass_fields__) - {"grace", "scopes"}
