"""The driver's tables of states: whole where the outside decides, closed where we do."""

from __future__ import annotations

import pytest

from fabctl.errors import LocalError
from fabctl.ports import Phase
from fabctl_drivers.marlin import conversation, greeting, phases
from fabctl_drivers.marlin.answers import Answer, Heard
from fabctl_drivers.marlin.conversation import State
from fabctl_drivers.marlin.greeting import Cue, Stage
from fabctl_drivers.marlin.link import Link
from fabctl_drivers.marlin.phases import Move, next_phase

FROM_THE_FIRMWARE = (
    Heard.OK,
    Heard.RESEND,
    Heard.BUSY,
    Heard.WAIT,
    Heard.START,
    Heard.HALT,
    Heard.NOTE,
)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("heard", FROM_THE_FIRMWARE)
def test_the_link_has_an_answer_to_whatever_a_firmware_says(state: State, heard: Heard) -> None:
    assert (state, heard) in conversation.NEXT


def test_every_state_of_the_link_can_be_reached_from_ready() -> None:
    reached = {State.READY}
    for _ in State:
        reached |= {after for (before, _), after in conversation.NEXT.items() if before in reached}
    assert reached == set(State)


@pytest.mark.parametrize("state", [State.RESET, State.HALTED, State.LOST])
def test_a_link_that_is_over_says_nothing_more(state: State) -> None:
    assert (state, Heard.SENT) not in conversation.NEXT
    assert (state, Heard.QUIET) not in conversation.NEXT


def test_a_missing_pair_is_a_mistake_of_ours() -> None:
    one = Link(last_number=1, baud=250_000)
    one.hear(Answer(Heard.HALT, text=b"!! dead"), 0.0)
    with pytest.raises(LocalError, match="SENT has no place in state HALTED"):
        one.send(b"G28", None, 0.0)


def test_a_dead_link_hears_on_without_a_word() -> None:
    one = Link(last_number=1, baud=250_000)
    one.hear(Answer(Heard.HALT, text=b"!! dead"), 0.0)
    one.events.clear()
    for heard in (Heard.OK, Heard.RESEND, Heard.BUSY, Heard.WAIT, Heard.NOTE):
        one.hear(Answer(heard, 1), 1.0)
        one.tick(100.0)
    assert one.events == []
    assert one.take_output() == b""


@pytest.mark.parametrize("stage", [s for s in Stage if s not in {Stage.DONE, Stage.FAILED}])
@pytest.mark.parametrize("cue", Cue)
def test_the_greeting_has_an_answer_to_everything(stage: Stage, cue: Cue) -> None:
    assert (stage, cue) in greeting.NEXT


def test_the_greeting_can_end_both_ways() -> None:
    assert {Stage.DONE, Stage.FAILED} <= set(greeting.NEXT.values())


@pytest.mark.parametrize("phase", Phase)
def test_stop_and_a_lost_port_are_possible_in_every_phase(phase: Phase) -> None:
    assert (phase, Move.STOP) in phases.NEXT
    assert next_phase(phase, Move.PORT_LOST) is Phase.CLOSED


@pytest.mark.parametrize(
    ("move", "allowed"),
    [
        (Move.START, {Phase.IDLE}),
        (Move.PAUSE, {Phase.RUNNING}),
        (Move.RESUME, {Phase.PAUSED}),
        (Move.CLEAR, {Phase.BROKEN, Phase.IDLE}),
        (Move.OPENED, {Phase.CLOSED}),
    ],
)
def test_requests_are_refused_where_they_make_no_sense(move: Move, allowed: set[Phase]) -> None:
    for phase in Phase:
        if phase in allowed:
            next_phase(phase, move)
        else:
            with pytest.raises(LocalError, match=f"the machine is {phase.value}"):
                next_phase(phase, move)


def test_only_a_person_leads_out_of_broken() -> None:
    ways = {move for (phase, move), after in phases.NEXT.items() if phase is Phase.BROKEN
            and after not in {Phase.BROKEN, Phase.CLOSED}}  # fmt: skip
    assert ways == {Move.CLEAR}
