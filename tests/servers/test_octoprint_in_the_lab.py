"""A printer behind a real OctoPrint in ``fabctl machine`` and in ``fabctl stream``."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl.units import Seconds
from tests.brokers import wait_until
from tests.machine_lab import MachineLab, machine_lab
from tests.octoprint_server import OctoPrintServer, octoprint_server, until

pytestmark = pytest.mark.timeout(300)

PRINTER = """
[machines.printer-o]
kind = "printer"
driver = "octoprint"
port = "{url}"
options = {{ api_key_file = "{key}", patience_s = 6 }}
"""
QUICK = b"G28\n" + b"".join(b"G1 X%d F6000\n" % (n % 9) for n in range(60))
SLOW = b"G28\nM104 S55\n" + b"G1 X5 F6000\nG4 P100\nG1 X9\nG4 P100\n" * 200
NAME = "printer-o"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OctoPrintServer]:
    with octoprint_server(tmp_path_factory.mktemp("octoprint")) as server:
        yield server


@pytest.fixture
def server(running: OctoPrintServer, tmp_path: Path) -> OctoPrintServer:
    (tmp_path / "key").write_text(running.new_key())
    running.connect_printer()
    return running


@pytest.fixture
def lab(server: OctoPrintServer, tmp_path: Path) -> Iterator[MachineLab]:
    """A broker, a steward and the printer's process, idle."""
    machine = PRINTER.format(url=server.url, key=tmp_path / "key")
    with machine_lab(tmp_path, machine) as lab:
        lab.start_steward()
        lab.start("machine", NAME)
        lab.wait_state("idle", NAME)
        yield lab


def start(lab: MachineLab, content: bytes) -> None:
    sha256 = hashlib.sha256(content).hexdigest()
    lab.config.paths.job_file(sha256).write_bytes(content)
    lines = len(content.splitlines())
    order = {
        "job": "job-1", "sha256": sha256, "size": len(content), "name": "part.gcode",
        "lines": lines, "commands": lines, "by": "person-1",
    }  # fmt: skip
    answer = lab.requests.send(NAME, "start", order)
    assert answer.accepted, answer


def kinds(lab: MachineLab) -> list[str]:
    return [kind for kind, *_ in lab.recorded(NAME)]


def test_a_whole_job_is_run_and_recorded(lab: MachineLab) -> None:
    start(lab, QUICK)
    wait_until(lambda: kinds(lab) == ["job-started", "job-finished"], "the job is on record", 60.0)
    lab.wait_state("idle", NAME)
    assert "nozzle_c" in lab.seen(NAME).temperatures


def test_pause_resume_and_stop_are_done_and_recorded(
    lab: MachineLab, server: OctoPrintServer
) -> None:
    start(lab, SLOW)
    wait_until(lambda: (lab.seen(NAME).progress or 0) > 0, "it moves", 40.0)
    assert lab.requests.send(NAME, "pause", {"by": "person-2"}).accepted
    lab.wait_state("paused", NAME)
    until(lambda: server.state == "Paused", "OctoPrint shows it")
    assert lab.requests.send(NAME, "resume", {"by": "person-1"}).accepted
    lab.wait_state("running", NAME)
    assert lab.requests.send(NAME, "stop", {"by": None}).accepted
    lab.wait_state("idle", NAME)
    told = ["job-started", "job-paused", "job-resumed", "job-stopped"]
    wait_until(lambda: kinds(lab) == told, "all is on record", 40.0)


def test_a_server_that_restarts_mid_job_leaves_a_machine_that_a_person_must_look_at(
    lab: MachineLab, server: OctoPrintServer
) -> None:
    start(lab, SLOW)
    wait_until(lambda: (lab.seen(NAME).progress or 0) > 0, "it moves", 40.0)
    server.kill()
    lab.wait_state("offline", NAME, within_s=40.0)
    told = ["job-started", "machine-broken", "job-failed"]
    wait_until(lambda: kinds(lab) == told, "it is on record", 40.0)
    server.start()
    lab.wait_state("broken", NAME, within_s=40.0)
    answer = lab.requests.send(NAME, "clear", {"by": "person-1"}, Seconds(8.0))
    assert not answer.accepted  # OctoPrint has not connected to its printer
    server.connect_printer()
    assert lab.requests.send(NAME, "clear", {"by": "person-1"}, Seconds(8.0)).accepted
    lab.wait_state("idle", NAME)
    start(lab, QUICK)  # it is in order
    wait_until(lambda: kinds(lab)[-1] == "job-finished", "the next job is done", 60.0)


def test_one_file_is_streamed_without_a_lab(server: OctoPrintServer, tmp_path: Path) -> None:
    part = tmp_path / "part.gcode"
    part.write_bytes(QUICK)
    command = [
        sys.executable, "-m", "fabctl", "stream", str(part), "--driver", "octoprint",
        "--port", server.url, "--option", f"api_key_file={tmp_path / 'key'}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    until(lambda: server.state == "Operational", "the printer is free")
