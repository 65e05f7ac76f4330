"""What ``fabctl stream`` makes of its options, and its dry run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from fabctl.commands.stream import stream
from fabctl.commands.stream_options import own_options
from fabctl.errors import InputError
from fabctl_drivers.marlin.frames import frame


def test_options_become_the_drivers_own() -> None:
    assert own_options(baud=115_200, window=None) == {}
    assert own_options(baud=0, window="on") == {"baud": "auto", "window": True}
    assert own_options(baud=1, window="off") == {"window": False}
    assert own_options(baud=1, window="90") == {"window": 90}
    with pytest.raises(InputError, match="on, off or a number"):
        own_options(baud=1, window="wide")


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
