"""Two hundred rounds: the same start of a machine's job, and the same person's first check-in."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select, text

from fabctl.store.ids import new_id
from fabctl.store.tables import Account, Audit, Base, Job, Person, Use
from fabctl.store.tables_training import LabPresence
from tests.servers.store.conftest import Lab
from tests.servers.store.guarantees import drop_guarantees
from tests.servers.store.jobs_at_work import book_now, prepare
from tests.servers.store.racing import CONTROL_ROUNDS, ROUNDS, Racer, Track, copied

RACERS = 3
CROWD = 40


def count(lab: Lab, table: type[Base]) -> int:
    with lab.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def starters(lab: Lab, files: Path, action: str, rounds: int, racers: int = RACERS) -> list[Racer]:
    """Return what races for printer-a: half of them tap on one job, the others have one each."""
    book_now(lab, lab.lea)
    job, half = prepare(lab, files, lab.lea), (racers + 1) // 2
    shared, *own = [[new_id() for _ in range(rounds)] for _ in range(1 + racers - half)]
    jobs = [shared] * half + own
    with lab.database.transaction() as session:
        row = session.get_one(Job, job.id)
        for ids in (shared, *own):
            copied(session, row, [{"id": one} for one in ids])
        account = session.scalars(select(Account.id).where(Account.person_id == lab.lea)).one()
    who = {"action": action, "person": lab.lea, "account": account}
    return [{**who, "jobs": ids, "frees": not number} for number, ids in enumerate(jobs)]


def test_a_machine_starts_one_job_once(lab: Lab, track: Track, tmp_path: Path) -> None:
    rounds = track.race(lab, starters(lab, tmp_path, "start", ROUNDS), ROUNDS)
    for said in rounds:
        assert said.count("") == 1
        assert set(said) <= {"", "machine-busy", "job-already-started,machine-busy"}
    assert count(lab, Use) == ROUNDS
    winners = {said.index("") for said in rounds}
    assert len(winners) > 1, "the same racer won always: no race"


def test_the_database_alone_opens_one_use(lab: Lab, track: Track, tmp_path: Path) -> None:
    rounds = track.race(lab, starters(lab, tmp_path, "use_after_looking", ROUNDS), ROUNDS)
    for said in rounds:
        assert sorted(said) == ["", *["machine-busy"] * (RACERS - 1)]
    assert count(lab, Use) == ROUNDS


def test_control_without_the_index_all_uses_open(lab: Lab, track: Track, tmp_path: Path) -> None:
    racers = starters(lab, tmp_path, "use_after_looking", CONTROL_ROUNDS)
    drop_guarantees(lab.database)
    rounds = track.race(lab, racers, CONTROL_ROUNDS)
    assert [set(said) for said in rounds] == [{""}] * CONTROL_ROUNDS
    assert count(lab, Use) == RACERS * CONTROL_ROUNDS


def test_forty_taps_start_one_job_once(lab: Lab, track: Track, tmp_path: Path) -> None:
    (said,) = track.race(lab, starters(lab, tmp_path, "start", 1, CROWD), 1)
    assert said.count("") == 1
    assert set(said) <= {"", "machine-busy", "job-already-started,machine-busy"}
    assert count(lab, Use) == 1


def comers(lab: Lab, action: str, rounds: int) -> list[Racer]:
    """Return several devices that check the same person in, somebody else in each round."""
    crowd = [new_id() for _ in range(rounds)]
    with lab.database.transaction() as session:
        copied(session, session.get_one(Person, lab.noemie), [{"id": one} for one in crowd])
    return [{"action": action, "people": crowd}] * RACERS


def test_whoever_checks_in_twice_at_once_came_once(lab: Lab, track: Track) -> None:
    racers = comers(lab, "come", ROUNDS)
    rounds = track.race(lab, racers, ROUNDS)
    assert [set(said) for said in rounds] == [{""}] * ROUNDS  # nobody is told of the other
    with lab.database.reading() as session:
        here = session.scalars(select(LabPresence.person_id)).all()
        came = session.scalars(select(Audit.subject).where(Audit.what == "presence.came")).all()
    assert sorted(here) == sorted(racers[0]["people"])
    assert sorted(came) == sorted(f"person:{one}" for one in here)


def test_the_database_alone_notes_one_coming(lab: Lab, track: Track) -> None:
    rounds = track.race(lab, comers(lab, "note_after_looking", ROUNDS), ROUNDS)
    for said in rounds:
        assert sorted(said) == ["", *["here already"] * (RACERS - 1)]
    assert count(lab, LabPresence) == ROUNDS


def test_control_without_the_index_all_comings_are_noted(lab: Lab, track: Track) -> None:
    racers = comers(lab, "note_after_looking", CONTROL_ROUNDS)
    with lab.database.transaction() as session:
        session.execute(text("DROP INDEX lab_presence_one_open"))
    rounds = track.race(lab, racers, CONTROL_ROUNDS)
    assert [set(said) for said in rounds] == [{""}] * CONTROL_ROUNDS
    assert count(lab, LabPresence) == RACERS * CONTROL_ROUNDS
