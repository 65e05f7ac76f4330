"""The Grbl session beside the stand-in's core: what a conversation written as data shows badly."""

from __future__ import annotations

import math

import pytest

from fabctl.errors import InputError, LocalError
from fabctl.ports import Outcome, Override, Phase, PhaseChanged, Telemetry
from fabctl.units import MmPerMin
from fabctl_drivers.grbl.settings import Settings
from fabctl_sim.grbl.board import FLAVOURS
from tests.grbl_host import GrblHost

MOVES = [b"G1 X%d F1000" % n for n in range(1, 90)]


def test_a_stop_does_not_forget_who_it_is() -> None:
    host = GrblHost(FLAVOURS["grblhal"])
    for _ in range(2):
        host.events.clear()
        host.start(MOVES)
        host.until(lambda: False, 0.5)
        assert host.session._controller.link.counting.bytes > 127
        host.session.stop(host.now)
        assert host.until(lambda: host.session.phase is Phase.IDLE, 20.0)
        assert host.ended is not None
        assert host.ended.outcome is Outcome.STOPPED


def test_one_job_after_the_other_ends_when_nothing_moves() -> None:
    host = GrblHost()
    for _ in range(3):
        host.events.clear()
        host.start(MOVES)
        assert host.until(lambda: host.ended is not None, 600.0)
        assert not host.firmware.machine.planner.blocks


def test_reports_in_inches_are_told_in_mm() -> None:
    host = GrblHost()
    host.firmware.machine.eeprom.set(13, 1)
    host.firmware.reset(host.now)
    host.until(lambda: host.session.phase is Phase.CONNECTING, 5.0)
    host.until(lambda: host.session.phase is Phase.IDLE, 5.0)
    host.start([b"G1 X25.4 F1000"])
    host.until(lambda: host.ended is not None, 60.0)
    host.events.clear()
    host.until(lambda: False, 3.0)
    told = [e for e in host.events if isinstance(e, Telemetry) and e.group == "position"]
    assert told[-1].values["x_mm"] == 25.4


def test_jogs_are_cancelled_and_no_job_starts_meanwhile() -> None:
    host = GrblHost()
    host.session.jog({"X": 200.0}, MmPerMin(600.0))
    with pytest.raises(LocalError, match="no job starts"):
        host.start(MOVES)
    host.until(lambda: False, 3.0)
    assert host.firmware.machine.state.value == "Jog"
    with pytest.raises(LocalError, match="no job starts"):
        host.start(MOVES)
    host.session.cancel_jog()
    host.until(lambda: False, 3.0)
    assert host.firmware.machine.state.value == "Idle"
    assert 10.0 < host.firmware.machine.position[0] < 60.0
    host.start(MOVES)


def test_a_jog_that_makes_no_sense_is_refused_before_it_is_sent() -> None:
    host = GrblHost()
    for distances, feed in (({}, 600.0), ({"E": 1.0}, 600.0), ({"X": 1e9}, 6.0), ({"X": 1.0}, 0.0)):
        with pytest.raises(InputError):
            host.session.jog(distances, MmPerMin(feed))
    for which, percent in ((Override.FEED, 9), (Override.SPINDLE, 201), (Override.RAPID, 60)):
        with pytest.raises(InputError, match=f"{percent} %"):
            host.session.override(which, percent, host.now)
    with pytest.raises(InputError, match="flood, mist"):
        host.session.toggle_coolant("air")


def test_homing_by_hand_ends_idle_and_its_failure_breaks_the_machine() -> None:
    host = GrblHost()
    with pytest.raises(LocalError, match="no homing"):
        host.session.home()
    host.session.say("$22=1")
    host.until(lambda: False, 2.0)
    host.session.home()
    assert host.session.phase is Phase.CONNECTING
    assert host.until(lambda: host.session.phase is Phase.IDLE, 120.0)
    host.firmware.machine.world.homing_fault = "missing"
    host.session.home()
    assert host.until(lambda: host.session.phase is Phase.BROKEN, 120.0)


@pytest.mark.parametrize("percent", [10, 33, 90, 101, 119, 200])
def test_overrides_are_set_while_a_job_runs_and_told(percent: int) -> None:
    host = GrblHost()
    host.start([b"M3 S500", b"G1 X500 F500"])
    host.until(lambda: False, 1.0)
    host.session.override(Override.FEED, percent, host.now)
    host.session.override(Override.SPINDLE, percent, host.now)
    host.session.override(Override.RAPID, 25, host.now)
    host.until(lambda: False, 2.5)
    planner = host.firmware.machine.planner
    assert (planner.feed_percent, planner.rapid_percent) == (percent, 25)
    assert host.firmware.machine.spindle_percent == percent
    told = [e.values for e in host.events if isinstance(e, Telemetry) and e.group == "overrides"]
    assert told[-1] == {
        "feed_percent": percent, "rapid_percent": 25.0, "spindle_percent": percent
    }  # fmt: skip


def test_an_override_that_the_firmware_did_not_hear_is_set_anew() -> None:
    host = GrblHost()
    host.start([b"G1 X500 F500"])
    host.until(lambda: False, 3.0)
    host.session.override(Override.FEED, 150, host.now)
    host.firmware.catch_up(host.now).clock += 0.2  # busy: equal bytes count once meanwhile
    host.until(lambda: False, 0.3)
    assert host.firmware.machine.planner.feed_percent < 150
    host.until(lambda: False, 4.0)
    assert host.firmware.machine.planner.feed_percent == 150


def test_the_end_is_told_a_moment_after_the_last_move() -> None:
    """Against 0.2 s of asking again and again: decision 0132."""
    for moves in (3, 40, 200):
        host = GrblHost()
        host.start([b"G1 X%.2f F900" % (n / 20) for n in range(1, moves)])
        rests_at = math.inf

        def ended(host: GrblHost = host) -> bool:
            nonlocal rests_at
            if host.firmware.machine.planner.blocks:
                rests_at = math.inf
            elif rests_at == math.inf:
                rests_at = host.now
            return host.ended is not None

        assert host.until(ended, 60.0)
        assert host.now - rests_at < 0.1


def test_a_check_run_tells_of_many_refused_lines_and_its_reason_stays_short() -> None:
    host = GrblHost(settings=Settings(check_run=True))
    host.start([b"G5 X%d" % n for n in range(70)])
    assert host.until(lambda: host.ended is not None, 60.0)
    told = [e.reason or "" for e in host.events if isinstance(e, PhaseChanged)]
    assert len([reason for reason in told if reason.startswith("line ")]) == 50
    assert host.ended is not None
    assert host.ended.reason is not None
    assert host.ended.reason.startswith("70 lines were refused: line 1 was refused (error:20")
    assert host.ended.reason.endswith(" more")
    assert len(host.ended.reason) < 400
    assert host.firmware.log.moves() == []
