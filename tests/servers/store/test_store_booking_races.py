"""Two hundred rounds of each race, real processes, both databases: one winner in every round.

Each race is run three times: through the services; past them, so that the database alone decides;
and as a control with the database's guarantee removed, where everybody must win.
"""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from fabctl.services.places import overlap
from fabctl.store.tables import Claim, Resource
from tests.servers.store.booking_lab import add_space, book, put_into
from tests.servers.store.conftest import Lab
from tests.servers.store.guarantees import drop_guarantees

ROUNDS = 200
CONTROL_ROUNDS = 20
DATABASE_ROUNDS = 60
"""The same past the services, where only the database's own guarantee is left."""
ROOT = Path(__file__).parents[3]
CROSSED = "two changes crossed each other; nothing was changed"
LOOKING = {"book": "claim_after_looking", "move": "move_after_looking"}

Racers = list[dict[str, Any]]


def race(lab: Lab, racers: Racers, rounds: int) -> list[tuple[str, ...]]:
    """Return for each round what each racer was told, ``""`` for the winner."""
    url = lab.database.engine.url.render_as_string(hide_password=False)
    lab.database.close()
    words = [sys.executable, "-m", "tests.servers.store.booking_racers", url, str(rounds)]
    done = subprocess.run(
        [*words, json.dumps(racers)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(zip(*json.loads(done.stdout), strict=True))


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


def same_slot(lab: Lab) -> Racers:
    people = (lab.lea, lab.karim, lab.lea, lab.karim)
    return [{"action": "book", "person": one, "resource": "printer-a"} for one in people]


def move_against_book(lab: Lab) -> Racers:
    moves = [book(lab, 60 * number + 30, 60 * number + 60).id for number in range(ROUNDS)]
    return [
        {"action": "move", "person": lab.lea, "resource": "printer-a", "moves": moves},
        {"action": "book", "person": lab.karim, "resource": "printer-a"},
    ]


def room_against_machine(lab: Lab) -> Racers:
    add_space(lab, "workshop")
    put_into(lab, "printer-a", "workshop")
    return [
        {"action": "book", "person": lab.lea, "resource": "workshop"},
        {"action": "book", "person": lab.karim, "resource": "printer-a"},
    ]


RACES = [same_slot, move_against_book, room_against_machine]


def past_the_services(racers: Racers) -> Racers:
    return [{**racer, "action": LOOKING[racer["action"]]} for racer in racers]


@pytest.mark.parametrize("make", RACES)
def test_exactly_one_wins_every_round(lab: Lab, make: Any) -> None:
    rounds = race(lab, make(lab), ROUNDS)
    assert len(rounds) == ROUNDS
    for said in rounds:
        assert said.count("") == 1
        assert set(said) == {"", "overlap"}
    assert claims_apart(lab)
    assert len({said.index("") for said in rounds}) > 1, "the same racer won always: no race"


@pytest.mark.parametrize("make", RACES)
def test_the_database_alone_lets_one_through(lab: Lab, make: Any) -> None:
    rounds = race(lab, past_the_services(make(lab)), DATABASE_ROUNDS)
    for said in rounds:
        assert said.count("") == 1
        assert set(said) <= {"", "overlap", CROSSED}
    assert claims_apart(lab)


@pytest.mark.parametrize("make", RACES)
def test_control_without_the_guarantee_all_win(lab: Lab, make: Any) -> None:
    racers = past_the_services(make(lab))
    drop_guarantees(lab.database)
    rounds = race(lab, racers, CONTROL_ROUNDS)
    assert [set(said) for said in rounds] == [{""}] * CONTROL_ROUNDS
    assert not claims_apart(lab)
