"""A lab's server (web behind nginx, mosquitto over TLS) and a second computer that joins it.

Both are folders here; every process is real.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner, Result

from fabctl.__main__ import cli
from fabctl.config import LabConfig
from fabctl.config_file import load
from fabctl.hosting.mosquitto import find_program
from fabctl.joining.parcel import decode, pack
from fabctl.joining.placing import Place, put
from fabctl.messaging.connect import broker_address
from fabctl.messaging.keys import make_keys
from fabctl.messaging.link import MqttLink
from tests.brokers import need_mosquitto, wait_until
from tests.databases import migrated_copy
from tests.machine_lab import child_environment
from tests.ports import free_port
from tests.servers.test_broker_config import answers
from tests.servers.test_proxies import Front, nginx

SERVER, PI = "desk-pi", "pi-b"
LAB = """
[lab]
id = "lab"
name = "Lab “Été”"
simulated = true
[data]
directory = "data"
[broker]
url = "mqtts://localhost:{broker}"
password_folder = "passwords"
ca_file = "tls/lab-ca.pem"
[web]
port = {web}
public_url = "https://localhost:{front}"
proxy_addresses = ["127.0.0.1"]
ca_file = "tls/lab-ca.pem"
[hosts.desk-pi]
[hosts.pi-b]
name = "Beside the printers"
[machines.printer-a]
kind = "printer"
driver = "scripted"
host = "pi-b"
port = "cable-a"
options = {{ lines_per_s = 0.0 }}
limits = {{ nozzle_max_c = 260.0 }}
[machines.mill]
kind = "mill"
driver = "scripted"
host = "desk-pi"
port = "cable-m"
"""


@dataclass
class JoinedLab:
    """The server's side, running."""

    folder: Path
    config: LabConfig
    front: Front
    web_port: int
    broker_port: int
    broker: subprocess.Popen[bytes] | None = None
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    links: list[MqttLink] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def ca(self) -> Path:
        """Who vouches for web and broker."""
        return self.folder / "tls" / "lab-ca.pem"

    @property
    def pi(self) -> Path:
        """The second computer's folder."""
        return self.folder / "pi"

    def fabctl(self, *words: str) -> Result:
        """Run a command on the server."""
        return CliRunner().invoke(cli, [*words, "--config", str(self.config.file)])

    def invite(self, host: str = PI) -> str:
        """Return a code."""
        done = self.fabctl("host", "invite", host)
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output.partition(": ")[2][:9]

    def join(self, code: str, *more: str, trust: tuple[str, ...] | None = None) -> Result:
        """Join on the second computer."""
        trust = ("--ca", str(self.ca)) if trust is None else trust
        words = ["host", "join", f"https://localhost:{self.front.secure}", "--code", code, *trust]
        words += ["--config", str(self.pi / "lab.toml"), "--data", str(self.pi / "data")]
        return CliRunner().invoke(cli, [*words, *more])

    def hand_over(self, host: str = PI) -> None:
        """Put a parcel on the second computer without any web between."""
        parcel = pack(self.config, host, "no-token")
        place = Place(self.pi / "lab.toml", self.pi / "data")
        put(place, decode(parcel.encode()), "https://localhost", self.ca.read_text())

    def joined(self) -> LabConfig:
        """Return what the second computer was told."""
        return load(self.pi / "lab.toml")

    def start(self, file: Path, *words: str) -> subprocess.Popen[bytes]:
        """Start a process of fabctl's."""
        command = [sys.executable, "-m", "fabctl", *words, "--config", str(file)]
        with (self.folder / f"{words[-1]}.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=child_environment())
        self.processes.append(process)
        return process

    def start_broker(self) -> None:
        """Start mosquitto as Debian does: a main file that includes a folder."""
        main = self.folder / "mosquitto.conf"
        user = pwd.getpwuid(os.geteuid()).pw_name
        kept = self.folder / "kept"
        kept.mkdir(exist_ok=True)
        main.write_text(
            f"user {user}\npersistence true\npersistence_location {kept}/\n"
            f"pid_file {self.folder / 'mosquitto' / 'mosquitto.pid'}\n"
            f"include_dir {self.folder / 'mosquitto'}\n"
        )
        log = self.folder / "mosquitto.log"
        with log.open("ab") as file:
            self.broker = subprocess.Popen(
                [find_program("mosquitto"), "-c", str(main)], stdout=file, stderr=file
            )
        wait_until(lambda: answers(self.broker_port), f"mosquitto listens: {log.read_text()}")

    def kill_broker(self) -> None:
        """Kill it with -9: nothing is saved."""
        assert self.broker is not None
        self.broker.kill()
        self.broker.wait(10)
        self.broker = None

    def link(self, config: LabConfig, user: str, name: str) -> MqttLink:
        """Return a link of one of the broker's users, not started."""
        link = MqttLink(broker_address(config, user), name, log=self.said.append)
        self.links.append(link)
        return link

    def end(self) -> None:
        """End everything."""
        for link in self.links:
            link.stop(0.0)
        for process in [*self.processes, *([self.broker] if self.broker else [])]:
            process.kill()
            process.wait(10)


@contextmanager
def joined_lab(
    folder: Path, *, web: bool = True, dynamic_security: bool = False
) -> Iterator[JoinedLab]:
    """Run the server's side; nobody has joined yet.

    :param web: False: no pages, no proxy; computers join with :meth:`JoinedLab.hand_over`.
    """
    need_mosquitto()
    web_port, broker = free_port(), free_port()
    tls = folder / "tls"
    tls.mkdir()
    with nginx(tls, web_port) if web else _no_proxy(tls) as front:
        file = folder / "lab.toml"
        file.write_text(LAB.format(broker=broker, web=web_port, front=front.secure))
        (folder / "passwords").mkdir()
        config = load(file)
        make_keys(config.paths, config.machines)
        migrated_copy(config.database_url, config.paths.backups)
        lab = JoinedLab(folder, config, front, web_port, broker)
        words = ["--out", str(folder / "mosquitto"), "--loopback-port", "0"]
        words += ["--listen", "127.0.0.1", "--port", str(broker)]
        words += ["--cert", str(tls / "localhost.pem"), "--key", str(tls / "localhost.key")]
        words += ["--dynamic-security"] if dynamic_security else []
        done = lab.fabctl("broker-config", *words)
        assert done.exit_code == 0, done.output
        try:
            lab.start_broker()
            if web:
                lab.start(file, "web")
                wait_until(lambda: answers(web_port), "the web serves", 30.0)
                wait_until(front.answers, "the proxy serves", 30.0)
            yield lab
        finally:
            lab.end()


@contextmanager
def _no_proxy(tls: Path) -> Iterator[Front]:
    make = Path(__file__).parents[1] / "deploy" / "make-certificates.sh"
    subprocess.run([make, tls, "localhost"], check=True, timeout=30)
    yield Front(free_port(), 0, "localhost", lambda: tls / "lab-ca.pem")
