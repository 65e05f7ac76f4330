"""``sudo fabctl …`` of an installed lab: what stays root's, and what the lab's own user does."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

WRAPPER = Path(__file__).parents[2] / "deploy" / "fabctl-wrapper.sh"
ROOT = (
    "find-machines", "stream a.gcode", "terminal --port x", "driver-check marlin", "interlock mill",
    "broker-config --out x", "host join https://x", "restore x", "key rotate mill", "backup verify",
    "doctor", "--help",
)  # fmt: skip
GROUP = ("backup", "upgrade --check")
LAB = ("person add lea Lea", "key create", "migrate", "db copy")


@pytest.mark.parametrize(
    ("words", "user"),
    [*((one, "") for one in ROOT), *((one, "fabctl,fabctl-machine") for one in GROUP),
     *((one, "--init-groups") for one in LAB)],
)  # fmt: skip
def test_a_command_is_whose_it_should_be(tmp_path: Path, words: str, user: str) -> None:
    """A port is root's to open; a file of root's in the data directory would keep the lab out."""
    for name, does in (("id", "echo 0"), ("setpriv", 'echo "$*"'), ("program", "")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    wrapper = tmp_path / "fabctl"
    program = "/opt/fabctl/current/bin/fabctl"
    wrapper.write_text(WRAPPER.read_text().replace(program, f"{tmp_path}/program"))
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", str(wrapper), *words.split()],
        capture_output=True, text=True, check=True, env={"PATH": path},
    )  # fmt: skip
    assert (user in done.stdout, bool(done.stdout)) == (True, bool(user))
