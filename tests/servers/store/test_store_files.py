"""Job files leave the disk only when no job needs them."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from fabctl.errors import LocalError
from fabctl.services import files, housekeeping, jobs, people, sign_ins
from fabctl.store.tables import SignIn, WrongTry
from tests.servers.store.conftest import Lab
from tests.servers.store.jobs_at_work import hear, job_now, prepare, started, stored

OTHER = b"G28\nG1 X5 F1200\n"
DAY = 24 * 3600


def clean(lab: Lab, folder: Path) -> list[str]:
    return [path.name for path in files.clean_up(lab.database, lab.clock, folder)]


def age(lab: Lab, path: Path, seconds: float) -> None:
    """Let a file look as if it had been written so long ago by the lab's clock."""
    then = lab.clock.now().timestamp() - seconds
    os.utime(path, (then, then))


def test_a_running_jobs_file_stays_whatever_its_age(lab: Lab, tmp_path: Path) -> None:
    job = started(lab, tmp_path)
    hear(lab, job, "job-started", 1)
    lab.clock.advance(400 * DAY)
    assert clean(lab, tmp_path) == []


def test_an_ended_jobs_file_goes_after_30_days(lab: Lab, tmp_path: Path) -> None:
    job = started(lab, tmp_path)
    hear(lab, job, "job-finished", 1)
    lab.clock.advance(30 * DAY - 1)
    assert clean(lab, tmp_path) == []
    lab.clock.advance(1)
    assert clean(lab, tmp_path) == [f"{job.sha256}.gcode"]
    assert clean(lab, tmp_path) == []
    assert job_now(lab, job).state == "finished"


def test_a_file_that_another_job_needs_stays(lab: Lab, tmp_path: Path) -> None:
    job = started(lab, tmp_path)
    hear(lab, job, "job-finished", 1)
    lab.clock.advance(29 * DAY)
    prepare(lab, tmp_path, lab.karim)
    lab.clock.advance(2 * DAY)
    assert clean(lab, tmp_path) == []


def test_a_job_that_nobody_starts_is_withdrawn_and_its_file_goes(lab: Lab, tmp_path: Path) -> None:
    job = prepare(lab, tmp_path, lab.lea)
    lab.clock.advance(30 * DAY - 1)
    assert clean(lab, tmp_path) == []
    lab.clock.advance(1)
    assert clean(lab, tmp_path) == [f"{job.sha256}.gcode"]
    assert job_now(lab, job).state == "withdrawn"


def test_a_withdrawn_jobs_file_goes_after_30_days(lab: Lab, tmp_path: Path) -> None:
    job = prepare(lab, tmp_path, lab.lea)
    with lab.database.transaction() as session:
        jobs.withdraw(session, lab.clock, job_id=job.id, by=lab.lea)
    assert clean(lab, tmp_path) == []
    lab.clock.advance(30 * DAY)
    assert clean(lab, tmp_path) == [f"{job.sha256}.gcode"]


def test_an_upload_that_became_no_job_goes_after_a_day(lab: Lab, tmp_path: Path) -> None:
    path, _ = stored(tmp_path, OTHER)
    other = tmp_path / "readme.txt"
    other.touch()
    age(lab, path, DAY - 1)
    assert clean(lab, tmp_path) == []
    age(lab, path, DAY)
    age(lab, other, DAY)
    assert clean(lab, tmp_path) == [path.name]
    assert other.exists()


def test_a_file_that_was_forgotten_can_be_sent_again(lab: Lab, tmp_path: Path) -> None:
    job = started(lab, tmp_path)
    hear(lab, job, "job-finished", 1)
    lab.clock.advance(30 * DAY)
    clean(lab, tmp_path)
    assert prepare(lab, tmp_path, lab.lea).sha256 == job.sha256
    lab.clock.advance(timedelta(hours=23).total_seconds())
    assert clean(lab, tmp_path) == []


def test_a_file_that_cannot_be_deleted_stays_on_record(lab: Lab, tmp_path: Path) -> None:
    job = started(lab, tmp_path)
    hear(lab, job, "job-finished", 1)
    lab.clock.advance(30 * DAY)
    path = tmp_path / f"{job.sha256}.gcode"
    path.unlink()
    path.mkdir()  # unlink refuses a folder, for root too
    with pytest.raises(LocalError, match="cannot be deleted"):
        clean(lab, tmp_path)
    with lab.database.reading() as session:
        assert files.files_to_forget(session, lab.clock) == [job.sha256]


def test_tidying_throws_away_what_has_ended_and_nothing_else(lab: Lab, tmp_path: Path) -> None:
    with lab.database.transaction() as session:
        for kind in ("kiosk", "desk"):
            sign_ins.open_sign_in(session, lab.clock, lab.lea, kind=kind)
        people.check_pin(session, lab.clock, b"secret", "402817", "old screen")
    stray, _ = stored(tmp_path, OTHER)
    lab.clock.advance(DAY + 1)
    age(lab, stray, DAY)
    with lab.database.transaction() as session:
        people.check_pin(session, lab.clock, b"secret", "402817", "new screen")
    assert housekeeping.tidy(lab.database, lab.clock, tmp_path) == [stray]
    with lab.database.reading() as session:
        assert session.scalars(select(SignIn.kind)).all() == ["desk"]
        assert session.scalars(select(WrongTry.subject)).all() == ["new screen"]


def test_what_a_killed_process_left_half_written_goes_and_nothing_newer(
    lab: Lab, tmp_path: Path
) -> None:
    for folder in ("keys", "previews"):
        (tmp_path / folder).mkdir()
        for name, hours in ((".a.key.7-8.new", 2), (".a.key.7-9.new", 0), (".a.key.new", 2)):
            (tmp_path / folder / name).touch()
            age(lab, tmp_path / folder / name, hours * 3600.0)
    housekeeping.tidy(lab.database, lab.clock, tmp_path / "files")
    assert {path.name for path in (tmp_path / "keys").iterdir()} == {".a.key.7-9.new", ".a.key.new"}
    assert [path.name for path in (tmp_path / "previews").iterdir()] == [".a.key.7-9.new"]
