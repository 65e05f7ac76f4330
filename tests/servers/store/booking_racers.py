"""A few processes that race for the same time, round after round. Run as a program by the races.

``python -m tests.servers.store.booking_racers URL ROUNDS JSON``: JSON is a list with one racer
each, ``{"action": ..., "person": ..., "resource": ..., "moves": [...]}``. In round k everybody
wants the half hour that begins k hours after the clock. Prints for each racer what each round
said, ``""`` for a win.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, update
from sqlalchemy.orm import configure_mappers

from fabctl.clock import ManualClock
from fabctl.errors import FabError
from fabctl.model.booking_slots import Slot
from fabctl.model.refusal import RefusedError
from fabctl.services import bookings
from fabctl.services.places import in_the_way
from fabctl.store.engine import Database, open_database
from fabctl.store.ids import new_id
from fabctl.store.tables import Claim, Reservation, Resource

CLOCK = ManualClock()  # 9:00, as in the tests that set the scene
PARIS = ZoneInfo("Europe/Paris")
PATIENCE_S = 60.0
HALF_HOUR = timedelta(minutes=30)

Wait = Callable[[], object]
Racer = dict[str, Any]


def wanted(number: int) -> Slot:
    """Return the half hour of a round."""
    start = CLOCK.now() + timedelta(hours=number)
    return Slot(start, start + HALF_HOUR)


def book(database: Database, wait: Wait, racer: Racer, number: int) -> None:
    """Book as the web does."""
    slot = wanted(number)
    wait()
    with database.transaction() as session:
        bookings.book(
            session,
            CLOCK,
            PARIS,
            person_id=racer["person"],
            resource_id=racer["resource"],
            start=slot.start,
            end=slot.end,
            by=racer["person"],
        )


def move(database: Database, wait: Wait, racer: Racer, number: int) -> None:
    """Move a reservation as the web does."""
    slot = wanted(number)
    wait()
    with database.transaction() as session:
        bookings.move(
            session,
            CLOCK,
            PARIS,
            reservation_id=racer["moves"][number],
            start=slot.start,
            end=slot.end,
            by=racer["person"],
        )


def claim_after_looking(database: Database, wait: Wait, racer: Racer, number: int) -> None:
    """Look whether the slot is free; when everybody has looked, write a claim."""
    slot = wanted(number)
    _look(database, racer, slot)
    wait()
    with database.transaction() as session:
        row = Claim(id=new_id(), resource_id=racer["resource"], kind="reservation")
        row.start_at, row.end_at = slot.start, slot.end
        session.add(row)


def move_after_looking(database: Database, wait: Wait, racer: Racer, number: int) -> None:
    """Look whether the slot is free; when everybody has looked, move a claim there."""
    slot = wanted(number)
    _look(database, racer, slot)
    wait()
    with database.transaction() as session:
        claim = select(Reservation.claim_id).where(Reservation.id == racer["moves"][number])
        there = {"start_at": slot.start, "end_at": slot.end}
        session.execute(update(Claim).where(Claim.id == session.scalar(claim)).values(there))


def _look(database: Database, racer: Racer, slot: Slot) -> None:
    with database.reading() as session:
        resource = session.get_one(Resource, racer["resource"])
        taken = (
            select(Claim.id)
            .join(Resource, Resource.id == Claim.resource_id)
            .where(
                in_the_way(resource),
                Claim.released_at.is_(None),
                Claim.start_at < slot.end,
                or_(Claim.end_at > slot.start, Claim.free_at > slot.start),
            )
        )
        assert session.scalars(taken).first() is None


ACTIONS: dict[str, Callable[[Database, Wait, Racer, int], None]] = {
    "book": book,
    "move": move,
    "claim_after_looking": claim_after_looking,
    "move_after_looking": move_after_looking,
}


def run(url: str, rounds: int, racer: Racer, barrier: Barrier, out: Connection) -> None:
    """Run one racer through all rounds and send what each said."""
    database = open_database(url)
    with database.reading() as session:
        session.execute(select(1))  # connected before the start
    said = []
    for number in range(rounds):
        barrier.wait(PATIENCE_S)  # nobody is still in the round before
        said.append(_one(database, barrier, racer, number))
    database.close()
    out.send(said)


def _one(database: Database, barrier: Barrier, racer: Racer, number: int) -> str:
    try:
        ACTIONS[racer["action"]](database, lambda: barrier.wait(PATIENCE_S), racer, number)
    except RefusedError as refused:
        return ",".join(sorted(refused.codes))
    except FabError as error:
        return error.what
    return ""


def race(url: str, rounds: int, racers: list[Racer]) -> list[list[str]]:
    """Fork one process for each racer and return what they say of their rounds."""
    open_database(url).close()  # loads the driver, once for all
    configure_mappers()
    fork = multiprocessing.get_context("fork")
    barrier = fork.Barrier(len(racers))
    pipes = [fork.Pipe(duplex=False) for _ in racers]
    children = [
        fork.Process(target=run, args=(url, rounds, racer, barrier, inlet))
        for racer, (_, inlet) in zip(racers, pipes, strict=True)
    ]
    for child in children:
        child.start()
    for _, inlet in pipes:
        inlet.close()  # a racer that dies ends its pipe
    said: list[list[str]] = [outlet.recv() for outlet, _ in pipes]
    for child in children:
        child.join()
    return said


if __name__ == "__main__":
    print(json.dumps(race(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))))  # noqa: T201  # its answer
