"""What users of today's senders complain about, each as a test of that name.

The list is the project's design note on streaming. The stand-in's core is at the other end, in
simulated time: Marlin's, and Grbl's where the complaint is Grbl's more than Marlin's: *settings
lost by streaming EEPROM writes* (Marlin's writes do not deafen it; there the test is that a stored
setting runs once and in its place) and *errors shown without the line* (Grbl numbers nothing).
"""

from __future__ import annotations

import os
import pty
import re
import tty
from pathlib import Path

import pytest

from fabctl.clock import SystemClock
from fabctl.ports import (
    JobEnded,
    JobFile,
    MachineKind,
    MachineProfile,
    Outcome,
    Phase,
    Trouble,
)
from fabctl.units import Seconds
from fabctl_drivers.grbl.settings import Key, Settings
from fabctl_drivers.marlin.driver import MarlinDriver
from fabctl_sim.cable import Faults
from fabctl_sim.marlin.board import Board
from fabctl_sim.marlin.heating import fault
from tests.grbl_bench import GrblBench
from tests.grbl_host import GrblHost
from tests.marlin_rig import OURS, Rig

MOVES = [f"G1 X{number % 100} Y{number % 7} F9000" for number in range(80)]
SHORT_MM = 0.9


def short_segments(count: int) -> list[str]:
    """A zigzag of short moves at 150 mm/s, as a sliced curve is."""
    return ["G1 F9000", *(f"G1 X{50 + n * SHORT_MM:.2f} Y{50 + n % 2:d}" for n in range(count))]


@pytest.mark.parametrize(("window_bytes", "advanced_ok"), [(0, False), (120, True)])
def test_stutter_on_short_segments(window_bytes: int, *, advanced_ok: bool) -> None:
    """The planner always has moves left while the file has: it never brakes for want of them."""
    rig = Rig(Board(boot_s=0.1, advanced_ok=advanced_ok), window_bytes=window_bytes)
    rig.connect()
    moves = short_segments(110)
    rig.start(["G90", *moves])
    planner = rig.firmware.machine.motion.planner
    rig.until(lambda: rig.session.confirmed_line > 25, "the planner is full")
    fewest = planner.size
    while rig.session.confirmed_line < len(moves):
        rig.turn()
        fewest = min(fewest, len(planner.blocks))
    assert fewest >= 2
    assert rig.finish().outcome is Outcome.FINISHED


def test_resends_that_never_end() -> None:
    rig = Rig()
    rig.connect()
    rig.start(MOVES)
    rig.until(lambda: rig.session.confirmed_line == 10)
    rig.firmware.spoil_lines = 1_000_000
    ended = rig.finish()
    assert (ended.outcome, ended.trouble) == (Outcome.FAILED, Trouble.TOO_MANY_RESENDS)
    assert ended.resends == 10
    assert rig.job_texts == MOVES[: len(rig.job_texts)]


@pytest.mark.parametrize("autoreport", [True, False])
def test_m105_in_the_middle_of_a_resend(*, autoreport: bool) -> None:
    """After a Resend the next line said is the one that was asked for, whatever else is due."""
    rig = Rig(Board(boot_s=0.1, autoreport_temp=autoreport))
    rig.connect()
    rig.start([f"G4 P{number}" for number in range(700, 760)])
    asked: list[tuple[int, int]] = []

    def listen(data: bytes) -> bytes:
        asked.extend((int(n), len(rig.said)) for n in re.findall(rb"Resend: (\d+)", data))
        return data

    rig.on_heard = listen
    while rig.ended is None:
        line = rig.session.confirmed_line
        rig.firmware.spoil_lines = 1
        rig.until(lambda: rig.ended is not None or rig.session.confirmed_line >= line + 2)  # noqa: B023  # called in this turn of the loop
    assert rig.finish().outcome is Outcome.FINISHED
    assert len(asked) >= 25
    for number, at in asked:
        assert rig.said[at:].lstrip(b"\n").startswith(b"N%d " % number)


def test_printing_on_after_a_reset() -> None:
    rig = Rig()
    rig.connect()
    rig.start(["M104 S200", *MOVES])
    rig.until(lambda: rig.session.confirmed_line == 20)
    before = len(rig.ran)
    rig.cable.reset(rig.now)
    ended = rig.finish()
    assert (ended.outcome, ended.trouble) == (Outcome.FAILED, Trouble.CONTROLLER_RESET)
    rig.wait(60.0)
    assert rig.session.phase is Phase.BROKEN
    assert set(rig.texts[before:]) <= OURS
    assert rig.firmware.machine.nozzle.target_c == 0


