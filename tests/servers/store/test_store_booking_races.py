"""Two hundred rounds of each race for a slot, real processes, both databases: one winner in each.

Each race is run three times: through the services; past them, so that the database alone decides;
and as a control with the database's guarantee removed, where everybody must win.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select

from fabctl.services import people
from fabctl.services.certifications import certify
from fabctl.services.places import overlap
from fabctl.store.tables import Account, Claim, Resource
from tests.servers.store.booking_lab import add_space, put_into
from tests.servers.store.conftest import Lab
from tests.servers.store.guarantees import drop_guarantees
from tests.servers.store.racing import CONTROL_ROUNDS, CROSSED, ROUNDS, Racer, Track

CROWD = 40
LOOKING = {"book": "claim_after_looking", "move": "move_after_looking"}


def claims_apart(lab: Lab) -> bool:
    """Say whether no two live claims on resources in each other's way overlap."""
    with lab.database.reading() as session:
        rows = {row.id: row for row in session.scalars(select(Resource))}
        query = select(Claim).where(Claim.released_at.is_(None)).order_by(Claim.start_at)
        live = session.scalars(query).all()
    by_place = {
        name: [one for one in live if overlap(rows[name], rows[one.resource_id])] for name in rows
    }
    return all(
        before.end_at <= after.start_at
        for name in ("printer-a", "printer-b")
        for before, after in pairwise(by_place[name])
    )


def same_slot(lab: Lab) -> list[Racer]:
    people = (lab.lea, lab.karim, lab.lea)
    return [{"action": "book", "person": one, "resource": "printer-a"} for one in people]


def move_against_book(lab: Lab) -> list[Racer]:
    with lab.database.reading() as session:
        account = session.scalars(select(Account.id).where(Account.person_id == lab.lea)).one()
    printer = {"resource": "printer-a"}
    return [
        {"action": "move", "person": lab.lea, "account": account, **printer},
        {"action": "book", "person": lab.karim, **printer},
    ]


def room_against_machine(lab: Lab) -> list[Racer]:
    add_space(lab, "workshop")
    put_into(lab, "printer-a", "workshop")
    return [
        {"action": "book", "person": lab.lea, "resource": "workshop"},
        {"action": "book", "person": lab.karim, "resource": "printer-a"},
    ]


RACES = [same_slot, move_against_book, room_against_machine]


def past_the_services(racers: list[Racer]) -> list[Racer]:
    return [{**racer, "action": LOOKING[racer["action"]]} for racer in racers]


@pytest.mark.parametrize("make", RACES)
def test_exactly_one_wins_every_round(lab: Lab, track: Track, make: Any) -> None:
    rounds = track.race(lab, make(lab), ROUNDS)
    for said in rounds:
        assert said.count("") == 1
        assert set(said) == {"", "overlap"}
    assert claims_apart(lab)
    assert len({said.index("") for said in rounds}) > 1, "the same racer won always: no race"


@pytest.mark.parametrize("make", RACES)
def test_the_database_alone_lets_one_through(lab: Lab, track: Track, make: Any) -> None:
    rounds = track.race(lab, past_the_services(make(lab)), ROUNDS)
    for said in rounds:
        assert said.count("") == 1
        assert set(said) <= {"", "overlap", CROSSED}
    assert claims_apart(lab)


@pytest.mark.parametrize("make", RACES)
def test_control_without_the_guarantee_all_win(lab: Lab, track: Track, make: Any) -> None:
    racers = past_the_services(make(lab))
    drop_guarantees(lab.database)
    rounds = track.race(lab, racers, CONTROL_ROUNDS)
    assert [set(said) for said in rounds] == [{""}] * CONTROL_ROUNDS
    assert not claims_apart(lab)


def test_cancelling_and_closing_do_not_wait_for_each_other(lab: Lab, track: Track) -> None:
    """Both need the machine and the reservation; who took them in turns would wait in a circle."""
    with lab.database.transaction() as session:
        account = session.scalars(select(Account.id).where(Account.person_id == lab.lea)).one()
        boss = people.add_person(session, lab.clock, display_name="Zoé", role="staff").id
    printer = {"resource": "printer-a"}
    rounds = track.race(
        lab,
        [
            {"action": "book_and_cancel", "person": lab.lea, "account": account, **printer},
            {"action": "close", "person": boss, **printer},
        ],
        ROUNDS,
    )
    assert {said[1] for said in rounds} == {""}
    assert {said[0] for said in rounds} == {"", "already-cancelled"}
    assert claims_apart(lab)


def test_forty_who_overlap_one_gets_it(lab: Lab, track: Track) -> None:
    """Every one begins half a minute later than the one before, so that all touch each other."""
    with lab.database.transaction() as session:
        crowd = [people.add_person(session, lab.clock, display_name="Ida").id for _ in range(CROWD)]
        for person in crowd:
            certify(session, lab.clock, person_id=person, resource_id="printer-a")
    racers = [
        {"action": "book", "person": person, "resource": "printer-a", "late_min": number / 2}
        for number, person in enumerate(crowd)
    ]
    (said,) = track.race(lab, racers, 1)
    assert (said.count(""), set(said)) == (1, {"", "overlap"})
    with lab.database.reading() as session:
        assert len(session.scalars(select(Claim.id)).all()) == 1
