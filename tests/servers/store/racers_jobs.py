"""What racers do about starting a machine's job; :mod:`tests.servers.store.racers` runs it."""

from __future__ import annotations

from sqlalchemy import select, update

from fabctl.clock import ManualClock
from fabctl.model.booking_facts import PARIS
from fabctl.services import jobs
from fabctl.store.engine import Database
from fabctl.store.ids import new_id
from fabctl.store.tables import Use
from tests.servers.store.racing import Action, Racer, Wait

CLOCK = ManualClock()  # 9:00, as in the tests that set the scene


def start(database: Database, wait: Wait, racer: Racer, number: int) -> None:
    """Start a job as the web does."""
    _end_the_round_before(database, racer)
    wait()
    with database.transaction() as session:
        jobs.open_use(
            session,
            CLOCK,
            PARIS,
            job_id=racer["jobs"][number],
            person_id=racer["person"],
            machine_state="idle",
        )


def use_after_looking(database: Database, wait: Wait, racer: Racer, number: int) -> None:
    """Look whether the machine is free; when everybody has looked, open a use."""
    _end_the_round_before(database, racer)
    wait()
    with database.reading() as session:
        assert session.scalars(select(Use.id).where(Use.closed_at.is_(None))).first() is None
    wait()
    with database.transaction() as session:
        session.add(
            Use(
                id=new_id(),
                resource_id="printer-a",
                person_id=racer["person"],
                account_id=racer["account"],
                job_id=racer["jobs"][number],
                opened_at=CLOCK.now(),
            )
        )


def _end_the_round_before(database: Database, racer: Racer) -> None:
    """One of the racers frees the machine."""
    if racer["frees"]:
        with database.transaction() as session:
            ended = {"closed_at": CLOCK.now(), "outcome": "finished"}
            session.execute(update(Use).where(Use.closed_at.is_(None)).values(ended))


ACTIONS: tuple[Action, ...] = (start, use_after_looking)
