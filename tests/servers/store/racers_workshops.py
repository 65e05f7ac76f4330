"""What racers do about places in a session; :mod:`tests.servers.store.racers` runs it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy import select

from fabctl.clock import ManualClock
from fabctl.errors import LocalError
from fabctl.model.workshops import EnrolmentState
from fabctl.services import enrolments
from fabctl.store.engine import Database
from fabctl.store.ids import new_id
from fabctl.store.tables_workshops import Enrolment
from tests.servers.store.racing import Action, Racer, Wait

CLOCK = ManualClock()  # 9:00, as in the tests that set the scene


def enrol(database: Database, wait: Wait, racer: Racer, number: int) -> None:
    """Take a place as the web does; whoever only waits has not won."""
    wait()
    with database.transaction() as session:
        found = enrolments.enrol(
            session,
            CLOCK,
            ZoneInfo("Europe/Paris"),
            session_id=racer["meetings"][number],
            person_ids=[racer["person"]],
            by=racer["person"],
        )
    if found[0].state is not EnrolmentState.CONFIRMED:
        raise LocalError(found[0].state.value)


def place_after_looking(database: Database, wait: Wait, racer: Racer, number: int) -> None:
    """Look whether a place is free; when everybody has looked, write."""
    meeting = racer["meetings"][number]
    with database.reading() as session:
        held = select(Enrolment.id).where(Enrolment.session_id == meeting)
        assert session.scalars(held).first() is None
    wait()
    with database.transaction() as session:
        session.add(
            Enrolment(
                id=new_id(),
                session_id=meeting,
                person_id=racer["person"],
                party_id=new_id(),
                via="self",
                state="confirmed",
                rank=1,
                made_at=CLOCK.now(),
                made_by=racer["person"],
            )
        )


ACTIONS: tuple[Action, ...] = (enrol, place_after_looking)
