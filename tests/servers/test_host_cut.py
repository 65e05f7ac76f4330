"""A joined computer loses the lab in the middle of a job: nothing is lost, nothing new begins."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fabctl.clock import SystemClock
from fabctl.messaging.lab_view import LabView
from fabctl.messaging.link import MqttLink
from fabctl.messaging.payloads import decode, encode
from fabctl.messaging.requests import MachineRequests, keys_in
from fabctl.messaging.signing import SignedRequest, seal
from fabctl.messaging.topics import LabTopics
from tests.brokers import wait_until
from tests.joined_lab import PI, JoinedLab, joined_lab
from tests.machine_lab import SCRIPTED, MachineLab, listen

TOPICS = LabTopics("lab")
MACHINE = "printer-a"
START = TOPICS.command(MACHINE, "start")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[JoinedLab]:
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(SCRIPTED))
        with joined_lab(tmp_path, web=False) as found:
            yield found


def recorded(lab: JoinedLab) -> list[tuple[str, str, int]]:
    file = lab.config.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        query = "SELECT kind, boot, seq FROM machine_event WHERE machine = ? ORDER BY id"
        return [tuple(row) for row in database.execute(query, (MACHINE,))]


def test_the_broker_is_killed_in_the_middle_of_a_job(lab: JoinedLab) -> None:
    lab.hand_over()
    pi = MachineLab(lab.joined(), None, None, None, None)  # type: ignore[arg-type]  # its folder
    pi.cable().touch()
    pi.config.paths.files.mkdir()
    view = LabView("lab", {MACHINE: PI}, SystemClock())
    desk = lab.link(lab.config, "desk", "tester")
    view.attach(desk)
    requests = MachineRequests(desk, "lab", keys_in(lab.config.paths))
    answers = listen(desk, TOPICS.answer("eve"))
    desk.start()
    lab.start(lab.config.file, "steward")
    lab.start(pi.config.file, "machine", MACHINE)
    wait_until(lambda: view.machine(MACHINE).state == "idle", "the machine is idle")

    assert requests.send(MACHINE, "start", pi.order(300, "job-1")).accepted
    pi.confirm(100)
    wait_until(lambda: len(recorded(lab)) == 1, "its start is on record")
    late = signed_start(lab, desk, answers, pi)

    lab.kill_broker()
    pi.confirm(300)
    wait_until(lambda: pi.journal() == 1, "the end of the job is on the Pi's disk")
    pi.cable(about=".halt").touch()  # and more happens while nobody hears it
    wait_until(lambda: pi.journal() == 2, "the halted firmware, too")
    assert recorded(lab)[1:] == []

    lab.start_broker()
    wait_until(lambda: desk.connected, "the desk is back")
    desk.publish(START, late, retain=True)  # kept by the broker for a machine that comes later
    desk.publish(START, late)
    wait_until(lambda: len(recorded(lab)) >= 3, "what was kept is on record")
    wait_until(lambda: pi.journal() == 0, "and the machine knows it")
    found = recorded(lab)
    assert [kind for kind, *_ in found if kind != "request-refused"] == [
        "job-started", "job-finished", "machine-broken",
    ]  # fmt: skip
    assert [seq for *_, seq in found] == sorted({seq for *_, seq in found}), "in order, each once"
    wait_until(lambda: "request-refused" in {kind for kind, *_ in recorded(lab)}, "the late start")
    assert pi.lines_sent() == 300


def signed_start(
    lab: JoinedLab, desk: MqttLink, answers: list[tuple[str, bytes]], pi: MachineLab
) -> bytes:
    """Return a start that is good now, for a job that nobody shall have begun later."""
    desk.publish(
        TOPICS.command(MACHINE, "identify"), encode({}), response_topic=TOPICS.answer("eve")
    )
    wait_until(lambda: answers, "the machine gives a challenge")
    identity = decode(answers[-1][1])
    key = bytes.fromhex(lab.config.paths.machine_key(MACHINE).read_text())
    return seal(
        key,
        START,
        SignedRequest(
            MACHINE, "start", "1", pi.order(10, "job-2"), identity.text("boot", limit=64),
            identity.text("challenge", limit=64),
        ),
    )  # fmt: skip
