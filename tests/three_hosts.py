"""Three computers of a lab as network namespaces, with everything that runs on them, all real.

``lab``: mosquitto over TLS, PostgreSQL over TLS, the steward, a web process, the proxies. ``pi-a``:
a printer (simulated Marlin) and a laser behind an interlock (simulated cabinet). ``pi-b``: a
scripted mill and a second web process. Each has its own disk (a folder), its own wall clock and
one cable.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from fabctl.config import LabConfig
from fabctl.hosting.mosquitto import find_program
from fabctl.messaging.connect import broker_address
from fabctl.messaging.letters import Message
from fabctl.messaging.link import MqttLink
from fabctl.store.migrate import upgrade
from tests.brokers import need_mosquitto, wait_until
from tests.databases import SERVER_USER, NoServerError, server_programs
from tests.held_folder import held_folder
from tests.stepped_clock import SteppedClock, compiled, stepped_clock
from tests.three_hosts_files import (
    ADDRESSES,
    BROKER_PORT,
    LAB,
    NAME,
    OWN,
    OWN_WEB_PORT,
    PI_B,
    WORD,
    make_certificates,
    share,
    write_broker,
    write_config,
)
from tests.three_hosts_network import Network, need_namespaces, remove_spaces, switch

PATIENCE_S = 120.0
"""For anything on a shared, slow machine."""
SCRIPTED = Path(__file__).parent / "scripted"
FRONT = f"https://{ADDRESSES[LAB]}"
WEBS = {one: f"https://{ADDRESSES[one]}:{OWN_WEB_PORT}" for one in (LAB, PI_B)}


@dataclass
class Computer:
    """One of the three."""

    name: str
    folder: Path
    config: LabConfig
    clock: SteppedClock


@dataclass
class ThreeHosts:
    """The whole scene."""

    network: Network
    folder: Path
    computers: dict[str, Computer]
    broker_file: Path
    ends: ExitStack
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What a process of fabctl's needs in its environment, on any computer."""
        path = os.pathsep.join(filter(None, (str(SCRIPTED), os.environ.get("PYTHONPATH"))))
        return {**os.environ, "PYTHONPATH": path}

    # -- processes -------------------------------------------------------------------------------

    def start(self, computer: str, name: str, *command: str | Path) -> subprocess.Popen[bytes]:
        """Start a program on a computer; its log is ``NAME.log`` there."""
        place = self.computers[computer]
        environment = {**self.environment, **place.clock.environment}
        with self.log_file(computer, name).open("ab") as log:
            process = subprocess.Popen(
                self.network.command(computer, *command), stdout=log, stderr=log, env=environment
            )
        self.processes[name] = process
        return process

    def fabctl(self, computer: str, name: str, *words: str) -> subprocess.Popen[bytes]:
        """Start a process of fabctl's on a computer."""
        file = self.computers[computer].config.file
        return self.start(computer, name, *fabctl_command(*words), "--config", file)

    def end(self, name: str, signum: signal.Signals = signal.SIGTERM) -> int:
        """End a process; return its exit code."""
        process = self.processes.pop(name)
        process.send_signal(signum)
        return process.wait(PATIENCE_S)

    def log_file(self, computer: str, name: str) -> Path:
        """Return where a process's log is."""
        return self.computers[computer].folder / f"{name}.log"

    def log_of(self, computer: str, name: str) -> str:
        """Return what a process wrote."""
        return self.log_file(computer, name).read_text()

    def start_broker(self) -> None:
        """Start mosquitto and wait until it listens."""
        program = find_program("mosquitto")
        self.start(LAB, "broker", program, "-c", self.broker_file)
        wait_until(
            lambda: self.reaches(LAB, BROKER_PORT),
            f"mosquitto listens: {self.log_of(LAB, 'broker')}",
            PATIENCE_S,
        )

    def reaches(self, computer: str, port: int) -> bool:
        """Say whether somebody at the switch gets through to a port."""
        with self.network.inside():
            try:
                socket.create_connection((ADDRESSES[computer], port), timeout=1.0).close()
            except OSError:
                return False
        return True

    # -- who asks --------------------------------------------------------------------------------

    def link(
        self, user: str, client_id: str, computer: str = LAB, will: Message | None = None
    ) -> MqttLink:
        """Return a link with a password from a computer's disk; not started."""
        address = broker_address(self.computers[computer].config, user)
        link = MqttLink(address, client_id, log=self.said.append, will=will)
        self.ends.callback(link.stop, 0.0)
        return link

    def begin(self, link: MqttLink) -> MqttLink:
        """Start a link's thread at the switch."""
        with self.network.inside():
            link.start()
        return link

    def ask(self, method: str, url: str, token: str = "", **more: Any) -> requests.Response:
        """Ask a web process for something, from the switch, over a new connection."""
        headers = dict(more.pop("headers", {}))
        if token:
            headers["Authorization"] = f"Bearer {token}"
        ca = str(self.computers[LAB].folder / "tls" / "lab-ca.pem")
        with self.network.inside():
            return requests.request(
                method, url, headers=headers, verify=ca, timeout=PATIENCE_S, **more
            )  # fmt: skip

    # -- the database ------------------------------------------------------------------------------

    @property
    def database_url(self) -> str:
        """The database through its Unix socket, which no cable is part of."""
        return f"postgresql+psycopg://postgres@/lab?host={self.folder / 'sql'}"

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Ask the database directly: what is on record, past every service."""
        with psycopg.connect(f"host={self.folder / 'sql'} user=postgres dbname=lab") as connection:
            return connection.execute(query.encode(), values).fetchall()


def fabctl_command(*words: str) -> tuple[str, ...]:
    """Return the command of fabctl's own code, as it is tested."""
    return (sys.executable, "-m", "fabctl", *words)


