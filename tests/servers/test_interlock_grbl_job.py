"""A laser with Grbl behind an interlock, every process real: what a trip does to a job.

The door pin of the controller is not wired here: the machine's process pauses the job by itself.
"""

from __future__ import annotations

import hashlib
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fabctl.messaging.payloads import EventPayload
from fabctl_sim.process import SimProcess
from tests.brokers import wait_until
from tests.guarded import LASER
from tests.servers.test_interlock_messages import LONGEST_S, QUICK, InterlockLab, interlock_lab
from tests.steady import steady

pytestmark = pytest.mark.timeout(400)  # rounds that are made again: tests/steady.py

GRBL = """\
driver = "grbl"
port = "{port}"
baud = 115200
work_area = {{ x = [0, 300], y = [0, 180], z = [-60, 20] }}
"""
LINES = [
    b"G21 G90",
    b"M4 S0",
    *(b"G1 X%d Y5 S300 F1500" % (5 + 115 * (n % 2)) for n in range(60)),
    b"M5",
]
CONTENT = b"\n".join(LINES) + b"\n"


@contextmanager
def grbl_lab(mode: int = 1) -> Iterator[tuple[InterlockLab, SimProcess]]:
    """Run it all, in laser mode (``$32``) or not."""
    options = ("--boot", "0.1", "--no-reset-on-open", "--factor", "1", "--set", f"32={mode}")
    with (
        tempfile.TemporaryDirectory(prefix="sim") as name,
        SimProcess(Path(name), *options, controller="grbl") as sim,
    ):
        text = LASER.replace('driver = "opaque"\n', GRBL.format(port=sim.port)) + QUICK
        with interlock_lab(text) as found:
            yield found, sim


def order(it: InterlockLab) -> dict[str, object]:
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    it.lab.config.paths.job_file(sha256).write_bytes(CONTENT)
    return {
        "job": "job-1", "sha256": sha256, "size": len(CONTENT), "name": "tag.nc",
        "lines": len(LINES), "commands": len(LINES), "by": it.person,
    }  # fmt: skip


def ask(it: InterlockLab, verb: str) -> str:
    """Ask with a signature; return the answer's code."""
    body = order(it) if verb == "start" else {"by": it.person}
    return it.lab.requests.send("laser", verb, body).code


def ends(it: InterlockLab) -> list[EventPayload]:
    return [EventPayload.decode(payload) for topic, payload in it.heard if "/job-f" in topic]


def running(it: InterlockLab) -> None:
    """Let a job run, with the run signal on."""
    it.arm()
    it.wait_shown("armed")
    assert ask(it, "start") == "ok"
    it.lab.wait_state("running", "laser")
    it.laser.run()
    it.wait_shown("running")


@steady
def test_nothing_is_streamed_before_the_green_button() -> None:
    with grbl_lab() as (it, stand_in):
        assert ask(it, "start") == "interlock-locked"
        it.begin()
        it.wait_shown("ready")
        assert ask(it, "start") == "interlock-not-armed"
        with stand_in.control() as control:
            assert not [text for text in control.texts() if text.startswith(("G1", "M4"))]


@steady
def test_outside_laser_mode_nothing_is_streamed() -> None:
    """A hold would leave the laser on. The sentence says what to set."""
    with grbl_lab(mode=0) as (it, stand_in):
        it.arm()
        it.wait_shown("armed")
        ask(it, "start")
        wait_until(lambda: ends(it), "the job ends")
        (end,) = ends(it)
        assert (end.type, end.line) == ("job-failed", 0)
        assert "$32=1" in (end.reason or "")
        with stand_in.control() as control:
            assert not [text for text in control.texts() if text.startswith(("G1", "M4"))]


@steady
def test_an_opened_lid_pauses_and_the_job_goes_on_where_it_was() -> None:
    with grbl_lab() as (it, stand_in):
        running(it)
        it.laser.cabinet.ask("open-lid")
        it.lab.wait_state("paused", "laser")
        assert not it.laser.powered()
        with stand_in.control() as control:
            assert control.status()["state"].startswith("Hold")
            assert ask(it, "resume") == "interlock-tripped"
            it.laser.cabinet.ask("idle")
            it.laser.cabinet.ask("close-lid")
            it.wait_shown("ready")
            assert ask(it, "resume") == "interlock-not-armed"
            it.laser.arm_again()
            it.wait_shown("armed")
            assert it.lab.seen("laser").state == "paused", "the button arms, it does not go on"
            assert ask(it, "resume") == "ok"
            it.lab.wait_state("running", "laser")
            control.ask("factor", factor=50)
            wait_until(lambda: ends(it), "the job ends", 60.0)
            streamed = [text for text in control.texts() if text.startswith("G1")]
            assert len(streamed) == 60, "no line was lost, none came twice"
        assert [one.type for one in ends(it)] == ["job-finished"]


@steady
def test_a_fault_ends_the_job_as_a_failure() -> None:
    with grbl_lab() as (it, _):
        running(it)
        it.laser.cabinet.ask("channel-a-stuck")
        it.laser.cabinet.ask("open-lid")
        it.wait_shown("fault")
        wait_until(lambda: ends(it), "the job ends")
        assert [(one.type, one.trouble) for one in ends(it)] == [("job-failed", "interlock")]
        it.lab.wait_state("broken", "laser")


@steady
def test_a_killed_daemon_pauses_the_job() -> None:
    with grbl_lab() as (it, _):
        running(it)
        it.laser.end(signal.SIGKILL)
        it.lab.wait_state("paused", "laser")
        it.laser.cabinet.ask("idle")
        it.laser.start()
        it.wait_shown("selftest")
        assert ask(it, "resume") == "interlock-starting"
        it.laser.wait("wants the lid", lambda words: words["advice"] == "lid-not-seen-open")
        it.laser.cabinet.ask("open-lid")
        it.laser.wait("wants it closed", lambda words: words["advice"] == "lid-not-closed")
        it.laser.cabinet.ask("close-lid")
        it.wait_shown("ready", 30.0)
        it.laser.arm_again()
        it.wait_shown("armed")
        assert ask(it, "resume") == "ok"
        it.lab.wait_state("running", "laser")


@steady
def test_a_job_drains_and_finishes_when_its_steward_dies() -> None:
    with grbl_lab() as (it, stand_in):
        running(it)
        it.lab.kill("steward")
        it.wait_shown("drain", LONGEST_S)
        assert it.lab.seen("laser").state == "running"
        with stand_in.control() as control:
            control.ask("factor", factor=50)
        wait_until(lambda: ends(it), "the job ends", 60.0)
        assert [one.type for one in ends(it)] == ["job-finished"]
        it.laser.cabinet.ask("idle")
        it.wait_shown("locked")
        assert ask(it, "start") == "interlock-locked"
