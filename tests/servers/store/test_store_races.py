"""Forty processes at once: exactly one wins. Without the guarantee more than one does."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from fabctl.services import people
from fabctl.services.certifications import certify
from fabctl.store.tables import Account, Claim, Use
from tests.servers.store.conftest import Lab
from tests.servers.store.guarantees import drop_guarantees
from tests.servers.store.jobs_at_work import book_now, prepare

RACERS = 40
ROOT = Path(__file__).parents[3]


def race(lab: Lab, action: str, entries: list[dict[str, Any]]) -> tuple[int, set[str]]:
    """Return how many won, and all that the others were told."""
    url = lab.database.engine.url.render_as_string(hide_password=False)
    lab.database.close()
    done = subprocess.run(
        [sys.executable, "-m", "tests.servers.store.racers", url, action, json.dumps(entries)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert len(said) == len(entries) == RACERS, done.stderr
    return sum(one["won"] for one in said), {one["said"] for one in said if not one["won"]}


def count(lab: Lab, table: type[Claim | Use]) -> int:
    with lab.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def makers(lab: Lab) -> list[str]:
    """Forty certified people."""
    with lab.database.transaction() as session:
        ids = [
            people.add_person(session, lab.clock, display_name=f"Maker {number}").id
            for number in range(RACERS)
        ]
        for person in ids:
            certify(session, lab.clock, person_id=person, resource_id="printer-a")
    return ids


def bookings_of(lab: Lab, makers: list[str]) -> list[dict[str, Any]]:
    """Return forty bookings that all touch each other: every one starts a minute later."""
    entries = []
    for number, person in enumerate(makers):
        start = lab.clock.now() + timedelta(minutes=number)
        at = [start.isoformat(), (start + timedelta(hours=1)).isoformat()]
        entries.append({"person": person, "resource": "printer-a", "at": at})
    return entries


def test_forty_book_one_gets_it(lab: Lab, makers: list[str]) -> None:
    won, told = race(lab, "book", bookings_of(lab, makers))
    assert (won, told, count(lab, Claim)) == (1, {"overlap"}, 1)


CROSSED = "two changes crossed each other; nothing was changed"


def test_the_database_alone_lets_one_through(lab: Lab, makers: list[str]) -> None:
    won, told = race(lab, "claim_without_lock", bookings_of(lab, makers))
    assert (won, count(lab, Claim)) == (1, 1)
    assert told <= {"overlap", CROSSED}
    assert "overlap" in told


def test_control_without_the_guarantee_all_get_it(lab: Lab, makers: list[str]) -> None:
    drop_guarantees(lab.database)
    won, _ = race(lab, "claim_without_lock", bookings_of(lab, makers))
    assert won == count(lab, Claim) == RACERS


def test_forty_start_a_job_each_one_runs(lab: Lab, tmp_path: Path) -> None:
    book_now(lab, lab.lea)
    entries = [
        {"person": lab.lea, "job": prepare(lab, tmp_path, lab.lea).id} for _ in range(RACERS)
    ]
    won, told = race(lab, "start", entries)
    assert (won, told, count(lab, Use)) == (1, {"machine-busy"}, 1)


def test_forty_taps_on_one_job_start_it_once(lab: Lab, tmp_path: Path) -> None:
    book_now(lab, lab.lea)
    entry = {"person": lab.lea, "job": prepare(lab, tmp_path, lab.lea).id}
    won, told = race(lab, "start", [entry] * RACERS)
    assert (won, told, count(lab, Use)) == (1, {"job-already-started,machine-busy"}, 1)


def uses_by(lab: Lab, tmp_path: Path) -> list[dict[str, Any]]:
    job = prepare(lab, tmp_path, lab.lea)
    with lab.database.reading() as session:
        account = session.scalars(select(Account.id).where(Account.person_id == lab.lea)).one()
    entry = {"person": lab.lea, "account": account, "job": job.id, "resource": "printer-a"}
    return [entry] * RACERS


def test_the_database_alone_opens_one_use(lab: Lab, tmp_path: Path) -> None:
    won, told = race(lab, "use_without_lock", uses_by(lab, tmp_path))
    assert (won, told, count(lab, Use)) == (1, {"machine-busy"}, 1)


def test_control_without_the_index_all_uses_open(lab: Lab, tmp_path: Path) -> None:
    drop_guarantees(lab.database)
    won, _ = race(lab, "use_without_lock", uses_by(lab, tmp_path))
    assert won == count(lab, Use) == RACERS
