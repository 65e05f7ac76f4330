"""A port that vanishes while we connect: boards with USB of their own do so when they reset."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from fabctl.clock import SystemClock
from fabctl.ports import MachineKind, MachineProfile, Phase
from fabctl.units import Seconds
from fabctl_drivers.marlin.driver import MarlinDriver
from fabctl_sim.process import SimProcess


def phase_of(driver: MarlinDriver) -> Phase:
    return driver.phase


def test_a_port_that_is_away_for_a_moment_is_waited_for() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="ret") as name,
        SimProcess(Path(name), "--boot", "0.2", "--factor", "instant") as sim,
        sim.control() as control,
    ):
        profile = MachineProfile(
            "a", "A", MachineKind.PRINTER, "marlin", "here", str(sim.port), 250_000
        )
        driver = MarlinDriver(profile, SystemClock())
        driver.open()
        control.ask("unplug")
        driver.pump(Seconds(0.3))
        assert phase_of(driver) is Phase.CONNECTING
        control.ask("plug", reset=True)
        deadline = time.monotonic() + 30.0
        while phase_of(driver) is Phase.CONNECTING:
            assert time.monotonic() < deadline
            driver.pump(Seconds(0.1))
        assert phase_of(driver) is Phase.IDLE
        driver.close()
