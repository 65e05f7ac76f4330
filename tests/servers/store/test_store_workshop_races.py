"""Forty people want the last place of a session: one gets it, the others wait."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import select

from fabctl.services import people
from fabctl.store.tables_workshops import Enrolment
from tests.servers.store.conftest import Lab
from tests.servers.store.guarantees import drop_guarantees
from tests.servers.store.test_store_races import CROSSED, RACERS, race
from tests.servers.store.workshop_scene import put_on


def runners(lab: Lab) -> list[dict[str, Any]]:
    """Return forty who want the one place."""
    scene = put_on(lab, places=1, consent_needed=False)
    with lab.database.transaction() as session:
        return [
            {
                "person": people.add_person(
                    session, lab.clock, display_name=f"Maker {number}", birth_year=1990
                ).id,
                "meeting": scene.meeting,
            }
            for number in range(RACERS)
        ]


def states(lab: Lab) -> Counter[str]:
    with lab.database.reading() as session:
        return Counter(session.scalars(select(Enrolment.state)))


def test_forty_want_the_last_place_one_gets_it_the_others_wait(lab: Lab) -> None:
    won, told = race(lab, "enrol", runners(lab))
    assert (won, told) == (1, {"waiting"})
    assert states(lab) == {"confirmed": 1, "waiting": RACERS - 1}


def test_the_database_alone_gives_the_last_place_once(lab: Lab) -> None:
    won, told = race(lab, "place_without_lock", runners(lab))
    assert (won, states(lab)) == (1, {"confirmed": 1})
    assert told <= {"session-full", CROSSED}
    assert "session-full" in told


def test_control_without_the_guarantee_all_get_the_last_place(lab: Lab) -> None:
    entries = runners(lab)
    drop_guarantees(lab.database)
    won, _ = race(lab, "place_without_lock", entries)
    assert (won, states(lab)) == (RACERS, {"confirmed": RACERS})
