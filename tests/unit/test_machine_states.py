"""The machine's two tables, read whole."""

from __future__ import annotations

import pytest

from fabctl.hosting.machine_states import BY_PHASE, REQUESTS, refusal, state_of
from fabctl.messaging.payloads import MachineState
from fabctl.ports import Phase

PUBLISHED = [state for state in MachineState if state is not MachineState.UNKNOWN]
S = MachineState


def test_every_phase_has_a_state() -> None:
    assert set(BY_PHASE) == set(Phase)


@pytest.mark.parametrize("verb", REQUESTS)
def test_every_verb_has_an_answer_in_every_state(verb: str) -> None:
    assert set(REQUESTS[verb]) == set(PUBLISHED)


def test_coming_to_rest_is_not_running() -> None:
    assert state_of(Phase.PAUSING, held=False, taken=True) is S.PAUSING
    assert state_of(Phase.STOPPING, held=False, taken=True) is S.STOPPING
    refused = refusal("resume", S.PAUSING)
    assert refused is not None
    assert refused.code == "machine-pausing"


def test_a_pair_that_nobody_thought_of_is_an_error() -> None:
    with pytest.raises(KeyError):
        refusal("start", MachineState.UNKNOWN)
    with pytest.raises(KeyError):
        refusal("home", MachineState.IDLE)


@pytest.mark.parametrize("phase", Phase)
def test_a_held_machine_is_never_shown_as_usable(phase: Phase) -> None:
    assert state_of(phase, held=True, taken=False) in {S.BROKEN, S.OFFLINE}


@pytest.mark.parametrize("phase", Phase)
def test_a_job_that_was_taken_on_is_never_idle(phase: Phase) -> None:
    assert state_of(phase, held=False, taken=True) is not S.IDLE


@pytest.mark.parametrize(
    ("verb", "states"),
    [
        ("start", {S.IDLE}),
        ("pause", {S.RUNNING, S.PAUSING, S.PAUSED}),
        ("resume", {S.PAUSED}),
        ("stop", set(PUBLISHED) - {S.OFFLINE}),
        ("clear", {S.BROKEN}),
    ],
)
def test_what_may_be_asked_when(verb: str, states: set[MachineState]) -> None:
    assert {state for state in PUBLISHED if refusal(verb, state) is None} == states
