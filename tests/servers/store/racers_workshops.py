"""What racers do about places in a session; :mod:`tests.servers.store.racers` runs it."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from sqlalchemy import select

from fabctl.clock import ManualClock
from fabctl.errors import LocalError
from fabctl.model.workshops import EnrolmentState
from fabctl.services import enrolments
from fabctl.store.engine import Database
from fabctl.store.ids import new_id
from fabctl.store.tables_workshops import Enrolment

CLOCK = ManualClock()  # 9:00, as in the tests that set the scene
Wait = Callable[[], None]


def enrol(database: Database, wait: Wait, *, person: str, meeting: str) -> None:
    """Take a place as the web does; whoever only waits has not won."""
    wait()
    with database.transaction() as session:
        found = enrolments.enrol(
            session,
            CLOCK,
            ZoneInfo("Europe/Paris"),
            session_id=meeting,
            person_ids=[person],
            by=person,
        )
    if found[0].state is not EnrolmentState.CONFIRMED:
        raise LocalError(found[0].state.value)


def place_without_lock(database: Database, wait: Wait, *, person: str, meeting: str) -> None:
    """Look whether a place is free; when everybody has looked, write."""
    with database.reading() as session:
        held = select(Enrolment).where(Enrolment.session_id == meeting)
        assert session.scalars(held).all() == []
    wait()
    with database.transaction() as session:
        session.add(
            Enrolment(
                id=new_id(),
                session_id=meeting,
                person_id=person,
                party_id=new_id(),
                via="self",
                state="confirmed",
                rank=1,
                made_at=CLOCK.now(),
                made_by=person,
            )
        )


ACTIONS: dict[str, Callable[..., None]] = {
    action.__name__: action for action in (enrol, place_without_lock)
}
