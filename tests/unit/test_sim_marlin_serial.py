"""The stand-in's line: receive buffer, line numbers, checksums, the resend dialogue."""

from __future__ import annotations

import random

import pytest

from fabctl_sim.marlin.board import Board
from fabctl_sim.marlin.firmware import Firmware
from fabctl_sim.marlin.wire import Wire
from fabctl_sim.marlin.words import Command
from fabctl_sim.trial_host import TrialHost, numbered


def quiet() -> random.Random:
    return random.Random(1)  # noqa: S311 - a damaged cable is not cryptography


class Bench:
    """A firmware, its host, and the commands that ran."""

    def __init__(self, board: Board | None = None, seed: int = 1) -> None:
        self.ran: list[Command] = []
        self.firmware = Firmware(board or Board(), seed=seed, record=self.ran.append)
        self.host = TrialHost(self.firmware)

    def texts(self) -> list[str]:
        return [command.text for command in self.ran]


def test_a_board_says_start_first_and_then_its_name() -> None:
    assert Bench().host.banner[:2] == ["start", "Marlin 2.0.9.5"]


def test_bytes_take_their_time_on_the_wire() -> None:
    wire = Wire(byte_s=10 / 250_000, capacity=127, noise=quiet())
    wire.put(b"x" * 25 + b"\n", now=5.0)
    assert wire.next_line_end() == pytest.approx(5.0 + 26 * 40e-6)
    assert wire.arrived(5.0 + 10 * 40e-6) == b"x" * 10
    assert wire.arrived(5.0 + 26 * 40e-6) == b"x" * 15 + b"\n"


def test_what_the_host_writes_meanwhile_follows_on_the_wire() -> None:
    wire = Wire(byte_s=0.001, capacity=127, noise=quiet())
    wire.put(b"a" * 100, now=0.0)
    wire.put(b"b\n", now=0.01)
    assert wire.next_line_end() == pytest.approx(0.102)
    assert wire.backlog(0.05) == 52


def test_an_overrun_loses_bytes_without_a_word() -> None:
    """60 lines at once: the buffer keeps 127 bytes while the processor is busy."""
    bench = Bench()
    bench.host.send(b"".join(b"G1 X%d F6000\n" % n for n in range(10, 70)))
    lines = bench.host.listen(5.0)
    assert bench.firmware.wire.overrun > 0
    assert 0 < lines.count("ok") < 60
    assert not any(line.startswith(("Error", "Resend")) for line in lines)


def test_a_window_that_fits_loses_nothing() -> None:
    bench = Bench()
    bench.host.ask("M110 N0")
    bench.host.stream([f"G1 X{n / 20:.3f} F9000" for n in range(500)], window=120)
    assert bench.firmware.wire.overrun == 0
    assert bench.texts()[1:] == [f"G1 X{n / 20:.3f} F9000" for n in range(500)]


def test_a_wrong_checksum_to_the_letter() -> None:
    bench = Bench()
    bench.host.ask_numbered("G21")
    bench.host.send(b"N2 G90*1\n")
    assert bench.host.listen(0.1) == ["Error:checksum mismatch, Last Line: 1", "Resend: 2", "ok"]
    bench.host.send(numbered(2, "G90"))
    assert bench.host.listen(0.1) == ["ok"]
    assert bench.texts() == ["G21", "G90"]


def test_a_wrong_number_to_the_letter() -> None:
    bench = Bench()
    bench.host.ask_numbered("G21")
    bench.host.send(numbered(5, "G90"))
    assert bench.host.listen(0.1) == [
        "Error:Line Number is not Last Line Number+1, Last Line: 1",
        "Resend: 2",
        "ok",
    ]
    assert bench.texts() == ["G21"]


def test_a_number_without_checksum_to_the_letter() -> None:
    bench = Bench()
    bench.host.send(b"N1 G21\n")
    assert bench.host.listen(0.1) == [
        "Error:No Checksum with line number, Last Line: 0",
        "Resend: 1",
        "ok",
    ]


def test_a_resend_request_throws_away_what_was_in_the_buffer() -> None:
    """Lines behind a bad one are drained with it: one error, one resend, nothing run twice."""
    bench = Bench()
    good = [numbered(n, "G1 X1 F600") for n in (1, 2, 3)]
    bench.host.send(b"N1 G1 X1 F600*0\n" + good[1] + good[2])
    assert bench.host.listen(0.2) == ["Error:checksum mismatch, Last Line: 0", "Resend: 1", "ok"]
    bench.host.send(b"".join(good))
    assert bench.host.listen(0.2) == ["ok", "ok", "ok"]
    assert len(bench.ran) == 3


