"""What a reader believes of an interlock: read from the message, never longer than promised."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.clock import ManualClock
from fabctl.interlock import InputCondition, InputRole, InterlockState
from fabctl.messaging.interlocks import (
    INTERLOCK_MAX_AGE_S,
    InputWord,
    InterlockPayload,
    PermitWord,
)
from fabctl.messaging.lab_view import LabView
from fabctl.messaging.link import Received
from fabctl.messaging.payloads import (
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
READY = InterlockPayload(
    "ready",
    boot="i1",
    since_s=3.5,
    first_cause="lid-open",
    advice="press-reset",
    inputs={InputRole.LID_A: InputWord(InputCondition.PASSED, 12.0, None)},
    permit=PermitWord("use1", 8.25),
    permits_refused={"replayed": 2},
    outputs_on=False,
    active=False,
    trips=1,
    uptime_s=61.5,
    challenge="c" * 32,
)


class Lab:
    """A view of one laser, and what is said to it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.view = LabView("lab", {"laser": "pi1"}, self.clock)

    def take(self, topic: str, payload: bytes, *, kept: bool = False, left: int | None = 6) -> None:
        self.view.take(Received(topic, payload, 1, kept, expiry_s=left))

    def say(self, payload: InterlockPayload, *, kept: bool = False, left: int | None = 6) -> None:
        self.take(TOPICS.interlock("laser"), payload.encode(STAMP), kept=kept, left=left)


@pytest.fixture
def lab() -> Lab:
    return Lab()


def test_a_message_says_what_was_put_into_it(lab: Lab) -> None:
    lab.say(READY)
    found = lab.view.interlock("laser")
    assert found.last == READY
    assert found.state == "ready"
    assert found.condition(InputRole.LID_A).condition is InputCondition.PASSED
    assert found.condition(InputRole.FLOW).condition is InputCondition.UNKNOWN


def test_nothing_heard_and_nobody_heard_of_are_unknown(lab: Lab) -> None:
    assert lab.view.interlock("laser").state == "unknown"
    assert lab.view.interlock("nobody").state == "unknown"


def test_an_old_word_is_unknown_and_so_is_every_input(lab: Lab) -> None:
    lab.say(READY)
    lab.clock.advance(INTERLOCK_MAX_AGE_S)
    assert lab.view.interlock("laser").known
    lab.clock.advance(0.1)
    found = lab.view.interlock("laser")
    assert not found.known
    assert found.condition(InputRole.LID_A).condition is InputCondition.UNKNOWN
    assert found.said.outputs_on is None
    assert found.last == READY


def test_a_kept_word_is_as_old_as_its_expiry_says(lab: Lab) -> None:
    lab.say(READY, kept=True, left=2)
    assert lab.view.interlock("laser").age_s == pytest.approx(4)
    for nobody_knows in (None, 7):
        lab.say(READY, kept=True, left=nobody_knows)
        assert lab.view.interlock("laser").state == "unknown"


def test_a_machine_or_host_that_is_gone_takes_its_interlocks_word_with_it(lab: Lab) -> None:
    lab.say(READY)
    lab.take(TOPICS.state("laser"), StatePayload(MachineState.OFFLINE).encode(STAMP))
    assert not lab.view.interlock("laser").known
    lab.take(TOPICS.state("laser"), StatePayload(MachineState.IDLE).encode(STAMP))
    assert lab.view.interlock("laser").known
    lab.take(TOPICS.host_status("pi1"), PresencePayload(online=False).encode(STAMP))
    assert not lab.view.interlock("laser").known


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "safe"},
        {"state": "ready", "inputs": []},
        {"state": "ready", "inputs": {"lid_a": {"condition": "fine"}}},
        {"state": "ready", "permit": {"use": "u", "left_s": "8"}},
        {"state": "ready", "permits_refused": {"replayed": -1}},
        {"state": "ready", "outputs_on": 1},
        {"state": "ready", "max_age_s": 0},
        {"state": "ready", "max_age_s": 86_400},
    ],
)
def test_a_malformed_message_changes_nothing(lab: Lab, fields: dict[str, object]) -> None:
    lab.say(READY)
    with pytest.raises(PayloadError):
        lab.take(TOPICS.interlock("laser"), encode(fields, STAMP))
    assert lab.view.interlock("laser").last == READY


def test_an_input_that_a_newer_daemon_names_is_left_out() -> None:
    fields = {"state": "ready", "inputs": {"curtain": {"condition": "passed"}}}
    assert InterlockPayload.decode(encode(fields, STAMP)).inputs == {}


@given(st.sampled_from(InterlockState), st.integers(0, 10**6), st.floats(0, 1e6))
def test_every_state_can_be_said(state: InterlockState, trips: int, since: float) -> None:
    said = InterlockPayload(state, trips=trips, since_s=since)
    assert InterlockPayload.decode(said.encode(STAMP)) == said
