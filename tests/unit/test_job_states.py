"""The table of a job's states, and events that come late, twice, or the wrong way round."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from fabctl.errors import LocalError
from fabctl.model.event import EventKind, MachineEvent
from fabctl.model.job import (
    ENDED,
    NEXT,
    ON_MACHINE,
    SAID_BY_MACHINE,
    JobProgress,
    JobState,
    Step,
    after,
    applied,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BY_PEOPLE = {Step.ASK, Step.REFUSE, Step.GIVE_UP, Step.RELEASE, Step.WITHDRAW}


def said(kind: EventKind, seq: int, line: int | None = None, boot: str = "b1") -> MachineEvent:
    return MachineEvent("printer-a", boot, seq, kind, job="j", line=line)


def played(*events: MachineEvent) -> JobProgress:
    """Apply events as they come, each at 9:00 plus its number in minutes."""
    job = JobProgress(JobState.STARTING)
    for event in events:
        job = applied(job, event, NOW + timedelta(minutes=event.seq))
    return job


def test_every_word_of_a_machine_is_understood_in_every_state() -> None:
    missing = {
        (state, step)
        for state in JobState
        for step in SAID_BY_MACHINE.values()
        if (state, step) not in NEXT
    }
    assert not missing


def test_nothing_leaves_an_end() -> None:
    assert all(to is at for (at, _), to in NEXT.items() if at in ENDED)


def test_people_move_a_job_only_along_these() -> None:
    moves = {(at, step): to for (at, step), to in NEXT.items() if step in BY_PEOPLE}
    assert moves == {
        (JobState.PREPARED, Step.ASK): JobState.STARTING,
        (JobState.STARTING, Step.REFUSE): JobState.PREPARED,
        (JobState.STARTING, Step.GIVE_UP): JobState.UNANSWERED,
        (JobState.STARTING, Step.RELEASE): JobState.UNANSWERED,
        (JobState.RUNNING, Step.RELEASE): JobState.UNANSWERED,
        (JobState.PAUSED, Step.RELEASE): JobState.UNANSWERED,
        (JobState.PREPARED, Step.WITHDRAW): JobState.WITHDRAWN,
    }


@pytest.mark.parametrize("state", [state for state in JobState if state != JobState.PREPARED])
def test_a_job_is_asked_to_start_once(state: JobState) -> None:
    with pytest.raises(LocalError, match=f"{state} cannot ask"):
        after(state, Step.ASK)


def test_a_use_is_open_exactly_while_the_machine_has_or_may_have_the_job() -> None:
    assert {JobState.STARTING, JobState.RUNNING, JobState.PAUSED} == ON_MACHINE


STORY = (
    said(EventKind.JOB_STARTED, 1),
    said(EventKind.JOB_PAUSED, 2, 100),
    said(EventKind.JOB_RESUMED, 3, 100),
    said(EventKind.JOB_FINISHED, 4, 900),
)


@pytest.mark.parametrize("order", list(permutations(STORY)), ids=lambda o: str([e.seq for e in o]))
def test_whatever_the_order_the_end_is_right(order: tuple[MachineEvent, ...]) -> None:
    job = played(*order)
    assert (job.state, job.line) == (JobState.FINISHED, 900)
    assert job.started_at == NOW + timedelta(minutes=1)
    assert job.ended_at == NOW + timedelta(minutes=4)


@pytest.mark.parametrize("order", list(permutations(STORY[:3])))
def test_without_an_end_the_newest_event_counts(order: tuple[MachineEvent, ...]) -> None:
    job = played(*order)
    assert job.state is JobState.RUNNING
    assert job.started_at == NOW + timedelta(minutes=1)
    assert job.ended_at is None


def test_a_repeated_event_changes_nothing() -> None:
    assert played(*STORY, *STORY) == played(*STORY)


def test_an_interruption_comes_from_the_next_boot() -> None:
    job = played(STORY[0], STORY[1], said(EventKind.JOB_INTERRUPTED, 0, 120, boot="b2"))
    assert (job.state, job.line) == (JobState.INTERRUPTED, 120)


def test_the_first_end_stays() -> None:
    job = played(STORY[0], STORY[3], said(EventKind.JOB_INTERRUPTED, 0, 120, boot="b2"))
    assert (job.state, job.line) == (JobState.FINISHED, 900)


def test_the_end_keeps_the_last_known_line_and_says_why() -> None:
    failed = MachineEvent(
        "printer-a", "b1", 9, "job-failed", job="j", trouble="cable-lost", reason="gone"
    )
    job = played(STORY[0], STORY[1], failed)
    assert (job.line, job.trouble, job.reason) == (100, "cable-lost", "gone")


def test_a_machine_that_began_after_all_is_believed() -> None:
    unanswered = JobProgress(after(JobState.STARTING, Step.GIVE_UP))
    assert applied(unanswered, STORY[0], NOW).state is JobState.RUNNING
    assert applied(unanswered, STORY[3], NOW).state is JobState.FINISHED


@pytest.mark.parametrize("kind", ["machine-broken", "request-refused", "of a later version"])
def test_other_events_leave_a_job_alone(kind: str) -> None:
    job = played(STORY[0])
    assert applied(job, MachineEvent("printer-a", "b1", 7, kind, job="j"), NOW) is job
