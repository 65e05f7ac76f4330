"""The contract of ``fabctl driver-check``, kept by our own drivers: each check is a test.

What a driver has nothing to try on is named below: a check that quietly stops being tried fails.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from fabctl.driver_contract.catalogue import CHECKS, WATCHED
from fabctl.driver_contract.results import Check, State
from fabctl.driver_contract.running import run_checks
from fabctl.driver_contract.standin import AtPort, StandIn
from fabctl.hosting.drivers import find_factory
from fabctl_sim import standins
from tests.octoprint_standin import octoprint

pytestmark = pytest.mark.timeout(300)

WITHOUT_HANDS = {"hand-control-is-guarded", "overrides-have-limits", "rehearsal-opens-nothing"}
NOTHING_IS_SENT = WITHOUT_HANDS | {
    "needs-a-port",
    "missing-port-is-said",
    "silent-is-not-idle",
    "noise-is-no-answer",
    "noise-when-idle",
    "unreadable-file-is-refused",
    "job-runs-to-its-end",
    "two-jobs",
    "pause-and-resume",
    "stop-ends-a-job",
    "stop-ends-a-paused-job",
    "stop-turns-everything-off",
    "close-turns-everything-off",
    "close-ends-a-job",
    "wall-clock-does-not-matter",
    "cable-pulled-fails-the-job",
    "nothing-starts-by-itself",
    "a-person-clears",
    "opening-makes-safe",
    "cable-out-closes",
    "silence-is-no-progress",
    "noise-during-a-job",
}
NOT_APPLICABLE: Mapping[str, set[str]] = {
    "marlin": {"overrides-have-limits"},
    "grbl": set(),
    "octoprint": WITHOUT_HANDS | {"opening-makes-safe"},
    "opaque": NOTHING_IS_SENT,
}


@contextmanager
def _no_machine(_folder: Path) -> Iterator[StandIn]:
    yield AtPort(None, 0)


MAKERS: Mapping[str, Callable[[Path], AbstractContextManager[Any]]] = {
    "marlin": standins.marlin,
    "grbl": standins.grbl,
    "octoprint": octoprint,
    "opaque": _no_machine,
}


@pytest.fixture(scope="module")
def standing_in() -> Iterator[Callable[[str], StandIn]]:
    """Start each stand-in once, when it is first asked for."""
    running: dict[str, StandIn] = {}
    with ExitStack() as stack:

        def get(driver: str) -> StandIn:
            if driver not in running:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="si"))
                running[driver] = stack.enter_context(MAKERS[driver](Path(folder)))
            return running[driver]

        yield get


TRIED = [check for check in CHECKS if check.run is not None]


@pytest.mark.parametrize("check", TRIED, ids=lambda check: check.name)
@pytest.mark.parametrize("driver", list(MAKERS))
def test_kept(driver: str, check: Check, standing_in: Callable[[str], StandIn]) -> None:
    factory = find_factory(driver, driver)
    first, *watched = run_checks(factory, driver, standing_in(driver), [check, *WATCHED])
    assert [result for result in watched if result.state is State.FAILED] == []
    due = State.NOT_APPLICABLE if check.name in NOT_APPLICABLE[driver] else State.PASSED
    assert first.state is due, first.reason


def test_a_machine_for_which_no_job_was_given_is_not_asked_to_move(
    standing_in: Callable[[str], StandIn],
) -> None:
    """By a driver with faults: it may take what it has to refuse."""
    simulated = standing_in("grbl")
    machine = AtPort(simulated.port, simulated.baud, simulated.kind)
    guarded = [check for check in CHECKS if check.name == "hand-control-is-guarded"]
    [result] = run_checks(find_factory("grbl", "grbl"), "grbl", machine, guarded)
    assert (result.state, "--job" in result.reason) == (State.NOT_APPLICABLE, True)
