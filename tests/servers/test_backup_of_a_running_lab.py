"""A lab that runs is backed up; its archive, put elsewhere, is the same lab and starts."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.brokers import need_mosquitto
from tests.lab import fabctl, wait_for
from tests.ports import free_port

pytestmark = pytest.mark.timeout(400)  # a whole lab starts, on a busy computer

LAB = """
[lab]
id = "lab"
name = "Lab"
simulated = true
[web]
port = {port}
[hosts.pi1]
[machines.loom]
kind = "other"
driver = "opaque"
"""


@contextmanager
def running(lab_toml: Path, url: str) -> Iterator[None]:
    """Run a lab until it serves its pages; press Ctrl-C afterwards."""
    with (lab_toml.parent / "out").open("wb") as out:
        command = fabctl("run", "--config", str(lab_toml))
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        wait_for("the lab serves its pages", lambda: served(url), timeout=150)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(90)


def served(url: str) -> bool:
    try:
        return requests.get(f"{url}/api/v1/machines", timeout=5).ok
    except requests.RequestException:
        return False


def said(lab_toml: Path, *words: str, typed: str = "") -> str:
    """Run a command as a person types it; return what it wrote."""
    done = subprocess.run(
        fabctl(*words),
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "FABCTL_CONFIG": str(lab_toml)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_lab_is_backed_up_while_it_runs_and_starts_elsewhere(tmp_path: Path) -> None:
    need_mosquitto()
    url = f"http://127.0.0.1:{free_port()}"
    lab_toml = tmp_path / "lab" / "lab.toml"
    lab_toml.parent.mkdir()
    lab_toml.write_text(LAB.format(port=url.rpartition(":")[2]))
    with running(lab_toml, url):
        said(lab_toml, "person", "add", "lea", "Léa", "--role", "staff", typed="four words\n" * 2)
        token = next(
            word for word in said(lab_toml, "token", "create", "lea").split() if "fab_" in word
        )
        signed = {"Authorization": f"Bearer {token}"}
        made = requests.post(
            f"{url}/api/v1/resources",
            json={"id": "sewing", "name": "Salle de couture", "kind": "space"},
            headers=signed,
            timeout=60,
        )
        assert made.status_code == 201, made.text
        archive = said(lab_toml, "backup").splitlines()[0]
    there = tmp_path / "there"
    said(lab_toml, "restore", archive, "--to", str(there))
    assert {"secret.key", "keys", "broker", "lab.db"} <= {
        one.name for one in (there / "data").iterdir()
    }
    with running(there / "lab.toml", url):
        again = requests.get(f"{url}/api/v1/audit", headers=signed, timeout=60)
        assert "resource:sewing" in again.text