@pytest.mark.parametrize("modes", [("G90", "M82"), ("G91", "M82"), ("G90", "M83"), ("G91", "M83")])
def test_a_pause_that_forgets_relative_mode(modes: tuple[str, str]) -> None:
    def after(*, pause: bool) -> tuple[object, ...]:
        rig = Rig()
        rig.connect()
        steps = [f"G1 X{1 + n % 3} Y1 E0.5" for n in range(40)]
        rig.start(["M302 S0", "G28", "G1 X50 Y50 Z2 F6000", "G92 E0", *modes, *steps])
        if pause:
            rig.until(lambda: rig.session.confirmed_line == 20)
            rig.session.pause(rig.now)
            rig.until(lambda: rig.session.phase is Phase.PAUSED)
            rig.wait(30.0)
            rig.session.resume(rig.now)
        assert rig.finish().outcome is Outcome.FINISHED
        motion = rig.firmware.machine.motion
        place = tuple(round(mm, 6) for mm in motion.logical())
        return (*motion.relative, motion.feed, place)

    assert after(pause=True) == after(pause=False)


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_jobs_that_never_reach_finished(lost: int) -> None:
    """The oks of the last lines are lost, and of the question for the end."""
    rig = Rig()
    rig.connect()
    rig.start(MOVES)
    rig.until(lambda: rig.session.confirmed_line == len(MOVES) - 1)
    rig.firmware.machine.drop_oks = lost
    asked = rig.now
    ended = rig.finish()
    assert (ended.outcome, ended.line) == (Outcome.FINISHED, len(MOVES))
    assert rig.now - asked < 30.0
    assert rig.job_texts == MOVES


def test_a_missing_ok_that_stops_everything_without_a_word() -> None:
    rig = Rig()
    rig.connect()
    rig.start(MOVES)
    for line in range(10, 60, 10):
        rig.until(lambda: rig.session.confirmed_line >= line)  # noqa: B023  # called in this turn of the loop
        rig.firmware.machine.drop_oks = 1
    assert rig.finish().outcome is Outcome.FINISHED
    assert rig.job_texts == MOVES
    assert rig.now < 60.0


def test_a_firmware_that_falls_silent_is_given_up_with_a_word() -> None:
    rig = Rig()
    rig.connect()
    rig.start(MOVES)
    rig.until(lambda: rig.session.confirmed_line == 10)
    rig.on_heard = lambda _: b""
    ended = rig.finish()
    assert (ended.outcome, ended.trouble, ended.line) == (Outcome.FAILED, Trouble.NO_ANSWER, 10)
    assert ended.reason == f"5 times 3 s without an answer, to: {MOVES[10]}"


def test_a_write_error_that_ends_the_program(tmp_path: Path) -> None:
    """The port dies under a write: one event says it, nothing is raised, a person may go on."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    driver = MarlinDriver(_profile(os.ttyname(theirs)), SystemClock())
    driver.open()
    os.close(theirs)
    os.set_blocking(ours, False)
    while driver.phase is Phase.CONNECTING:
        driver.pump(Seconds(0.05))
        _say_ok_to_all(ours)
    path = tmp_path / "job.gcode"
    path.write_text("\n".join(MOVES))
    driver.start(JobFile("job", path, "job", len(MOVES), len(MOVES)))
    os.close(ours)
    events = [*driver.pump(Seconds(1.0)), *driver.pump(Seconds(1.0))]  # it runs; it is gone
    (ended,) = [event for event in events if isinstance(event, JobEnded)]
    assert (ended.outcome, ended.trouble) == (Outcome.FAILED, Trouble.CABLE_LOST)
    assert driver.phase is Phase.CLOSED
    driver.close()


def _profile(port: str) -> MachineProfile:
    return MachineProfile("a", "A", MachineKind.PRINTER, "marlin", "here", port, 250_000)


def _say_ok_to_all(descriptor: int) -> None:
    try:
        asked = os.read(descriptor, 65536)
    except BlockingIOError:
        return
    lines = [line for line in asked.split(b"\n") if line]
    os.write(descriptor, b"".join(map(_ok_to, lines)))


def _ok_to(line: bytes) -> bytes:
    if b"M115" in line:
        return b"FIRMWARE_NAME:Marlin\nok\n"
    return b"ok T:20.00 /0.00 @:0\n" if b"M105" in line else b"ok\n"


@pytest.mark.parametrize("trouble", ["resends", "silence", "halt"])
def test_errors_shown_without_the_line(trouble: str) -> None:
    """Whatever ends a job, its end names the file's line; a line that failed is shown."""
    rig = Rig()
    rig.connect()
    rig.start(["; a comment counts as a line", *MOVES])
    rig.until(lambda: rig.session.confirmed_line == 11)
    if trouble == "resends":
        rig.firmware.spoil_lines = 1_000_000
    elif trouble == "silence":
        rig.on_heard = lambda _: b""
    else:
        machine = rig.firmware.catch_up(rig.now)
        fault(machine, "heating-failed", machine.nozzle)
    ended = rig.finish()
    assert ended.outcome is Outcome.FAILED
    assert ended.line in {11, 12}
    assert ended.reason is not None
    if trouble == "halt":
        assert "Heating failed" in ended.reason
    else:
        assert MOVES[ended.line - 1] in ended.reason


