"""A FAULT is not forgotten, whatever is said on the sockets and however the daemon ends."""

from __future__ import annotations

import json
import random
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.guarded import LASER, Guarded, guarded
from tests.guarded_processes import PATIENCE_S, until
from tests.steady import steady

pytestmark = pytest.mark.timeout(400)  # rounds that are made again: tests/steady.py

QUICK = "[interlocks.laser.timings]\nclear_s = 0.5\n"


@pytest.fixture
def armed() -> Iterator[Guarded]:
    with guarded(LASER + QUICK) as it:
        it.prove()
        it.arm()
        yield it


def says(it: Guarded, line: bytes) -> bytes:
    """Send one line as it is; return the beginning of the answer, nothing when it hung up."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_S)
        client.connect(str(it.profile.socket))
        client.sendall(line + b"\n")
        with suppress(ConnectionError):
            return client.recv(4096)
    return b""


def fails(it: Guarded) -> None:
    """Have a diagnostic fail."""
    it.cabinet.ask("channel-a-stuck")
    it.cabinet.ask("open-lid")


@steady
def test_half_a_surrogate_in_a_line_does_not_end_the_memory(armed: Guarded) -> None:
    assert b"accepted" in says(armed, b'{"drop": "\\ud800"}')
    armed.arm()
    fails(armed)
    state = armed.wait_for("fault")
    assert (state["fault"], state["fault_kept"], state["trouble"]) == ("lids-differ", True, None)
    armed.cabinet.ask("repair")
    armed.cabinet.ask("close-lid")
    armed.end(signal.SIGKILL)
    armed.start()
    assert armed.wait_for("fault")["fault"] == "lids-differ"
    dropped = [one["why"] for one in armed.record() if one.get("event") == "permit_ended"]
    assert "dropped: ?" in dropped


@steady
def test_two_hundred_hostile_lines_and_a_fault_is_kept(armed: Guarded) -> None:
    dice = random.Random(4)  # noqa: S311  # no secret
    letters = [chr(n) for n in (0, 9, 10, 0x7F, 0x2028, 0xD800, 0xDFFF, 0xFFFF, 0x1F600)] + list(
        '"\\a{}[]é'
    )
    for number in range(200):
        text = "".join(dice.choices(letters, k=dice.randrange(120)))
        line = {dice.choice(["drop", "permit", "hello", text]): dice.choice([text, number, None])}
        says(armed, json.dumps(line).encode())
        if number % 40 == 0:
            armed.permit()  # so that there is something to drop
    fails(armed)
    state = armed.wait_for("fault")
    assert (state["fault_kept"], state["trouble"]) == (True, None)
    until(lambda: armed.record()[-1]["fault"] == "lids-differ", "on record")


@steady
def test_kill_9_at_the_first_word_of_a_fault(armed: Guarded) -> None:
    for _ in range(4):
        with armed.line() as line:
            fails(armed)
            heard = line.wait(lambda words: words.get("state") == "fault", PATIENCE_S)
            armed.send(signal.SIGKILL)
        assert heard is not None
        assert heard["fault_kept"]
        assert armed.process is not None
        armed.process.wait()
        assert "lids-differ" in armed.profile.fault_file.read_text()
        armed.cabinet.ask("repair")
        armed.cabinet.ask("close-lid")
        armed.profile.fault_file.write_text('{"v": 1, "fault": null}\n')  # for the next round
        armed.start()
        armed.prove()
        armed.arm()


@steady
def test_nothing_is_armed_while_a_fault_could_not_be_remembered(armed: Guarded) -> None:
    """The disk is full while it is armed: what runs may go on, nothing is armed after it."""
    limits = resource.prlimit(armed.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(armed.pid, resource.RLIMIT_FSIZE, (0, limits[1]))
    armed.run()
    state = armed.wait("told", lambda words: words["trouble"])
    assert (state["state"], state["outputs_on"], state["fault"]) == ("running", True, None)
    armed.cabinet.ask("open-lid")
    state = armed.wait_for("fault")
    assert (state["fault"], state["first_cause"]) == ("fault-file", "lid-open")
    armed.cabinet.ask("close-lid")
    armed.press()
    armed.stays_off()


SLEEPS = """
import sys
from pathlib import Path
from fabctl.clock import SystemClock
from fabctl.config_file import load
from fabctl_drivers.interlock.daemon import GpioInterlock

config = load(Path(sys.argv[1]))
slept = Path(sys.argv[1]).with_name("slept")
key = bytes.fromhex(config.paths.permit_key("laser").read_text())
GpioInterlock(
    config.interlocks["laser"], key, SystemClock(), simulated=True, say=print,
    suspended=lambda: 5.0 if slept.exists() else 2.0,
).run()
"""


@steady
def test_a_computer_that_slept_trips_and_its_permit_is_gone() -> None:
    """CLOCK_BOOTTIME went on by 3 s, CLOCK_MONOTONIC did not."""
    with guarded(LASER + QUICK, start=False) as it:
        it.command = (sys.executable, "-c", SLEEPS, str(it.config.file))
        it.start()
        it.prove()
        it.arm(seconds=10.0)
        it.config.file.with_name("slept").touch()
        state = it.wait("tripped", lambda words: words["first_cause"])
        assert (state["first_cause"], state["outputs_on"]) == ("scan-stalled", False)
        assert state["permit"] is None
        it.wait_for("locked")
        it.press()
        it.stays_off()
