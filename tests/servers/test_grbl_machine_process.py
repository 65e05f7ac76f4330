"""A mill with Grbl in ``fabctl machine``: checked, run, and brought to rest after a death."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl_sim.process import SimProcess
from tests.brokers import wait_until
from tests.fair_time import FairWatch
from tests.machine_lab import MachineLab, listen, machine_lab

SIGN = Path(__file__).parents[1] / "data" / "sign.nc"
ASKED = {"$I", "$$", "$#"}
"""What the driver says for itself when it connects."""
MILL = """
[machines.mill]
kind = "mill"
driver = "grbl"
port = "{port}"
baud = 115200
work_area = {{ x = [0, 300], y = [0, 180], z = [-60, 20] }}
"""


@pytest.fixture
def stand_in() -> Iterator[SimProcess]:
    """A stand-in that keeps running when its port is closed, 50 times as fast as life."""
    options = ("--boot", "0.1", "--no-reset-on-open", "--factor", "50")
    with (
        tempfile.TemporaryDirectory(prefix="sim") as name,
        SimProcess(Path(name), *options, controller="grbl") as sim,
    ):
        yield sim


@pytest.fixture
def lab(tmp_path: Path, stand_in: SimProcess) -> Iterator[MachineLab]:
    """A broker and the mill's process, idle."""
    with machine_lab(tmp_path, MILL.format(port=stand_in.port)) as lab:
        lab.start("machine", "mill")
        lab.wait_state("idle", "mill")
        yield lab


def order(lab: MachineLab, content: bytes, commands: int) -> dict[str, object]:
    sha256 = hashlib.sha256(content).hexdigest()
    lab.config.paths.job_file(sha256).write_bytes(content)
    return {
        "job": "job-1", "sha256": sha256, "size": len(content), "name": "sign.nc",
        "lines": len(content.splitlines()), "commands": commands, "by": "person-1",
    }  # fmt: skip


def test_a_real_file_is_checked_run_and_told(lab: MachineLab, stand_in: SimProcess) -> None:
    heard = listen(lab.link, "fab/v1/+/m/mill/#")
    content = SIGN.read_bytes()
    answer = lab.requests.send("mill", "start", order(lab, content, 868))
    assert answer.accepted, answer
    wait_until(
        lambda: any(topic.endswith("/job-finished") for topic, _ in list(heard)),
        "it is told as finished", 90.0,
    )  # fmt: skip
    lab.wait_state("idle", "mill")
    with stand_in.control() as control:
        status = control.status()
        assert (status["state"], status["overrun_bytes"]) == ("Idle", 0)
        assert len([text for text in control.texts() if text not in ASKED]) == 868
    kinds = {topic.rsplit("/", 2)[-1] for topic, _ in heard if "/event/" in topic}
    assert {"job-started", "job-finished"} <= kinds
    groups = {topic.rsplit("/", 1)[-1] for topic, _ in heard if "/telemetry/" in topic}
    assert groups == {"position", "feed", "power", "overrides", "pins", "work-offset"}


def test_a_line_longer_than_grbls_buffer_is_refused_before_anything_is_sent(
    lab: MachineLab, stand_in: SimProcess
) -> None:
    content = b"G21\nG1 X" + b"0" * 80 + b"1 F500\n"
    failed = listen(lab.link, "fab/v1/+/m/mill/event/job-failed")
    lab.requests.send("mill", "start", order(lab, content, 2))
    wait_until(lambda: bool(failed), "the job is refused")
    with stand_in.control() as control:
        assert set(control.texts()) == ASKED


def test_after_a_death_the_mill_is_at_rest_with_its_spindle_off_within_five_seconds(
    lab: MachineLab, stand_in: SimProcess
) -> None:
    with stand_in.control() as control:
        control.ask("factor", factor=1)
        content = b"M3 S500\nG1 X250 F900\nG1 X0\nM5\n"
        assert lab.requests.send("mill", "start", order(lab, content, 4)).accepted
        wait_until(lambda: control.status()["position"][0] > 1.0, "it moves")
        lab.kill("mill")
        assert control.status()["moving"]
        mill = lab.start("machine", "mill")
        watch = FairWatch(lambda: [mill.pid])
        wait_until(lambda: control.status()["spindle"] == "M5", "the spindle is off")
        assert watch.elapsed_s() < 5.0
        status = control.status()
        assert (status["state"], status["moving"]) == ("Idle", False)
        assert status["position"][0] > 1.0
        lab.wait_state("broken", "mill")
        assert lab.requests.send("mill", "clear", {"by": "person-1"}).accepted
        lab.wait_state("idle", "mill")
