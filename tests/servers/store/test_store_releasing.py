"""A machine that will never speak again is released; if it speaks after all, its word counts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from fabctl.errors import InputError, LocalError
from fabctl.model.refusal import RefusedError
from fabctl.services import releasing, uses
from fabctl.services.audit import lines_about
from fabctl.services.jobs import JobView
from tests.servers.store.conftest import Lab
from tests.servers.store.jobs_at_work import (
    answer,
    ask,
    hear,
    job_now,
    prepare,
    started,
    sweep,
    uses_of,
)


def release(lab: Lab, job: JobView, reason: str = "its computer burnt") -> JobView:
    with lab.database.transaction() as session:
        return releasing.release(session, lab.clock, job_id=job.id, reason=reason, by=lab.awa)


def running(lab: Lab, files: Path) -> JobView:
    job = started(lab, files)
    hear(lab, job, "job-started", 1)
    lab.clock.advance(60)
    return job


@pytest.mark.parametrize("said", [(), ("job-started",), ("job-started", "job-paused")])
def test_the_job_counts_as_failed_and_the_machine_is_free(
    lab: Lab, tmp_path: Path, said: tuple[str, ...]
) -> None:
    job = started(lab, tmp_path)
    for seq, kind in enumerate(said):
        hear(lab, job, kind, seq)
    lab.clock.advance(60)
    released = release(lab, job)
    assert (released.state, released.trouble) == ("failed", "released")
    assert (released.reason, released.ended_at) == ("its computer burnt", lab.clock.now())
    assert [(use.outcome, use.closed_at) for use in uses_of(lab, job)] == [
        ("released", lab.clock.now())
    ]
    lab.clock.advance(60)
    assert sweep(lab) == []
    ask(lab, prepare(lab, tmp_path, lab.lea), lab.lea)


def test_who_released_it_and_why_is_on_record(lab: Lab, tmp_path: Path) -> None:
    job = running(lab, tmp_path)
    release(lab, job)
    with lab.database.reading() as session:
        line = lines_about(session, f"job:{job.id}")[-1]
    assert (line.who, line.what) == (lab.awa, "job.released")
    assert line.details == {
        "resource": "printer-a",
        "was": "running",
        "reason": "its computer burnt",
    }


def test_a_job_that_is_not_on_its_machine_is_not_released(lab: Lab, tmp_path: Path) -> None:
    job = running(lab, tmp_path)
    with pytest.raises(InputError, match="with a reason"):
        release(lab, job, reason=" ")
    assert job_now(lab, job).state == "running"
    for unfit in (prepare(lab, tmp_path, lab.lea), release(lab, job)):
        with pytest.raises(LocalError, match="cannot release"):
            release(lab, unfit)
    assert job_now(lab, job).reason == "its computer burnt"


@pytest.mark.parametrize("outcome", ["finished", "stopped", "failed", "interrupted"])
def test_the_real_end_replaces_the_release(lab: Lab, tmp_path: Path, outcome: str) -> None:
    job = running(lab, tmp_path)
    ended = lab.clock.now()
    lab.clock.advance(3600)
    release(lab, job)
    lab.clock.advance(3600)
    assert hear(lab, job, f"job-{outcome}", 2, at=ended, line=3)
    found = job_now(lab, job)
    assert (found.state, found.trouble, found.reason) == (outcome, None, None)
    assert (found.line, found.ended_at) == (3, ended)
    assert [(use.outcome, use.closed_at) for use in uses_of(lab, job)] == [(outcome, ended)]
    assert not hear(lab, job, f"job-{outcome}", 2, at=ended, line=3)


def test_a_sign_of_life_gives_the_machine_back_to_its_job(lab: Lab, tmp_path: Path) -> None:
    job = running(lab, tmp_path)
    release(lab, job)
    hear(lab, job, "job-paused", 2)
    found = job_now(lab, job)
    assert (found.state, found.trouble, found.reason, found.ended_at) == (
        "paused",
        None,
        None,
        None,
    )
    assert [use.closed_at for use in uses_of(lab, job)] == [None]
    with pytest.raises(RefusedError) as refused:
        ask(lab, prepare(lab, tmp_path, lab.lea), lab.lea)
    assert refused.value.codes == {"machine-busy"}
    assert release(lab, job).state == "failed"


def test_news_from_before_what_was_known_changes_nothing(lab: Lab, tmp_path: Path) -> None:
    job = started(lab, tmp_path)
    began = lab.clock.now()
    hear(lab, job, "job-paused", 2)
    lab.clock.advance(60)
    before = release(lab, job)
    hear(lab, job, "job-started", 1, at=began)
    assert (job_now(lab, job).state, job_now(lab, job).ended_at) == ("failed", before.ended_at)
    assert job_now(lab, job).started_at == began
    assert [use.outcome for use in uses_of(lab, job)] == ["released"]


def test_the_next_persons_use_stays_theirs(lab: Lab, tmp_path: Path) -> None:
    job = running(lab, tmp_path)
    release(lab, job)
    lab.clock.advance(60)
    other = prepare(lab, tmp_path, lab.lea)
    ask(lab, other, lab.lea)
    hear(lab, job, "job-paused", 2)
    assert [use.outcome for use in uses_of(lab, job)] == ["released"]
    hear(lab, job, "job-stopped", 3, at=lab.clock.now() - timedelta(seconds=90))
    assert [use.outcome for use in uses_of(lab, job)] == ["stopped"]
    with lab.database.reading() as session:
        found = uses.open_use_on(session, resource_id="printer-a")
    assert found is not None
    assert found.job_id == other.id


@pytest.mark.parametrize("accepted", [True, False])
def test_an_answer_to_the_start_that_comes_after_it_changes_nothing(
    lab: Lab, tmp_path: Path, accepted: bool
) -> None:
    job = started(lab, tmp_path)
    before = release(lab, job)
    answer(lab, job, accepted=accepted, code="busy")
    assert job_now(lab, job) == before
