"""Two hundred rounds for the last place of a session: one gets it, the others wait."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import select

from fabctl.services import people
from fabctl.store.ids import new_id
from fabctl.store.tables_workshops import Enrolment, WorkshopSession
from tests.servers.store.conftest import Lab
from tests.servers.store.guarantees import drop_guarantees
from tests.servers.store.racing import CONTROL_ROUNDS, CROSSED, ROUNDS, Racer, Track, copied
from tests.servers.store.workshop_scene import put_on

RACERS = 3
CROWD = 40


def runners(lab: Lab, action: str, rounds: int, count: int = RACERS) -> list[Racer]:
    """Return some who want the one place of a session, another session in each round."""
    scene = put_on(lab, places=1, consent_needed=False)
    meetings = [new_id() for _ in range(rounds)]
    with lab.database.transaction() as session:
        row = session.get_one(WorkshopSession, scene.meeting)
        copied(session, row, [{"id": one} for one in meetings])
        crowd = [
            people.add_person(session, lab.clock, display_name="Ida", birth_year=1990).id
            for _ in range(count)
        ]
    return [{"action": action, "person": one, "meetings": meetings} for one in crowd]


def states(lab: Lab) -> Counter[tuple[str, str]]:
    """Return how many enrolments of each state each session has."""
    with lab.database.reading() as session:
        return Counter((row.session_id, row.state) for row in session.scalars(select(Enrolment)))


def test_one_gets_the_last_place_and_the_others_wait(lab: Lab, track: Track) -> None:
    racers = runners(lab, "enrol", ROUNDS)
    rounds = track.race(lab, racers, ROUNDS)
    for said in rounds:
        assert Counter(said) == {"": 1, "waiting": RACERS - 1}
    assert states(lab) == {
        (meeting, state): number
        for meeting in racers[0]["meetings"]
        for state, number in (("confirmed", 1), ("waiting", RACERS - 1))
    }
    assert len({said.index("") for said in rounds}) > 1, "the same racer won always: no race"


def test_the_database_alone_gives_the_last_place_once(lab: Lab, track: Track) -> None:
    racers = runners(lab, "place_after_looking", ROUNDS)
    rounds = track.race(lab, racers, ROUNDS)
    for said in rounds:
        assert said.count("") == 1
        assert set(said) <= {"", "session-full", CROSSED}
    assert any("session-full" in said for said in rounds)
    assert states(lab) == {(meeting, "confirmed"): 1 for meeting in racers[0]["meetings"]}


def test_control_without_the_guarantee_all_get_the_last_place(lab: Lab, track: Track) -> None:
    racers = runners(lab, "place_after_looking", CONTROL_ROUNDS)
    drop_guarantees(lab.database)
    rounds = track.race(lab, racers, CONTROL_ROUNDS)
    assert [set(said) for said in rounds] == [{""}] * CONTROL_ROUNDS
    assert set(states(lab).values()) == {RACERS}


def test_forty_want_the_last_place(lab: Lab, track: Track) -> None:
    (said,) = track.race(lab, runners(lab, "enrol", 1, CROWD), 1)
    assert Counter(said) == {"": 1, "waiting": CROWD - 1}
    assert sorted(states(lab).values()) == [1, CROWD - 1]
