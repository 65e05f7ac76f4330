"""The supervisor with real children: order, restarts, ends, and nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from fabctl.hosting.child import FIRST_DELAY_S, HEALTHY_AFTER_S, Child, ChildSpec
from tests.brokers import wait_until

PROGRAM = """
import json, sys
from fabctl.hosting.run_lab import say
from fabctl.hosting.supervisor import ChildSpec, Supervisor
from pathlib import Path
def ready(file):
    return Path(file).exists
children = []
for fields in json.loads(sys.argv[1]):
    if "ready" in fields:
        fields["ready"] = ready(fields["ready"])
    children.append(ChildSpec(**fields | {"command": tuple(fields["command"])}))
sys.exit(Supervisor(children, say, lambda: say("all ready")).run())
"""
SLEEPS = "import signal; print('up', flush=True); signal.pause()"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"
HELPED = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); {SLEEPS}"


@dataclass
class Supervised:
    """A supervisor in a process of its own."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None
    seen: dict[int, psutil.Process] = field(default_factory=dict)

    def start(self, *children: dict[str, object]) -> None:
        """Start it with these children."""
        import json  # noqa: PLC0415  # only here

        command = [sys.executable, "-c", PROGRAM, json.dumps(children)]
        with (self.folder / "out").open("wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out)

    def child(self, name: str, program: str, **fields: object) -> dict[str, object]:
        """Return a child that runs a small Python program."""
        return {"name": name, "command": [sys.executable, "-c", program], **fields}

    @property
    def said(self) -> str:
        """What it and its children wrote."""
        return (self.folder / "out").read_text()

    def wait_said(self, text: str, within_s: float = 30.0) -> None:
        """Wait until it has written something."""
        wait_until(lambda: text in self.said, f"{text!r}; it said: {self.said}", within_s)

    def descendants(self) -> list[psutil.Process]:
        """Return every process below it that runs now."""
        assert self.process is not None
        found = psutil.Process(self.process.pid).children(recursive=True)
        self.seen |= {one.pid: one for one in found}
        return found

    def signal(self, signum: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(signum)

    def wait(self) -> int:
        """Wait for its end; return its exit code."""
        assert self.process is not None
        return self.process.wait(60.0)

    def left_behind(self) -> list[psutil.Process]:
        """Return what still runs of all that was ever seen."""
        return [one for one in self.seen.values() if is_alive(one)]


def is_alive(process: psutil.Process) -> bool:
    """Say whether a process runs; one that nobody has buried does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    """Return a supervisor that is killed at the end, with all that it started."""
    supervised = Supervised(tmp_path)
    yield supervised
    if supervised.process is not None:
        if supervised.process.poll() is None:
            supervised.descendants()
        supervised.process.kill()
        supervised.process.wait()
    for one in supervised.left_behind():
        one.kill()


ORDERLY = """
import pathlib, signal, sys, time
def say(what):
    print(what, time.monotonic_ns(), flush=True)
signal.signal(signal.SIGTERM, lambda *_: (say('down'), sys.exit(0)))
time.sleep({delay})
say('up')
pathlib.Path({flag!r}).touch()
signal.pause()
"""


def test_ranks_start_and_stop_in_order(supervised: Supervised) -> None:
    children = []
    for rank, name in enumerate(("first", "then", "last")):
        flag = str(supervised.folder / name)
        program = ORDERLY.format(delay=0.2 - rank * 0.1, flag=flag)
        ranks = {"start_rank": rank, "stop_rank": 2 - rank}
        children.append(supervised.child(name, program, ready=flag, **ranks))
    supervised.start(*children)
    supervised.wait_said("all ready")
    supervised.signal(signal.SIGINT)

    assert supervised.wait() == 0
    told = re.findall(r"^(\w+) +\| (up|down) (\d+)$", supervised.said, re.MULTILINE)
    in_order = sorted(told, key=lambda line: int(line[2]))  # whose line is read first is chance
    assert [line[:2] for line in in_order] == [
        ("first", "up"), ("then", "up"), ("last", "up"),
        ("last", "down"), ("then", "down"), ("first", "down"),
    ]  # fmt: skip


def test_what_dies_is_started_again_later_each_time(supervised: Supervised) -> None:
    supervised.start(
        supervised.child("weak", "import sys; print('no newline', end=''); sys.exit(3)"),
        supervised.child("sound", SLEEPS),
    )
    supervised.wait_said("weak ended (exit code 3); it starts again in 2 s")
    delays = re.findall(r"starts again in ([\d.]+) s", supervised.said)
    assert delays[:3] == ["0.5", "1", "2"]
    wait_until(lambda: supervised.said.count("weak  | no newline\n") >= 3, "each said its line")
    assert supervised.said.count("sound | up\n") == 1
    supervised.signal(signal.SIGTERM)
    assert supervised.wait() == 0


def test_a_killed_child_is_started_again(supervised: Supervised) -> None:
    supervised.start(supervised.child("one", SLEEPS))
    supervised.wait_said("one | up")
    (first,) = supervised.descendants()
    first.kill()
    supervised.wait_said("one ended (killed by SIGKILL); it starts again in 0.5 s")
    wait_until(lambda: supervised.said.count("one | up") == 2, "it is up again")


def test_the_delay_is_forgotten_after_a_healthy_minute() -> None:
    child = Child(ChildSpec("x", ("true",)))
    child._began = -HEALTHY_AFTER_S  # long ago
    assert [child.next_delay() for _ in range(2)] == [FIRST_DELAY_S] * 2
    child._began = float("inf")  # just now
    assert [child.next_delay() for _ in range(7)] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_what_does_not_end_is_killed_with_its_helpers(supervised: Supervised) -> None:
    supervised.start(
        supervised.child("stubborn", STUBBORN, stop_within_s=0.5),
        supervised.child("helped", HELPED),
    )
    wait_until(lambda: len(supervised.descendants()) == 3, "all are up")
    supervised.wait_said("helped   | up")
    supervised.wait_said("stubborn | up")
    supervised.signal(signal.SIGINT)
    assert supervised.wait() == 0
    assert "stubborn did not end within" in supervised.said
    assert "helped did not end" not in supervised.said
    assert supervised.left_behind() == []


def test_a_second_ctrl_c_ends_all_at_once(supervised: Supervised) -> None:
    supervised.start(supervised.child("stubborn", STUBBORN, stop_within_s=60.0))
    supervised.wait_said("| up")
    supervised.descendants()
    supervised.signal(signal.SIGINT)
    supervised.signal(signal.SIGTERM)
    assert supervised.wait() == 0
    assert supervised.left_behind() == []


def test_when_the_supervisor_is_killed_its_children_end(supervised: Supervised) -> None:
    supervised.start(supervised.child("one", SLEEPS), supervised.child("two", SLEEPS))
    supervised.wait_said("one | up")
    supervised.wait_said("two | up")
    assert len(supervised.descendants()) == 2
    supervised.signal(signal.SIGKILL)
    supervised.wait()
    wait_until(lambda: not supervised.left_behind(), "the children end by themselves")


def test_what_runs_once_must_end_well_before_the_rest_begins(supervised: Supervised) -> None:
    supervised.start(
        supervised.child("prepare", "print('prepared')", start_rank=0, once=True),
        supervised.child("work", SLEEPS),
    )
    supervised.wait_said("all ready")
    assert supervised.said.index("prepared") < supervised.said.index("all ready")
    supervised.signal(signal.SIGTERM)
    assert supervised.wait() == 0
    assert "prepare ended" not in supervised.said


def test_when_what_runs_once_fails_all_ends_with_an_error(supervised: Supervised) -> None:
    supervised.start(
        supervised.child("base", SLEEPS, start_rank=0),
        supervised.child("prepare", "raise SystemExit(7)", start_rank=0, once=True),
        supervised.child("work", SLEEPS, start_rank=1),
    )
    assert supervised.wait() == 1
    assert "prepare failed: exit code 7" in supervised.said
    assert "work" not in supervised.said.replace("network", "")
    assert supervised.left_behind() == []


def test_when_the_start_fails_machines_get_the_time_to_make_themselves_safe(
    supervised: Supervised,
) -> None:
    safe = "import time; time.sleep(1.0); print('heaters off', flush=True); time.sleep(60)"
    supervised.start(
        supervised.child("machine", safe, start_rank=0, lives_at_least_s=6.0),
        supervised.child("migrate", "raise SystemExit(7)", start_rank=0, once=True),
    )
    assert supervised.wait() == 1
    assert "heaters off" in supervised.said
    assert supervised.left_behind() == []


def test_a_program_that_is_not_there_is_explained(supervised: Supervised) -> None:
    supervised.start(
        supervised.child("base", SLEEPS, start_rank=0),
        {"name": "ghost", "command": ["/no/such/program"], "start_rank": 1},
    )
    assert supervised.wait() != 0
    assert "/no/such/program cannot be started" in supervised.said


def test_a_restart_that_fails_ends_nobody_else(supervised: Supervised) -> None:
    program = supervised.folder / "weak"
    program.write_text('#!/bin/sh\nrm "$0"\n')
    program.chmod(0o700)
    supervised.start({"name": "weak", "command": [str(program)]}, supervised.child("sound", SLEEPS))
    supervised.wait_said("weak cannot be started: ")
    supervised.wait_said("again in 2 s")
    assert supervised.process is not None
    assert supervised.process.poll() is None
    assert supervised.said.count("sound | up\n") == 1
    supervised.signal(signal.SIGINT)
    assert supervised.wait() == 0


def test_a_signal_reaches_nobody_but_us() -> None:
    """Children have process groups of their own: a terminal's Ctrl-C goes to us alone."""
    child = Child(ChildSpec("x", (sys.executable, "-c", SLEEPS)))
    child.start()
    assert child.process is not None
    try:
        assert os.getpgid(child.process.pid) == child.process.pid != os.getpgid(0)
    finally:
        child.kill()
        wait_until(child.has_ended, "it has ended")
        assert child.bury() == -signal.SIGKILL
