"""The Grbl stand-in's laser, spindle, overrides and what reports say of them.

Facts: gnea/grbl doc/markdown/laser_mode.md, interface.md ("Data Field Descriptions"), commands.md.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from fabctl_sim.grbl.board import Board
from tests.grbl_bench import GrblBench as Bench


def test_dynamic_laser_power_follows_the_speed() -> None:
    at = Bench(s32=1)
    at.exchange(b"M4S1000\n")
    assert at.fs() == (0, 0)
    at.send(b"G1X10F900\n")
    at.hear("ok")
    feed, power = at.fs()
    assert 0 < feed < 900
    assert power == pytest.approx(1000 * feed / 900, abs=2)
    at.listen(3.0)
    assert at.fs() == (0, 0)


def test_constant_laser_power_stays_on_at_rest_but_not_in_rapids() -> None:
    at = Bench(s32=1)
    at.exchange(b"M3S800\n")
    assert at.fs() == (0, 0)
    at.exchange(b"G1X1F900\n", 1.0)
    assert at.fs() == (0, 800)
    at.exchange(b"G0X20\n", 0.3)
    assert at.fs()[1] == 0


@pytest.mark.parametrize(("off_in_hold", "power"), [(True, 0), (False, 800)])
def test_constant_laser_power_in_a_hold(*, off_in_hold: bool, power: float) -> None:
    at = Bench(replace(Board(), laser_off_in_hold=off_in_hold), s32=1)
    at.exchange(b"M3S800\n")
    at.exchange(b"G1X20F900\n", 0.3)
    at.exchange(b"!", 0.5)
    assert (at.state(), at.fs()) == ("Hold:0", (0, power))
    at.exchange(b"~", 0.3)
    assert at.fs() == (900, 800)


def test_overrides_change_the_running_move() -> None:
    at = Bench()
    at.exchange(b"G1X50F500\n", 0.3)
    at.exchange(b"\x92" * 5 + b"\x94", 0.3)
    assert at.fs() == (245, 0)
    at.exchange(b"\x90\x91", 0.3)
    assert at.fs() == (550, 0)
    at.exchange(b"\x92" * 20, 0.3)
    assert at.fs() == (50, 0)
    at.exchange(b"\x97", 0.0)
    assert any("Ov:10,25,100" in at.report() for _ in range(2))


def test_reports_bring_offsets_and_overrides_now_and_then() -> None:
    at = Bench()
    reports = [at.report() for _ in range(23)]
    assert [n for n, text in enumerate(reports) if "WCO:" in text] == [0, 10, 20]
    assert [n for n, text in enumerate(reports) if "Ov:" in text] == [1, 11, 21]
    at.exchange(b"M8\n")
    assert "|A:F" in at.report()
    at.exchange(b"\xa0")
    assert "|A:" not in at.report()


def test_buffer_figures_when_asked_for() -> None:
    at = Bench(s10=3)
    assert "|Bf:15,128|" in at.report()


def test_spindle_stop_only_in_a_hold() -> None:
    at = Bench()
    at.exchange(b"M3S400\n")
    at.exchange(b"\x9e", 0.1)
    assert at.fs() == (0, 400)
    at.exchange(b"!\x9e", 0.1)
    assert at.fs() == (0, 0)
    assert at.exchange(b"~", 5.0) == ["[MSG:Restoring spindle]"]
    assert at.fs() == (0, 400)
