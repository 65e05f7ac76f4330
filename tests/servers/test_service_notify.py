"""Web, steward and machine tell systemd that they are ready, and that their loops still turn."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl.config import LabConfig
from tests.brokers import lab_config, running_broker
from tests.databases import migrated_copy
from tests.lab import fabctl

MACHINES = '[web]\nport = 0\n[machines.laser]\nkind = "laser"\ndriver = "opaque"\n'
WITHIN_S = 30.0


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabConfig]:
    """Return a lab whose broker runs and whose database is ready."""
    folder = tmp_path_factory.mktemp("notify")
    config = lab_config(folder, MACHINES)
    migrated_copy(config.database_url, config.paths.backups)
    with running_broker(config):
        yield config


@pytest.mark.parametrize("words", [("web",), ("steward",), ("machine", "laser")])
def test_systemd_is_told(lab: LabConfig, tmp_path: Path, words: tuple[str, ...]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        environment = {
            **os.environ,
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "WATCHDOG_USEC": "400000",
        }
        process = subprocess.Popen(
            fabctl(*words, "--config", str(lab.file)), env=environment, stdout=subprocess.DEVNULL
        )
        try:
            said = heard(systemd, {"READY=1", "WATCHDOG=1"})
            # the web's parent turns while its worker loads: a start may take minutes on a Pi
            assert said.index("READY=1") < said.index("WATCHDOG=1") or words == ("web",)
            process.send_signal(signal.SIGTERM)
            assert process.wait(WITHIN_S) == 0
        finally:
            process.kill()
            process.wait()


def test_a_web_whose_worker_cannot_load_is_never_ready(tmp_path: Path) -> None:
    config = lab_config(tmp_path, MACHINES)  # its database was never made
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        done = subprocess.run(
            fabctl("web", "--config", str(config.file)),
            env=environment,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
        assert done.returncode != 0
        assert "fabctl migrate" in done.stderr
        systemd.setblocking(False)
        with pytest.raises(BlockingIOError):
            systemd.recv(4096)


def heard(systemd: socket.socket, wanted: set[str]) -> list[str]:
    """Return the lines that were told until all that is wanted is among them."""
    lines: list[str] = []
    end = time.monotonic() + WITHIN_S
    while not wanted <= set(lines):
        readable, _, _ = select.select([systemd], [], [], max(0.0, end - time.monotonic()))
        assert readable, f"not told: {wanted - set(lines)}; told: {lines}"
        lines += systemd.recv(4096).decode().splitlines()
    return lines
