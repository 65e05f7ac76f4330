"""``fabctl stream`` as people call it: a process, a port, signals, exit codes."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl_sim.process import SimProcess

KEYRING = Path(__file__).parents[1] / "data" / "keyring_tag.gcode"
PATIENCE_S = 60.0
FIELDS = ["lines", "bytes", "seconds", "lines_per_second", "resends", "outcome", "reason"]
FIELDS += ["pauses", "pause_reasons"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: Unix sockets take no long ones."""
    with tempfile.TemporaryDirectory(prefix="str") as name:
        yield Path(name)


def command(file: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "fabctl", "stream", str(file), *words]


def to_sim(sim: SimProcess, file: Path, *words: str) -> list[str]:
    return command(file, "--driver", "marlin", "--port", str(sim.port), *words)


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def until_heating(sim: SimProcess, target_c: float) -> None:
    deadline = time.monotonic() + PATIENCE_S
    with sim.control() as control:
        while control.status()["nozzle_target_c"] != target_c:
            assert time.monotonic() < deadline, f"the nozzle is not told {target_c} °C"
            time.sleep(0.02)


def heating_file(folder: Path) -> Path:
    file = folder / "heat.gcode"
    file.write_text("M104 S210\nM109 S210\nG28\nG1 X10 F3000\n")
    return file


def test_a_whole_file_with_json_and_nothing_else_on_stdout(folder: Path) -> None:
    with SimProcess(folder, "--factor", "instant", "--boot", "0.2") as sim:
        done = run(to_sim(sim, KEYRING, "--json"))
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert list(result) == FIELDS
        assert (result["outcome"], result["reason"]) == ("finished", None)
        assert (result["lines"], result["resends"]) == (2145, 0)
        assert result["bytes"] > 2145 * 20
        assert result["lines_per_second"] == pytest.approx(2145 / result["seconds"], rel=0.01)
        with sim.control() as control:
            status = control.status()
            assert (status["nozzle_target_c"], status["bed_target_c"]) == (0, 0)


def test_without_json_a_sentence_says_how_it_went(folder: Path) -> None:
    file = folder / "two.gcode"
    file.write_text("G28\nG1 X10\n")
    with SimProcess(folder, "--factor", "instant", "--boot", "0.2") as sim:
        done = run(to_sim(sim, file))
    assert done.returncode == 0
    assert re.fullmatch(r"finished; 2 lines in 0:00 \(\d+ lines/s, 0 resent\)\n", done.stdout)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_stops_cleanly_with_heaters_off(
    folder: Path, number: signal.Signals, code: int
) -> None:
    with SimProcess(folder, "--boot", "0.2") as sim:
        words = to_sim(sim, heating_file(folder), "--json")
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            until_heating(sim, 210)
            process.send_signal(number)
            out, _ = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == code
        assert json.loads(out)["outcome"] == "stopped"
        with sim.control() as control:
            assert control.status()["nozzle_target_c"] == 0
            assert "G1 X10 F3000" not in control.texts()


def test_a_second_ctrl_c_says_that_it_is_still_stopping(folder: Path) -> None:
    file = folder / "dwell.gcode"
    file.write_text("M104 S200\nG4 S4\nG28\nG1 X1\n")
    with SimProcess(folder, "--boot", "0.2") as sim:
        words = to_sim(sim, file)
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            until_heating(sim, 200)
            process.send_signal(signal.SIGINT)
            assert any("stopping: no more lines, heaters off" in line for line in process.stderr)
            process.send_signal(signal.SIGINT)
            assert "still stopping" in process.stderr.readline()
            assert process.wait(PATIENCE_S) == 130


def test_ctrl_c_before_the_machine_answered(folder: Path) -> None:
    with SimProcess(folder, "--boot", "3600") as sim:
        words = to_sim(sim, heating_file(folder), "--json")
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            deadline = time.monotonic() + PATIENCE_S
            with sim.control() as control:
                while not control.status()["open"]:
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=PATIENCE_S)
            assert (process.returncode, json.loads(out)["outcome"]) == (130, "stopped")


def test_a_pulled_cable_is_exit_code_1_with_the_reason(folder: Path) -> None:
    with SimProcess(folder, "--boot", "0.2") as sim:
        words = to_sim(sim, heating_file(folder), "--json")
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            until_heating(sim, 210)
            with sim.control() as control:
                control.ask("unplug")
            out, _ = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 1
        result = json.loads(out)
        assert result["outcome"] == "failed"
        assert result["reason"]


