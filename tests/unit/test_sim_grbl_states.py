"""The Grbl stand-in's states: hold, door, jog, alarms, check, sleep.

Facts: gnea/grbl doc/markdown/interface.md ("Machine State", "Alarm Message"), commands.md
("Realtime commands"), jogging.md.
"""

from __future__ import annotations

import pytest

from tests.grbl_bench import BANNER, UNLOCK
from tests.grbl_bench import GrblBench as Bench


def test_a_hold_slows_down_first_and_resumes_where_it_stopped() -> None:
    at = Bench()
    at.exchange(b"G0X50\n", 0.5)
    at.exchange(b"!", 0.01)
    assert at.state() == "Hold:1"
    at.listen(0.2)
    assert at.state() == "Hold:0"
    here = at.firmware.machine.position[0]
    assert at.exchange(b"G0X0\n", 1.0) == []
    assert at.firmware.machine.position[0] == here
    assert at.exchange(b"~", 6.0) == ["ok"]
    assert at.state() == "Idle"
    assert [move["end"] for move in at.firmware.log.moves()] == [[50, 0, 0], [0, 0, 0]]


def test_resume_during_the_slowing_down_is_ignored() -> None:
    at = Bench()
    at.exchange(b"G0X50\n", 0.5)
    at.exchange(b"!", 0.01)
    at.exchange(b"~", 0.3)
    assert at.state() == "Hold:0"


def test_a_hold_over_many_short_moves_stops_within_the_stopping_distance() -> None:
    at = Bench()
    for n in range(12):
        at.send(b"G1X%.1fF1000\n" % ((n + 1) / 2))
    at.listen(0.15)
    at.exchange(b"!", 0.0002)
    machine = at.firmware.catch_up(at.now)
    before, speed = machine.position[0], machine.planner.speed_at(at.now)
    at.listen(0.5)
    gone = machine.position[0] - before
    assert gone == pytest.approx(speed**2 / 400, abs=0.05)
    at.exchange(b"~", 3.0)
    assert len(at.firmware.log.moves()) == 12


def test_reset_in_motion_is_alarm_3_and_at_rest_is_none() -> None:
    at = Bench()
    at.exchange(b"G0X50\n", 0.5)
    assert at.exchange(b"\x18") == ["ALARM:3", "", BANNER, UNLOCK]
    assert at.exchange(b"G0X1\n") == ["error:9"]
    assert at.exchange(b"$X\n") == ["[MSG:Caution: Unlocked]", "ok"]
    assert at.exchange(b"\x18") == ["", BANNER]


def test_a_line_that_a_reset_cuts_off_has_no_answer() -> None:
    at = Bench()
    at.exchange(b"G4P5\n", 0.5)
    at.exchange(b"\x18")
    at.exchange(b"G21\n")
    assert [(entry["text"], entry["answer"]) for entry in at.firmware.log.since(0)] == [
        ("G4P5", ""),
        ("G21", "ok"),
    ]


def test_reset_after_the_hold_keeps_the_position_and_during_it_does_not() -> None:
    at = Bench()
    at.exchange(b"G0X50\n", 0.5)
    at.exchange(b"!", 0.5)
    assert at.exchange(b"\x18") == ["", BANNER]
    at.exchange(b"G0X0\n", 0.5)
    at.exchange(b"!", 0.01)
    assert at.exchange(b"\x18")[0] == "ALARM:3"


def test_a_door_opened_by_byte_holds_switches_off_and_restores() -> None:
    at = Bench()
    at.exchange(b"M3S500\n")
    at.exchange(b"G1X20F500\n", 1.0)
    assert at.exchange(b"\x84", 0.01) == ["[MSG:Check Door]"]
    assert at.state() == "Door:2"
    at.listen(0.3)
    assert at.state() == "Door:0"
    assert at.fs() == (0, 0)
    at.exchange(b"~", 1.0)
    assert (at.state(), at.fs()) == ("Door:3", (0, 500))
    at.listen(3.2)
    assert at.state() == "Run"
    at.listen(3.0)
    assert at.firmware.log.moves()[-1]["end"] == [20, 0, 0]


def test_a_door_that_is_open_cannot_be_resumed() -> None:
    at = Bench()
    at.firmware.door(at.now, is_open=True)
    assert at.listen(0.2)[0].strip() == "[MSG:Check Door]"
    at.exchange(b"~", 0.5)
    assert at.report().startswith("Door:1|")
    assert "|Pn:D" in at.report()
    at.firmware.door(at.now, is_open=False)
    assert at.state() == "Door:0"
    at.exchange(b"~", 0.5)
    assert at.state() == "Idle"


def test_jog_runs_beside_the_modes_and_is_cancelled() -> None:
    at = Bench()
    assert at.exchange(b"$J=G91X50F600\n", 0.5) == ["ok"]
    assert at.state() == "Jog"
    assert at.exchange(b"G0X0\n", 0.1) == ["error:9"]
    at.exchange(b"\x85", 0.5)
    assert at.state() == "Idle"
    assert 4 < at.firmware.machine.position[0] < 10
    assert "G90" in at.exchange(b"$G\n")[0]
    assert at.exchange(b"$J=X0F600\n", 3.0) == ["ok"]
    assert at.firmware.machine.position == (0, 0, 0)


