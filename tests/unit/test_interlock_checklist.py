"""The commissioning checks: each kind of interlock has those that it can have."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabctl.commands.interlock_checklist import checklist
from fabctl.config_interlock import NEEDED, POSSIBLE
from fabctl.interlock import (
    InputPin,
    InputRole,
    InterlockProfile,
    InterlockState,
    OutputRole,
    ProfileKind,
)

SETS = [(kind, roles[kind]) for kind in ProfileKind for roles in (NEEDED, POSSIBLE)]


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


@pytest.mark.parametrize(("kind", "roles"), SETS)
def test_every_check_can_be_read_from_what_the_daemon_tells(
    kind: ProfileKind, roles: frozenset[InputRole]
) -> None:
    state = {
        "state": InterlockState.LOCKED,
        "outputs_on": False,
        "active": None,
        "fault": None,
        "inputs": {role: {"condition": "unknown"} for role in roles},
    }
    checks = checklist(profile(kind, roles))
    answers = [check.holds(state) for check in checks if check.holds is not None]
    assert True in answers
    assert False in answers
    assert all(check.do and check.expect for check in checks)


@pytest.mark.parametrize(("kind", "roles"), SETS)
def test_nothing_that_the_machine_lacks_is_asked_for(
    kind: ProfileKind, roles: frozenset[InputRole]
) -> None:
    words = " ".join(check.do + check.expect for check in checklist(profile(kind, roles)))
    for role in set(InputRole) - roles:
        assert role not in words or role in {"reset", "active", "key"}
    assert ("cooling water" in words) is (InputRole.FLOW in roles)
    assert ("exhaust" in words) is (InputRole.EXHAUST in roles)


def test_a_laser_has_them_all() -> None:
    laser = checklist(profile(ProfileKind.LASER, POSSIBLE[ProfileKind.LASER]))
    assert len(laser) >= 35
    for code in ("lids-differ", "k1-welded", "reset-stuck"):
        assert any(code in check.expect for check in laser)
