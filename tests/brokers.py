"""A real mosquitto for the tests, with the configuration that ``fabctl run`` would give it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fabctl.config import LabConfig
from fabctl.config_file import read
from fabctl.errors import LocalError
from fabctl.hosting.mosquitto import PrivateBroker, find_program, prepare_broker
from fabctl.messaging.connect import broker_address
from fabctl.messaging.keys import make_keys
from fabctl.messaging.link import BrokerAddress, MqttLink

WITHIN_S = 30.0
"""How long a real process may take for anything small, on a loaded machine."""


def wait_until(
    holds: Callable[[], object], what: str | Callable[[], str], within_s: float = WITHIN_S
) -> None:
    """Wait for a condition; fail with ``what``, asked for at that moment, when it does not come."""
    end = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > end:
            said = what if isinstance(what, str) else what()
            pytest.fail(f"not within {within_s:g} s: {said}")
        time.sleep(0.01)


def need_mosquitto() -> None:
    """Skip without mosquitto on a person's computer; fail on CI."""
    try:
        find_program("mosquitto")
        find_program("mosquitto_passwd")
    except LocalError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@dataclass
class LiveBroker:
    """A running mosquitto of one lab."""

    config: LabConfig
    plan: PrivateBroker
    process: subprocess.Popen[bytes] | None = None
    links: list[MqttLink] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def start(self) -> None:
        """Start it as the supervisor does, and wait until it listens."""
        if (mended := self.plan.mend()) is not None:
            self.said.append(mended)
        log = self.config.paths.broker / "log"
        with log.open("ab") as file:
            self.process = subprocess.Popen(self.plan.command, stdout=file, stderr=file)
        wait_until(self.plan.answers, f"mosquitto listens; see {log}")

    def kill(self) -> None:
        """Kill it with -9, as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def link(self, user: str, client_id: str, *, connect: bool = True) -> MqttLink:
        """Return a link of one of the lab's users, connected; it is stopped with the broker."""
        link = MqttLink(self.address(user), client_id, log=self.said.append)
        self.links.append(link)
        if connect:
            link.start()
            wait_until(lambda: link.connected, f"{client_id} is connected")
        return link

    def address(self, user: str) -> BrokerAddress:
        """Return where and how a user connects."""
        return broker_address(self.config, user)

    def _end(self, signum: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(signum)
            self.process.wait(WITHIN_S)
            self.process = None


def lab_config(folder: Path, machines: str, hosts: str = "[hosts.pi1]\n") -> LabConfig:
    """Return a small lab in a folder, its keys made; ``machines`` and ``hosts`` are TOML."""
    raw = f'[lab]\nid = "lab"\nname = "Lab"\nsimulated = true\n{hosts}{machines}'
    file = folder / "lab.toml"
    file.write_text(raw)
    config = read(raw, file, {"grbl", "marlin", "octoprint", "opaque", "scripted"})
    make_keys(config.paths, config.machines)
    return config


@contextmanager
def running_broker(config: LabConfig) -> Iterator[LiveBroker]:
    """Run a lab's private broker until the end of the block."""
    need_mosquitto()
    broker = LiveBroker(config, prepare_broker(config))
    broker.start()
    try:
        yield broker
    finally:
        for link in broker.links:
            link.stop(0.0)
        broker.stop()
