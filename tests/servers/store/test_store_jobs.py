"""From a checked file to a start: refused with every reason, or on record before it is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabctl.errors import InputError, LocalError, UnknownIdError
from fabctl.model.refusal import RefusedError
from fabctl.services import certifications, jobs, people, uses
from fabctl.services.audit import lines_about
from fabctl.services.jobs_at import MOST_PREPARED, jobs_at
from fabctl.store.tables import Job
from tests.servers.store.conftest import Lab
from tests.servers.store.jobs_at_work import (
    CONTENT,
    answer,
    ask,
    asked,
    book_now,
    job_now,
    prepare,
    report,
    started,
    stored,
    sweep,
    uses_of,
)


def test_a_prepared_job_says_what_will_be_sent(lab: Lab, tmp_path: Path) -> None:
    job = prepare(lab, tmp_path, lab.lea)
    assert (job.state, job.lines, job.commands, job.size) == ("prepared", 3, 3, len(CONTENT))
    assert job_now(lab, job) == job
    with lab.database.reading() as session:
        assert jobs.jobs_of_person(session, person_id=lab.lea) == [job]
    assert job.report == report().to_json()


def test_an_older_job_is_found_behind_many_of_other_machines(lab: Lab, tmp_path: Path) -> None:
    first = prepare(lab, tmp_path, lab.lea)
    with lab.database.transaction() as session:
        row = session.get_one(Job, first.id)
        values = {c.name: getattr(row, c.name) for c in Job.__table__.columns}
        session.add_all(
            Job(**values | {"id": f"other-{n:02}", "resource_id": "printer-b"}) for n in range(30)
        )
        session.add_all(Job(**values | {"id": f"same-{n:02}"}) for n in range(MOST_PREPARED))
    with lab.database.reading() as session:
        here = jobs_at(session, person_id=lab.lea, resource_id="printer-a")
        there = jobs_at(session, person_id=lab.lea, resource_id="printer-b")
        pages, last = [], None
        while found := jobs.jobs_of_person(session, person_id=lab.lea, limit=20, after=last):
            pages.append([one.id for one in found])
            last = found[-1].created_at, found[-1].id
    assert len(here.prepared) == len(there.prepared) == MOST_PREPARED
    assert (here.more, there.more, here.last, here.begun) == (True, True, None, [])
    assert {one.resource_id for one in here.prepared} == {"printer-a"}
    shown = [one for page in pages for one in page]
    assert len(shown) == len(set(shown)) == 51
    assert first.id in shown


def test_a_file_with_an_error_and_a_file_that_is_gone_make_no_job(lab: Lab, tmp_path: Path) -> None:
    path, sha256 = stored(tmp_path)
    path.unlink()
    common = {
        "person_id": lab.lea,
        "resource_id": "printer-a",
        "name": "x",
        "path": path,
        "sha256": sha256,
        "size": 1,
    }
    with lab.database.transaction() as session:
        with pytest.raises(LocalError, match="not stored"):
            jobs.prepare(session, lab.clock, report=report(), **common)  # type: ignore[arg-type]
        with pytest.raises(InputError, match="must not run"):
            jobs.prepare(session, lab.clock, report=report(b""), **common)  # type: ignore[arg-type]
    with lab.database.reading() as session:
        assert jobs.jobs_of_person(session, person_id=lab.lea) == []


def test_a_start_opens_the_use_and_gives_the_order(lab: Lab, tmp_path: Path) -> None:
    book_now(lab, lab.lea)
    job = prepare(lab, tmp_path, lab.lea)
    order = ask(lab, job, lab.lea)
    (use,) = uses_of(lab, job)
    assert (use.id, use.person_id, use.closed_at) == (order.use_id, lab.lea, None)
    assert use.reservation_id is not None
    assert job_now(lab, job).state == "starting"
    assert order.body == {
        "job": job.id,
        "sha256": job.sha256,
        "size": len(CONTENT),
        "name": "tag.gcode",
        "lines": 3,
        "commands": 3,
        "estimate_s": job.estimate_s,
        "by": lab.lea,
        "use": order.use_id,
    }


@pytest.mark.parametrize(
    ("who", "state", "expected"),
    [
        ("lea", "idle", {"not-reserved"}),
        ("noemie", "idle", {"not-certified", "not-reserved"}),
        ("lea", "offline", {"not-reserved", "machine-offline"}),
        ("lea", "unknown", {"not-reserved", "machine-unknown"}),
        ("lea", "running", {"not-reserved", "machine-busy"}),
    ],
)
def test_a_start_is_refused_with_every_reason_and_nothing_is_opened(
    lab: Lab, tmp_path: Path, who: str, state: str, expected: set[str]
) -> None:
    person = getattr(lab, who)
    job = prepare(lab, tmp_path, person)
    with pytest.raises(RefusedError) as refused:
        ask(lab, job, person, state)
    assert refused.value.codes == expected
    assert (job_now(lab, job).state, uses_of(lab, job)) == ("prepared", [])


def test_somebody_elses_slot_and_somebody_elses_job(lab: Lab, tmp_path: Path) -> None:
    book_now(lab, lab.lea)
    job = prepare(lab, tmp_path, lab.karim)
    with pytest.raises(RefusedError) as refused:
        ask(lab, job, lab.karim)
    assert refused.value.codes == {"someone-elses-slot"}
    with pytest.raises(RefusedError) as refused:
        ask(lab, job, lab.lea)
    assert refused.value.codes == {"not-your-job"}


def test_a_second_tap_and_a_second_job_are_refused(lab: Lab, tmp_path: Path) -> None:
    job = started(lab, tmp_path)
    with pytest.raises(RefusedError) as refused:
        ask(lab, job, lab.lea)
    assert refused.value.codes == {"job-already-started", "machine-busy"}
    other = prepare(lab, tmp_path, lab.lea)
    with pytest.raises(RefusedError) as refused:
        ask(lab, other, lab.lea)
    assert refused.value.codes == {"machine-busy"}


def test_a_refusal_of_the_machine_closes_the_use_and_the_job_can_start_again(
    lab: Lab, tmp_path: Path
) -> None:
    book_now(lab, lab.lea)
    job = prepare(lab, tmp_path, lab.lea)
    ask(lab, job, lab.lea)
    refused = answer(lab, job, accepted=False, code="file-missing")
    assert (refused.state, refused.trouble, refused.reason) == (
        "prepared",
        "file-missing",
        "because",
    )
    assert [use.outcome for use in uses_of(lab, job)] == ["refused"]
    lab.clock.advance(1)
    ask(lab, job, lab.lea)
    again = job_now(lab, job)
    assert (again.state, again.trouble, again.reason) == ("starting", None, None)
    assert [use.outcome for use in uses_of(lab, job)] == ["refused", None]


def test_no_answer_decides_nothing_the_sweep_does_after_30_s(lab: Lab, tmp_path: Path) -> None:
    book_now(lab, lab.lea)
    job = prepare(lab, tmp_path, lab.lea)
    ask(lab, job, lab.lea)
    assert answer(lab, job, accepted=False, code="no-answer").state == "starting"
    lab.clock.advance(29.9)
    assert sweep(lab) == []
    lab.clock.advance(0.1)
    assert sweep(lab) == [job.id]
    assert sweep(lab) == []
    found = job_now(lab, job)
    assert (found.state, found.trouble) == ("failed", "start-unanswered")
    assert [use.outcome for use in uses_of(lab, job)] == ["unanswered"]


def test_a_late_refusal_after_the_sweep_changes_nothing(lab: Lab, tmp_path: Path) -> None:
    job = asked(lab, tmp_path)
    lab.clock.advance(31)
    sweep(lab)
    assert answer(lab, job, accepted=False, code="busy").state == "failed"


def test_who_may_do_what_to_a_job(lab: Lab, tmp_path: Path) -> None:
    job = started(lab, tmp_path)
    with lab.database.reading() as session:
        allowed = {
            (who, verb)
            for who, person in {
                "nobody": None,
                "lea": lab.lea,
                "karim": lab.karim,
                "awa": lab.awa,
            }.items()
            for verb in ("pause", "stop", "resume", "start")
            if jobs.may_control(session, person, job.id, verb)
        }
        with pytest.raises(LocalError):
            jobs.may_control(session, lab.lea, job.id, "delete")
    everybody = {
        (who, verb) for who in ("nobody", "lea", "karim", "awa") for verb in ("pause", "stop")
    }
    assert allowed == everybody | {("lea", "resume"), ("lea", "start"), ("awa", "resume")}


@pytest.mark.parametrize("what", ["account", "certification"])
def test_whoever_was_suspended_since_the_start_stops_but_does_not_resume(
    lab: Lab, tmp_path: Path, what: str
) -> None:
    job = started(lab, tmp_path)
    with lab.database.transaction() as session:
        assert jobs.may_control(session, lab.lea, job.id, "resume")
        if what == "account":
            people.set_suspended(session, lab.clock, person_id=lab.lea, reason="talk", by=lab.awa)
        else:
            certifications.suspend(
                session, lab.clock, person_id=lab.lea, resource_id="printer-a", reason="talk"
            )
    with lab.database.reading() as session:
        assert not jobs.may_control(session, lab.lea, job.id, "resume")
        assert jobs.may_control(session, lab.lea, job.id, "stop")
        assert jobs.may_control(session, lab.awa, job.id, "resume")


def test_a_job_can_be_withdrawn_only_before_it_starts(lab: Lab, tmp_path: Path) -> None:
    job = prepare(lab, tmp_path, lab.lea)
    with lab.database.transaction() as session:
        assert jobs.withdraw(session, lab.clock, job_id=job.id, by=lab.lea).state == "withdrawn"
    running = started(lab, tmp_path)
    with pytest.raises(LocalError), lab.database.transaction() as session:
        jobs.withdraw(session, lab.clock, job_id=running.id, by=lab.lea)


def test_the_audit_tells_the_story_of_a_job(lab: Lab, tmp_path: Path) -> None:
    job = started(lab, tmp_path)
    with lab.database.reading() as session:
        lines = lines_about(session, f"job:{job.id}")
        with pytest.raises(UnknownIdError):
            jobs.get_job(session, "nonsense")
        assert len(uses.uses_of_person(session, person_id=lab.lea)) == 1
        assert len(uses.uses_of_resource(session, resource_id="printer-a")) == 1
    assert [(line.who, line.what) for line in lines] == [
        (lab.lea, "job.prepared"),
        (lab.lea, "job.start-asked"),
    ]
