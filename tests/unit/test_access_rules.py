"""May this person use this machine now: every condition, and unknown blocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fabctl.model.access import (
    CONDITIONS,
    Holder,
    UseFacts,
    conditions,
    conditions_to_go_on,
    unmet,
)
from fabctl.model.access_house import HouseFacts
from fabctl.model.certification import Standing
from fabctl.model.group_use import GroupFacts

HOUSE = HouseFacts(datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
FINE = UseFacts(
    account_suspended=False,
    certification=Standing.VALID,
    holder=Holder.THIS_PERSON,
    out_of_order=False,
    open_use=False,
    machine_state="idle",
    house=HOUSE,
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
        house=HOUSE,
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


GROUP = GroupFacts(animator=False, enrolled=True, opened=True, animator_here=True)
PARTICIPANT = replace(FINE, certification=Standing.NONE, group=GROUP)


def in_group(standing: Standing = Standing.NONE, **change: Any) -> UseFacts:
    return replace(PARTICIPANT, certification=standing, group=replace(GROUP, **change))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (PARTICIPANT, []),
        (in_group(Standing.EXPIRED), []),
        (in_group(Standing.SUPERVISED), []),
        (in_group(Standing.SUSPENDED), ["certification-suspended"]),
        (in_group(Standing.VALID, animator_here=False), []),
        (in_group(animator_here=False), ["supervision-missing"]),
        (in_group(opened=False), ["not-certified"]),
        (in_group(enrolled=False), ["not-certified"]),
        (in_group(consent=False), ["consent-missing"]),
        (in_group(animator_here=False, consent=False), ["supervision-missing", "consent-missing"]),
        (in_group(Standing.VALID, consent=False), []),
        (replace(PARTICIPANT, group=None), ["not-certified"]),
        (replace(PARTICIPANT, out_of_order=True), ["out-of-order"]),
        (replace(FINE, certification=Standing.SUPERVISED, trainer_here=True), []),
        (replace(FINE, certification=Standing.NONE, trainer_here=True), ["not-certified"]),
        (
            replace(FINE, certification=Standing.EXPIRED, trainer_here=True),
            ["certification-expired"],
        ),
    ],
)
def test_supervised_alone_or_with_the_group(facts: UseFacts, expected: list[str]) -> None:
    assert refused(facts) == expected
    assert [refusal.code for refusal in unmet(conditions_to_go_on(facts))] == expected


@pytest.mark.parametrize(
    ("animator", "enrolled", "opened", "lends"),
    [
        (True, False, False, True),
        (False, True, True, True),
        (False, True, False, False),
        (False, False, True, False),
    ],
)
def test_whose_the_sessions_machine_is(
    animator: bool, enrolled: bool, opened: bool, lends: bool
) -> None:
    facts = replace(GROUP, animator=animator, enrolled=enrolled, opened=opened)
    assert facts.lends_the_machine is lends
