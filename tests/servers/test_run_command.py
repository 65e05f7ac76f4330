"""``fabctl run``: a whole lab as a person starts it."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from fabctl.clock import SystemClock
from fabctl.config import LabConfig
from fabctl.config_file import read
from fabctl.messaging.connect import desk_link
from fabctl.messaging.lab_view import LabView
from fabctl.messaging.link import MqttLink
from fabctl.messaging.requests import MachineRequests, keys_in
from tests.brokers import need_mosquitto, wait_until
from tests.machine_lab import ONE_MACHINE, child_environment
from tests.ports import free_port
from tests.servers.test_supervisor import is_alive

pytestmark = pytest.mark.timeout(400)  # a whole lab starts, on a busy computer

LAB = '[lab]\nid = "lab"\nname = "Lab"\nsimulated = true\n[web]\nport = {port}\n[hosts.pi1]\n'
PARTS = {"mosquitto", "web", "steward", "machine"}


class RunningLab:
    """``fabctl run`` in a folder."""

    def __init__(self, folder: Path) -> None:
        need_mosquitto()
        raw = LAB.format(port=free_port()) + ONE_MACHINE
        self.file = folder / "lab.toml"
        self.file.write_text(raw)
        (folder / "cable-a").touch()
        self.config: LabConfig = read(raw, self.file, {"scripted"})
        self.folder = folder
        self.process = self.run("out")
        self.seen: dict[int, psutil.Process] = {}
        self.links: list[MqttLink] = []

    def run(self, out: str) -> subprocess.Popen[bytes]:
        """Start ``fabctl run`` on this folder."""
        command = [sys.executable, "-m", "fabctl", "run", "--config", str(self.file)]
        with (self.folder / out).open("wb") as file:
            return subprocess.Popen(command, stdout=file, stderr=file, env=child_environment())

    @property
    def said(self) -> str:
        """What it wrote."""
        return (self.folder / "out").read_text()

    def parts(self) -> dict[str, psutil.Process]:
        """Return the lab's processes by what they are."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            try:
                line = " ".join(child.cmdline())
                family = [child, *child.children(recursive=True)]
            except psutil.Error:
                continue  # it is just ending
            self.seen |= {one.pid: one for one in family}
            for part in PARTS:
                if f" {part} " in line or f"/{part} " in line:
                    found[part] = child
        return found

    def view(self) -> tuple[LabView, MachineRequests]:
        """Return a view of the lab and a way to ask its machine."""
        link = desk_link(self.config, "tester", log=lambda _line: None)
        view = LabView("lab", {"printer-a": "pi1"}, SystemClock())
        view.attach(link)
        requests = MachineRequests(link, "lab", keys_in(self.config.paths))
        link.start()
        self.links.append(link)
        return view, requests

    def left_behind(self) -> list[psutil.Process]:
        """Return what still runs of all that was ever seen."""
        return [one for one in self.seen.values() if is_alive(one)]

    def order(self) -> dict[str, object]:
        """Put a job that takes 20 s where uploads lie; return the body of its start."""
        content = b"G28\n" + b"G1 X5 F900\n" * 3999
        sha256 = hashlib.sha256(content).hexdigest()
        self.config.paths.job_file(sha256).write_bytes(content)
        return {
            "job": "job-1", "sha256": sha256, "size": len(content), "name": "ring.gcode",
            "lines": 4000, "commands": 4000, "by": None,
        }  # fmt: skip


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[RunningLab]:
    """Run a lab until it serves its pages."""
    lab = RunningLab(tmp_path)
    try:
        wait_until(lambda: "Serving the lab" in lab.said, f"the web serves; {lab.said}", 150.0)
        yield lab
    finally:
        for link in lab.links:
            link.stop(0.0)
        if lab.process.poll() is None:
            lab.parts()
            lab.process.kill()
            lab.process.wait()
        for one in lab.left_behind():
            one.kill()


def test_one_ctrl_c_stops_the_job_and_ends_all(lab: RunningLab) -> None:
    view, requests = lab.view()
    wait_until(lambda: view.machine("printer-a").state == "idle", "the machine is idle")
    assert requests.send("printer-a", "start", lab.order()).accepted
    wait_until(lambda: view.machine("printer-a").state == "running", "the job runs")
    assert set(lab.parts()) == PARTS

    lab.process.send_signal(signal.SIGINT)

    assert lab.process.wait(60.0) == 0
    assert lab.left_behind() == []
    sent = (lab.folder / "cable-a.sent").read_text().splitlines()
    assert sent[-1] == "heaters off"
    assert "did not end" not in lab.said
    kinds = recorded(lab.config)
    assert kinds == ["job-started", "job-stopped"], lab.said


def recorded(config: LabConfig) -> list[str]:
    """Return the kinds of events on record, in order."""
    import sqlite3  # noqa: PLC0415  # only here

    with closing(sqlite3.connect(config.database_url.removeprefix("sqlite:///"))) as database:
        query = "SELECT kind FROM machine_event ORDER BY rowid"
        return [kind for (kind,) in database.execute(query)]


def test_every_part_that_is_killed_comes_back(lab: RunningLab) -> None:
    view, _ = lab.view()
    wait_until(lambda: view.machine("printer-a").state == "idle", "the machine is idle")
    before = lab.parts()
    for part in ("mosquitto", "steward", "machine", "web"):
        before[part].kill()
    wait_until(lambda: set(lab.parts()) == PARTS, "all parts are back", 90.0)
    after = lab.parts()
    assert {after[part].pid for part in PARTS}.isdisjoint({before[part].pid for part in PARTS})
    wait_until(lambda: view.machine("printer-a").state == "idle", "the machine is back", 90.0)


def test_a_second_run_on_the_same_data_is_refused(lab: RunningLab) -> None:
    second = lab.run("second")
    assert second.wait(60.0) == 2
    said = (lab.folder / "second").read_text()
    assert f"in use by another fabctl (process {lab.process.pid})" in said
    assert set(lab.parts()) == PARTS


def test_when_run_itself_is_killed_everything_ends(lab: RunningLab) -> None:
    wait_until(lambda: set(lab.parts()) == PARTS, "all parts are there")
    os.kill(lab.process.pid, signal.SIGKILL)
    lab.process.wait()
    wait_until(lambda: not lab.left_behind(), "all children end by themselves", 60.0)
