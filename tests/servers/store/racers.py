"""Processes that race, round after round. Run as a program by the races.

Each line that it reads is a race, ``{"url": ..., "rounds": ..., "racers": [{"action": ...}]}``.
Each is answered by a line: for each racer what each round said, ``""`` for a win; null when a
racer died, its last words are on stderr.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import sys
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import event, select
from sqlalchemy.orm import configure_mappers

from fabctl.errors import FabError
from fabctl.model.refusal import RefusedError
from fabctl.store.engine import Database, is_sqlite, open_database, parse_url
from tests.servers.store import (
    racers_bookings,
    racers_jobs,
    racers_presence,
    racers_training,
    racers_workshops,
)
from tests.servers.store.racing import Action, Racer

PATIENCE_S = 60.0
NO_WAITING = "PRAGMA synchronous = OFF"
SOON = "SET deadlock_timeout = '10ms'"
"""How long two wait for each other before PostgreSQL looks whether they do; else a second."""

ACTIONS: dict[str, Action] = {
    action.__name__: action
    for module in (
        racers_bookings,
        racers_jobs,
        racers_presence,
        racers_training,
        racers_workshops,
    )
    for action in module.ACTIONS
}


def open_quickly(url: str) -> Database:
    """Return a connected database that waits for no disk, and not long before it finds a circle."""
    database = open_database(url, zone=ZoneInfo("Europe/Paris"))
    words = NO_WAITING if is_sqlite(parse_url(url)) else SOON

    def set_up(connection: Any, _record: object) -> None:
        connection.execute(words)
        connection.commit()

    event.listen(database.engine, "connect", set_up)
    with database.reading() as session:
        session.execute(select(1))
    return database


def run(url: str, rounds: int, racer: Racer, barrier: Barrier, out: Connection) -> None:
    """Run one racer through all rounds and send what each said."""
    database = open_quickly(url)
    said = []
    try:
        for number in range(rounds):
            barrier.wait(PATIENCE_S)  # nobody is still in the round before
            said.append(_one(database, barrier, racer, number))
    except BaseException:
        barrier.abort()  # the others need not wait for who is dead
        raise
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


def race(url: str, rounds: int, racers: list[Racer]) -> list[list[str]] | None:
    """Fork one process for each racer and return what they say of their rounds.

    :returns: None when one of them died.
    """
    open_database(url).close()  # loads the driver, once for all
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
    said = [_heard(outlet) for outlet, _ in pipes]
    for child in children:
        child.join()
    whole = [one for one in said if one is not None]
    return whole if len(whole) == len(said) else None


def _heard(outlet: Connection) -> list[str] | None:
    try:
        said: list[str] = outlet.recv()
    except EOFError:
        return None
    return said


if __name__ == "__main__":
    configure_mappers()  # once for all
    gc.freeze()  # what is here stays; no racer counts it again
    for line in sys.stdin:
        print(json.dumps(race(**json.loads(line))), flush=True)  # noqa: T201  # its answer
