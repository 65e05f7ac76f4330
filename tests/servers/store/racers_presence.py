"""What racers do at the door; :mod:`tests.servers.store.racers` runs it."""

from __future__ import annotations

from sqlalchemy import select

from fabctl.clock import ManualClock
from fabctl.errors import LocalError
from fabctl.services import presence
from fabctl.store.engine import Database
from fabctl.store.ids import new_id
from fabctl.store.tables_training import LabPresence
from fabctl.store.upsert import insert_unless_there
from tests.servers.store.racing import Action, Racer, Wait

CLOCK = ManualClock()  # 9:00, as in the tests that set the scene


def come(database: Database, wait: Wait, racer: Racer, number: int) -> None:
    """Check in as the web does."""
    person = racer["people"][number]
    wait()
    with database.transaction() as session:
        here = presence.come(session, CLOCK, person_id=person, by=person, at_screen=True)
    assert (here.person_id, here.came_at) == (person, CLOCK.now())


def note_after_looking(database: Database, wait: Wait, racer: Racer, number: int) -> None:
    """Look whether somebody is there; when everybody has looked, write that they are."""
    person = racer["people"][number]
    with database.reading() as session:
        query = select(LabPresence.id).where(LabPresence.person_id == person)
        assert session.scalars(query).first() is None
    wait()
    values = {"id": new_id(), "person_id": person, "came_at": CLOCK.now()}
    with database.transaction() as session:
        if not insert_unless_there(session, LabPresence, values):
            raise LocalError("here already")


ACTIONS: tuple[Action, ...] = (come, note_after_looking)
