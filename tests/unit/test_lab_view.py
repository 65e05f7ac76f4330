"""The lab's view: what was said, how old it is, and when it is not believed any more."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fabctl.clock import ManualClock
from fabctl.messaging.lab_view import LabView
from fabctl.messaging.link import Received
from fabctl.messaging.payloads import (
    STATE_MAX_AGE_S,
    JobPayload,
    MachineState,
    PayloadError,
    PresencePayload,
    Stamp,
    StatePayload,
    encode,
)
from fabctl.messaging.topics import LabTopics

TOPICS = LabTopics("lab")
STAMP = Stamp(datetime(2026, 1, 1, tzinfo=UTC), True, "b", 1)


class Lab:
    """A view, and what is said to it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.view = LabView("lab", {"a": "pi1", "b": "pi2"}, self.clock)
        self.heard: list[tuple[str, str]] = []
        self.end = self.view.subscribe(lambda machine, kind: self.heard.append((machine, kind)))

    def take(
        self, topic: str, payload: bytes, *, kept: bool = False, left: int | None = STATE_MAX_AGE_S
    ) -> None:
        """Hand a message to the view; ``kept``: the broker had it from before."""
        self.view.take(Received(topic, payload, 1, kept, expiry_s=left))

    def state(
        self, state: MachineState, *, kept: bool = False, left: int | None = STATE_MAX_AGE_S
    ) -> None:
        """Say the state of machine a."""
        payload = StatePayload(state, reason="because", job="j").encode(STAMP)
        self.take(TOPICS.state("a"), payload, kept=kept, left=left)


@pytest.fixture
def lab() -> Lab:
    return Lab()


def test_nothing_heard_is_unknown(lab: Lab) -> None:
    assert lab.view.machine("a").state == "unknown"
    assert lab.view.machine("nobody").state == "unknown"
    assert [view.id for view in lab.view.all()] == ["a", "b"]


def test_a_state_is_believed_until_its_promise_is_over(lab: Lab) -> None:
    lab.state(MachineState.RUNNING)
    lab.clock.advance(STATE_MAX_AGE_S)
    view = lab.view.machine("a")
    assert (view.state, view.age_s, view.reason) == ("running", STATE_MAX_AGE_S, "because")
    lab.clock.advance(0.01)
    assert lab.view.machine("a").state == "unknown"


def test_a_kept_state_is_as_old_as_the_broker_counted(lab: Lab) -> None:
    lab.state(MachineState.RUNNING, kept=True, left=3)
    assert lab.view.machine("a").age_s == STATE_MAX_AGE_S - 3
    lab.clock.advance(3.5)
    assert lab.view.machine("a").state == "unknown"


def test_a_kept_state_of_unknown_age_is_not_believed(lab: Lab) -> None:
    lab.state(MachineState.IDLE, kept=True, left=None)
    assert lab.view.machine("a").state == "unknown"
    lab.state(MachineState.IDLE, kept=True, left=3600)
    assert lab.view.machine("a").state == "unknown"


def test_offline_is_believed_at_any_age(lab: Lab) -> None:
    lab.state(MachineState.OFFLINE, kept=True, left=None)
    lab.clock.advance(1000.0)
    assert lab.view.machine("a").state == "offline"


def test_a_host_that_is_gone_takes_its_machines_with_it(lab: Lab) -> None:
    lab.state(MachineState.IDLE)
    lab.take(TOPICS.host_status("pi1"), PresencePayload(False).encode(STAMP))
    assert lab.view.machine("a").state == "offline"
    assert lab.heard[-1] == ("a", "host")
    lab.take(TOPICS.host_status("pi1"), PresencePayload(True).encode(STAMP))
    assert lab.view.machine("a").state == "idle"


def test_a_jobs_progress_comes_and_goes(lab: Lab) -> None:
    lab.state(MachineState.RUNNING)
    lab.take(TOPICS.job("a"), JobPayload("j", 0.25, 10, 40, 90).encode(STAMP))
    view = lab.view.machine("a")
    assert (view.job, view.progress, view.line, view.lines, view.eta_s) == ("j", 0.25, 10, 40, 90)
    lab.take(TOPICS.job("a"), JobPayload(None).encode(STAMP))
    view = lab.view.machine("a")
    assert (view.progress, view.line, view.lines, view.eta_s) == (None, None, None, None)


def test_temperatures_are_forgotten_after_a_minute(lab: Lab) -> None:
    lab.take(
        TOPICS.telemetry("a", "temperatures"), encode({"nozzle_c": 200.5, "bed_c": None}, STAMP)
    )
    assert lab.view.machine("a").temperatures == {"nozzle_c": 200.5, "bed_c": None}
    lab.clock.advance(60.1)
    assert lab.view.machine("a").temperatures == {}