def test_settings_lost_by_streaming_eeprom_writes() -> None:
    """Grbl's complaint; with Marlin, M500 runs once, in its place, and no line after it is lost."""
    rig = Rig(Board(boot_s=0.1, advanced_ok=True), window_bytes=120)
    job = [*MOVES[:20], "M92 X80", "M500", *MOVES[20:40]]
    assert rig.run(job).outcome is Outcome.FINISHED
    assert rig.job_texts == job


# ---- Grbl

WRITES = [b"G10L2P1X%d" % n for n in range(1, 6)] + [b"$110=%d" % n for n in range(900, 904)]
CUTS = [b"G1X%dY1F900" % n for n in range(1, 6)]
WITH_WRITES = [*WRITES, *CUTS, *WRITES, *CUTS]


def test_settings_lost_by_streaming_eeprom_writes_to_grbl() -> None:
    """While it writes, the chip hears nothing: every writer goes alone, from a drained buffer."""
    host = GrblHost()
    host.start(WITH_WRITES)
    host.until(lambda: host.ended is not None, 600.0)
    assert host.ended is not None
    assert host.ended.outcome is Outcome.FINISHED, host.ended.reason
    assert host.ran() == [line.decode() for line in WITH_WRITES]
    assert host.lost == 0
    stored = host.firmware.machine.eeprom
    assert (stored.places["G54"][0], stored.settings[110]) == (5.0, 903.0)


def test_the_same_settings_are_lost_by_a_sender_that_does_not_drain() -> None:
    """The control: the stand-in does lose what is sent while it writes."""
    bench = GrblBench()
    bench.listen(2.0)
    waiting, unanswered = [line + b"\n" for line in WITH_WRITES], [b""]
    for _ in range(2000):
        while waiting and sum(map(len, unanswered)) + len(waiting[0]) < 128:
            unanswered.append(waiting.pop(0))
            bench.send(unanswered[-1])
        answers = [line for line in bench.listen(0.05) if line.startswith(("ok", "error"))]
        del unanswered[1 : 1 + len(answers)]
    assert bench.lost > 0
    assert waiting or len(unanswered) > 1, "it waits for answers that never come"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"G1 X5 K3", "line 4 was refused (error:"),
        (b"G2 X5 Y5", "line 4 was refused (error:"),
        (b"G1 X9000", "at line 4: G1X9000"),
    ],
)
def test_errors_shown_without_the_line_by_grbl(line: bytes, words: str) -> None:
    """Grbl says a number and no line; the job's end says both, and what the number means."""
    host = GrblHost(settings=Settings(when_locked=Key.UNLOCK), stored={20: 1, 22: 1})
    host.start([b"(a comment counts as a line)", b"G21", b"G1 X-1 F900", line, b"G1 X-2"])
    host.until(lambda: host.ended is not None, 60.0)
    assert host.ended is not None
    assert host.ended.outcome is Outcome.FAILED
    assert host.ended.line in {3, 4, 5}
    assert words in (host.ended.reason or "")
    assert line.replace(b" ", b"").decode() in (host.ended.reason or "")


def test_a_silence_of_grbl_is_shown_with_the_line_it_confirmed_last() -> None:
    host = GrblHost()
    host.start([b"(a comment)", *CUTS])
    host.until(lambda: host.session.confirmed_line == 3, 60.0)
    host.cable.spoil(Faults(lose=1), "up")
    host.until(lambda: host.ended is not None, 60.0)
    assert host.ended is not None
    assert (host.ended.outcome, host.ended.line) == (Outcome.FAILED, 3)
    assert host.ended.reason == "the controller has said nothing for 10 s"
