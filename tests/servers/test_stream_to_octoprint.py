"""``fabctl stream --driver octoprint`` as people call it, against a real OctoPrint."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.octoprint_server import OctoPrintServer, octoprint_server, until

pytestmark = pytest.mark.timeout(300)
QUICK = b"; a part\nG28\nM117 hello\n" + b"".join(b"G1 X%d F6000\n" % (n % 9) for n in range(120))
SLOW = b"G28\nM104 S55\nM140 S45\n" + b"G4 P100 ; wait\n\n" * 3000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OctoPrintServer]:
    with octoprint_server(tmp_path_factory.mktemp("octo")) as server:
        server.connect_printer()
        yield server


def command(server: OctoPrintServer, folder: Path, content: bytes, *more: str) -> list[str]:
    file = folder / "part.gcode"
    file.write_bytes(content)
    key = ("--option", f"api_key={server.new_key()}")
    base = [sys.executable, "-m", "fabctl", "stream", str(file), "--driver", "octoprint"]
    return [*base, "--port", server.url, *key, *more]


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)


def test_a_whole_file_leaves_nothing_behind(server: OctoPrintServer, tmp_path: Path) -> None:
    done = run(command(server, tmp_path, QUICK, "--json"))
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["outcome"], result["lines"]) == ("finished", 122)
    assert server.file_names == []


def test_progress_is_shown_and_ctrl_c_ends_it_with_heaters_off(
    server: OctoPrintServer, tmp_path: Path
) -> None:
    words = command(server, tmp_path, SLOW)
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        shown = next(line for line in process.stderr if not line.startswith("note: "))  # 10 s
        assert re.match(r" *\d+\.\d %  line \d+  \d+ lines/s .*nozzle", shown), shown
        process.send_signal(signal.SIGINT)
        assert "stopping: no more lines, heaters off" in process.stderr.read()
        assert process.wait(60) == 130
    until(lambda: server.state == "Operational", "it is free again")
    assert server.targets == {"bed": 0.0, "tool0": 0.0}


def test_from_a_line_the_server_gets_the_rest(server: OctoPrintServer, tmp_path: Path) -> None:
    content = b"M109 S55\nG28\nG90\nG1 X1 Y1 Z1 F900\n" + b"G1 X2\n" * 60
    words = command(server, tmp_path, content, "--from-line", "50", "--confirm-line", "G1 X2")
    done = run([*words, "--json"])
    assert done.returncode == 0, done.stderr
    brings_it_there, from_50_on = 13, 15
    assert json.loads(done.stdout)["lines"] == brings_it_there + from_50_on


def test_a_job_of_somebody_else_and_a_wrong_key_are_said(
    server: OctoPrintServer, tmp_path: Path
) -> None:
    server.print_elsewhere("theirs.gcode", SLOW)
    done = run(command(server, tmp_path, QUICK))
    assert done.returncode == 1
    assert "printing a job that was started elsewhere" in done.stdout
    assert server.state == "Printing"
    server.do("/api/job", command="cancel")
    words = command(server, tmp_path, QUICK)
    server.revoke_key()
    done = run(words)
    assert done.returncode == 1
    assert "it refuses the key" in done.stdout


def test_a_printer_that_is_not_connected_is_waited_for(
    server: OctoPrintServer, tmp_path: Path
) -> None:
    until(lambda: server.state == "Operational", "it is free again")
    server.disconnect_printer()
    words = command(server, tmp_path, QUICK)
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            said = next(line for line in process.stderr if not line.startswith("note: "))
            assert "OctoPrint is not connected to its printer" in said
        finally:
            server.connect_printer()
        assert process.wait(60) == 0
