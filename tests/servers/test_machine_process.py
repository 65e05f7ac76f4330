"""``fabctl machine`` and ``fabctl steward`` as real processes: what happens when parts die."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from fabctl.messaging.payloads import decode, encode
from fabctl.messaging.signing import SignedRequest, seal
from fabctl.messaging.topics import LabTopics
from tests.brokers import wait_until
from tests.machine_lab import MACHINE, ONE_MACHINE, SECOND_MACHINE, MachineLab, listen, machine_lab

TOPICS = LabTopics("lab")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[MachineLab]:
    """Run a broker and one machine process, and wait until the machine is idle."""
    with machine_lab(tmp_path) as lab:
        lab.start("machine", MACHINE)
        lab.wait_state("idle")
        yield lab


def test_a_job_runs_and_is_on_record(lab: MachineLab) -> None:
    lab.start_steward()
    assert lab.begin(lines=60).accepted
    lab.wait_recorded("job-started", "job-finished")
    lab.wait_state("idle")
    assert lab.lines_sent() == 60
    wait_until(lambda: lab.journal() == 0, "the machine knows that all is on record")


def test_pause_and_resume_work_end_to_end(lab: MachineLab) -> None:
    assert lab.begin().accepted
    lab.wait_state("running")
    assert lab.requests.send(MACHINE, "pause", {"by": None}).accepted
    lab.wait_state("paused")
    lines = lab.lines_sent()
    assert lab.requests.send(MACHINE, "resume", {"by": None}).accepted
    wait_until(lambda: lab.lines_sent() > lines, "the job goes on")
    assert lab.requests.send(MACHINE, "stop", {"by": None}).accepted
    lab.wait_state("idle")
    assert lab.sent()[-1] == "heaters off"


def test_what_a_stranger_with_the_desks_password_cannot_do(lab: MachineLab) -> None:
    """Unsigned, replayed, too old, retained: refused with a reason, counted, nothing sent."""
    answers = listen(lab.broker.link("desk", "eve"), TOPICS.answer("eve"))
    eve = lab.broker.links[-1]
    start = TOPICS.command(MACHINE, "start")

    def ask(topic: str, payload: bytes, *, retain: bool = False) -> tuple[bool, str]:
        before = len(answers)
        eve.publish(topic, payload, retain=retain, response_topic=TOPICS.answer("eve"))
        wait_until(lambda: len(answers) > before, "an answer")
        answer = json.loads(answers[-1][1])
        return answer["accepted"], str(answer.get("reason"))

    def sealed(order: dict[str, object]) -> bytes:
        ask(TOPICS.command(MACHINE, "identify"), encode({}))
        identity = decode(answers[-1][1])
        key = bytes.fromhex(lab.config.paths.machine_key(MACHINE).read_text())
        request = SignedRequest(
            MACHINE, "start", "1", order, identity.text("boot"), identity.text("challenge")
        )
        return seal(key, start, request)

    accepted, reason = ask(start, encode(lab.order(10)))
    assert (accepted, "'signed'" in reason) == (False, True)
    envelope = sealed(lab.order(10))
    old = sealed(lab.order(10))
    assert ask(start, envelope) == (True, "None")
    lab.wait_state("idle")
    sent = lab.sent()
    accepted, reason = ask(start, envelope)
    assert (accepted, "used already" in reason) == (False, True)
    accepted, reason = ask(start, sealed(lab.order(10)), retain=True)
    assert (accepted, "retained" in reason) == (False, True)
    end = time.monotonic() + 5.1
    wait_until(lambda: time.monotonic() > end, "the challenge is too old")
    accepted, reason = ask(start, old)
    assert (accepted, "s old" in reason) == (False, True)

    assert lab.sent() == sent
    eve.publish(start, b"", retain=True)


def test_a_kept_command_is_dropped_at_the_next_start(lab: MachineLab) -> None:
    lab.kill(MACHINE)
    stop = TOPICS.command(MACHINE, "stop")
    assert lab.link.publish(stop, encode({"by": None}), retain=True)
    assert lab.link.flush(20.0)
    lab.start("machine", MACHINE)
    refused = listen(lab.broker.link("desk", "ear"), TOPICS.event(MACHINE, "request-refused"))
    wait_until(lambda: refused, "the kept stop was refused")
    assert "retained" in json.loads(refused[0][1])["reason"]
    assert lab.sent() == ["heaters off", "heaters off"]  # each from a start of the process


def test_killed_mid_job_it_is_told_as_interrupted_at_the_exact_line(tmp_path: Path) -> None:
    by_hand = ONE_MACHINE.replace("lines_per_s = 200", "lines_per_s = 0")
    with machine_lab(tmp_path, by_hand) as lab:
        lab.start("machine", MACHINE)
        lab.start_steward()
        lab.wait_state("idle")
        kill_and_start_again(lab)


def kill_and_start_again(lab: MachineLab) -> None:
    assert lab.begin().accepted
    lab.wait_state("running")
    lab.confirm(37)
    wait_until(lambda: lab.seen().line == 37, "the line is noted")

    lab.kill(MACHINE)
    lab.wait_state("offline")
    off_before = lab.sent().count("heaters off")
    lab.start("machine", MACHINE)
    wait_until(lambda: lab.sent().count("heaters off") > off_before, "heaters are off")
    lab.wait_state("broken")

    lab.wait_recorded("job-started", "machine-broken", "job-interrupted")
    assert lab.seen().trouble == "interrupted"
    assert "line 37 of" in str(lab.seen().reason)
    assert lab.begin(job="job-2").code == "machine-broken"
    assert lab.requests.send(MACHINE, "clear", {"by": "person-2"}).accepted
    lab.wait_state("idle")
    assert lab.begin(lines=37, job="job-3").accepted
    lab.wait_recorded(
        "job-started", "machine-broken", "job-interrupted", "request-refused", "machine-cleared",
        "job-started", "job-finished",
    )  # fmt: skip


def test_a_pulled_cable_is_shown_and_recorded(lab: MachineLab) -> None:
    lab.start_steward()
    assert lab.begin().accepted
    wait_until(lambda: lab.lines_sent() > 5, "the job is on its way")
    lab.cable().unlink()
    lab.wait_state("offline")
    lab.wait_recorded("job-started", "machine-broken", "job-failed")
    lab.cable().touch()
    lab.wait_state("broken")
    assert lab.requests.send(MACHINE, "clear", {"by": None}).accepted
    lab.wait_state("idle")


def test_no_event_is_lost_when_the_broker_is_killed_mid_job(lab: MachineLab) -> None:
    lab.start_steward()
    assert lab.begin(lines=300).accepted
    wait_until(lambda: lab.lines_sent() > 30, "the job is on its way")
    lab.broker.kill()
    wait_until(lambda: lab.lines_sent() == 300, "the job goes on without a broker")
    lab.broker.start()
    lab.wait_recorded("job-started", "job-finished")
    lab.wait_state("idle")
    wait_until(lambda: lab.journal() == 0, "the machine knows that all is on record")


def test_no_event_is_lost_or_counted_twice_when_the_steward_is_killed(lab: MachineLab) -> None:
    lab.start_steward()
    assert lab.begin(lines=5, job="job-1").accepted
    lab.wait_recorded("job-started", "job-finished")
    wait_until(lambda: lab.journal() == 0, "the machine knows that all is on record")
    lab.kill("steward")
    for job in ("job-2", "job-3"):
        kept = lab.journal() + 2
        assert lab.begin(lines=5, job=job).accepted
        wait_until(partial(lab.keeps, kept), "the machine keeps what is not on record")
    lab.start_steward()
    lab.wait_recorded(*["job-started", "job-finished"] * 3)
    wait_until(lambda: lab.journal() == 0, "the machine knows that all is on record")
    assert len(set(lab.recorded())) == 6


def test_an_orderly_end_stops_the_job_and_tells_why(lab: MachineLab) -> None:
    told = listen(lab.broker.link("desk", "ear"), TOPICS.event(MACHINE, "job-stopped"))
    assert lab.begin().accepted
    wait_until(lambda: lab.lines_sent() > 5, "the job is on its way")
    assert lab.end(MACHINE, signal.SIGTERM) == 0
    wait_until(lambda: told, "the stop is told")
    assert json.loads(told[0][1])["reason"] == "fabctl was shut down."
    assert lab.sent()[-1] == "heaters off"
    lab.wait_state("offline")
    assert lab.seen().reason == "fabctl was shut down."


def test_a_driver_with_a_mistake_is_shown_and_the_next_process_asks_for_a_person(
    lab: MachineLab,
) -> None:
    assert lab.begin().accepted
    wait_until(lambda: lab.lines_sent() > 5, "the job is on its way")
    process = lab.processes[MACHINE]
    lab.cable(about=".bug").touch()
    assert process.wait(30.0) == 1
    lab.wait_state("offline")
    assert "ZeroDivisionError" in str(lab.seen().reason)
    assert "a mistake in a driver" in lab.log_of(MACHINE)
    assert lab.sent()[-1] == "heaters off"
    lab.cable(about=".bug").unlink()
    lab.start("machine", MACHINE)
    lab.wait_state("broken")


def test_a_host_is_there_while_any_of_its_machines_is(tmp_path: Path) -> None:
    with machine_lab(tmp_path, ONE_MACHINE + SECOND_MACHINE) as lab:
        said = listen(lab.broker.link("desk", "ear"), TOPICS.host_status("pi1"))

        def states() -> list[str]:
            return [json.loads(payload)["state"] for _, payload in said]

        lab.start("machine", "printer-a")
        wait_until(lambda: states() == ["online"], "the host is there")
        lab.start("machine", "printer-b")
        lab.wait_state("idle", "printer-b")
        lab.kill("printer-a")
        wait_until(lambda: states() == ["online", "online"], "the other one speaks for the host")
        lab.end("printer-b")
        wait_until(lambda: states() == ["online", "online", "offline"], "the host is gone")


def test_home_assistant_finds_the_machine(lab: MachineLab) -> None:
    found = listen(lab.broker.link("dashboard", "hass"), "homeassistant/device/+/config")
    wait_until(lambda: found, "the description is kept by the broker")
    assert found[0][0] == "homeassistant/device/printer-a/config"


def test_the_steward_says_what_is_booked_and_how_it_is(lab: MachineLab) -> None:
    ear = lab.broker.link("dashboard", "ear")
    bookings = listen(ear, TOPICS.booking(MACHINE))
    health = listen(ear, TOPICS.steward_status)
    lab.start("steward")
    wait_until(lambda: bookings and health, "the steward speaks")
    assert json.loads(bookings[0][1])["busy_until"] is None
    assert json.loads(health[-1][1])["state"] == "online"
    lab.kill("steward")
    wait_until(lambda: json.loads(health[-1][1])["state"] == "offline", "its will is said")
