"""Homing, jogging and the emergency halt, on the stand-in's core."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from fabctl.errors import InputError, LocalError, TargetOutOfRangeError
from fabctl.ports import JobEnded, Outcome, Phase, Telemetry, Trouble, WorkArea
from fabctl.units import MmPerMin
from fabctl_drivers.marlin.session import Session
from fabctl_drivers.marlin.settings import Settings
from fabctl_sim.marlin.board import Board
from tests.marlin_rig import Rig

FEED = MmPerMin(3000.0)


@pytest.fixture
def rig() -> Rig:
    rig = Rig(Board(boot_s=0.1, emergency_parser=True))
    area = WorkArea((0, 250), (0, 210), (0, 210))
    rig.session = Session(Settings(250_000, work_area=area))
    rig.connect()
    return rig


def test_a_jog_needs_a_known_place_and_stays_inside(rig: Rig) -> None:
    with pytest.raises(LocalError, match="home the machine first"):
        rig.session.jog({"X": 10.0}, FEED, rig.now)
    rig.session.home("", rig.now)
    rig.wait(60.0)
    rig.session.jog({"X": 10.0, "Y": 2.5}, FEED, rig.now)
    with pytest.raises(LocalError, match="has not ended"):
        rig.session.jog({"X": 10.0}, FEED, rig.now)
    rig.wait(10.0)
    assert rig.firmware.machine.motion.logical()[:2] == (10.0, 2.5)
    for by_mm in ({"X": -10.1}, {"X": 240.5}, {"Z": 211.0}):
        with pytest.raises(TargetOutOfRangeError):
            rig.session.jog(by_mm, FEED, rig.now)
    for wrong in ({}, {"E": 1.0}, {"X": float("nan")}):
        with pytest.raises(InputError):
            rig.session.jog(wrong, FEED, rig.now)
    assert not any(rig.firmware.machine.motion.relative)


def test_a_jog_waits_for_the_answer_to_where_homing_ended(rig: Rig) -> None:
    """G28 tells a place of its own, before the M114 that was asked for it; only that one counts."""
    rig.session.home("", rig.now)
    rig.until(lambda: b"X:" in rig.heard, "the report of G28")
    with pytest.raises(LocalError, match="has not ended"):
        rig.session.jog({"X": 10.0}, FEED, rig.now)
    rig.until(lambda: bool(places(rig)), "the answer to M114")
    rig.session.jog({"X": 10.0}, FEED, rig.now)
    rig.wait(10.0)
    zero = {"x_mm": 0.0, "y_mm": 0.0, "z_mm": 0.0}
    assert places(rig) == [zero, zero | {"x_mm": 10.0}]


def places(rig: Rig) -> list[Mapping[str, float | None]]:
    return [told.values for told in rig.of(Telemetry) if told.group == "position"]


def test_a_job_and_a_persons_own_line_make_the_place_unknown(rig: Rig) -> None:
    rig.session.home("", rig.now)
    rig.wait(60.0)
    rig.session.say(b"G92 X100", rig.now)
    rig.wait(5.0)
    with pytest.raises(LocalError, match="home the machine first"):
        rig.session.jog({"X": 1.0}, FEED, rig.now)
    with pytest.raises(InputError, match="letters of XYZ"):
        rig.session.home("XQ", rig.now)
    rig.start(["G28", "G4 S5"])
    with pytest.raises(LocalError, match="only while it is idle"):
        rig.session.home("X", rig.now)


@pytest.mark.parametrize("parser", [True, False])
def test_emergency_halts_where_the_firmware_listens_else_stops(*, parser: bool) -> None:
    rig = Rig(Board(boot_s=0.1, emergency_parser=parser))
    rig.connect()
    rig.start(["M104 S200", "G28", "G4 S60", "G4 S60"])
    rig.until(lambda: rig.session.confirmed_line >= 2)
    rig.session.emergency(rig.now)
    rig.wait(0.5)
    assert rig.firmware.machine.halted is parser
    if parser:
        (ended,) = rig.of(JobEnded)
        assert (ended.outcome, ended.trouble) == (Outcome.FAILED, Trouble.FIRMWARE_HALTED)
        assert rig.session.phase is Phase.BROKEN
    else:
        assert rig.finish().outcome is Outcome.STOPPED
    assert rig.firmware.machine.nozzle.target_c == 0
