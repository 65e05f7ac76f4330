"""The Grbl stand-in's receiving side: buffer, real-time bytes, stripping, EEPROM.

Facts: gnea/grbl doc/markdown/interface.md and commands.md, and the project's streaming note.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from fabctl_sim.grbl.board import FLAVOURS, Board
from fabctl_sim.grbl.firmware import Firmware
from fabctl_sim.trial_host import TrialHost
from tests.grbl_bench import GrblBench as Bench


def test_the_banner() -> None:
    assert Bench().banner == ["\r", "Grbl 1.1h ['$' for help]\r"]


@pytest.mark.parametrize(("flavour", "word"), [("grblhal", "grblHAL"), ("fluidnc", "FluidNC")])
def test_flavours_are_told_apart_by_their_build_info(flavour: str, word: str) -> None:
    at = Bench(FLAVOURS[flavour])
    assert any(word in line for line in at.exchange(b"$I\n"))


def test_build_info_carries_the_sizes() -> None:
    assert Bench().exchange(b"$I\n") == ["[VER:1.1h.20190825:]", "[OPT:V,15,128]", "ok"]


def test_an_empty_line_is_ok_and_crlf_is_two_lines() -> None:
    assert Bench().exchange(b"\n") == ["ok"]
    assert Bench().exchange(b"G21\r\n") == ["ok", "ok"]


def test_comments_blanks_and_case() -> None:
    at = Bench()
    assert at.exchange(b"g1 (a ; b) x1 /\tf100 ; rest (\n") == ["ok"]
    assert at.texts() == ["G1X1F100"]


def test_a_percent_sign_is_an_error() -> None:
    assert Bench().exchange(b"%\n") == ["error:1"]


def test_a_line_of_79_fits_and_one_of_80_does_not() -> None:
    line = b"G1X1F100".ljust(79, b"0")
    assert Bench().exchange(line + b"\n") == ["ok"]
    assert Bench().exchange(line + b"0\n") == ["error:11"]
    assert Bench().exchange(line + b" " * 20 + b"(comment)\n") == ["ok"]


def test_grblhal_takes_256() -> None:
    line = b"G1X1F100".ljust(256, b"0")
    at = Bench(FLAVOURS["grblhal"])
    assert at.exchange(line + b"\n") == ["ok"]
    assert at.exchange(line + b"0\n") == ["error:11"]


def test_real_time_bytes_are_picked_out_of_a_line() -> None:
    at = Bench()
    answer = at.exchange(b"G1X?1\x90F\xff\x80100\n")
    assert sorted(answer) == ["<Idle|MPos:0.000,0.000,0.000|FS:0,0|WCO:0.000,0.000,0.000>", "ok"]
    assert at.texts() == ["G1X1F100"]


def test_two_questions_before_an_answer_get_one() -> None:
    assert len(Bench().exchange(b"??")) == 1


def test_overrunning_the_buffer_loses_bytes_without_a_word() -> None:
    at = Bench()
    for n in range(60):
        at.send(b"G1 X%05.2f Y0.0 F9000\n" % (0.5 * n))
    answers = at.listen(60.0)
    assert 20 <= len(answers) <= 30
    assert at.lost > 500


def test_counting_127_bytes_loses_nothing() -> None:
    at = Bench()
    lines = [b"G1 X%05.2f Y0.0 F9000\n" % (0.5 * n) for n in range(60)]
    assert at.count(lines, 127) == ["ok"] * 60
    assert at.lost == 0
    assert at.texts() == [line.decode().replace(" ", "").strip() for line in lines]


def test_the_whole_buffer_of_128_can_be_used() -> None:
    at = Bench()
    at.exchange(b"G4P1\n", 0.1)
    answers = at.exchange(b"G21(" + b"x" * 122 + b")\n", 2.0)
    assert (answers, at.lost) == (["ok", "ok"], 0)


def test_bytes_that_come_during_an_eeprom_write_are_lost() -> None:
    at = Bench()
    at.send(b"G10L20P1X5Y6Z7\n" + b"G0X1\n" * 10)
    assert len(at.listen(5.0)) < 11
    assert at.lost > 10


def test_an_eeprom_writer_alone_loses_nothing_and_nothing_is_written_twice() -> None:
    at = Bench()
    first = at.now
    at.send(b"$110=700\n")
    at.hear("ok")
    long = at.now - first
    begin = at.now
    at.send(b"$110=700\n")
    at.hear("ok")
    assert at.now - begin < long - 0.005
    assert at.exchange(b"G0X1\n") == ["ok"]
    assert at.lost == 0


def test_grblhal_does_not_go_deaf() -> None:
    at = Bench(FLAVOURS["grblhal"])
    at.send(b"G10L20P1X5Y6Z7\n" + b"G0X1\n" * 10)
    assert [line.strip() for line in at.listen(5.0)] == ["ok"] * 11


def test_bytes_sent_while_it_boots_are_lost() -> None:
    firmware = Firmware(replace(Board(), boot_s=2.0))
    firmware.receive(b"G21\n", 0.5)
    at = TrialHost(firmware)
    assert at.banner[-1].startswith("Grbl")
    assert firmware.log.since(0) == []


def test_a_stalled_processor_overruns() -> None:
    at = Bench()
    at.firmware.catch_up(at.now).clock += 0.5
    at.send(b"G21\n" * 50)
    assert len(at.listen(3.0)) < 50
    assert at.lost == 200 - 128
