"""Forty processes that do the same thing at the same moment. Run as a program by the races.

``python -m tests.servers.store.racers URL ACTION JSON``: JSON is a list with one object of
arguments per process. Prints a JSON list of ``{"won": bool, "said": str}``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, configure_mappers

from fabctl.clock import ManualClock
from fabctl.errors import FabError
from fabctl.model.booking_facts import PARIS
from fabctl.model.refusal import RefusedError
from fabctl.services import bookings, jobs
from fabctl.store.engine import Database, open_database
from fabctl.store.ids import new_id
from fabctl.store.tables import Claim, Use
from tests.servers.store import racers_workshops

CLOCK = ManualClock()  # 9:00, as in the tests that set the scene
Wait = Callable[[], None]


def book(database: Database, wait: Wait, *, person: str, resource: str, at: list[str]) -> None:
    """Book as the web does."""
    wait()
    with database.transaction() as session:
        bookings.book(
            session,
            CLOCK,
            ZoneInfo("Europe/Paris"),
            person_id=person,
            resource_id=resource,
            start=datetime.fromisoformat(at[0]),
            end=datetime.fromisoformat(at[1]),
            by=person,
        )


def claim_without_lock(
    database: Database, wait: Wait, *, person: str, resource: str, at: list[str]
) -> None:
    """Look whether the slot is free; when everybody has looked, write."""
    start, end = (datetime.fromisoformat(moment) for moment in at)
    with database.reading() as session:
        taken = select(Claim).where(Claim.resource_id == resource, Claim.released_at.is_(None))
        assert session.scalars(taken).all() == []
    wait()
    with database.transaction() as session:
        session.add(
            Claim(id=new_id(), resource_id=resource, kind=person, start_at=start, end_at=end)
        )


def start(database: Database, wait: Wait, *, person: str, job: str) -> None:
    """Start a job as the web does."""
    wait()
    with database.transaction() as session:
        jobs.open_use(session, CLOCK, PARIS, job_id=job, person_id=person, machine_state="idle")


def use_without_lock(
    database: Database, wait: Wait, *, person: str, account: str, job: str, resource: str
) -> None:
    """Look whether the machine is free; when everybody has looked, open a use."""
    with database.reading() as session:
        assert _open_uses(session, resource) == []
    wait()
    with database.transaction() as session:
        session.add(
            Use(
                id=new_id(),
                resource_id=resource,
                person_id=person,
                account_id=account,
                job_id=job,
                opened_at=CLOCK.now(),
            )
        )


def _open_uses(session: Session, resource: str) -> list[Use]:
    query = select(Use).where(Use.resource_id == resource, Use.closed_at.is_(None))
    return list(session.scalars(query))


ACTIONS: dict[str, Callable[..., None]] = {
    **{action.__name__: action for action in (book, claim_without_lock, start, use_without_lock)},
    **racers_workshops.ACTIONS,
}


def race(url: str, action: str, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Fork one process for each entry, let them go at once, and return what each said."""
    open_database(url).close()  # loads the driver, once for all
    configure_mappers()
    ready_out, ready_in = os.pipe()
    go_out, go_in = os.pipe()
    result_out, result_in = os.pipe()
    for entry in entries:
        if os.fork() == 0:
            os.close(go_in)
            _run_one(url, ACTIONS[action], entry, (ready_in, go_out, result_in))
    os.close(result_in)
    os.close(ready_in)
    ready = 0
    while ready < len(entries):
        came = len(os.read(ready_out, len(entries)))
        assert came, "a racer died before the start"
        ready += came
    os.close(go_in)  # everybody reads its end at once
    with os.fdopen(result_out) as stream:
        said = [json.loads(line) for line in stream]
    for _ in entries:
        os.wait()
    return said


def _run_one(
    url: str, action: Callable[..., None], entry: dict[str, Any], pipes: tuple[int, int, int]
) -> None:
    ready_in, go_out, result_in = pipes

    def wait() -> None:
        os.write(ready_in, b"r")
        os.close(ready_in)
        os.read(go_out, 1)

    database = open_database(url)
    with database.reading() as session:
        session.execute(select(1))  # connected before the start
    try:
        action(database, wait, **entry)
        said = {"won": True, "said": ""}
    except RefusedError as refused:
        said = {"won": False, "said": ",".join(sorted(refused.codes))}
    except FabError as error:
        said = {"won": False, "said": error.what}
    database.close()
    os.write(result_in, json.dumps(said).encode() + b"\n")
    os._exit(0)


if __name__ == "__main__":
    print(json.dumps(race(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))))  # noqa: T201  # its answer
