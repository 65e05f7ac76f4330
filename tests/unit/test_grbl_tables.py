"""The Grbl driver's tables of states: whole where the outside decides, closed where we do."""

from __future__ import annotations

import pytest

from fabctl.errors import LocalError
from fabctl.ports import Phase
from fabctl_drivers.grbl import arrival, halt, link, phases
from fabctl_drivers.grbl.answers import Heard
from fabctl_drivers.grbl.link import Link, State
from fabctl_drivers.grbl.phases import Move, next_phase
from fabctl_drivers.grbl.standing import VERDICTS, Sense, Verdict, sense, verdict

BY_ITSELF = (Heard.ALARM, Heard.BANNER, Heard.REPORT, Heard.NOTE)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("heard", [*BY_ITSELF, Heard.RESET])
def test_the_link_bears_whatever_comes_at_any_time(state: State, heard: Heard) -> None:
    assert (state, heard) in link.NEXT


@pytest.mark.parametrize("state", [State.READY, State.COUNTING, State.VOID])
@pytest.mark.parametrize("heard", [Heard.OK, Heard.ERROR])
def test_an_ok_too_many_is_borne(state: State, heard: Heard) -> None:
    assert (state, heard) in link.NEXT


def test_nothing_is_said_beside_a_line_that_goes_alone_nor_into_the_void() -> None:
    one = Link()
    one.send(b"G10L20P1X0\n", "a", alone=True)
    assert not one.has_room(2)
    with pytest.raises(LocalError, match="SENT has no place in state ALONE"):
        one.send(b"G1X1\n", "b")
    one.reset()
    with pytest.raises(LocalError, match="state VOID"):
        one.send(b"G1X1\n", "b")


def test_a_reset_forgets_lines_that_wait_to_be_written() -> None:
    one = Link()
    one.send(b"G1X1\n", "a")
    one.reset()
    assert one.take_output() == b"\x18"
    assert (one.in_flight, one.oldest) == (0, None)


@pytest.mark.parametrize("stage", [s for s in halt.Stage if s.name not in {"DONE", "FAILED"}])
@pytest.mark.parametrize("cue", halt.Cue)
def test_the_way_to_rest_has_an_answer_to_everything(stage: halt.Stage, cue: halt.Cue) -> None:
    assert (stage, cue) in halt.NEXT


@pytest.mark.parametrize("stage", [s for s in arrival.Stage if s is not arrival.Stage.DONE])
@pytest.mark.parametrize("cue", arrival.Cue)
def test_an_arrival_has_an_answer_to_everything(stage: arrival.Stage, cue: arrival.Cue) -> None:
    assert (stage, cue) in arrival.NEXT


def test_every_phase_has_a_verdict_about_every_state() -> None:
    assert set(VERDICTS) == {(phase, one) for phase in Phase for one in Sense}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("Hold:0", Sense.HELD),
        ("Hold:1", Sense.HOLDING),
        ("Door:0", Sense.HELD),
        ("Door:1", Sense.HELD),
        ("Door:2", Sense.HOLDING),
        ("Door:3", Sense.AT_WORK),
        ("Alarm", Sense.LOCKED),
        ("Home", Sense.AT_WORK),
        ("Newer", Sense.AT_WORK),
    ],
)
def test_what_a_state_is(state: str, expected: Sense) -> None:
    assert sense(state) is expected


def test_a_lock_is_never_overlooked_while_a_job_runs() -> None:
    for phase in (Phase.RUNNING, Phase.PAUSING, Phase.PAUSED, Phase.IDLE):
        assert verdict(phase, "Alarm") is Verdict.LOCKED


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
        (Move.HOME, {Phase.BROKEN, Phase.IDLE}),
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
    ways = {
        move
        for (phase, move), after in phases.NEXT.items()
        if phase is Phase.BROKEN and after not in {Phase.BROKEN, Phase.CLOSED}
    }
    assert ways == {Move.CLEAR, Move.HOME}
