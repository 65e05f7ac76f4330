"""``fabctl run`` with an interlock: its daemon is started, started again, and ended last."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from fabctl.errors import DeviceError
from fabctl.hosting.lab_children import DESK, FIRST, MACHINES, interlock_children
from tests.brokers import need_mosquitto, wait_until
from tests.guarded import LASER, Guarded, guarded

WEB_ANYWHERE = "\n[web]\nport = 0\n"


@contextmanager
def run(laser: Guarded) -> Iterator[subprocess.Popen[bytes]]:
    """Run the whole lab; what is left at the end is killed."""
    command = [sys.executable, "-m", "fabctl", "run", "--config", str(laser.config.file)]
    with laser.log.open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield process
    finally:
        children = []
        if process.poll() is None:
            children = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            process.wait()
        for child in children:
            if child.is_running():
                child.kill()


def part_of(lab: subprocess.Popen[bytes], part: str = "interlock") -> psutil.Process | None:
    """Return one of the lab's processes, usually the interlock's."""
    for child in psutil.Process(lab.pid).children():
        try:
            words = child.cmdline()
        except psutil.Error:
            continue  # it is just ending
        if part in words:
            return child
    return None


def boot_of(laser: Guarded) -> str | None:
    """Return the boot of the daemon that answers; None: none does."""
    try:
        return str(laser.state()["boot"])
    except DeviceError:
        return None


@pytest.mark.timeout(400)
def test_it_is_started_started_again_and_ended_in_order() -> None:
    need_mosquitto()
    with guarded(LASER + WEB_ANYWHERE, start=False) as laser:
        laser.config.paths.permit_key("laser").unlink()  # fabctl run makes what is missing
        with run(laser) as lab:
            live_and_die(laser, lab)


def live_and_die(laser: Guarded, lab: subprocess.Popen[bytes]) -> None:
    socket = laser.profile.socket
    wait_until(socket.exists, f"the daemon listens; {laser.log.read_text()}", 120.0)
    assert stat.S_IMODE(laser.config.paths.permit_key("laser").stat().st_mode) & 0o077 == 0
    wait_until(lambda: part_of(lab, "steward"), "the whole lab runs", 120.0)
    boot = laser.state()["boot"]
    first = part_of(lab)
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)

    def another() -> bool:
        second = part_of(lab)
        return second is not None and second.pid != first.pid

    wait_until(another, "it was started again", 60.0)
    wait_until(lambda: boot_of(laser) not in {None, boot}, "it answers again", 60.0)
    assert laser.state()["outputs_on"] is False
    lab.send_signal(signal.SIGINT)
    assert lab.wait(90.0) == 0, laser.log.read_text()
    assert not socket.exists()
    assert "laser-interlock ended (killed by SIGKILL)" in laser.log.read_text()


def test_interlocks_start_with_the_machines_and_end_after_them() -> None:
    with guarded(LASER, start=False) as laser:
        (spec,) = interlock_children(laser.config, "here")
        assert (spec.start_rank, spec.stop_rank) == (FIRST, DESK)
        assert DESK > MACHINES
        assert not spec.once
        assert interlock_children(laser.config, "elsewhere") == []
