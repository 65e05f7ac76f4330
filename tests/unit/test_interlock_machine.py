"""A machine and its interlock: who may start, what a trip does to a job, what is told."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from fabctl.hosting.interlock_gate import InterlockGate
from fabctl.hosting.interlock_line import Heard
from fabctl.hosting.interlock_meter import Ran, WorkMeter
from fabctl.hosting.interlock_rules import ROWS, Act
from fabctl.hosting.preparation import Prepared
from fabctl.interlock import InterlockState
from fabctl.messaging.interlocks import UNKNOWN, InterlockPayload, PermitWord
from fabctl.messaging.payloads import MachineState, Stamp, encode
from fabctl.ports import Trouble
from tests.machine_bench import TOPICS, MachineBench

PERMIT = b'{"v": 1, "permit": "whatever", "mac": "00"}'
ON = frozenset({"armed", "running", "drain"})


class KeptLine:
    """Stands where the socket stands: a test says what the daemon says."""

    def __init__(self) -> None:
        self.bench: MachineBench | None = None
        self.heard: deque[Heard] = deque()
        self.asks = 0
        self.permits: list[bytes] = []
        self.drops: list[str] = []
        self.last = InterlockPayload(
            "locked", boot="i1", since_s=0.0, uptime_s=100.0, trips=0, outputs_on=False
        )
        self.talks = True

    def take(self) -> list[Heard]:
        taken = list(self.heard)
        self.heard.clear()
        return taken

    def forward(self, permit: bytes) -> bool:
        self.permits.append(permit)
        return len(permit) <= 1024

    def ask(self) -> int:
        self.asks += 1
        if self.talks:
            self._put()
        return self.asks

    def mishear(self, state: str, **more: Any) -> None:
        """Let the daemon be in a state that nobody has heard of yet."""
        self.say(state, **more)
        self.heard.pop()

    def drop(self, why: str) -> None:
        self.drops.append(why)

    def say(self, state: str, **more: Any) -> None:
        """Let the daemon be in a state, from now on."""
        since = self.last.since_s if state == self.last.state else 0.0
        trips = self.last.trips + (state == "tripped" != self.last.state)
        fields: dict[str, Any] = {"state": state, "since_s": since, "trips": trips}
        self.last = replace(self.last, outputs_on=state in ON, **(fields | more))
        self._put()

    def _put(self) -> None:
        assert self.bench is not None
        self.heard.append(Heard(self.bench.clock.monotonic(), self.last, self.asks))

    def pass_time(self, seconds: float) -> None:
        """Let time pass; the daemon speaks every 0.5 s while it talks."""
        assert self.bench is not None
        for _ in range(round(seconds / 0.5)):
            self.bench.clock.advance(0.5)
            uptime, since = self.last.uptime_s, self.last.since_s
            assert uptime is not None
            assert since is not None
            self.last = replace(self.last, uptime_s=uptime + 0.5, since_s=since + 0.5)
            if self.talks:
                self._put()
            self.bench.step()


class Laser(MachineBench):
    """A machine that takes files, with an interlock."""

    def __init__(self, folder: Path) -> None:
        self.line = KeptLine()
        super().__init__(folder, line=self.line)
        self.line.bench = self
        self.line.say("locked")

    def lock(self, state: str, **more: Any) -> None:
        """Let the interlock change, and the machine hear of it."""
        self.line.say(state, **more)
        self.step()

    def trip(self, cause: str = "lid-open") -> None:
        self.lock("tripped", cause=cause, first_cause=cause)

    def running(self) -> None:
        """Arm, and start a job that has confirmed two lines."""
        self.become_idle()
        self.lock("armed")
        self.start()
        self.lock("running")
        self.confirm(2)

    @property
    def said(self) -> list[dict[str, Any]]:
        return self.messages.on(TOPICS.interlock(self.machine))

    def end_of_job(self) -> dict[str, Any]:
        """Return the one end that was told, once the interlock has had its last word."""
        self.step(4)
        kinds = {"job-finished", "job-stopped", "job-failed"}
        ends = [event for event in self.events() if event["type"] in kinds]
        assert len(ends) == 1, self.events()
        return ends[0]


@pytest.fixture
def laser(tmp_path: Path) -> Laser:
    return Laser(tmp_path)


# -- the table -----------------------------------------------------------------------------------


def test_every_state_has_a_row_and_unknown_permits_nothing() -> None:
    assert set(ROWS) == {*InterlockState, UNKNOWN}
    assert ROWS[UNKNOWN].refused is not None
    assert ROWS[UNKNOWN].act is Act.PAUSE
    assert {state for state, row in ROWS.items() if row.refused is None} == {"armed", "running"}
    assert {state for state, row in ROWS.items() if row.act is Act.GO_ON} == ON


# -- starting ------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", sorted({*ROWS} - {"armed", "running", UNKNOWN}))
def test_nothing_starts_unless_armed(laser: Laser, state: str) -> None:
    laser.become_idle()
    laser.lock(state, fault="k1-welded" if state == "fault" else None)
    answer = laser.ask_signed("start", laser.order())
    assert answer["accepted"] is False
    assert answer["code"].startswith("interlock-")
    assert laser.events("job-started") == []
    assert "G28" not in laser.sent


def test_ready_says_to_press_the_green_button(laser: Laser) -> None:
    laser.become_idle()
    laser.lock("ready")
    answer = laser.ask_signed("start", laser.order())
    assert answer["code"] == "interlock-not-armed"
    assert "green button" in answer["reason"]


def test_silence_is_not_safe(laser: Laser) -> None:
    laser.become_idle()
    laser.lock("armed")
    laser.line.talks = False
    laser.line.pass_time(1.5)
    assert laser.state["state"] == "idle"
    laser.line.pass_time(0.5)
    assert laser.state["state"] == "blocked"
    assert laser.ask_signed("start", laser.order())["code"] == "interlock-unknown"
    assert laser.said[-1]["state"] == "unknown"


class HeldBack(SimpleQueue[Prepared]):
    """What was read is not there before the test says so, however quick the reading is."""

    is_held = True

    def empty(self) -> bool:
        return self.is_held or super().empty()


def test_a_job_does_not_begin_when_the_interlock_lets_go_while_its_file_is_read(
    laser: Laser,
) -> None:
    laser.become_idle()
    laser.lock("armed")
    read = laser.host._keeper._prepared = HeldBack()
    assert laser.ask_signed("start", laser.order())["accepted"] is True
    laser.line.say("locked")
    laser.gate.step()  # type: ignore[union-attr]
    read.is_held = False
    event = laser.wait_for("job-failed")
    assert "locked" in event["reason"]
    assert "G28" not in laser.sent


def test_a_fault_blocks_and_says_why(laser: Laser) -> None:
    laser.become_idle()
    laser.lock("fault", fault="k1-welded")
    laser.step()
    assert laser.state["state"] == "blocked"
    assert laser.state["reason"] == "Relay K1 does not let go."


def test_an_open_lid_alone_blocks_nothing_but_the_start(laser: Laser) -> None:
    laser.become_idle()
    laser.trip()
    assert laser.state["state"] == "idle"
    assert laser.ask_signed("start", laser.order())["code"] == "interlock-tripped"


# -- a job that runs -----------------------------------------------------------------------------


def test_a_trip_pauses_and_only_a_signed_resume_goes_on(laser: Laser) -> None:
    laser.running()
    laser.trip()
    laser.step()
    assert laser.state["state"] == "paused"
    (paused,) = laser.events("job-paused")
    assert "lid or door is open" in paused["reason"]
    assert laser.ask_signed("resume")["code"] == "interlock-tripped"
    laser.lock("ready")
    laser.step()
    assert laser.ask_signed("resume")["code"] == "interlock-not-armed"
    laser.lock("armed", cause=None, first_cause=None)
    assert laser.state["state"] == "paused"
    assert laser.ask("resume", b"{}")["accepted"] is False
    assert laser.ask_signed("resume")["accepted"] is True
    laser.step(2)
    assert laser.state["state"] == "running"
    laser.confirm(7)
    end = laser.end_of_job()
    assert end["type"] == "job-finished"
    assert f"line {paused['line']}: " in end["reason"]
    assert "lid or door is open" in end["reason"]


def test_a_resume_counts_for_a_minute_after_the_green_button(laser: Laser) -> None:
    laser.running()
    laser.trip()
    laser.step()
    laser.lock("ready")
    laser.lock("armed", cause=None, first_cause=None)
    laser.line.pass_time(60.5)
    answer = laser.ask_signed("resume")
    assert answer["code"] == "not-beside-machine"
    assert "beside" in answer["reason"]
    assert laser.ask_signed("resume", {"by": "p", "at_machine": "yes"})["accepted"] is False
    assert laser.state["state"] == "paused"
    assert laser.ask_signed("resume", {"by": "p", "at_machine": True})["accepted"] is True
    laser.step(2)
    assert laser.state["state"] == "running"


def test_a_pause_without_a_trip_is_gone_on_from_beside_the_machine_too(laser: Laser) -> None:
    laser.running()
    laser.line.pass_time(61.0)
    laser.lock("armed")  # it rests: no new press
    assert laser.ask_openly("pause")["accepted"] is True
    laser.step(2)
    assert laser.ask_signed("resume")["code"] == "not-beside-machine"
    laser.trip()
    laser.lock("ready")
    laser.lock("armed", cause=None, first_cause=None)
    laser.line.pass_time(30.0)
    assert laser.ask_signed("resume")["accepted"] is True


def test_an_arming_that_nobody_saw_is_no_press(laser: Laser) -> None:
    """This process began, or heard again, when the machine was at work already."""
    laser.line.heard.clear()
    laser.line.say("running", since_s=1.0)
    laser.become_idle()
    assert laser.gate is not None
    assert not laser.gate.pressed_lately
    laser.lock("armed", since_s=0.0)
    assert not laser.gate.pressed_lately


def test_a_machine_without_an_interlock_goes_on_from_anywhere(tmp_path: Path) -> None:
    bench = MachineBench(tmp_path)
    bench.become_idle()
    bench.start()
    bench.confirm(2)
    assert bench.ask_openly("pause")["accepted"] is True
    bench.step(2)
    assert bench.ask_signed("resume")["accepted"] is True


def test_a_job_that_goes_on_by_itself_after_a_trip_is_paused_again(laser: Laser) -> None:
    laser.running()
    laser.trip()
    laser.step()
    laser.driver.resume()  # the button at the machine's controller
    laser.step(2)
    assert laser.state["state"] == "paused"
    laser.lock("armed", cause=None, first_cause=None)
    laser.driver.resume()
    laser.step(2)
    assert laser.state["state"] == "paused"


def test_a_trip_that_nobody_heard_is_found_by_its_count(laser: Laser) -> None:
    laser.running()
    laser.lock("armed", trips=1)
    laser.step(2)
    assert laser.state["state"] == "paused"


def test_a_daemon_that_restarted_pauses_too(laser: Laser) -> None:
    laser.running()
    laser.lock("boot", boot="i2", uptime_s=0.0, trips=0)
    laser.step(2)
    assert laser.state["state"] == "paused"
    assert laser.events("interlock-boot")
    laser.lock("armed", boot="i2")
    assert laser.ask_signed("resume")["accepted"] is True


def test_a_silent_interlock_pauses(laser: Laser) -> None:
    laser.running()
    laser.line.talks = False
    laser.line.pass_time(2.0)
    laser.step(2)
    assert laser.state["state"] == "paused"
    assert laser.ask_signed("resume")["code"] == "interlock-unknown"


def test_a_fault_fails_the_job(laser: Laser) -> None:
    laser.running()
    laser.lock("fault", fault="k1-welded")
    laser.step(2)
    end = laser.end_of_job()
    assert (end["type"], end["trouble"]) == ("job-failed", Trouble.INTERLOCK)
    assert "K1" in end["reason"]
    assert laser.state["state"] == "broken"


def test_a_fault_fails_a_paused_job_too(laser: Laser) -> None:
    laser.running()
    laser.trip()
    laser.step()
    laser.lock("fault", fault="k1-welded")
    laser.step(2)
    assert laser.end_of_job()["trouble"] == Trouble.INTERLOCK


@pytest.mark.parametrize("state", ["locked", "ready"])
def test_a_lost_permission_fails_a_running_job(laser: Laser, state: str) -> None:
    laser.running()
    laser.lock("drain")
    laser.confirm(3)
    assert laser.state["state"] == "running"
    laser.lock(state)
    laser.step(2)
    end = laser.end_of_job()
    assert (end["type"], end["trouble"]) == ("job-failed", Trouble.INTERLOCK)
    assert "permission" in end["reason"]


def test_a_draining_job_finishes_in_order(laser: Laser) -> None:
    laser.running()
    laser.lock("drain")
    laser.confirm(7)
    assert laser.end_of_job()["type"] == "job-finished"


def test_a_job_that_a_person_paused_outlives_the_permission(laser: Laser) -> None:
    laser.running()
    assert laser.ask_openly("pause")["accepted"] is True
    laser.step(2)
    laser.lock("locked")
    laser.step(2)
    assert laser.state["state"] == "paused"
    assert laser.ask_signed("resume")["code"] == "interlock-locked"
    laser.lock("armed")
    assert laser.ask_signed("resume")["accepted"] is True


def test_what_ends_while_tripped_never_finished(laser: Laser) -> None:
    """A machine that cannot pause draws its last lines without the laser."""
    laser.running()
    laser.cable.with_name("cable.unwilling").touch()
    laser.trip()
    laser.step()
    assert laser.state["state"] == "running"
    assert "cannot be paused" in laser.state["reason"]
    laser.confirm(7)
    end = laser.end_of_job()
    assert (end["type"], end["trouble"]) == ("job-failed", Trouble.INTERLOCK)
    assert "lid or door" in end["reason"]


def test_a_trip_that_is_heard_after_the_end_is_none_the_less_before_it(laser: Laser) -> None:
    """The driver's word of the end overtook the daemon's of the trip."""
    laser.running()
    laser.line.mishear("tripped", cause="lid-open", first_cause="lid-open")
    laser.confirm(7)
    end = laser.end_of_job()
    assert (end["type"], end["trouble"]) == ("job-failed", Trouble.INTERLOCK)
    assert "lid or door" in end["reason"]
    assert laser.state["state"] == "broken"


@pytest.mark.parametrize("more", [{"trips": 1}, {"trips": 0, "boot": "i2", "since_s": 0.1}])
def test_armed_again_before_anybody_heard_is_no_finish(laser: Laser, more: dict[str, Any]) -> None:
    laser.running()
    laser.line.mishear("armed", **more)
    laser.confirm(7)
    assert laser.end_of_job()["type"] == "job-failed"


@pytest.mark.parametrize(("state", "fault"), [("fault", "k1-welded"), ("locked", None)])
def test_off_before_the_end_is_no_finish(laser: Laser, state: str, fault: str | None) -> None:
    laser.running()
    laser.line.mishear(state, fault=fault, since_s=0.2)
    laser.confirm(7)
    assert laser.end_of_job()["type"] == "job-failed"


def test_no_word_after_the_end_is_no_finish(laser: Laser) -> None:
    laser.running()
    laser.line.talks = False
    laser.confirm(7)
    laser.step(2)
    assert laser.events("job-finished") == []
    assert laser.state["state"] == "running"
    assert laser.job["job"] == "job-1"
    laser.line.pass_time(3.0)
    end = laser.end_of_job()
    assert (end["type"], end["trouble"]) == ("job-failed", Trouble.INTERLOCK)
    assert "Nobody knows" in end["reason"]


def test_one_word_after_the_end_is_not_enough(laser: Laser) -> None:
    """It may be of the scan before: the daemon was stopped, and tells what it knew."""
    laser.running()
    laser.line.talks = False
    laser.confirm(7)
    laser.line.talks = True
    laser.line._put()
    laser.line.say("tripped", cause="scan-stalled", first_cause="scan-stalled")
    assert laser.end_of_job()["type"] == "job-failed"


@pytest.mark.parametrize("state", ["tripped", "locked", "ready"])
def test_what_comes_after_the_end_does_not_undo_it(laser: Laser, state: str) -> None:
    laser.running()
    laser.line.talks = False
    laser.confirm(7)
    for _ in range(3):
        laser.clock.advance(0.3)
        laser.step()
    laser.line.talks = True
    trips = int(state == "tripped")
    laser.line.say(state, cause="lid-open" if trips else None, since_s=0.1)
    laser.clock.advance(0.3)
    laser.line.ask()
    assert laser.end_of_job()["type"] == "job-finished"


def test_a_stop_while_tripped_is_a_stop(laser: Laser) -> None:
    laser.running()
    laser.trip()
    laser.step()
    assert laser.ask_openly("stop")["accepted"] is True
    laser.step(2)
    assert laser.end_of_job()["type"] == "job-stopped"


# -- permits -------------------------------------------------------------------------------------


def test_a_permit_goes_through_unread(laser: Laser) -> None:
    laser.become_idle()
    assert laser.ask("permit", PERMIT)["accepted"] is True
    assert laser.line.permits == [PERMIT]


def test_a_kept_permit_is_dropped(laser: Laser) -> None:
    laser.become_idle()
    assert laser.ask("permit", PERMIT, retain=True)["code"] == "not-authentic"
    assert laser.line.permits == []


def test_a_flood_of_permits_is_not_handed_on(laser: Laser) -> None:
    laser.become_idle()
    answers = [laser.ask("permit", PERMIT)["code"] for _ in range(20)]
    assert answers[:5] == ["ok"] * 5
    assert set(answers[5:]) == {"too-many-permits"}
    assert len(laser.line.permits) == 5
    laser.clock.advance(1.0)
    assert laser.ask("permit", PERMIT)["code"] == "ok"


@pytest.mark.parametrize("payload", [b"", b"{}", b"\xff", b'{"v":1,"by":"p1"}'])
def test_anybody_may_end_a_permission_whatever_they_say(laser: Laser, payload: bytes) -> None:
    laser.become_idle()
    assert laser.ask("drop-permit", payload)["accepted"] is True
    assert len(laser.line.drops) == 1


def test_no_request_arms_resets_or_clears(laser: Laser) -> None:
    laser.become_idle()
    for verb in ("reset", "arm", "clear-fault", "bypass", "interlock"):
        assert laser.ask(verb, b"{}")["code"] == "malformed"
    assert laser.line.permits == []


def test_a_machine_without_an_interlock_takes_no_permit(tmp_path: Path) -> None:
    bench = MachineBench(tmp_path)
    bench.become_idle()
    assert bench.ask("permit", PERMIT)["code"] == "no-interlock"
    assert bench.ask("drop-permit", b"{}")["code"] == "no-interlock"


# -- what is told --------------------------------------------------------------------------------


def test_the_state_is_kept_said_on_change_and_again(laser: Laser) -> None:
    laser.become_idle()
    said = [one for one in laser.messages.said if one.topic == TOPICS.interlock(laser.machine)]
    assert {(one.retain, one.expiry_s) for one in said} == {(True, 6)}
    before = len(laser.said)
    laser.line.pass_time(10.0)
    assert 4 <= len(laser.said) - before <= 6
    before = len(laser.said)
    laser.trip()
    assert len(laser.said) == before + 1
    assert laser.said[-1]["first_cause"] == "lid-open"
    assert laser.said[-1]["interlock_boot"] == "i1"


def test_events_are_what_changed(laser: Laser) -> None:
    laser.running()
    laser.trip()
    laser.lock("ready")
    laser.lock("fault", fault="k1-welded")
    laser.lock("selftest", fault=None)
    kinds = [event["type"] for event in laser.events() if event["type"].startswith("interlock")]
    assert kinds == [
        "interlock-armed",
        "interlock-tripped",
        "interlock-fault",
        "interlock-cleared",
    ]
    assert laser.events("interlock-tripped")[0]["trouble"] == "lid-open"


def test_a_disk_in_trouble_is_published_and_told_once_a_minute(laser: Laser) -> None:
    laser.become_idle()
    for trouble in ("disk full", None, "disk full", None, "x" * 5000):
        laser.lock("locked", trouble=trouble)
        if trouble:
            assert laser.said[-1]["trouble"] == trouble
    assert [event["reason"] for event in laser.events("interlock-trouble")] == ["disk full"]
    laser.line.pass_time(61.0)
    laser.lock("locked", trouble=None)
    laser.lock("locked", trouble="disk gone")
    assert laser.events("interlock-trouble")[-1]["reason"] == "disk gone"


def test_a_long_trouble_is_cut_and_the_word_counts() -> None:
    said = {"state": "locked", "trouble": "x" * 5000}
    read = InterlockPayload.decode(encode(said, Stamp(datetime.now(UTC), True, "b", 1)))
    assert read.trouble == "x" * 200


def test_what_was_so_before_we_began_is_no_event(laser: Laser) -> None:
    laser.line.heard.clear()
    laser.line.say("tripped", cause="lid-open", first_cause="lid-open")
    laser.become_idle()
    assert [event for event in laser.events() if event["type"].startswith("interlock")] == []


def test_refused_permits_are_told_every_ten_seconds_at_most(laser: Laser) -> None:
    laser.become_idle()
    laser.lock("locked", permits_refused={"replayed": 2})
    laser.lock("locked", permits_refused={"replayed": 7, "malformed": 1})
    (first,) = laser.events("interlock-permit-refused")
    assert (first["trouble"], first["count"]) == ("replayed", 2)
    laser.line.pass_time(10.5)
    told = {(e["trouble"], e["count"]) for e in laser.events("interlock-permit-refused")[1:]}
    assert told == {("replayed", 5), ("malformed", 1)}


def test_the_end_of_the_process_leaves_unknown_behind(laser: Laser) -> None:
    laser.become_idle()
    laser.shut_down()
    assert laser.said[-1]["state"] == "unknown"


# -- working time --------------------------------------------------------------------------------


def word(state: str, uptime: float, since: float, use: str | None = None) -> InterlockPayload:
    permit = PermitWord(use, 5.0) if use else None
    return InterlockPayload(state, boot="b", since_s=since, uptime_s=uptime, permit=permit)


def counted(*words: InterlockPayload) -> dict[str, float]:
    meter = WorkMeter()
    told: list[Ran] = [ran for one in words for ran in meter.hear(one)]
    sums: dict[str, float] = {}
    for ran in [*told, *meter.take()]:
        sums[ran.use] = round(sums.get(ran.use, 0.0) + ran.seconds, 6)
    return sums


def test_work_is_counted_by_the_daemons_clock() -> None:
    found = counted(
        word("armed", 10, 2, "u"), word("running", 12, 0.5, "u"), word("running", 20, 8.5, "u"),
        word("armed", 21, 0.25, "u"),
    )  # fmt: skip
    assert found == {"u": 9.25}


def test_draining_is_work_of_the_use_it_began_for() -> None:
    found = counted(
        word("running", 10, 1, "u"), word("drain", 12, 1), word("drain", 15, 4, "v"),
        word("locked", 16, 0, "v"), word("armed", 17, 0, "v"), word("running", 18, 0, "v"),
        word("running", 20, 2, "v"),
    )  # fmt: skip
    assert found == {"u": 6.0, "v": 2.0}


def test_a_new_boot_or_a_gap_counts_nothing() -> None:
    later = replace(word("running", 300, 100, "u"), boot="c")
    assert counted(word("running", 10, 1, "u"), later) == {}
    assert counted(word("running", 10, 1, "u"), word("running", 5, 1, "u")) == {}


def test_lost_words_lose_no_work_that_is_known() -> None:
    """What a word says of its own state holds for the silence before it, and no more."""
    found = counted(word("running", 10, 1, "u"), word("running", 40, 31, "u"))
    assert found == {"u": 30.0}
    found = counted(word("running", 10, 1, "u"), word("armed", 12, 0.5, "u"))
    assert found == {"u": 1.5}
    assert counted(word("running", 10, 1, "u"), word("armed", 40, 5, "u")) == {}
    assert counted(word("running", 10, 1, "u"), word("running", 40, 5, "u")) == {"u": 5.0}


def test_long_work_is_told_meanwhile() -> None:
    meter = WorkMeter()
    meter.hear(word("running", 0, 0, "u"))
    told = [meter.hear(word("running", n / 2, n / 2, "u")) for n in range(1, 250)]
    assert [ran.seconds for one in told for ran in one] == [60.0, 60.0]


def test_the_machine_tells_the_work_of_a_use(laser: Laser) -> None:
    laser.become_idle()
    laser.lock("armed", permit=PermitWord("use-1", 9.0))
    laser.lock("running")
    laser.line.pass_time(20.0)
    laser.lock("armed")
    (ran,) = laser.events("interlock-ran")
    assert (ran["use"], ran["seconds"]) == ("use-1", 20.0)


# -- an opaque machine ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("running", "running"),
        ("drain", "running"),
        ("armed", "idle"),
        ("locked", "idle"),
        ("tripped", "idle"),
        ("fault", "blocked"),
    ],
)
def test_an_opaque_machine_runs_when_its_interlock_says_so(
    laser: Laser, state: str, shown: str
) -> None:
    gate = laser.gate
    assert isinstance(gate, InterlockGate)
    laser.become_idle()
    laser.lock(state)
    assert gate.shown(MachineState.IDLE, watched_only=True).value == shown
    assert gate.shown(MachineState.OFFLINE, watched_only=True) is MachineState.OFFLINE