def test_a_line_without_number_runs_unchecked_and_is_marked_so() -> None:
    bench = Bench()
    bench.host.ask("G21*99")
    bench.host.ask_numbered("G90")
    assert [(c.number, c.text) for c in bench.ran] == [(None, "G21"), (1, "G90")]


@pytest.mark.parametrize(
    ("line", "last"),
    [(numbered(0, "M110 N41"), 41), (numbered(7, "M110"), 7), (b"M110 N12\n", 12)],
)
def test_m110_sets_the_line_number(line: bytes, last: int) -> None:
    bench = Bench()
    bench.host.send(line)
    assert bench.host.hear("ok") == ["ok"]
    bench.host.send(numbered(last + 1, "G21"))
    assert bench.host.hear("ok") == ["ok"]


def test_a_repeated_line_is_an_error_in_2_0_9_and_nothing_in_2_1_3() -> None:
    old, new = Bench(), Bench(Board(ignore_repeats=True))
    for bench in (old, new):
        bench.host.ask_numbered("G21")
        bench.host.send(numbered(1, "G21"))
    assert old.host.listen(0.2)[-2:] == ["Resend: 2", "ok"]
    assert new.host.listen(0.2) == []
    assert len(old.ran) == len(new.ran) == 1


def test_an_empty_line_draws_no_answer() -> None:
    bench = Bench()
    bench.host.send(b"\n\r\n")
    assert bench.host.listen(1.0) == []


def test_a_newline_ends_a_line_that_lost_its_own() -> None:
    bench = Bench()
    bench.host.send(numbered(1, "G21")[:-1])
    assert bench.host.listen(1.0) == []
    bench.host.send(b"\n")
    assert bench.host.listen(0.1) == ["ok"]


def test_comments_are_stripped_and_long_lines_cut_at_95_bytes() -> None:
    bench = Bench()
    bench.host.ask("G21 ; millimetres")
    bench.host.ask("M117 " + "x" * 200)
    assert bench.texts() == ["G21", "M117 " + "x" * 90]


def test_an_unknown_command_is_echoed_and_answered() -> None:
    assert Bench().host.ask_numbered("M4711 S1") == ['echo:Unknown command: "M4711 S1"', "ok"]


def test_advanced_ok_names_line_planner_and_queue() -> None:
    bench = Bench(Board(advanced_ok=True))
    assert bench.host.ask_numbered("G21") == ["ok N1 P15 B3"]
    assert bench.host.ask_numbered("G1 X50 F600") == ["ok N2 P14 B3"]
    assert bench.host.ask("G21") == ["ok P14 B3"]


def test_a_line_that_is_still_queued_counts_against_b() -> None:
    bench = Bench(Board(advanced_ok=True))
    bench.host.send(b"".join(numbered(n, "G4 P200") for n in (1, 2, 3, 4)))
    assert bench.host.listen(2.0) == [
        "ok N1 P15 B0",
        "ok N2 P15 B1",
        "ok N3 P15 B2",
        "ok N4 P15 B3",
    ]


def test_busy_comes_every_two_seconds_while_a_command_lasts() -> None:
    bench = Bench()
    assert bench.host.ask("G4 S7") == ["echo:busy: processing"] * 3 + ["ok"]
    bench.host.ask("M113 S0")
    assert bench.host.ask("G4 S7") == ["ok"]


def test_a_reset_loses_what_was_under_way_and_says_start_again() -> None:
    bench = Bench()
    bench.host.ask_numbered("M104 S200")
    bench.firmware.reset(bench.host.now)
    bench.host.send(numbered(2, "G21"))
    lines = bench.host.listen(2.0)
    assert lines[0] == "start"
    assert "ok" not in lines
    assert bench.firmware.machine.nozzle.target_c == 0.0


def test_injected_faults_of_the_line() -> None:
    bench = Bench()
    bench.firmware.spoil_lines = 1
    assert bench.host.ask_numbered("G21")[0] == "Error:checksum mismatch, Last Line: 0"
    bench.firmware.machine.drop_oks = 1
    bench.host.send(numbered(1, "G21"))
    assert bench.host.listen(1.0) == []
    assert bench.texts() == ["G21"]


def _noisy_run(seed: int) -> list[str]:
    bench = Bench(seed=seed)
    bench.firmware.wire.flip_every = 200
    bench.firmware.wire.lose_every = 300
    for n in range(1, 200):
        bench.host.send(numbered(n, f"G1 X{n} F6000"))
        bench.host.listen(0.02)
    bench.firmware.wire.flip_every = bench.firmware.wire.lose_every = 0
    return [*bench.host.ask("\nM105"), *bench.texts()]


def test_two_runs_with_the_same_seed_are_equal_and_another_seed_differs() -> None:
    assert _noisy_run(5) == _noisy_run(5)
    assert _noisy_run(5) != _noisy_run(6)
