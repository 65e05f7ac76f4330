"""What ``fabctl stream`` makes of its options, and its dry run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from fabctl.commands.stream import stream
from fabctl.commands.stream_job import own_option, profile_of
from fabctl.commands.stream_options import own_options
from fabctl.errors import InputError
from fabctl.ports import MachineKind
from fabctl_drivers.marlin.frames import frame


def test_options_become_the_drivers_own() -> None:
    assert own_options(baud=115_200, window=None, check_run=False) == {}
    assert own_options(baud=None, window=None, check_run=False) == {}
    assert own_options(baud=0, window="on", check_run=True) == {
        "baud": ("--baud auto", "auto"),
        "window": ("--window", True),
        "check_run": ("--check-run", True),
    }
    assert own_options(baud=1, window="off", check_run=False)["window"] == ("--window", False)
    assert own_options(baud=1, window="90", check_run=False)["window"] == ("--window", 90)
    with pytest.raises(InputError, match="on, off or a number"):
        own_options(baud=1, window="wide", check_run=False)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=true", True),
        ("a=90", 90),
        ("a=-1.5", -1.5),
        ('a="90"', "90"),
        ("a=home", "home"),
        ("a=12345678901234567890123456789012", "12345678901234567890123456789012"),
        ("a=1e5", "1e5"),
        ("a=null", "null"),
        ("a=b=c", "b=c"),
    ],
)
def test_an_options_value_is_a_number_only_where_it_looks_like_one(
    text: str, value: object
) -> None:
    key, found = own_option(text)
    assert (key, found, type(found)) == ("a", value, type(value))


@pytest.mark.parametrize(
    ("driver", "words", "sentence"),
    [
        ("marlin", ["--check-run"], "--check-run does not go with the driver marlin"),
        ("octoprint", ["--check-run"], "--check-run does not go with the driver octoprint"),
        ("octoprint", ["--window", "on"], "--window does not go with the driver octoprint"),
        ("grbl", ["--window", "on"], "--window does not go with the driver grbl"),
        ("octoprint", ["--baud", "auto"], "--baud auto does not go with the driver octoprint"),
        ("octoprint", ["--dry-run", "OUT"], "the driver octoprint has no dry run"),
        ("marlin", ["--window", "on", "--option", "window=9"], "say the same thing"),
        ("marlin", ["--home", "xy"], "belong to --from-line"),
        ("grbl", ["--from-line", "2"], "--kind mill or --kind laser"),
    ],
)
def test_what_a_driver_cannot_do_is_said(
    tmp_path: Path, driver: str, words: list[str], sentence: str
) -> None:
    file = tmp_path / "a.gcode"
    file.write_text("G28\nG1 X1 F100\n")
    words = [str(tmp_path / "out") if word == "OUT" else word for word in words]
    port = "http://127.0.0.1:9" if driver == "octoprint" else "/absent"
    key = ["--option", "api_key=abc"] if driver == "octoprint" else []
    command = [str(file), "--driver", driver, "--port", port, *key, *words]
    error = CliRunner().invoke(stream, command).exception
    assert isinstance(error, InputError)
    assert sentence in str(error)
    assert not (tmp_path / "out").exists()


def test_a_machine_is_what_its_driver_usually_drives() -> None:
    assert profile_of("grbl", None, "/dev/ttyACM0", 0, {}).kind is MachineKind.MILL
    assert profile_of("grbl", None, "/dev/ttyACM0", 0, {}).baud == 115_200
    assert profile_of("marlin", None, "/dev/ttyACM0", 0, {}).baud == 250_000
    assert profile_of("marlin", None, "/dev/ttyACM0", 9600, {}).baud == 9600
    assert profile_of("grbl", "laser", "/dev/ttyACM0", 0, {}).kind is MachineKind.LASER
    assert profile_of("marlin", None, None, 0, {}).kind is MachineKind.PRINTER
    assert profile_of("octoprint", None, "http://Octo.local:80", 0, {}).id == "http-octo-local-80"


@pytest.mark.parametrize("window", ["on", "off"])
def test_a_dry_run_writes_what_would_be_sent(tmp_path: Path, window: str) -> None:
    file, out = tmp_path / "part.gcode", tmp_path / "sent"
    moves = [f"G1 X{number} Y1 F3000" for number in range(300)]
    file.write_text("G28 ; home\n" + "\n".join(moves))
    words = [str(file), "--driver", "marlin", "--port", "/absent", "--dry-run", str(out)]
    done = CliRunner().invoke(stream, [*words, "--window", window, "--baud", "auto"])
    assert done.exit_code == 0, done.output
    sent = out.read_bytes()
    assert f"{len(sent)} bytes" in done.output
    numbered = re.findall(rb"^N(\d+) (.*)\*\d+$", sent, re.MULTILINE)
    commands = [command.decode() for _, command in numbered]
    begin = commands.index("G28")
    assert commands[begin : begin + 301] == ["G28", *moves]
    assert commands[begin + 301 :] == ["M400", "M105"]
    assert all(frame(int(number), command) in sent for number, command in numbered)


@pytest.mark.parametrize("baud", ["fast", "-3", "0"])
def test_a_baud_that_is_none_is_refused(tmp_path: Path, baud: str) -> None:
    words = [str(tmp_path), "--driver", "marlin", "--baud", baud]
    assert CliRunner().invoke(stream, words).exit_code == 2


@pytest.mark.parametrize("driver", ["marlin", "grbl"])
def test_a_dry_run_needs_no_port_and_tells_json(tmp_path: Path, driver: str) -> None:
    file, out = tmp_path / "part.gcode", tmp_path / "sent"
    file.write_text("G21\nG0 X1\nG1 X2 F100 ; two\n")
    words = [str(file), "--driver", driver, "--dry-run", str(out), "--json"]
    done = CliRunner().invoke(stream, words)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {
        "outcome": "dry-run",
        "lines": 3,
        "bytes": out.stat().st_size,
        "file": str(out),
    }


def test_what_preflight_notes_is_said_and_the_file_is_sent(tmp_path: Path) -> None:
    file, out = tmp_path / "part.nc", tmp_path / "sent"
    file.write_text("G21\n$H\nG0 X1!\nG28.1\n$100=250\n")
    words = [str(file), "--driver", "grbl", "--dry-run", str(out)]
    done = CliRunner().invoke(stream, words)
    assert done.exit_code == 0, done.output
    assert done.stderr.count("note: Line ") == 4
    assert b"G21\n$H\nG0X1\nG28.1\n$100=250\n" in out.read_bytes().replace(b"?", b"")


def test_a_dry_run_from_a_line_shows_it_all_and_asks_nobody(tmp_path: Path) -> None:
    file, out = tmp_path / "cut.nc", tmp_path / "sent"
    file.write_text("G90 G21\nM3 S900\nG0 X1 Y2 Z5\n" + "G1 X3 F90\n(pass)\n" * 20)
    words = [str(file), "--driver", "grbl", "--port", "/absent", "--dry-run", str(out)]
    more = ["--kind", "mill", "--from-line", "30", "--safe-z", "6"]
    done = CliRunner().invoke(stream, [*words, *more])
    assert done.exit_code == 0, done.output
    sent = out.read_bytes()
    assert [part in sent for part in (b"M3S900\n", b"G0Z6\n", b"G0X3Y2\n")] == [True] * 3
    assert sent.count(b"G1X3F90\n") == 7


def test_a_line_before_which_there_is_no_room_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "cut.nc"
    file.write_text("G90 G21\nG0 X1 Y2 Z5\nG1 X3 F90\nX4\n")
    words = [str(file), "--driver", "grbl", "--port", "/absent", "--kind", "mill"]
    more = ["--from-line", "3", "--confirm-line", "G1 X3 F90"]
    error = CliRunner().invoke(stream, [*words, *more]).exception
    assert isinstance(error, InputError)
    assert "too near the beginning" in str(error)


def test_a_dry_run_never_writes_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.gcode"
    file.write_text("G28\nG1 X1 F100\n")
    words = [str(file), "--driver", "marlin", "--port", "/absent", "--dry-run", str(file)]
    error = CliRunner().invoke(stream, words).exception
    assert isinstance(error, InputError)
    assert file.read_text() == "G28\nG1 X1 F100\n"
