"""A lab of many hosts and machines for the benchmark of scale: all its processes are real."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from fabctl.clock import SystemClock
from fabctl.config import LabConfig
from fabctl.config_file import load
from fabctl.hosting.lab_children import SMALL_HEAP
from fabctl.hosting.mosquitto import prepare_broker
from fabctl.messaging.keys import make_keys
from fabctl.services import bookings, certifications, people, tokens
from fabctl.services.machines import sync_resources
from fabctl.store.engine import open_database
from fabctl.store.migrate import upgrade
from tests.databases import running_server
from tests.gcode_reading import ROOT
from tests.lab import fabctl, wait_for

HOSTS = 10
RESERVED_FOR = timedelta(hours=2)


@dataclass
class Scaled:
    """A running lab of many machines."""

    config: LabConfig
    url: str
    owners: dict[str, str]
    """The API token of the person who has reserved each machine."""
    bookers: list[str]
    """API tokens of people who may book every machine."""
    processes: dict[str, list[subprocess.Popen[bytes]]] = field(default_factory=dict)
    """Each kind's, as they were started."""
    postmaster: int = 0


def lab_toml(folder: Path, machines: int, database: str, port: int) -> Path:
    """Write the lab's file: ten hosts, the machines spread over them."""
    blocks = [f'[hosts.pi{n}]\nname = "Pi {n}"\n' for n in range(HOSTS)]
    blocks += [
        f'[machines.printer-{n}]\nname = "Printer {n}"\nkind = "printer"\ndriver = "marlin"\n'
        f'host = "pi{n % HOSTS}"\nport = "{folder}/ports/port-{n}"\nbaud = 250000\n'
        "work_area = { x = [0, 250], y = [0, 210], z = [0, 210] }\n"
        "limits = { nozzle_max_c = 280, bed_max_c = 110 }\n"
        for n in range(machines)
    ]
    file = folder / "lab.toml"
    file.write_text(
        f'[lab]\nid = "scale"\nname = "Scale"\nsimulated = true\n'
        f'[data]\ndirectory = "{folder}/data"\n'
        f'[database]\nurl = "{database}"\n[web]\nport = {port}\n' + "".join(blocks)
    )
    return file


def fill(config: LabConfig, bookers: int) -> tuple[dict[str, str], list[str]]:
    """Add people: one who has reserved each machine now, and others who may book them all.

    :returns: the owners' API tokens by machine, and the others'.
    """
    clock, zone = SystemClock(), config.time_zone
    db = open_database(config.database_url, zone=zone)
    owners, others = {}, []
    with db.transaction() as session:
        sync_resources(session, clock, config.machines.values())
        for machine in config.machines:
            person = people.add_person(session, clock, display_name=f"Owner of {machine}").id
            certifications.certify(session, clock, person_id=person, resource_id=machine)
            now = clock.now()
            bookings.book(
                session, clock, zone, person_id=person, resource_id=machine,
                start=now, end=now + RESERVED_FOR, by=person,
            )  # fmt: skip
            owners[machine] = tokens.create_token(session, clock, person_id=person, name="b")[1]
        for number in range(bookers):
            person = people.add_person(session, clock, display_name=f"Booker {number}").id
            for machine in config.machines:
                certifications.certify(session, clock, person_id=person, resource_id=machine)
            others.append(tokens.create_token(session, clock, person_id=person, name="b")[1])
    db.close()
    return owners, others


@contextmanager
def running_scaled(folder: Path, machines: int, lines_per_s: float) -> Iterator[Scaled]:
    """Start PostgreSQL, mosquitto, stand-ins, web, steward and every machine's process."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as stack:
        server = stack.enter_context(running_server(waits_for_disk=True))
        url = server.url(server.new_database())
        config = load(lab_toml(folder, machines, url, 0))
        upgrade(url, folder / "backups")
        (folder / "ports").mkdir()
        for needed in (config.paths.files, config.paths.tmp):
            needed.mkdir(parents=True)
        make_keys(config.paths, config.machines)
        lab = Scaled(config, "", *fill(config, bookers=60), postmaster=server.pid())
        start = _Starter(lab, stack, folder)
        start("mosquitto", *prepare_broker(config).command)
        pace = ("--machines", str(machines), "--lines-per-s", str(lines_per_s))
        ports = ("--folder", str(folder / "ports"), *pace)
        start("stand-ins", sys.executable, "-m", "tests.bench.scale_hardware", *ports)
        wait_for("the ports", (folder / "ports" / "ready").exists)
        start("steward", *fabctl("steward", "--config", str(config.file)))
        start("web", *fabctl("web", "--config", str(config.file)))
        for machine in config.machines:
            start("machine", *fabctl("machine", machine, "--config", str(config.file)))
        said = folder / "web-0.out"
        found = wait_for("the web", lambda: re.search(r"http://\S+", said.read_text()), 120)
        lab.url = found[0].rstrip("/")
        yield lab


@dataclass
class _Starter:
    """Starts processes that end, in reverse order, with the stack."""

    lab: Scaled
    stack: ExitStack
    folder: Path

    def __call__(self, kind: str, *command: str) -> subprocess.Popen[bytes]:
        of_kind = self.lab.processes.setdefault(kind, [])
        name = f"{kind}-{len(of_kind)}"
        out = self.stack.enter_context((self.folder / f"{name}.out").open("wb"))
        err = self.stack.enter_context((self.folder / f"{name}.err").open("wb"))
        environment = {**os.environ, **SMALL_HEAP, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(command, stdout=out, stderr=err, cwd=ROOT, env=environment)
        of_kind.append(process)
        self.stack.callback(_ended, process)
        return process


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
