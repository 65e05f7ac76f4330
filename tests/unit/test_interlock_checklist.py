"""The commissioning checks: each kind of interlock has those that it can have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fabctl.commands.interlock_check import Check, names_of
from fabctl.commands.interlock_checklist import checklist, numbered
from fabctl.commands.interlock_checks_on import WATCH_S
from fabctl.commands.interlock_readings import Figure
from fabctl.config_interlock import NEEDED, POSSIBLE
from fabctl.interlock import (
    InputPin,
    InputRole,
    InterlockProfile,
    InterlockState,
    OutputRole,
    ProfileKind,
    Timings,
)

SETS = [(kind, roles[kind]) for kind in ProfileKind for roles in (NEEDED, POSSIBLE)]
EVERY = {check.key: (number, check) for number, check in numbered()}


def profile(kind: ProfileKind, roles: frozenset[InputRole]) -> InterlockProfile:
    return InterlockProfile(
        machine="m",
        kind=kind,
        factory="lgpio",
        chip=0,
        inputs={role: InputPin(5 + n) for n, role in enumerate(sorted(roles))},
        outputs={OutputRole.K1: 20, OutputRole.K2: 21},
        folder=Path("m"),
    )


def state(roles: frozenset[InputRole] = frozenset(InputRole), **changes: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "boot": "b1",
        "state": InterlockState.READY,
        "since_s": 1.0,
        "outputs_on": False,
        "active": False,
        "fault": None,
        "cause": None,
        "first_cause": None,
        "trips": 0,
        "inputs": {role: {"condition": "passed"} for role in roles},
    }
    return usual | changes


def holds(key: str, before: dict[str, Any], now: dict[str, Any]) -> bool:
    check = EVERY[key][1]
    assert check.read is not None
    return check.read.holds(now, before)


def test_keys_are_used_once_and_every_check_reads_or_asks() -> None:
    assert len(EVERY) == len(numbered())
    for _, check in EVERY.values():
        assert check.read is not None or check.ask, check.key


@pytest.mark.parametrize(("kind", "roles"), SETS)
def test_a_daemon_that_knows_nothing_passes_no_check(
    kind: ProfileKind, roles: frozenset[InputRole]
) -> None:
    it = profile(kind, roles)
    nothing = state(roles, state=InterlockState.BOOT, outputs_on=None, active=None)
    nothing["inputs"] = {role: {"condition": "unknown"} for role in roles}
    for _, check in checklist(it):
        assert "{" not in check.text(names_of(it))
        if check.read is not None:
            assert not check.read.holds(nothing, nothing), check.key


@pytest.mark.parametrize(("kind", "roles"), SETS)
def test_nothing_that_the_machine_lacks_is_asked_for(
    kind: ProfileKind, roles: frozenset[InputRole]
) -> None:
    checks = checklist(profile(kind, roles))
    words = " ".join(check.do for _, check in checks)
    for role in set(InputRole) - roles:
        assert f"`{role}`" not in words
    assert ("cooling water" in words) is (InputRole.FLOW in roles)
    assert ("exhaust off" in words) is (InputRole.EXHAUST in roles)
    assert ("beam" in " ".join(check.key for _, check in checks)) is (kind is ProfileKind.LASER)


@pytest.mark.parametrize(("kind", "roles"), SETS)
def test_every_input_is_pulled_off_its_terminal_once(
    kind: ProfileKind, roles: frozenset[InputRole]
) -> None:
    words = [check.do for _, check in checklist(profile(kind, roles))]
    for role in roles:
        assert sum("ull the wire of " + f"`{role}`" in text for text in words) == 1, role


@pytest.mark.parametrize(("kind", "roles"), SETS)
def test_before_every_step_that_needs_it_armed_it_is_armed(
    kind: ProfileKind, roles: frozenset[InputRole]
) -> None:
    """Walk the list with the outputs as its own readings leave them."""
    armed = False
    for _, check in checklist(profile(kind, roles)):
        if check.do.startswith("Armed"):
            assert armed, check.key
        if check.read is not None:
            armed = check.read.words.endswith("outputs on")


def test_what_is_on_record_as_seen_is_asked_of_a_person_and_never_read() -> None:
    for key in ("arm", "lid", "lid-closed-again", "stop", "kill", "level", "power", "wait"):
        assert EVERY[key][1].ask, key


def test_a_bridge_is_put_in_and_taken_out_without_power() -> None:
    for key in ("bridged", "bridge-gone"):
        before, _, _ = EVERY[key][1].do.partition("ridge")
        assert "off and locked" in before, key
    assert EVERY["bridged"][0] < EVERY["bridge-gone"][0] < EVERY["boot"][0]
    bridging = [key for key, (_, check) in EVERY.items() if "bridge X" in check.do]
    assert bridging == ["bridged"]


def test_times_are_measured_against_the_design() -> None:
    figures = {
        key: [one for one in check.ask if isinstance(one, Figure)]
        for key, (_, check) in EVERY.items()
    }
    assert [(one.unit, one.most) for one in figures["lid"]] == [("ms", 100), ("ms", 150)]
    assert [(one.least, one.most) for one in figures["stop"]] == [(150, 200), (0, 250), (0, 300)]
    assert all(one.unit == "V" for one in figures["volts"])


def test_a_trip_counts_only_when_it_was_on_and_for_its_own_cause() -> None:
    on = state(outputs_on=True, state=InterlockState.ARMED)
    tripped = state(trips=1, first_cause="lid-open", state=InterlockState.TRIPPED)
    assert holds("lid", on, tripped)
    assert not holds("lid", state(), tripped)
    assert not holds("lid", on, state(trips=1, first_cause="key-off"))
    assert not holds("lid", on, state(first_cause="lid-open"))
    assert not holds("lid", on, tripped | {"outputs_on": True})


def test_a_wait_is_long_enough_and_of_one_boot() -> None:
    assert holds("wait", state(), state(since_s=WATCH_S + 1))
    assert not holds("wait", state(), state(since_s=WATCH_S - 1))
    assert not holds("wait", state(), state(since_s=WATCH_S + 1, boot="b2"))
    assert not holds("wait", state(), state(since_s=WATCH_S + 1, outputs_on=True))


def test_a_restart_is_another_boot_and_a_fault_is_remembered_over_it() -> None:
    on, fault = state(outputs_on=True), state(fault="reset-stuck")
    for key in ("kill", "power"):
        assert holds(key, on, state(boot="b2"))
        assert not holds(key, on, state())
        assert not holds(key, state(), state(boot="b2"))
    assert holds("remembered", fault, state(fault="reset-stuck", boot="b2"))
    assert not holds("remembered", fault, state(boot="b2"))
    assert not holds("remembered", fault, fault)


def test_a_fault_must_be_new_and_its_clearing_must_be_seen() -> None:
    fault = state(fault="k1-welded", state=InterlockState.FAULT)
    assert holds("k1-feedback-pulled", state(), fault)
    assert not holds("k1-feedback-pulled", fault, fault)
    assert not holds("k1-feedback-pulled", state(), state(fault="k2-welded"))
    assert holds("k1-feedback-pulled-cleared", fault, state())
    assert not holds("k1-feedback-pulled-cleared", state(), state())


def test_a_lid_counts_as_closed_only_after_it_was_open() -> None:
    opened = state(
        inputs={one: {"condition": "failed"} for one in (InputRole.LID_A, InputRole.LID_B)}
    )
    assert holds("lids-closed", opened, state())
    assert not holds("lids-closed", state(), state())


def test_the_button_is_held_for_longer_than_any_interlock_allows() -> None:
    assert Timings().reset_max_s <= 10.0
    assert "10 s and more" in EVERY["reset-held"][1].do


def test_a_check_of_other_inputs_is_left_away() -> None:
    check = Check("x", "y", needs=frozenset({InputRole.LID_B}), lacks=frozenset({InputRole.KEY}))
    assert not check.is_for(profile(ProfileKind.RELAY, NEEDED[ProfileKind.RELAY]))
    assert check.is_for(profile(ProfileKind.LASER, NEEDED[ProfileKind.LASER]))
    assert not check.is_for(profile(ProfileKind.LASER, POSSIBLE[ProfileKind.LASER]))
