"""Uses of a machine in the past, for the tests of what comes after use."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from fabctl.services import lookups
from fabctl.store.ids import new_id
from fabctl.store.tables import Use
from tests.servers.store.conftest import Lab

MACHINE = "printer-a"
PARIS = ZoneInfo("Europe/Paris")


def use_for(
    lab: Lab,
    person: str,
    *,
    hours: float,
    closed_h_ago: float = 0,
    ran_h: float | None = None,
    machine: str = MACHINE,
) -> str:
    """Write a use of so many hours that ended so many hours ago; return its id."""
    closed_at = lab.clock.now() - timedelta(hours=closed_h_ago)
    with lab.database.transaction() as session:
        row = Use(
            id=new_id(),
            resource_id=machine,
            person_id=person,
            account_id=lookups.own_account(session, person).id,
            opened_at=closed_at - timedelta(hours=hours),
            closed_at=closed_at,
            outcome="finished",
            ran_s=None if ran_h is None else ran_h * 3600,
        )
        session.add(row)
        return row.id