def _read_terminal(descriptor: int) -> bytes:
    """Return what a terminal got, nothing once the last one who wrote to it has closed it."""
    try:
        return os.read(descriptor, 65536)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return b""


def test_on_a_terminal_there_is_a_bar(folder: Path) -> None:
    file = folder / "moves.gcode"
    file.write_text("G28\n" + "".join(f"G1 X{n % 50 + 1} F9000\n" for n in range(300)))
    ours, theirs = pty.openpty()
    shown = b""
    with (
        SimProcess(folder, "--factor", "20", "--boot", "0.2") as sim,
        subprocess.Popen(to_sim(sim, file), stderr=theirs, stdout=subprocess.PIPE) as process,
    ):
        os.close(theirs)
        while data := _read_terminal(ours):
            shown += data
        assert process.wait(PATIENCE_S) == 0
    os.close(ours)
    assert re.search(rb"\r\[#+\.+\]  ?\d+\.\d %  line \d+  \d+ lines/s", shown)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--driver", "marlin2"), "no driver is called 'marlin2' → one of: "),
        (("--driver", "marlin"), "the driver marlin needs a port"),
        (("--driver", "opaque"), "fabctl does not send files to this machine"),
        (("--driver", "marlin", "--port", "loop://", "--option", "windw=1"), "did you mean"),
        (("--driver", "marlin", "--port", "loop://", "--option", "window"), "is not KEY=VALUE"),
    ],
)
def test_what_cannot_work_is_refused_with_exit_code_2(
    words: tuple[str, ...], sentence: str
) -> None:
    done = run(command(KEYRING, *words, "--json"))
    assert done.returncode == 2, done.stderr
    assert sentence in done.stderr
    assert json.loads(done.stdout)["outcome"] == "failed"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "the file cannot be read: No such file or directory"),
        (b"", "The file is empty."),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "This is a PNG picture, not G-code."),
        (b"; nothing\n", "comments only"),
        (b"G28\nG1 X1\nM117 " + b"x" * 100 + b"\n", "Line 3"),
    ],
)
def test_a_bad_file_is_refused_before_the_port_is_opened(
    tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    file = tmp_path / "bad.gcode"
    if content is not None:
        file.write_bytes(content)
    done = run(command(file, "--driver", "marlin", "--port", str(tmp_path / "no-such-port")))
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "no such port" not in done.stderr


def test_a_taken_port_says_who_holds_it(folder: Path) -> None:
    with SimProcess(folder, "--boot", "0.2") as sim, sim.port.open("rb+", buffering=0) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = run([*to_sim(sim, KEYRING), "--json"])
    assert done.returncode == 1
    assert f"process {os.getpid()})" in json.loads(done.stdout)["reason"]


def test_an_absent_port_fails_in_words(tmp_path: Path) -> None:
    port = str(tmp_path / "ttyNOT")
    done = run(command(KEYRING, "--driver", "marlin", "--port", port, "--json"))
    assert done.returncode == 1
    assert "there is no such port" in json.loads(done.stdout)["reason"]


def test_ctrl_c_on_a_mill_speaks_of_its_spindle(folder: Path) -> None:
    file = folder / "long.nc"
    file.write_text("M3 S900\nG4 P600\nG0 X1\n")
    with SimProcess(folder, "--boot", "0.2", controller="grbl") as sim:
        words = command(file, "--driver", "grbl", "--port", str(sim.port))
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
            deadline = time.monotonic() + PATIENCE_S
            with sim.control() as control:
                while control.status()["spindle"] != "M3":
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
                process.send_signal(signal.SIGINT)
                assert process.stderr is not None
                assert "spindle and laser off" in process.stderr.read()
                assert process.wait(PATIENCE_S) == 130
                assert control.status()["spindle"] == "M5"


@pytest.mark.parametrize("option", ["home", "unlock"])
def test_a_locked_grbl_says_which_option_opens_it(folder: Path, option: str) -> None:
    file = folder / "cut.nc"
    file.write_text("G21\nG91\nG0 X-1\n")
    with SimProcess(folder, "--factor", "instant", "--set", "22=1", controller="grbl") as sim:
        words = command(file, "--driver", "grbl", "--port", str(sim.port), "--json")
        done = run(words)
        assert done.returncode == 1
        reason = json.loads(done.stdout)["reason"]
        assert "the machine is locked" in reason
        assert "--option when_locked=home (or unlock)" in reason
        assert "keep_running=true" in reason
        done = run([*words, "--option", f"when_locked={option}"])
        assert json.loads(done.stdout)["outcome"] == "finished", done.stderr


# ---- from a line


def at_a_terminal(words: list[str], typed: bytes) -> tuple[int, str]:
    """Run at a terminal, type once asked, return the exit code and what was shown."""
    ours, theirs = pty.openpty()
    shown = b""
    with subprocess.Popen(words, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE) as process:
        os.close(theirs)
        answered = False
        while data := _read_terminal(ours):
            shown += data
            if b"anything else to leave: " in shown and not answered:
                answered = True
                os.write(ours, typed)
        code = process.wait(PATIENCE_S)
    os.close(ours)
    return code, shown.decode()


def test_from_a_line_a_person_types_its_number_again(folder: Path) -> None:
    with SimProcess(folder, "--factor", "instant", "--boot", "0.2") as sim:
        words = [*to_sim(sim, KEYRING), "--from-line", "1500"]
        code, shown = at_a_terminal(words, b"1501\n")
        assert code == 2
        assert "nothing was sent" in shown
        with sim.control() as control:
            assert control.texts() == []
        code, shown = at_a_terminal(words, b"1500\n")
        assert code == 0, shown
        text = KEYRING.read_text().splitlines()[1499]
        assert f"line 1500: {text}" in shown
        assert "G28 X Y" in shown
        assert "the nozzle must stand" in shown
        with sim.control() as control:
            texts = control.texts()
    assert text in texts
    assert texts.index("G28 X Y") < texts.index(text)
    assert not {"G28", KEYRING.read_text().splitlines()[1498]} & set(texts)


def test_from_a_line_a_script_gives_its_exact_text(folder: Path) -> None:
    text = KEYRING.read_text().splitlines()[1499]
    with SimProcess(folder, "--factor", "instant", "--boot", "0.2") as sim:
        words = [*to_sim(sim, KEYRING), "--from-line", "1500"]
        for extra in ((), ("--confirm-line", "G1 X0"), ("--force",)):
            done = run([*words, *extra])
            assert done.returncode == 2
            assert text in done.stderr
        with sim.control() as control:
            assert control.texts() == []
        done = run([*words, "--confirm-line", text, "--json"])
        assert json.loads(done.stdout)["outcome"] == "finished", done.stderr


def test_from_a_line_a_refused_one_keeps_the_files_own_number(folder: Path) -> None:
    file = folder / "cut.nc"
    file.write_text("G90 G21\nM3 S9\nG0 X1 Y1 Z5\n" + "\n(pass)\nG1 X2 F900\n" * 9 + "G1 X9 K1\n")
    with SimProcess(folder, "--factor", "instant", controller="grbl") as sim:
        words = command(file, "--driver", "grbl", "--port", str(sim.port), "--kind", "mill")
        words += ["--from-line", "21", "--confirm-line", "G1 X2 F900", "--safe-z", "9", "--json"]
        done = run(words)
    result = json.loads(done.stdout)
    assert result["outcome"] == "failed"
    assert "line 31 " in result["reason"]


def test_a_check_run_names_every_refused_line_and_moves_nothing(folder: Path) -> None:
    file = folder / "cut.nc"
    refused = [f"G1 X{n} K1" for n in range(30)]
    file.write_text("G90 G21\nG1 X1 F900\n" + "\n".join(refused) + "\nG1 X9\n")
    with SimProcess(folder, "--factor", "instant", controller="grbl") as sim:
        words = command(file, "--driver", "grbl", "--port", str(sim.port), "--check-run", "--json")
        done = run(words)
        with sim.control() as control:
            assert control.status()["position"] == [0.0, 0.0, 0.0]
    assert done.returncode == 1
    assert "30 lines were refused" in json.loads(done.stdout)["reason"]
    told = re.findall(r"^line (\d+) was refused", done.stderr, re.MULTILINE)
    assert told == [str(number) for number in range(3, 33)]
