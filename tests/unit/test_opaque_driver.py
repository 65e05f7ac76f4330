"""A machine that fabctl shows and books, and does not send files to."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabctl.clock import ManualClock
from fabctl.errors import LocalError
from fabctl.ports import (
    Connected,
    Driver,
    JobFile,
    MachineKind,
    MachineProfile,
    Phase,
    PhaseChanged,
)
from fabctl.units import Seconds
from fabctl_drivers.opaque.driver import OpaqueDriver

NOW = Seconds(0.0)


@pytest.fixture
def driver() -> Driver:
    profile = MachineProfile("cutter", "Cutter", MachineKind.LASER, "opaque", "h", None, 0)
    return OpaqueDriver(profile, ManualClock())


def test_it_is_idle_from_open_to_close(driver: Driver) -> None:
    assert driver.phase is Phase.CLOSED
    driver.open()
    driver.open()
    assert driver.pump(NOW) == [Connected(None), PhaseChanged(Phase.IDLE)]
    driver.stop()
    driver.clear()
    assert driver.pump(NOW) == []
    driver.close()
    driver.close()
    assert driver.pump(NOW) == [PhaseChanged(Phase.CLOSED)]
    assert driver.confirmed_line == 0


def test_it_refuses_a_job_in_words(driver: Driver) -> None:
    driver.open()
    with pytest.raises(LocalError, match="cutter: fabctl does not send files to this machine"):
        driver.start(JobFile("1", Path("a.svg"), "a.svg", 1, 1))
    with pytest.raises(LocalError):
        driver.pause()
    with pytest.raises(LocalError):
        driver.resume()


def test_a_closed_one_cannot_be_cleared(driver: Driver) -> None:
    with pytest.raises(LocalError):
        driver.clear()


def test_a_wake_ends_the_next_pump(driver: Driver) -> None:
    driver.wake()
    assert driver.pump(Seconds(60.0)) == []
