"""Any day of an interlock: whatever happens in whatever order, the property holds.

``make soak`` runs it for SOAK_MINUTES with ever new seeds.
"""

from __future__ import annotations

import gc
import secrets
import time

import pytest
from hypothesis import seed
from hypothesis.stateful import run_state_machine_as_test

from fabctl.interlock import InterlockState as State
from tests.interlock_any_day import COUNTS, PARTS, SEQUENCES, SOAK_MINUTES, AnyDay, how_often


@pytest.mark.parametrize("part", range(PARTS))
def test_outputs_are_on_only_when_all_permits(part: int) -> None:
    COUNTS.clear()
    machine = seed(part)(type("AnyDay", (AnyDay,), {}))
    run_state_machine_as_test(machine, settings=how_often(SEQUENCES // PARTS))
    assert COUNTS["sequences"] >= SEQUENCES // PARTS
    assert COUNTS["sequences with outputs on"] > COUNTS["sequences"] / 2, COUNTS
    assert all(COUNTS[f"scans in {state}"] >= 100 for state in State), COUNTS


@pytest.mark.skipif(not SOAK_MINUTES, reason="make soak runs it for SOAK_MINUTES")
@pytest.mark.timeout(0)
def test_for_as_long_as_you_like() -> None:
    """Ever new sequences; the first wrong one is raised, with all it takes to play it again."""
    COUNTS.clear()
    ends_at = time.monotonic() + SOAK_MINUTES * 60
    while time.monotonic() < ends_at:
        machine = seed(secrets.randbits(64))(type("AnyDay", (AnyDay,), {}))
        run_state_machine_as_test(machine, settings=how_often(SEQUENCES))
        gc.collect()  # tests/conftest.py lets it happen seldom
    print(dict(COUNTS.most_common()))  # noqa: T201  # with pytest -s