def test_jog_cancel_does_nothing_in_a_run() -> None:
    at = Bench()
    at.exchange(b"G0X10\n", 0.3)
    at.exchange(b"\x85", 0.3)
    assert at.state() == "Run"


def test_dollar_commands_only_when_idle() -> None:
    at = Bench()
    at.exchange(b"G0X20\n", 0.3)
    for line in (b"$$\n", b"$H\n", b"$#\n", b"$110=5\n", b"$J=X1F100\n", b"$C\n"):
        assert at.exchange(line, 0.05) == ["error:8"]
    assert at.exchange(b"$G\n", 0.1)[-1] == "ok"


def test_check_mode_moves_nothing_and_leaves_with_a_reset() -> None:
    at = Bench()
    assert at.exchange(b"$C\n") == ["[MSG:Enabled]", "ok"]
    assert at.exchange(b"G1X10F100\nG4P10\nG5\n") == ["ok", "ok", "error:20"]
    assert at.report().startswith("Check|MPos:0.000")
    assert at.exchange(b"$C\n") == ["[MSG:Disabled]", "ok", "", BANNER]
    assert at.firmware.log.moves() == []


def test_homing_locks_at_power_up_and_sets_the_position() -> None:
    at = Bench(s22=1)
    assert at.banner[-1].strip() == UNLOCK
    assert at.exchange(b"G0X1\n") == ["error:9"]
    assert at.exchange(b"$H\n?", 1.0) == []
    answers = [line.strip() for line in at.listen(40.0)]
    assert answers[0] == "ok"
    assert answers[1].startswith("<Idle|MPos:-1.000,-1.000,-1.000")


@pytest.mark.parametrize(("fault", "code"), [("missing", 9), ("stuck", 8)])
def test_homing_that_fails(fault: str, code: int) -> None:
    at = Bench(s22=1)
    at.firmware.machine.world.homing_fault = fault
    assert at.exchange(b"$H\n", 200.0) == [f"ALARM:{code}", "", BANNER, UNLOCK]


def test_reset_and_door_during_homing() -> None:
    at = Bench(s22=1)
    at.exchange(b"$H\n", 1.0)
    assert at.exchange(b"\x18")[0] == "ALARM:6"
    at.exchange(b"$H\n", 1.0)
    assert at.exchange(b"\x84", 60.0)[0] == "ALARM:7"


def test_a_soft_limit_holds_and_wants_a_reset() -> None:
    at = Bench(s22=1, s20=1)
    at.exchange(b"$H\n", 40.0)
    assert at.exchange(b"$J=X10F100\n") == ["error:15"]
    at.exchange(b"G1X-40F500\n", 0.5)
    assert at.exchange(b"G0X10\n", 1.0) == ["ALARM:2", "[MSG:Reset to continue]"]
    assert at.exchange(b"?$X\n") == []
    assert at.exchange(b"\x18") == ["", BANNER, UNLOCK]
    assert -7 < at.firmware.machine.position[0] < -3


def test_a_hard_limit_ends_everything() -> None:
    at = Bench(s21=1)
    at.exchange(b"G0X50\n", 0.5)
    at.firmware.limit_switch("X", at.now, closed=True)
    assert [line.strip() for line in at.listen(2.0)] == ["ALARM:1", "[MSG:Reset to continue]"]
    assert at.exchange(b"?") == []
    assert at.exchange(b"\x18") == ["", BANNER, "[MSG:Check Limits]", UNLOCK]
    assert "|Pn:X" in at.report()


def test_probing_finds_the_plate_or_raises_an_alarm() -> None:
    at = Bench()
    at.firmware.machine.world.plate = (2, -5.0, False)
    assert at.exchange(b"G38.2Z-10F100\n", 8.0) == ["[PRB:0.000,0.000,-5.000:1]", "ok"]
    assert "|Pn:P" in at.report()
    assert at.exchange(b"G38.2Z-20F100\n", 8.0) == ["ALARM:4", "ok"]
    at.exchange(b"$X\n")
    assert at.exchange(b"G38.4Z5F100\n", 8.0)[0] == "[PRB:0.000,0.000,-5.000:1]"
    at.exchange(b"G0Z5\n", 3.0)
    assert at.exchange(b"G38.3Z4F100\n", 8.0) == ["[PRB:0.000,0.000,4.000:0]", "ok"]
    assert at.exchange(b"G38.2Z3F100\n", 8.0)[0] == "ALARM:5"


def test_m0_waits_for_the_cycle_start() -> None:
    at = Bench()
    assert at.exchange(b"M0\n") == []
    assert at.state() == "Hold:0"
    assert at.exchange(b"~") == ["ok"]


def test_sleep_ends_with_a_reset_and_an_alarm() -> None:
    at = Bench()
    assert at.exchange(b"$SLP\n") == ["ok", "[MSG:Sleeping]"]
    assert at.state() == "Sleep"
    assert at.exchange(b"G0X1\n~") == []
    assert at.exchange(b"\x18") == ["", BANNER, UNLOCK]
