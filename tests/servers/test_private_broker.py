"""The private broker's files on a real disk, its port, and the locks between processes."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fabctl.errors import LocalError
from fabctl.hosting.locks import FolderLock
from fabctl.hosting.mosquitto import choose_port, find_program, prepare_broker
from tests.brokers import lab_config, need_mosquitto, wait_until

HOLDER = (
    "import sys, signal\nfrom pathlib import Path\nfrom fabctl.hosting.locks import FolderLock\n"
)
HOLDER += "FolderLock(Path(sys.argv[1])).take('x'); print('held', flush=True); signal.pause()"


def test_passwords_last_and_are_readable_by_nobody_else(tmp_path: Path) -> None:
    need_mosquitto()
    config = lab_config(tmp_path, "")
    prepare_broker(config)
    folder = config.paths.broker
    first = {file.name: file.read_text() for file in folder.glob("*.password")}
    assert set(first) == {"pi1.password", "desk.password", "dashboard.password"}

    prepare_broker(config)

    assert {file.name: file.read_text() for file in folder.glob("*.password")} == first
    hashed = (folder / "passwords").read_text()
    assert hashed.count(":$7$") == 3
    assert not any(password.strip() in hashed for password in first.values())
    modes = {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    assert modes == {0o600}


def test_the_port_is_kept_while_it_is_free(tmp_path: Path) -> None:
    file = tmp_path / "port"
    port = choose_port(file)
    assert choose_port(file, 0.0) == port
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        moved = choose_port(file, 0.0)
        assert moved != port
    assert choose_port(file, 0.0) == moved


@pytest.mark.parametrize("content", ["", "x", "0", "99999"])
def test_a_port_file_that_makes_no_sense(tmp_path: Path, content: str) -> None:
    file = tmp_path / "port"
    file.write_text(content)
    assert 1024 <= choose_port(file) <= 65_535


def test_a_program_that_is_not_installed_is_explained() -> None:
    with pytest.raises(LocalError, match="apt install mosquitto"):
        find_program("mosquitto-of-tomorrow")


def test_a_lock_belongs_to_one_process_and_dies_with_it(tmp_path: Path) -> None:
    file = tmp_path / "run.lock"
    command = [sys.executable, "-c", HOLDER, str(file)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    ours = FolderLock(file)
    with pytest.raises(LocalError, match=rf"this folder is in use by .*process {holder.pid}\)"):
        ours.take("this folder")

    os.kill(holder.pid, signal.SIGKILL)
    ours.take("this folder", patience_s=5.0)

    holder.wait()
    holder.stdout.close()
    assert file.read_text() == f"{os.getpid()}\n"
    ours.give_back()
    FolderLock(file).take("this folder")


def test_waiting_says_what_did_not_come() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"not within 0\.02 s: a miracle"):
        wait_until(lambda: False, "a miracle", 0.02)