def need_database() -> None:
    """Skip without PostgreSQL on a person's computer; fail on CI."""
    try:
        server_programs()
    except NoServerError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@contextmanager
def three_hosts() -> Iterator[ThreeHosts]:
    """Yield the three computers with their broker and database; nothing of fabctl runs yet."""
    need_mosquitto()
    need_database()
    need_namespaces()
    with ExitStack() as ends:
        folder = ends.enter_context(held_folder("fab3-", remove_spaces))
        folder.chmod(0o711)
        network = ends.enter_context(switch(folder.name, OWN))
        for computer, address in ADDRESSES.items():
            network.add(computer, address)
        sys.path.append(str(SCRIPTED))  # the driver of the mill
        ends.callback(sys.path.remove, str(SCRIPTED))
        library = compiled(folder)
        make_certificates(folder / "tls")
        computers = {
            name: _computer(folder, name, stepped_clock(library, folder / f"{name}.clock"))
            for name in ADDRESSES
        }
        broker = write_broker(computers[LAB].config, folder / LAB / "mosquitto")
        share({name: one.config for name, one in computers.items()})
        scene = ThreeHosts(network, folder, computers, broker, ends)
        ends.callback(_kill_all, scene)
        _start_database(scene)
        scene.start_broker()
        yield scene


def _computer(folder: Path, name: str, clock: SteppedClock) -> Computer:
    own = folder / name
    own.mkdir(mode=0o711)
    return Computer(name, own, write_config(own, name, folder / "tls"), clock)


def _kill_all(scene: ThreeHosts) -> None:
    for process in scene.processes.values():
        process.kill()
        process.wait()


def _start_database(scene: ThreeHosts) -> None:
    """Start PostgreSQL on the lab's computer: passwords and TLS for whoever comes by cable."""
    programs, folder, tls = server_programs(), scene.folder / "sql", scene.folder / "tls"
    folder.mkdir(mode=0o700)
    shutil.chown(folder, SERVER_USER)
    words = ("-U", SERVER_USER, "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
    made = as_server_user(programs / "initdb", "-D", folder / "data", *words)
    subprocess.run(made, check=True, capture_output=True, cwd="/")
    (folder / "data" / "pg_hba.conf").write_text(
        "local all all trust\nhostssl lab fabctl all scram-sha-256\n"
    )
    for name in (f"{NAME}.pem", f"{NAME}.key"):
        shutil.copy(tls / name, folder / name)
        shutil.chown(folder / name, SERVER_USER)
    (folder / f"{NAME}.key").chmod(0o600)
    settings = {
        "listen_addresses": ADDRESSES[LAB], "unix_socket_directories": folder, "ssl": "on",
        "ssl_cert_file": folder / f"{NAME}.pem", "ssl_key_file": folder / f"{NAME}.key",
        "fsync": "off", "full_page_writes": "off",
    }  # fmt: skip
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command = as_server_user(programs / "postgres", "-D", folder / "data", *options)
    scene.start(LAB, "sql", *command)
    server = f"host={folder} user=postgres dbname=postgres"
    wait_until(lambda: _answers(server), "PostgreSQL is there", PATIENCE_S)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE fabctl LOGIN PASSWORD '{WORD}'".encode())
        connection.execute(b"CREATE DATABASE lab OWNER fabctl")
    upgrade(scene.database_url.replace("postgres@", "fabctl@"), Path("/nonexistent"))


def _answers(server: str) -> bool:
    try:
        psycopg.connect(server).close()
    except psycopg.OperationalError:
        return False
    return True


def as_server_user(*words: str | Path) -> list[str]:
    """Return a command as PostgreSQL's own user."""
    user = pwd.getpwnam(SERVER_USER)
    ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return ["setpriv", "--pdeathsig", "KILL", *ids, *map(str, words)]
