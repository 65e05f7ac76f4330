"""The record of what machines report: once each, right in the end whatever the order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest
from sqlalchemy import func, select

from fabctl.errors import UnknownIdError
from fabctl.model.refusal import RefusedError
from fabctl.services import jobs
from fabctl.services.audit import NAMED, lines_about
from fabctl.store.tables import MachineEventRow
from tests.servers.store.conftest import Lab
from tests.servers.store.jobs_at_work import (
    ask,
    asked,
    book_now,
    hear,
    job_now,
    prepare,
    started,
    sweep,
    uses_of,
)


def events(lab: Lab) -> int:
    with lab.database.reading() as session:
        return session.scalar(select(func.count()).select_from(MachineEventRow)) or 0


def test_a_print_from_start_to_end(lab: Lab, tmp_path: Path) -> None:
    job = started(lab, tmp_path)
    began = lab.clock.now()
    assert hear(lab, job, "job-started", 1)
    assert (job_now(lab, job).state, job_now(lab, job).started_at) == ("running", began)
    lab.clock.advance(600)
    assert hear(lab, job, "job-finished", 2, line=3, commands=3, resends=1, seconds=600.0)
    done = job_now(lab, job)
    assert (done.state, done.line, done.ended_at) == ("finished", 3, lab.clock.now())
    (use,) = uses_of(lab, job)
    assert (use.closed_at, use.outcome) == (lab.clock.now(), "finished")


@pytest.mark.parametrize("outcome", ["finished", "stopped", "failed", "interrupted"])
def test_every_end_closes_the_use_and_frees_the_machine(
    lab: Lab, tmp_path: Path, outcome: str
) -> None:
    job = started(lab, tmp_path)
    hear(lab, job, f"job-{outcome}", 2, trouble="cable-lost", reason="gone", line=2)
    found = job_now(lab, job)
    assert (found.state, found.trouble, found.reason, found.line) == (
        outcome,
        "cable-lost",
        "gone",
        2,
    )
    assert [use.outcome for use in uses_of(lab, job)] == [outcome]
    ask(lab, prepare(lab, tmp_path, lab.lea), lab.lea)


def test_an_event_is_recorded_once(lab: Lab, tmp_path: Path) -> None:
    job = started(lab, tmp_path)
    assert hear(lab, job, "job-started", 1)
    assert not hear(lab, job, "job-started", 1)
    assert hear(lab, job, "job-finished", 2)
    lab.clock.advance(60)
    before = (job_now(lab, job), uses_of(lab, job), events(lab))
    assert not hear(lab, job, "job-finished", 2)
    assert not hear(lab, job, "job-started", 1)
    assert (job_now(lab, job), uses_of(lab, job), events(lab)) == before
    assert hear(lab, job, "job-started", 1, boot="b2")


STORY = (("job-started", 1), ("job-paused", 2), ("job-resumed", 3), ("job-finished", 4))


@pytest.mark.parametrize(
    "order", list(permutations(STORY))[::5], ids=lambda o: str([s for _, s in o])
)
def test_events_out_of_order_are_right_in_the_end(
    lab: Lab, tmp_path: Path, order: tuple[tuple[str, int], ...]
) -> None:
    job = started(lab, tmp_path)
    began = lab.clock.now()
    lab.clock.advance(3600)
    for kind, seq in order:
        hear(lab, job, kind, seq, at=began + timedelta(minutes=seq))
    found = job_now(lab, job)
    assert (found.state, found.started_at, found.ended_at) == (
        "finished",
        began + timedelta(minutes=1),
        began + timedelta(minutes=4),
    )
    assert [(use.closed_at, use.outcome) for use in uses_of(lab, job)] == [
        (began + timedelta(minutes=4), "finished")
    ]


def test_the_end_that_comes_before_the_start_leaves_the_machine_free(
    lab: Lab, tmp_path: Path
) -> None:
    job = started(lab, tmp_path)
    hear(lab, job, "job-finished", 2)
    ask(lab, prepare(lab, tmp_path, lab.lea), lab.lea)
    hear(lab, job, "job-started", 1)
    assert job_now(lab, job).state == "finished"


def test_a_crashed_machine_reports_the_interruption_from_its_next_boot(
    lab: Lab, tmp_path: Path
) -> None:
    job = started(lab, tmp_path)
    hear(lab, job, "job-started", 7)
    lab.clock.advance(60)
    hear(lab, job, "job-interrupted", 0, boot="b2", line=2, trouble="interrupted")
    found = job_now(lab, job)
    assert (found.state, found.line, found.trouble) == ("interrupted", 2, "interrupted")
    hear(lab, job, "job-paused", 8)
    assert job_now(lab, job).state == "interrupted"


def test_a_wrong_clock_is_not_believed_and_none_is_needed(lab: Lab, tmp_path: Path) -> None:
    job = started(lab, tmp_path)
    long_ago = lab.clock.now() - timedelta(days=20000)
    hear(lab, job, "job-started", 1, at=long_ago, synced=False)
    assert job_now(lab, job).started_at == lab.clock.now()
    lab.clock.advance(5)
    hear(lab, job, "job-finished", 2, at=None)
    assert job_now(lab, job).ended_at == lab.clock.now()


def test_an_end_is_neither_in_the_future_nor_before_its_use(lab: Lab, tmp_path: Path) -> None:
    job = started(lab, tmp_path)
    opened = lab.clock.now()
    hear(lab, job, "job-finished", 2, at=opened - timedelta(seconds=3))
    assert [use.closed_at for use in uses_of(lab, job)] == [opened]
    second = prepare(lab, tmp_path, lab.lea)
    ask(lab, second, lab.lea)
    hear(lab, second, "job-finished", 3, at=opened + timedelta(days=1))
    assert [use.closed_at for use in uses_of(lab, second)] == [opened]


def test_a_machine_that_said_yes_may_check_its_file_for_longer_than_an_answer_takes(
    lab: Lab, tmp_path: Path
) -> None:
    job = started(lab, tmp_path)
    lab.clock.advance(600)
    assert sweep(lab) == []
    assert job_now(lab, job).state == "starting"
    assert [use.closed_at for use in uses_of(lab, job)] == [None]


def test_a_machine_that_has_the_job_has_answered(lab: Lab, tmp_path: Path) -> None:
    job = asked(lab, tmp_path)
    lab.clock.advance(31)
    assert sweep(lab, word=True) == []
    lab.clock.advance(600)
    assert sweep(lab, word=False) == []  # it is checking the file: its event tells how that ends
    assert job_now(lab, job).state == "starting"
    assert [use.closed_at for use in uses_of(lab, job)] == [None]
    hear(lab, job, "job-failed", 1, trouble="file-unreadable")
    assert job_now(lab, job).state == "failed"


def test_a_silent_machine_is_waited_for_a_while(lab: Lab, tmp_path: Path) -> None:
    job = asked(lab, tmp_path)
    lab.clock.advance(119)
    assert sweep(lab, word=None) == []
    lab.clock.advance(1)
    assert sweep(lab, word=None) == [job.id]


def test_a_machine_that_began_after_all_gets_its_use_back(lab: Lab, tmp_path: Path) -> None:
    job = asked(lab, tmp_path)
    lab.clock.advance(31)
    sweep(lab)
    hear(lab, job, "job-started", 1)
    assert job_now(lab, job).state == "running"
    assert job_now(lab, job).trouble is None
    assert [use.closed_at for use in uses_of(lab, job)] == [None]
    with pytest.raises(RefusedError) as refused:
        ask(lab, prepare(lab, tmp_path, lab.lea), lab.lea)
    assert refused.value.codes == {"machine-busy"}
    hear(lab, job, "job-stopped", 2)
    assert [use.outcome for use in uses_of(lab, job)] == ["stopped"]


def test_a_use_that_cannot_come_back_is_closed_with_the_machines_own_end(
    lab: Lab, tmp_path: Path
) -> None:
    job = asked(lab, tmp_path)
    lab.clock.advance(31)
    sweep(lab)
    other = prepare(lab, tmp_path, lab.lea)
    ask(lab, other, lab.lea)
    hear(lab, job, "job-started", 1)
    assert [use.outcome for use in uses_of(lab, job)] == ["unanswered"]
    lab.clock.advance(10)
    hear(lab, job, "job-finished", 2)
    assert [(use.outcome, use.closed_at) for use in uses_of(lab, job)] == [
        ("finished", lab.clock.now())
    ]
    assert [use.closed_at for use in uses_of(lab, other)] == [None]


def test_who_paused_and_stopped_is_on_record_also_when_nobody_was_signed_in(
    lab: Lab, tmp_path: Path
) -> None:
    job = started(lab, tmp_path)
    hear(lab, job, "job-started", 1, by=lab.lea)
    hear(lab, job, "job-paused", 2, by=None)
    hear(lab, job, "job-resumed", 3, by=lab.lea)
    hear(lab, job, "job-stopped", 4, by=lab.karim, line=2)
    with lab.database.reading() as session:
        lines = lines_about(session, f"job:{job.id}")[2:]
    assert [(line.who, line.details.get(NAMED), line.what) for line in lines] == [
        (None, lab.lea, "machine.job-started"),
        (None, None, "machine.job-paused"),
        (None, lab.lea, "machine.job-resumed"),
        (None, lab.karim, "machine.job-stopped"),
    ]
    assert lines[-1].details["line"] == 2


def test_refused_requests_and_clearings_are_audited_by_machine(lab: Lab) -> None:
    hear(lab, None, "request-refused", 1, reason="a wrong signature")
    hear(lab, None, "machine-broken", 2, trouble="firmware-halted")
    hear(lab, None, "machine-cleared", 3, by=lab.awa)
    with lab.database.reading() as session:
        lines = lines_about(session, "machine:printer-a")
    assert [(line.details.get(NAMED), line.what) for line in lines] == [
        (None, "machine.request-refused"),
        (lab.awa, "machine.machine-cleared"),
    ]
    assert events(lab) == 3


def test_a_machine_speaks_only_of_its_own_jobs(lab: Lab, tmp_path: Path) -> None:
    job = started(lab, tmp_path)
    assert hear(lab, job, "job-finished", 1, machine="printer-b")
    assert job_now(lab, job).state == "starting"
    assert [use.closed_at for use in uses_of(lab, job)] == [None]


def test_events_of_unknown_jobs_and_kinds_are_kept(lab: Lab, tmp_path: Path) -> None:
    job = started(lab, tmp_path)
    assert hear(lab, None, "lid-opened", 1)
    assert hear(lab, job, "filament-changed", 2)
    gone = replace(job, id="gone-with-ba")
    assert hear(lab, gone, "job-finished", 3)
    assert job_now(lab, job).state == "starting"
    assert events(lab) == 3


def test_noise_in_an_events_words_is_recorded_as_noise(lab: Lab, tmp_path: Path) -> None:
    job = started(lab, tmp_path)
    assert hear(lab, job, "job-failed", 1, reason="Error:\0\ud800!", by="a\0b")
    assert job_now(lab, job).reason == "Error:\ufffd?!"
    with lab.database.reading() as session, pytest.raises(UnknownIdError):
        jobs.get_job(session, "a\0b")


def test_an_event_that_arrives_before_the_answer_counts(lab: Lab, tmp_path: Path) -> None:
    book_now(lab, lab.lea)
    job = prepare(lab, tmp_path, lab.lea)
    ask(lab, job, lab.lea)
    hear(lab, job, "job-started", 1)
    lab.clock.advance(31)
    assert sweep(lab) == []
    assert job_now(lab, job).state == "running"
