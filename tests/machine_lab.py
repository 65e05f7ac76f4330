"""Machine processes, a steward and a broker, all real, in a folder of their own.

The machines are scripted (see ``tests/scripted``): a file is the cable, a file shows what was
sent. Everything else is what a lab runs.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabctl.clock import SystemClock
from fabctl.config import LabConfig
from fabctl.messaging.lab_view import LabView, MachineView
from fabctl.messaging.link import MqttLink
from fabctl.messaging.payloads import Answer
from fabctl.messaging.requests import MachineRequests, keys_in
from fabctl.messaging.topics import LabTopics
from fabctl.units import Seconds
from tests.brokers import WITHIN_S, LiveBroker, lab_config, running_broker, wait_until
from tests.databases import migrated_copy

SCRIPTED = Path(__file__).parent / "scripted"
MACHINE = "printer-a"
ONE_MACHINE = """
[machines.printer-a]
kind = "printer"
driver = "scripted"
port = "cable-a"
options = { lines_per_s = 200 }
"""
SECOND_MACHINE = """
[machines.printer-b]
kind = "printer"
driver = "scripted"
port = "cable-b"
"""


LONG = 4000
"""Lines of a job that is not over (20 s) before somebody who comes two seconds late."""


@dataclass
class MachineLab:
    """A running lab of scripted machines."""

    config: LabConfig
    broker: LiveBroker
    view: LabView
    requests: MachineRequests
    link: MqttLink
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    steward: tuple[str, ...] = ("-m", "fabctl", "steward")
    """What Python runs as the steward; ``--config FILE`` comes behind it."""
    health: list[bytes] = field(default_factory=list)
    """What the steward said about itself."""

    # -- processes -------------------------------------------------------------------------------

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start ``fabctl machine ID`` or ``fabctl steward``."""
        program = self.steward if words == ("steward",) else ("-m", "fabctl", *words)
        command = [sys.executable, *program, "--config", str(self.config.file)]
        with (self.folder / f"{words[-1]}.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=child_environment())
        self.processes[words[-1]] = process
        return process

    def start_steward(self) -> None:
        """Start the steward, and wait until it hears events."""
        before = len(self.health)
        self.start("steward")
        wait_until(lambda: b"online" in b"".join(self.health[before:]), "the steward is there")

    def kill(self, name: str) -> None:
        """Kill a process with -9."""
        self.end(name, signal.SIGKILL)

    def end(self, name: str, signum: signal.Signals = signal.SIGTERM) -> int:
        """End a process; return its exit code."""
        process = self.processes.pop(name)
        process.send_signal(signum)
        return process.wait(60.0)

    def log_of(self, name: str) -> str:
        """Return what a process wrote."""
        return (self.folder / f"{name}.log").read_text()

    # -- what is asked ---------------------------------------------------------------------------

    def begin(self, lines: int = LONG, job: str = "job-1", machine: str = MACHINE) -> Answer:
        """Put a file of that many lines where uploads lie, and ask for its start."""
        return self.requests.send(machine, "start", self.order(lines, job), Seconds(WITHIN_S))

    def order(self, lines: int = LONG, job: str = "job-1") -> dict[str, Any]:
        """Put a file where uploads lie; return the body of a start."""
        content = b"G28\n" + b"".join(b"G1 X%d F900\n" % (n % 200) for n in range(lines - 1))
        sha256 = hashlib.sha256(content).hexdigest()
        self.config.paths.job_file(sha256).write_bytes(content)
        return {
            "job": job, "sha256": sha256, "size": len(content), "name": f"{job}.gcode",
            "lines": lines, "commands": lines, "by": "person-1",
        }  # fmt: skip

    # -- what there is to see --------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        """Where lab.toml and the cables lie."""
        return self.config.file.parent

    def cable(self, name: str = "a", about: str = "") -> Path:
        """Return a machine's cable, or a file beside it."""
        return self.folder / f"cable-{name}{about}"

    def sent(self, name: str = "a") -> list[str]:
        """Return what went to a machine."""
        file = self.cable(name, ".sent")
        return file.read_text().splitlines() if file.exists() else []

    def confirm(self, line: int) -> None:
        """Let machine a confirm lines up to this one (its option lines_per_s is 0)."""
        half = self.cable(about=".go.half")
        half.write_text(str(line))
        half.replace(self.cable(about=".go"))
        wait_until(lambda: self.lines_sent() == line, f"line {line} is confirmed")

    def keeps(self, count: int) -> bool:
        """Say whether machine a keeps so many events."""
        return self.journal() == count

    def lines_sent(self) -> int:
        """Return how many lines of jobs went to machine a."""
        return len([line for line in self.sent() if line.startswith("G")])

    def seen(self, machine: str = MACHINE) -> MachineView:
        """Return a machine as a page would show it."""
        return self.view.machine(machine)

    def wait_state(self, state: str, machine: str = MACHINE, within_s: float = WITHIN_S) -> None:
        """Wait until a machine is shown in a state."""
        wait_until(
            lambda: self.seen(machine).state == state,
            f"{machine} is shown as {state}; {self.seen(machine)}",
            within_s,
        )

    def recorded(self, machine: str = MACHINE) -> list[tuple[str, str, int]]:
        """Return what is on record about a machine: (kind, boot, seq), as it was recorded."""
        file = self.config.database_url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            query = "SELECT kind, boot, seq FROM machine_event WHERE machine = ? ORDER BY rowid"
            return [tuple(row) for row in database.execute(query, (machine,))]

    def kinds(self) -> list[str]:
        """Return the kinds of what is on record, in order."""
        return [kind for kind, *_ in self.recorded()]

    def wait_recorded(self, *kinds: str, within_s: float = WITHIN_S) -> None:
        """Wait until exactly these are on record, in this order."""
        wait_until(lambda: self.kinds() == list(kinds), f"{kinds} on record", within_s)

    def journal(self, machine: str = MACHINE) -> int:
        """Return how many events a machine still keeps."""
        file = self.config.paths.machine(machine) / "journal.db"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            return int(database.execute("SELECT count(*) FROM event").fetchone()[0])


def child_environment() -> dict[str, str]:
    """Return our environment with the scripted driver installed in it."""
    path = os.pathsep.join(filter(None, [str(SCRIPTED), os.environ.get("PYTHONPATH")]))
    return os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": ""}


@contextmanager
def machine_lab(folder: Path, machines: str = ONE_MACHINE) -> Iterator[MachineLab]:
    """Run a broker and follow the lab; machines and the steward are started by the test."""
    config = lab_config(folder, machines)
    for name in config.machines:
        (folder / f"cable-{name[-1]}").touch()
    with lab_of(config) as lab:
        yield lab


@contextmanager
def lab_of(config: LabConfig) -> Iterator[MachineLab]:
    """Run the broker of a lab whose keys are made, its database migrated, and follow it."""
    for data_folder in (config.paths.files, config.paths.tmp):
        data_folder.mkdir(parents=True, exist_ok=True)
    migrated_copy(config.database_url, config.paths.backups)
    with running_broker(config) as broker:
        link = broker.link("desk", "tester", connect=False)
        view = LabView(
            config.id, {id_: m.host for id_, m in config.machines.items()}, SystemClock()
        )
        view.attach(link)
        requests = MachineRequests(link, config.id, keys_in(config.paths))
        lab = MachineLab(config, broker, view, requests, link)
        topic = LabTopics(config.id).steward_status
        link.subscribe(topic, lambda message: lab.health.append(message.payload))
        link.start()
        wait_until(lambda: link.connected, "the tester is connected")
        try:
            yield lab
        finally:
            _end_all(lab)


def _end_all(lab: MachineLab) -> None:
    for process in lab.processes.values():
        process.kill()
        process.wait()


def listen(link: MqttLink, topic_filter: str) -> list[tuple[str, bytes]]:
    """Return a list that fills with what a link hears, in its thread."""
    heard: list[tuple[str, bytes]] = []
    link.subscribe(topic_filter, lambda message: heard.append((message.topic, message.payload)))
    return heard
