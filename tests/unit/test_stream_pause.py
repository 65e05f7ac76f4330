"""What ``fabctl stream`` makes of pauses, by the clock."""

from __future__ import annotations

import pytest

from fabctl.commands.stream_pause import MOST_REASONS, OnHold, Pauses
from fabctl.errors import LocalError
from fabctl.ports import Phase, PhaseChanged, WaitingForPerson


class Held:
    """A machine that does nothing by itself."""

    def __init__(self) -> None:
        self.phase = Phase.RUNNING
        self.asked: list[str] = []
        self.refusal: LocalError | None = None

    def pause(self) -> None:
        self.asked.append("pause")

    def resume(self) -> None:
        self.asked.append("resume")
        if self.refusal is not None:
            raise self.refusal


PAUSED = PhaseChanged(Phase.PAUSED, None, "a button")


def pauses(on_hold: OnHold) -> tuple[Pauses, Held, list[str]]:
    told: list[str] = []
    held = Held()
    return Pauses(held, on_hold, told.append, at_terminal=True), held, told


def test_a_hold_of_a_minute_fails_the_job_where_that_was_asked_for() -> None:
    one, _, told = pauses(OnHold.FAIL)
    one.changed(PAUSED, 100.0)
    assert told == ["paused: a button; Enter goes on, s stops; the job fails after 60 s of it"]
    assert one.tick(159.9) is None
    assert one.tick(160.0) == "held for 60 s and nobody went on: a button"


def test_a_hold_that_ended_in_time_does_not_count_towards_the_next() -> None:
    one, _, told = pauses(OnHold.FAIL)
    one.changed(PAUSED, 100.0)
    one.changed(PhaseChanged(Phase.RUNNING), 150.0)
    one.changed(PAUSED, 155.0)
    assert one.tick(200.0) is None
    assert (one.count, one.reasons) == (2, ["a button"])
    assert "running again" in told


@pytest.mark.parametrize("on_hold", [OnHold.FAIL, OnHold.RESUME])
def test_a_pause_asked_for_here_waits_whatever_the_option(on_hold: OnHold) -> None:
    one, held, _ = pauses(on_hold)
    one.pause()
    held.phase = Phase.PAUSED
    one.changed(PhaseChanged(Phase.PAUSED), 100.0)
    assert one.tick(1000.0) is None
    assert held.asked == ["pause"]
    assert one.reasons == ["you asked for it"]


def test_resume_tries_again_only_now_and_then() -> None:
    one, held, told = pauses(OnHold.RESUME)
    held.phase, held.refusal = Phase.PAUSED, LocalError("not yet")
    one.changed(PAUSED, 100.0)
    for tenth in range(310):
        assert one.tick(100.0 + tenth / 10) is None
    assert held.asked == ["resume"]
    assert told.count("not yet") == 1
    one.tick(131.5)
    assert held.asked == ["resume", "resume"]


def test_a_machine_that_waits_for_a_person_is_left_to_one() -> None:
    one, held, told = pauses(OnHold.RESUME)
    held.phase = Phase.PAUSED
    one.changed(PhaseChanged(Phase.PAUSED, None, "M0"), 100.0)
    one.waits(WaitingForPerson("turn the part"), 100.0)
    assert one.tick(200.0) is None
    assert held.asked == []
    assert told[-1] == "the machine waits for you: turn the part; Enter goes on, s stops"


def test_a_wait_without_a_pause_counts_and_ends_with_progress() -> None:
    one, held, told = pauses(OnHold.WAIT)
    one.waits(WaitingForPerson(None), 5.0)
    one.go_on()
    assert told[-1] == "it does not wait for us: go on at the machine itself"
    one.progressed()
    one.go_on()
    assert (one.count, len(told), held.asked) == (1, 2, [])


def test_a_long_pause_is_said_again() -> None:
    one, _, told = pauses(OnHold.WAIT)
    one.changed(PhaseChanged(Phase.PAUSED), 0.0)
    for second in range(700):
        one.tick(float(second))
    assert [line[:26] for line in told[1:]] == [
        "still paused after 5 min: ",
        "still paused after 10 min:",
    ]
    assert "the machine paused by itself" in told[1]


def test_reasons_are_kept_once_and_not_without_end() -> None:
    one, _, _ = pauses(OnHold.WAIT)
    for number in range(100):
        one.changed(PhaseChanged(Phase.PAUSED, None, f"reason {number // 2}"), float(number))
        one.changed(PhaseChanged(Phase.RUNNING), number + 0.5)
    assert one.count == 100
    assert len(one.reasons) == len(set(one.reasons)) == MOST_REASONS
