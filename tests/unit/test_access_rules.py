"""May this person use this machine now: every condition, and unknown blocks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fabctl.model.access import CONDITIONS, Holder, UseFacts, conditions, unmet
from fabctl.model.certification import Standing

FINE = UseFacts(
    account_suspended=False,
    certification=Standing.VALID,
    holder=Holder.THIS_PERSON,
    out_of_order=False,
    open_use=False,
    machine_state="idle",
)


def refused(facts: UseFacts) -> list[str]:
    return [refusal.code for refusal in unmet(conditions(facts))]


def test_all_met_is_the_permission() -> None:
    found = conditions(FINE)
    assert [condition.met for condition in found] == [True] * len(CONDITIONS)
    assert all(condition.next_step is None for condition in found)
    assert refused(FINE) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"account_suspended": True}, ["account-suspended"]),
        ({"certification": Standing.NONE}, ["not-certified"]),
        ({"certification": Standing.EXPIRED}, ["certification-expired"]),
        ({"certification": Standing.SUSPENDED}, ["certification-suspended"]),
        ({"certification": Standing.SUPERVISED}, ["supervision-missing"]),
        ({"holder": Holder.NOBODY}, ["not-reserved"]),
        ({"holder": Holder.SOMEBODY_ELSE}, ["someone-elses-slot"]),
        ({"out_of_order": True}, ["out-of-order"]),
        ({"open_use": True}, ["machine-busy"]),
        ({"machine_state": "preparing"}, ["machine-busy"]),
        ({"machine_state": "running"}, ["machine-busy"]),
        ({"machine_state": "paused"}, ["machine-busy"]),
        ({"machine_state": "offline"}, ["machine-offline"]),
        ({"machine_state": "broken"}, ["machine-broken"]),
        ({"machine_state": "blocked"}, ["machine-blocked"]),
        ({"machine_state": "unknown"}, ["machine-unknown"]),
        ({"machine_state": ""}, ["machine-unknown"]),
        ({"machine_state": "Idle"}, ["machine-unknown"]),
        ({"machine_state": "a word of a later version"}, ["machine-unknown"]),
    ],
)
def test_one_thing_wrong(change: dict[str, Any], expected: list[str]) -> None:
    assert refused(replace(FINE, **change)) == expected


@pytest.mark.parametrize("state", ["unknown", "", "a word of a later version"])
def test_unknown_is_neither_yes_nor_no_and_blocks(state: str) -> None:
    found = conditions(replace(FINE, machine_state=state))
    blocking = [condition for condition in found if condition.met is not True]
    assert [(condition.code, condition.met) for condition in blocking] == [
        ("machine-unknown", None)
    ]
    assert blocking[0].next_step is not None


def test_everything_wrong_is_said_at_once_each_with_a_next_step() -> None:
    worst = UseFacts(
        account_suspended=True,
        certification=Standing.NONE,
        holder=Holder.SOMEBODY_ELSE,
        out_of_order=True,
        open_use=True,
        machine_state="offline",
    )
    assert refused(worst) == [
        "account-suspended",
        "not-certified",
        "someone-elses-slot",
        "out-of-order",
        "machine-offline",
        "machine-busy",
    ]
    assert all(str(refusal.next_step) for refusal in unmet(conditions(worst)))