def test_position_feed_and_power_are_kept_with_their_age_for_a_minute(lab: Lab) -> None:
    assert lab.view.machine("a").position.age_s is None
    said = {"x_mm": 1.5, "y_mm": -2.0, "z_mm": None, "machine_x_mm": -98.5, "offset_x_mm": 100.0}
    lab.take(TOPICS.telemetry("a", "position"), encode(said, STAMP))
    lab.clock.advance(20)
    lab.take(TOPICS.telemetry("a", "feed"), encode({"feed_mm_per_min": 900, "other": 1}, STAMP))
    lab.take(TOPICS.telemetry("a", "power"), encode({"power": 12000, "flood": 1}, STAMP))
    lab.take(TOPICS.telemetry("a", "pins"), encode({"door": 1}, STAMP))
    view = lab.view.machine("a")
    assert dict(view.position.values) == {
        "x_mm": 1.5, "y_mm": -2.0, "z_mm": None, "machine_x_mm": -98.5,
    }  # fmt: skip
    assert (view.position.age_s, view.feed.age_s, view.power.age_s) == (20, 0, 0)
    assert (dict(view.feed.values), dict(view.power.values)) == (
        {"feed_mm_per_min": 900},
        {"power": 12000},
    )
    lab.clock.advance(40.1)
    view = lab.view.machine("a")
    assert (dict(view.position.values), view.position.age_s) == ({}, None)
    assert view.feed.age_s == pytest.approx(40.1)


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        b"[]",
        b'{"v":1,"x_mm":"<script>"}',
        b'{"v":1,"x_mm":NaN}',
        b'{"v":1,"x_mm":1e9}',
        b'{"v":1,"x_mm":true,"y_mm":1}',
        b'{"v":1,"x_mm":[1]}',
    ],
)
def test_a_hostile_position_changes_nothing(lab: Lab, payload: bytes) -> None:
    lab.take(TOPICS.telemetry("a", "position"), encode({"x_mm": 3}, STAMP))
    with pytest.raises(PayloadError):
        lab.take(TOPICS.telemetry("a", "position"), payload)
    assert dict(lab.view.machine("a").position.values) == {"x_mm": 3}


def test_a_thousand_names_in_a_position_are_not_kept(lab: Lab) -> None:
    many = {f"n{number}": 1.0 for number in range(1000)} | {"z_mm": 2.0}
    lab.take(TOPICS.telemetry("a", "position"), encode(many, STAMP))
    assert dict(lab.view.machine("a").position.values) == {"z_mm": 2.0}


def test_subscribers_hear_what_changed_until_they_leave(lab: Lab) -> None:
    before = lab.view.version
    lab.state(MachineState.IDLE)
    lab.take(TOPICS.event("b", "job-started"), b"{}")
    assert lab.heard == [("a", "state"), ("b", "event")]
    assert lab.view.version == before + 2
    lab.end()
    lab.end()
    lab.state(MachineState.IDLE)
    assert len(lab.heard) == 2


def test_a_malformed_message_changes_nothing(lab: Lab) -> None:
    lab.state(MachineState.IDLE)
    with pytest.raises(PayloadError):
        lab.take(TOPICS.state("a"), b"{")
    with pytest.raises(PayloadError):
        lab.take(TOPICS.host_status("pi1"), b'{"v":1,"state":"?"}')
    assert lab.view.machine("a").state == "idle"


def test_strangers_are_not_heard(lab: Lab) -> None:
    lab.take(TOPICS.state("stranger"), StatePayload(MachineState.IDLE).encode(STAMP))
    lab.take("fab/v1/other/m/a/state", StatePayload(MachineState.IDLE).encode(STAMP))
    assert lab.heard == []
    assert lab.view.machine("a").state == "unknown"


def test_the_last_words_of_hosts_and_of_the_steward(lab: Lab) -> None:
    assert lab.view.connected is None  # it follows no link
    assert [(one.id, one.online) for one in lab.view.hosts()] == [("pi1", None), ("pi2", None)]
    assert lab.view.steward().online is None
    lab.take(TOPICS.host_status("pi1"), PresencePayload(True).encode(STAMP))
    said = PresencePayload(True, {"recorded": 3}).encode(STAMP)
    lab.take(TOPICS.steward_status, said, kept=True)
    assert lab.view.steward().online is True
    assert lab.view.steward().age_s is None  # kept by the broker: nobody knows since when
    lab.take(TOPICS.steward_status, said)
    lab.clock.advance(7)
    assert lab.view.hosts()[0].age_s == 7
    steward = lab.view.steward()
    assert (steward.online, steward.age_s, steward.figures) == (True, 7, {"recorded": 3})
    lab.take(TOPICS.steward_status, PresencePayload(False).encode(STAMP))
    assert lab.view.steward().online is False
    assert lab.heard == [("a", "host")]
