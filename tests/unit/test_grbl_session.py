"""The Grbl session beside the stand-in's core: what a conversation written as data shows badly."""

from __future__ import annotations

from fabctl.ports import Outcome, Phase, Telemetry
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
