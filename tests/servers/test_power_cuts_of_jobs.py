"""A machine's process killed with -9 at random moments of jobs on a simulated Marlin.

Each time it starts again, the job is told as interrupted, or as never begun; the heaters are off,
nothing goes on by itself, and nothing is told as finished.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fabctl.messaging.payloads import Answer
from fabctl.units import Seconds
from fabctl_sim.control import SimControl
from fabctl_sim.process import SimProcess
from tests.brokers import wait_until
from tests.machine_lab import MachineLab, listen, machine_lab

SEED = os.environ.get("POWER_CUTS_SEED", "casemate")
TIMES = int(os.environ.get("POWER_CUTS_TIMES", "1"))
CUTS = 4 * TIMES
pytestmark = pytest.mark.timeout(180 * TIMES)
PRINTER = """
[machines.printer]
kind = "printer"
driver = "marlin"
port = "{port}"
baud = 250000
work_area = {{ x = [0, 250], y = [0, 210], z = [0, 210] }}
"""
PATIENCE = Seconds(30.0)
LONGEST_S = 0.6
"""From the request to the kill: in the check of the file, at the first lines, in the middle."""


@pytest.fixture
def printer() -> Iterator[SimProcess]:
    """A board that does not reset when its port is opened: it would heat on."""
    words = ("--boot", "0.1", "--no-reset-on-open", "--factor", "20")
    with tempfile.TemporaryDirectory(prefix="sim") as name, SimProcess(Path(name), *words) as sim:
        yield sim


@pytest.fixture
def lab(tmp_path: Path, printer: SimProcess) -> Iterator[MachineLab]:
    with machine_lab(tmp_path, PRINTER.format(port=printer.port)) as found:
        found.start("machine", "printer")
        found.wait_state("idle", "printer")
        yield found


def start(lab: MachineLab, job: str) -> Answer:
    """Ask for a print that takes far longer than this test waits."""
    moves = b"".join(b"G1 X%d Y%d F600\n" % (n * 37 % 200, n * 53 % 200) for n in range(2000))
    content = b"M140 S60\nM104 S200\nG28\n" + moves
    sha256 = hashlib.sha256(content).hexdigest()
    lab.config.paths.job_file(sha256).write_bytes(content)
    lines = content.count(b"\n")
    order = {
        "job": job, "sha256": sha256, "size": len(content), "name": "part.gcode",
        "lines": lines, "commands": lines, "by": "person-1",
    }  # fmt: skip
    return lab.requests.send("printer", "start", order, PATIENCE)


def heaters_off(control: SimControl) -> bool:
    status = control.status()
    return bool(status["nozzle_target_c"] == 0 == status["bed_target_c"])


def wait_told(heard: list[tuple[str, bytes]], job: str) -> list[str]:
    """Wait until a job's end is told; return all that was told of it."""
    wait_until(lambda: "job-interrupted" in kinds_of(heard, job), f"{job} is told")
    return kinds_of(heard, job)


def kinds_of(heard: list[tuple[str, bytes]], job: str) -> list[str]:
    """Return what was told of a job, each event once, in order."""
    said: dict[tuple[str, int], str] = {}
    for topic, payload in heard:
        event: dict[str, Any] = json.loads(payload)
        if event.get("job") == job:
            said.setdefault((event["boot"], event["seq"]), topic.rpartition("/")[2])
    return list(said.values())


def acknowledge(lab: MachineLab, heard: list[tuple[str, bytes]]) -> None:
    """Do the steward's part: else the oldest 50 events would be told again and again."""
    said = [json.loads(payload) for _, payload in heard[:]]
    del heard[: len(said)]
    names = [{"boot": event["boot"], "seq": event["seq"]} for event in said]
    assert lab.requests.send("printer", "recorded", {"events": names}, PATIENCE).accepted


def test_a_job_that_was_cut_off_is_told_and_never_resumed(
    lab: MachineLab, printer: SimProcess
) -> None:
    heard = listen(lab.link, "fab/v1/+/m/printer/event/+")
    chance = random.Random(SEED)  # noqa: S311  # a test's
    with printer.control() as control:
        for number in range(CUTS):
            job = f"job-{number}"
            assert start(lab, job).accepted
            time.sleep(chance.uniform(0.0, LONGEST_S))
            lab.kill("printer")
            lab.start("machine", "printer")
            wait_until(lambda: heaters_off(control), f"{job} cut off: the heaters are off")
            lab.wait_state("broken", "printer")
            told = wait_told(heard, job)
            sys.stdout.write(f"seed {SEED!r}, cut {number}: {told}\n")
            assert told in (
                ["job-started", "machine-broken", "job-interrupted"],
                ["machine-broken", "job-interrupted"],
            )
            ran = control.status()["executed"]
            refused = start(lab, f"{job}-again")
            assert (refused.accepted, refused.code) == (False, "machine-broken")
            assert heaters_off(control)
            done = control.texts(numbered_only=False)[ran:]
            assert not [text for text in done if text.startswith("G1")], "it went on by itself"
            assert lab.requests.send("printer", "clear", {"by": "person-1"}, PATIENCE).accepted
            lab.wait_state("idle", "printer")
            acknowledge(lab, heard)
