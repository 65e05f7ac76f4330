"""The machine's host: what is asked, what the driver does, what is said, what stays on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fabctl.hosting.running_mark import HoldFile, RunningMark
from fabctl.messaging.letters import Received
from fabctl.messaging.payloads import STATE_MAX_AGE_S, EventType, StartOrder
from fabctl.messaging.topics import discovery
from tests.machine_bench import ANSWERS, FILE, LINES, TOPICS, MachineBench


@pytest.fixture
def bench(tmp_path: Path) -> MachineBench:
    """Return a machine that is connected and idle."""
    bench = MachineBench(tmp_path)
    bench.become_idle()
    return bench


def test_heaters_are_off_before_anything_else(bench: MachineBench) -> None:
    assert bench.sent == ["heaters off"]


def test_a_job_from_start_to_end(bench: MachineBench) -> None:
    bench.start()
    assert bench.state["state"] == "running"
    assert bench.state["job"] == "job-1"

    bench.confirm(LINES)

    assert bench.sent[1:] == [
        "start ring.gcode", "G28", "M104 S200", "G1 X10 Y10 Z0.2 F1200", "G1 X50 E2", "G1 X10 E4",
        "M104 S0",
    ]  # fmt: skip
    assert bench.state["state"] == "idle"
    assert bench.job == {k: bench.job[k] for k in ("v", "ts", "synced", "boot", "seq")} | {
        "state": "none",
        "job": None,
    }
    started, finished = bench.events("job-started")[0], bench.events("job-finished")[0]
    assert (started["job"], started["by"], started["commands"]) == ("job-1", "person-1", 6)
    assert (finished["line"], finished["commands"], finished["resends"]) == (7, 6, 0)


def test_progress_is_said_at_most_once_a_second(bench: MachineBench) -> None:
    bench.start()
    for line in (2, 3, 4):
        bench.confirm(line)
    assert bench.job["line"] == 0
    bench.clock.advance(1.0)
    bench.step()
    assert (bench.job["line"], bench.job["lines"], bench.job["progress"]) == (4, 7, 0.5)


def test_the_state_is_said_again_every_3_s_and_expires_with_its_promise(
    bench: MachineBench,
) -> None:
    topic = TOPICS.state("printer-a")
    before = len(bench.messages.on(topic))
    bench.clock.advance(2.9)
    bench.step()
    assert len(bench.messages.on(topic)) == before
    bench.clock.advance(0.2)
    bench.step()
    assert len(bench.messages.on(topic)) == before + 1
    last = [one for one in bench.messages.said if one.topic == topic][-1]
    assert last.retain
    assert last.expiry_s == last.fields["max_age_s"] == STATE_MAX_AGE_S


def test_telemetry_is_said_with_what_is_not_known(bench: MachineBench) -> None:
    (reading,) = bench.messages.on(TOPICS.telemetry("printer-a", "temperatures"))
    assert (reading["nozzle_c"], reading["bed_c"]) == (21.5, None)


def test_pause_resume_and_stop_are_told_with_who_asked(bench: MachineBench) -> None:
    bench.start()
    bench.confirm(2)
    assert bench.ask_openly("pause", {"by": "p-2"})["accepted"]
    bench.step()
    assert bench.state["state"] == "paused"
    assert bench.ask_signed("resume", {"by": "p-3"})["accepted"]
    bench.step()
    assert bench.ask_openly("stop", {"by": None})["accepted"]
    bench.step(2)

    told = [(event["type"], event.get("by"), event.get("line")) for event in bench.events()]
    assert told == [
        ("job-started", "person-1", None),
        ("job-paused", "p-2", 2),
        ("job-resumed", "p-3", 2),
        ("job-stopped", None, 2),
    ]
    assert bench.sent[-1] == "heaters off"
    assert bench.state["state"] == "idle"


def test_who_asked_for_a_pause_that_did_not_come_of_it_is_not_named_later(
    bench: MachineBench,
) -> None:
    bench.start()
    bench.confirm(2)
    bench.ask_openly("pause", {"by": "p-2"})
    bench.step()
    bench.ask_openly("pause", {"by": "p-9"})  # it rests already
    bench.step()
    bench.ask_signed("resume", {"by": "p-3"})
    bench.step()
    bench.cable.with_name("cable.unwilling").touch()
    assert not bench.ask_openly("pause", {"by": "p-8"})["accepted"]  # the machine says no
    bench.step()
    bench.cable.with_name("cable.rests").touch()  # the machine pauses by itself
    bench.step(2)
    told = [(event["type"], event.get("by")) for event in bench.events()]
    assert told == [
        ("job-started", "person-1"),
        ("job-paused", "p-2"),
        ("job-resumed", "p-3"),
        ("request-refused", None),
        ("job-paused", None),
    ]


@pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
def test_what_is_asked_of_one_job_is_not_done_to_another(bench: MachineBench, verb: str) -> None:
    bench.start()
    bench.confirm(2)
    if verb == "resume":
        bench.ask_openly("pause")
        bench.step()
    before, state = list(bench.sent), bench.state["state"]
    ask = bench.ask_signed if verb == "resume" else bench.ask_openly
    answer = ask(verb, {"by": "p-2", "job": "job-of-yesterday"})
    bench.step(2)
    assert (answer["accepted"], answer["code"]) == (False, "other-job")
    assert (bench.sent, bench.state["state"]) == (before, state)
    assert ask(verb, {"by": "p-2", "job": "job-1"})["accepted"] is True


def test_waiting_for_a_person_is_said_until_it_is_over(bench: MachineBench) -> None:
    content = b"G28\nM0\nG1 X9 F900\n"
    assert bench.ask_signed("start", bench.order(content, lines=3, commands=3))["accepted"]
    bench.wait_for("job-started")
    bench.confirm(3)
    assert (bench.state["state"], bench.state["waiting"]) == ("running", "Change the filament")
    bench.cable.with_name("cable.pressed").touch()
    bench.step(3)
    assert bench.state["waiting"] is None
    assert bench.events("job-finished")


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "code"),
    [("pause", "no-job"), ("resume", "no-job"), ("clear", "not-broken")],
)
def test_what_an_idle_machine_refuses(bench: MachineBench, verb: str, code: str) -> None:
    ask = bench.ask_openly if verb == "pause" else bench.ask_signed
    answer = ask(verb)
    assert (answer["accepted"], answer["code"]) == (False, code)


def test_of_two_starts_at_once_one_is_taken_on(bench: MachineBench) -> None:
    start = TOPICS.command("printer-a", "start")
    envelopes = [bench.signed("start", bench.order(job=job)) for job in ("job-1", "job-2")]
    before = len(bench.messages.on(ANSWERS))
    for envelope in envelopes:
        bench.messages.send(Received(start, envelope, 1, False, ANSWERS, b"c"))
    bench.step()
    answers = bench.messages.on(ANSWERS)[before:]
    assert [answer["code"] for answer in answers] == ["ok", "machine-busy"]
    bench.wait_for("job-started")
    assert [event["job"] for event in bench.events("job-started")] == ["job-1"]


SPOILT: dict[str, Callable[[MachineBench], dict[str, Any]]] = {
    "not signed": lambda b: b.ask_openly("start", b.order()),
    "another key": lambda b: b.ask_signed("start", b.order(), key=b"x" * 32),
    "another machine": lambda b: b.ask_signed("start", b.order(), machine="printer-b"),
    "another verb": lambda b: b.ask_signed("start", b.order(), verb="resume"),
    "another boot": lambda b: b.ask_signed("start", b.order(), boot="boot-0"),
    "a challenge of nobody's": lambda b: b.ask_signed("start", b.order(), challenge="mine"),
    "signed for another topic": lambda b: b.ask_signed("start", b.order(), topic_verb="resume"),
    "retained": lambda b: b.ask("start", b.signed("start", b.order()), retain=True),
    "not JSON": lambda b: b.ask("start", b"\xff"),
    "a verb of nobody's": lambda b: b.ask_openly("home"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_not_signed_for_us_just_now_changes_nothing(bench: MachineBench, name: str) -> None:
    answer = SPOILT[name](bench)
    bench.step(3)

    assert answer["accepted"] is False
    assert answer["code"] in {"not-authentic", "malformed"}
    assert answer["reason"]
    assert bench.reports.refused == 1
    assert bench.sent == ["heaters off"]
    assert [event["type"] for event in bench.events()] == ["request-refused"]
    bench.clock.advance(5.0)
    bench.step()
    assert bench.state["refused"] == 1


def test_a_recorded_request_cannot_be_played_again(bench: MachineBench) -> None:
    envelope = bench.signed("start", bench.order())
    assert bench.ask("start", envelope)["accepted"]
    bench.wait_for("job-started")
    bench.confirm(LINES)
    assert bench.state["state"] == "idle"

    answer = bench.ask("start", envelope)

    assert (answer["accepted"], answer["code"]) == (False, "not-authentic")
    assert len(bench.events("job-started")) == 1


def test_a_challenge_dies_after_5_s(bench: MachineBench) -> None:
    envelope = bench.signed("start", bench.order())
    bench.clock.advance(5.1)
    answer = bench.ask("start", envelope)
    assert answer["code"] == "not-authentic"
    assert "5.1 s old" in answer["reason"]


def test_refusals_are_told_as_events_at_most_every_10_s(bench: MachineBench) -> None:
    for _ in range(5):
        bench.ask_openly("pause")
    assert [event["count"] for event in bench.events("request-refused")] == [1]
    bench.clock.advance(10.0)
    bench.ask_openly("pause")
    assert [event["count"] for event in bench.events("request-refused")] == [1, 5]
    assert bench.reports.refused == 6


def test_an_answer_goes_nowhere_but_to_a_place_for_answers(bench: MachineBench) -> None:
    stolen = TOPICS.state("printer-b")
    topic = TOPICS.command("printer-a", "identify")
    bench.messages.send(Received(topic, b'{"v":1}', 1, False, stolen, b"c"))
    bench.step()
    assert bench.messages.on(stolen) == []


@pytest.mark.parametrize("payload", [b"", b"STOP", b"{}", b'{"v":1,"by":7}', b"\xff"])
def test_a_stop_is_a_stop_whatever_it_says(bench: MachineBench, payload: bytes) -> None:
    bench.start()
    bench.confirm(2)
    assert bench.ask("stop", payload)["accepted"]
    bench.step(2)
    (stopped,) = bench.events("job-stopped")
    assert stopped.get("by") is None


def test_a_stop_overtakes_a_flood(bench: MachineBench) -> None:
    bench.start()
    bench.confirm(2)
    for _ in range(1000):
        bench.messages.send(Received(TOPICS.command("printer-a", "pause"), b"{", 1, False))
    bench.messages.send(Received(TOPICS.command("printer-a", "stop"), b'{"v":1}', 1, False))
    bench.step(2)
    assert bench.events("job-stopped")


# -- the file ------------------------------------------------------------------------------------

SMALL = b"G28\n"
WRONG_FILES: dict[str, tuple[Callable[[MachineBench], dict[str, Any]], str]] = {
    "not here": (lambda b: b.order() | {"sha256": "0" * 64}, "not on this computer"),
    "another size": (lambda b: b.order(size=5), "bytes, not 5"),
    "another count": (lambda b: b.order(lines=99), "another number of lines"),
    "too hot": (
        lambda b: b.order(b"M104 S300\n", lines=1, commands=1), "may not run here",
    ),
    "outside": (
        lambda b: b.order(b"G28\nG1 X900 F900\n", lines=2, commands=2), "may not run here",
    ),
    "no text": (lambda b: b.order(b"\x89PNG\x00\x00", lines=1, commands=1), "may not run here"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_file_that_may_not_run_fails_the_job_and_nothing_is_sent(
    bench: MachineBench, name: str
) -> None:
    make, reason = WRONG_FILES[name]
    assert bench.ask_signed("start", make(bench))["accepted"]

    failed = bench.wait_for("job-failed")
    bench.step()

    assert reason in failed["reason"]
    assert failed["job"] == "job-1"
    assert bench.sent == ["heaters off"]
    assert bench.state["state"] == "idle"
    assert RunningMark(bench.folder / "machine").left_behind() is None


def test_a_file_changed_on_disk_is_noticed(bench: MachineBench) -> None:
    order = bench.order()
    (bench.folder / f"{order['sha256']}.gcode").write_bytes(FILE.replace(b"X50", b"X51"))
    assert bench.ask_signed("start", order)["accepted"]
    assert "sha256" in bench.wait_for("job-failed")["reason"]


def test_a_malformed_order_is_refused(bench: MachineBench) -> None:
    answer = bench.ask_signed("start", bench.order() | {"sha256": "../../etc/passwd"})
    assert (answer["accepted"], answer["code"]) == (False, "malformed")
    assert bench.state["state"] == "idle"


def take_on_a_big_file(bench: MachineBench) -> None:
    """Start a job whose file takes longer to check than the test takes."""
    content = b"G28\n" + b"G1 X10 F900\nG1 X20\n" * 100_000
    order = bench.order(content, lines=200_001, commands=200_001)
    assert bench.ask_signed("start", order)["accepted"]
    bench.step()
    assert bench.state["state"] == "preparing"


def test_a_job_stopped_while_its_file_is_checked_never_begins(bench: MachineBench) -> None:
    take_on_a_big_file(bench)
    assert bench.ask_openly("stop", {"by": "p-9"})["accepted"]
    bench.step(2)
    (stopped,) = bench.events()
    assert (stopped["type"], stopped["by"], stopped["line"]) == ("job-stopped", "p-9", 0)
    assert bench.state["state"] == "idle"
    assert "start" not in " ".join(bench.sent)


@pytest.mark.parametrize(("waited_s", "outcome"), [(600.0, "job-started"), (601.0, "job-failed")])
def test_nothing_begins_long_after_it_was_asked_for(
    bench: MachineBench, waited_s: float, outcome: str
) -> None:
    """Its file was on its way over a bad network, and nobody is beside the machine any more."""
    keeper = bench.host._keeper
    keeper.take_on(StartOrder(**bench.order()))
    assert keeper._preparation is not None
    keeper._preparation._thread.join()
    bench.clock.advance(waited_s)
    bench.step(3)
    (event,) = bench.events()
    assert event["type"] == outcome
    assert ("start" in " ".join(bench.sent)) is (outcome == "job-started")
    assert ("Start it again" in event.get("reason", "")) is (outcome == "job-failed")


def test_an_end_while_a_file_is_checked_is_told(bench: MachineBench) -> None:
    take_on_a_big_file(bench)
    bench.shut_down()
    (stopped,) = bench.events()
    assert (stopped["type"], stopped["reason"]) == ("job-stopped", "fabctl was shut down.")
    assert RunningMark(bench.folder / "machine").left_behind() is None


# -- what goes wrong -------------------------------------------------------------------------------


def test_a_pulled_cable_fails_the_job_and_a_person_must_clear(bench: MachineBench) -> None:
    bench.start()
    bench.confirm(3)
    bench.cable.unlink()
    bench.step(2)

    assert bench.state["state"] == "offline"
    assert bench.state["trouble"] == "cable-lost"
    (failed,) = bench.events("job-failed")
    assert (failed["line"], failed["trouble"]) == (3, "cable-lost")
    assert bench.ask_signed("start", bench.order())["code"] == "machine-offline"

    bench.cable.touch()
    bench.clock.advance(1.0)
    bench.step(3)
    assert bench.state["state"] == "broken"
    assert bench.ask_signed("start", bench.order())["code"] == "machine-broken"

    assert bench.ask_signed("clear", {"by": "p-4"})["accepted"]
    bench.step()
    assert bench.state["state"] == "idle"
    assert bench.events("machine-cleared")[0]["by"] == "p-4"


def test_an_idle_machine_that_was_unplugged_comes_back_by_itself(bench: MachineBench) -> None:
    bench.cable.unlink()
    bench.step(2)
    assert bench.state["state"] == "offline"
    bench.clock.advance(1.0)
    bench.step(2)
    assert "no such port" in bench.state["reason"]
    bench.cable.touch()
    bench.clock.advance(1.0)
    bench.step(3)
    assert bench.state["state"] == "idle"
    assert bench.events() == []


def test_the_port_is_tried_once_a_second(tmp_path: Path) -> None:
    bench = MachineBench(tmp_path, plugged=False)
    bench.step(5)
    bench.cable.touch()
    bench.step(5)
    assert bench.state["state"] == "offline"
    bench.clock.advance(1.0)
    bench.step(3)
    assert bench.state["state"] == "idle"
    assert len([line for line in bench.log if "cannot reach" in line]) == 1


def test_a_halted_firmware_needs_a_person_and_an_answer(bench: MachineBench) -> None:
    halt = bench.cable.with_name("cable.halt")
    bench.start()
    halt.touch()
    bench.step(2)
    assert (bench.state["state"], bench.state["trouble"]) == ("broken", "firmware-halted")
    types = [event["type"] for event in bench.events()]
    assert sorted(types) == ["job-failed", "job-started", "machine-broken"]

    answer = bench.ask_signed("clear")
    assert (answer["accepted"], answer["code"]) == (False, "machine-refused")
    halt.unlink()
    assert bench.ask_signed("clear")["accepted"]
    bench.step()
    assert bench.state["state"] == "idle"


def test_a_broken_machine_stays_broken_in_the_next_process(tmp_path: Path) -> None:
    first = MachineBench(tmp_path)
    first.become_idle()
    first.start()
    first.cable.unlink()
    first.step(2)
    first.cable.touch()

    second = MachineBench(tmp_path, boot="boot-2")
    second.step(3)

    assert (second.state["state"], second.state["trouble"]) == ("broken", "cable-lost")


# -- the life of the process -----------------------------------------------------------------------


def test_a_job_left_behind_is_told_as_interrupted_with_its_last_line(tmp_path: Path) -> None:
    first = MachineBench(tmp_path)
    first.become_idle()
    first.start()
    first.confirm(5)  # and now the process is killed

    second = MachineBench(tmp_path, boot="boot-2")
    second.begin()

    (told,) = second.events("job-interrupted")
    assert (told["job"], told["line"], told["trouble"]) == ("job-1", 5, "interrupted")
    assert (second.state["state"], second.state["trouble"]) == ("broken", "interrupted")
    assert second.sent.count("heaters off") == 2
    assert RunningMark(tmp_path / "machine").left_behind() is None
    assert HoldFile(tmp_path / "machine").hold is not None


def test_an_orderly_end_stops_the_job_and_tells_why(bench: MachineBench) -> None:
    bench.start()
    bench.confirm(2)
    bench.shut_down()

    (stopped,) = bench.events("job-stopped")
    assert (stopped["line"], stopped["reason"]) == (2, "fabctl was shut down.")
    assert bench.sent[-1] == "heaters off"
    assert (bench.state["state"], bench.state["reason"]) == ("offline", "fabctl was shut down.")
    assert bench.job["state"] == "none"
    assert RunningMark(bench.folder / "machine").left_behind() is None


def test_a_job_goes_on_without_a_broker_and_is_told_afterwards(bench: MachineBench) -> None:
    bench.start()
    bench.messages.said.clear()
    bench.messages.connected = False
    bench.confirm(LINES)
    assert bench.messages.said == []
    bench.messages.connected = True
    bench.reports.connected()
    bench.step()
    assert [event["type"] for event in bench.events()] == ["job-started", "job-finished"]
    assert bench.state["state"] == "idle"


def test_events_are_said_again_in_order_until_they_are_on_record(bench: MachineBench) -> None:
    bench.start()
    bench.confirm(LINES)
    bench.messages.said.clear()
    bench.clock.advance(5.0)
    bench.step()
    told = bench.events()
    assert [event["type"] for event in told] == ["job-started", "job-finished"]

    names = [{"boot": event["boot"], "seq": event["seq"]} for event in told]
    assert bench.ask_signed("recorded", {"events": names[:1]})["accepted"]
    bench.messages.said.clear()
    bench.clock.advance(5.0)
    bench.step()
    assert [event["type"] for event in bench.events()] == ["job-finished"]


def test_after_a_connect_all_that_the_broker_may_have_lost_is_said(bench: MachineBench) -> None:
    bench.start()
    bench.messages.said.clear()
    bench.reports.connected()
    bench.step()
    assert {one.topic for one in bench.messages.said if one.retain} == {
        TOPICS.meta("printer-a"),
        TOPICS.state("printer-a"),
        TOPICS.job("printer-a"),
        discovery("printer-a"),
    }
    assert [event["type"] for event in bench.events()] == ["job-started"]


def test_what_is_recorded_must_be_signed(bench: MachineBench) -> None:
    bench.start()
    (started,) = bench.events("job-started")
    names = [{"boot": started["boot"], "seq": started["seq"]}]
    assert bench.ask_openly("recorded", {"events": names})["accepted"] is False
    assert len(bench.journal) == 2  # the refusal is an event too


def test_a_long_absence_is_told_batch_by_batch_without_waiting(bench: MachineBench) -> None:
    bench.messages.connected = False
    for _ in range(120):
        bench.reports.event(EventType.MACHINE_CLEARED, by=None)
    bench.messages.connected = True
    bench.reports.connected()
    bench.step()
    for told_so_far in (50, 100, 120):
        assert len(bench.events()) == told_so_far
        bench.reports.recorded([(event["boot"], event["seq"]) for event in bench.events()])
    assert len(bench.journal) == 0


# -- a disk that fails -----------------------------------------------------------------------------


def test_a_hold_that_cannot_be_kept_leaves_the_mark(bench: MachineBench) -> None:
    bench.start()
    bench.confirm(3)
    (bench.folder / "machine" / ".broken.json.new").mkdir()  # in the way of every write
    bench.cable.unlink()
    bench.step(2)
    assert bench.events("job-failed")
    assert any("cannot be kept on the disk" in line for line in bench.log)

    bench.cable.touch()
    (bench.folder / "machine" / ".broken.json.new").rmdir()
    following = MachineBench(bench.folder, boot="boot-2")
    following.begin()
    assert following.state["state"] == "broken"


def test_a_start_that_cannot_be_noted_is_refused(bench: MachineBench) -> None:
    (bench.folder / "machine" / ".running.json.new").mkdir()
    answer = bench.ask_signed("start", bench.order())
    assert (answer["accepted"], answer["code"]) == (False, "local-fault")
    assert bench.state["state"] == "idle"


def test_events_that_cannot_be_kept_are_said_and_the_fault_is_shown(bench: MachineBench) -> None:
    bench.journal._db.execute("PRAGMA query_only = ON")
    bench.start()
    assert bench.events("job-started")
    assert "cannot be kept" in bench.state["reason"]
    assert len(bench.journal) == 0

    bench.journal._db.execute("PRAGMA query_only = OFF")
    bench.clock.advance(5.0)
    bench.step(2)
    assert len(bench.journal) == 1
    assert bench.state["reason"] is None


def test_a_journal_that_cannot_be_written_or_read_does_not_end_a_running_job(
    bench: MachineBench,
) -> None:
    bench.start()
    (told,) = bench.events("job-started")
    bench.journal._db.execute("PRAGMA query_only = ON")  # a card that turned read-only
    bench.reports.recorded([(told["boot"], told["seq"])])
    bench.step()
    assert "events cannot be kept" in bench.state["reason"].lower()
    assert bench.state["state"] == "running"
    bench.confirm(LINES)
    assert bench.events("job-finished")


def test_an_end_that_cannot_be_kept_leaves_the_mark_until_it_can(bench: MachineBench) -> None:
    bench.start()
    bench.journal._db.execute("PRAGMA query_only = ON")
    bench.confirm(LINES)
    assert bench.events("job-finished")
    assert RunningMark(bench.folder / "machine").left_behind() is not None

    bench.journal._db.execute("PRAGMA query_only = OFF")
    bench.clock.advance(5.0)
    bench.step(2)
    assert RunningMark(bench.folder / "machine").left_behind() is None


def test_an_end_that_was_never_kept_is_told_as_an_interruption_by_the_next_process(
    bench: MachineBench,
) -> None:
    bench.start()
    bench.journal._db.execute("PRAGMA query_only = ON")
    bench.confirm(LINES)
    following = MachineBench(bench.folder, boot="boot-2")  # and the process was killed
    following.begin()
    assert following.events("job-interrupted")
    assert following.state["state"] == "broken"


def test_who_asked_for_something_that_led_to_nothing_is_not_named_later(
    bench: MachineBench,
) -> None:
    assert bench.ask_openly("stop", {"by": "p-9"})["accepted"]  # nothing runs
    bench.start()
    bench.confirm(2)
    bench.shut_down()
    (stopped,) = bench.events("job-stopped")
    assert stopped.get("by") is None


def test_a_stop_while_the_cable_is_out_gives_up_what_was_being_prepared(
    bench: MachineBench,
) -> None:
    take_on_a_big_file(bench)
    bench.cable.unlink()
    bench.step(2)
    assert bench.state["state"] == "offline"
    answer = bench.ask_openly("stop", {"by": "p-2"})
    assert answer["accepted"]
    bench.cable.touch()
    bench.clock.advance(1.0)
    bench.step(5)
    assert not bench.events("job-started")
    (stopped,) = bench.events("job-stopped")
    assert stopped["by"] == "p-2"
