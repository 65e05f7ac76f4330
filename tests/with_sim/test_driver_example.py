"""The example driver as a stranger has it: a package of its own, installed, found by its name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl.ports import MachineKind
from fabctl_driver_example.standin import Plotter

EXAMPLE = Path(__file__).parents[2] / "examples" / "fabctl-driver-example"
SQUARE = "G21\nG90\nM3 S1\nG1 X20 F600\nG1 Y20\nG1 X0\nG1 Y0\nM5\n"
PATIENCE_S = 150.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install it without a network, beside fabctl."""
    target = tmp_path_factory.mktemp("site")
    words = ["--no-index", "--no-deps", "--no-build-isolation", "--target", str(target)]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, *words, str(EXAMPLE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def plotter() -> Iterator[Plotter]:
    one = Plotter()
    yield one
    one.end()


def fabctl(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    places = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.run(
        [sys.executable, "-m", "fabctl", *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
    )


def test_it_keeps_the_contract(site: Path) -> None:
    done = fabctl(site, "driver-check", "example", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["kept"] is True
    states = {row["check"]: row["state"] for row in told["checks"]}
    assert len(states) == len(told["checks"])
    assert {check for check, state in states.items() if state != "passed"} == {
        "hand-control-is-guarded",
        "overrides-have-limits",
        "rehearsal-opens-nothing",
    }


def test_a_file_is_streamed_with_it(site: Path, plotter: Plotter, tmp_path: Path) -> None:
    file = tmp_path / "square.gcode"
    file.write_text(SQUARE)
    words = ["--driver", "example", "--port", plotter.port, "--kind", MachineKind.LASER.value]
    done = fabctl(site, "stream", str(file), *words, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcome"] == "finished"
    assert plotter.drawn == ["G1 X20 F600", "G1 Y20", "G1 X0", "G1 Y0"]


def test_a_person_is_asked_before_a_machine_at_a_port_is_worked(
    site: Path, plotter: Plotter
) -> None:
    words = ["driver-check", "example", "--port", plotter.port, "--only", "connects"]
    refused = fabctl(site, *words)
    assert refused.returncode == 2
    assert "nobody confirmed" in refused.stderr
    assert fabctl(site, *words, "--confirm-port", "another").returncode == 2
    done = fabctl(site, *words, "--baud", "9600", "--confirm-port", plotter.port)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok          connects" in done.stdout


def test_without_a_job_nothing_is_started_at_a_port(site: Path, plotter: Plotter) -> None:
    only = [
        word for name in ("job-runs-to-its-end", "stop-ends-a-job") for word in ("--only", name)
    ]
    at = ["--port", plotter.port, "--confirm-port", plotter.port]
    done = fabctl(site, "driver-check", "example", *at, *only)
    assert done.stdout.count("no job was given to try it with") == 2
    assert plotter.drawn == []


def test_an_unknown_name_is_answered_with_those_that_there_are(site: Path) -> None:
    done = fabctl(site, "driver-check", "exampel")
    assert done.returncode == 2
    assert "no driver is called 'exampel'" in done.stderr
    assert "example, grbl, marlin, octoprint" in done.stderr


def test_its_own_tests_pass() -> None:
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "draws", str(EXAMPLE)]
    done = subprocess.run(
        [sys.executable, *words], cwd=EXAMPLE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
