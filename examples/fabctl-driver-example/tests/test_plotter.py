"""The driver keeps fabctl's contract, and draws what the file says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl.clock import SystemClock
from fabctl.driver_contract.results import State
from fabctl.driver_contract.running import run_checks
from fabctl.ports import JobEnded, JobFile, MachineKind, MachineProfile, Outcome, Phase
from fabctl.units import Seconds
from fabctl_driver_example.driver import PlotterDriver
from fabctl_driver_example.standin import Plotter, plotter


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Plotter]:
    with plotter(tmp_path) as one:
        yield one


def test_the_contract_is_kept(machine: Plotter) -> None:
    results = list(run_checks(PlotterDriver, "example", machine))
    wrong = [r for r in results if r.state not in {State.PASSED, State.NOT_APPLICABLE}]
    assert wrong == []


def test_it_draws_every_move_of_the_file_once(machine: Plotter, tmp_path: Path) -> None:
    file = tmp_path / "square.gcode"
    file.write_text("M3 S1\nG1 X20 ; right\n\nG1 Y20\nG1 X0\nG1 Y0\nM5\n")
    profile = MachineProfile(
        "plotter", "Plotter", MachineKind.LASER, "example", "here", machine.port, machine.baud
    )
    driver = PlotterDriver(profile, SystemClock())
    driver.open()
    while driver.phase is not Phase.IDLE:
        driver.pump(Seconds(0.1))
    driver.start(JobFile("square", file, file.name, 7, 6))
    ends: list[JobEnded] = []
    while not ends:
        ends = [e for e in driver.pump(Seconds(0.1)) if isinstance(e, JobEnded)]
    driver.close()
    assert (ends[0].outcome, ends[0].commands_done) == (Outcome.FINISHED, 6)
    assert machine.drawn == ["G1 X20", "G1 Y20", "G1 X0", "G1 Y0"]
