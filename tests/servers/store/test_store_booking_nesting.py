"""Rooms, what is in them, and pools: the database itself keeps all of them apart."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from fabctl.errors import InputError, UnknownIdError
from fabctl.model.access import unmet
from fabctl.model.booking_facts import ResourceKind
from fabctl.model.booking_policy import Reach, Scope
from fabctl.model.refusal import RefusedError
from fabctl.services import bookings, machines, resources
from fabctl.services.access import may_use
from fabctl.store.ids import new_id
from fabctl.store.tables import Claim, Resource
from tests.servers.store.booking_lab import (
    PARIS,
    add_space,
    book,
    cancel,
    catch_up,
    moment,
    move,
    put_into,
    refusing,
    set_policy,
    slot,
    wait_for,
)
from tests.servers.store.conftest import Lab
from tests.servers.store.guarantees import drop_guarantees


@pytest.fixture
def rooms(lab: Lab) -> Lab:
    """A house with a workshop (printers a and b, one of two seats in it) and a kitchen."""
    for name, inside in (("house", None), ("workshop", "house"), ("kitchen", "house")):
        add_space(lab, name, inside)
    for machine in ("printer-a", "printer-b"):
        put_into(lab, machine, "workshop")
    add_space(lab, "seat-1", "workshop", seat=True)
    return lab


def claim(lab: Lab, resource: str, start: float = 0, end: float = 60) -> None:
    """Write a claim as a service would that forgot every rule."""
    with lab.database.transaction() as session:
        row = Claim(id=new_id(), resource_id=resource, kind="reservation")
        row.start_at, row.end_at = moment(lab, start), moment(lab, end)
        session.add(row)


IN_THE_WAY = [
    ("workshop", "printer-a"), ("printer-a", "workshop"), ("house", "printer-a"),
    ("printer-a", "house"), ("workshop", "seat-1"), ("workshop", "house"), ("house", "house"),
]  # fmt: skip
APART = [
    ("printer-a", "printer-b"), ("kitchen", "workshop"), ("printer-a", "kitchen"),
    ("mill", "house"), ("seat-1", "printer-a"),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second"), IN_THE_WAY)
def test_the_database_keeps_what_nests_apart(rooms: Lab, first: str, second: str) -> None:
    claim(rooms, first)
    with refusing("overlap"):
        claim(rooms, second, 59, 90)
    claim(rooms, second, 60, 90)


@pytest.mark.parametrize(("first", "second"), APART)
def test_what_lies_side_by_side_is_free(rooms: Lab, first: str, second: str) -> None:
    claim(rooms, first)
    claim(rooms, second)


def test_control_without_the_guarantee_room_and_machine_overlap(rooms: Lab) -> None:
    drop_guarantees(rooms.database)
    claim(rooms, "workshop")
    claim(rooms, "printer-a")


def test_booking_says_so_before_the_database_does(rooms: Lab) -> None:
    book(rooms, 0, 60, resource="workshop", person=rooms.karim)
    with refusing("overlap"):
        book(rooms, 59, 90)
    made = book(rooms, 60, 90)
    with refusing("overlap"):
        book(rooms, 89, 120, resource="house", person=rooms.karim)
    with refusing("overlap"):
        move(rooms, made, 30, 60)
    book(rooms, 0, 60, resource="kitchen", person=rooms.noemie)


def test_cleaning_up_the_room_keeps_the_machines(rooms: Lab) -> None:
    set_policy(rooms, Scope(Reach.RESOURCE, "workshop"), clean_up_min=15)
    book(rooms, 0, 60, resource="workshop", person=rooms.karim)
    with refusing("overlap"):
        book(rooms, 74, 90)
    with refusing("overlap"):
        claim(rooms, "printer-b", 74, 90)
    book(rooms, 75, 90)


def test_a_machine_with_claims_moves_only_where_they_are_in_nobodys_way(rooms: Lab) -> None:
    book(rooms, 0, 60, resource="kitchen", person=rooms.karim)
    held = book(rooms, 30, 90)
    with refusing("overlap"):
        put_into(rooms, "printer-a", "kitchen")
    claim(rooms, "workshop", 90, 120)
    cancel(rooms, held)
    put_into(rooms, "printer-a", "kitchen")
    claim(rooms, "printer-a", 90, 120)  # no longer in the workshop
    with refusing("overlap"):
        claim(rooms, "printer-a", 30, 60)


def test_a_room_moves_with_all_that_is_in_it(rooms: Lab) -> None:
    add_space(rooms, "annex")
    put_into(rooms, "workshop", "annex")
    claim(rooms, "house")
    claim(rooms, "printer-a")
    with refusing("overlap"):
        claim(rooms, "annex")
    put_into(rooms, "printer-a", None)
    claim(rooms, "annex")
    with refusing("overlap"):
        put_into(rooms, "printer-a", "annex")


def test_the_database_refuses_a_place_that_makes_claims_overlap(rooms: Lab) -> None:
    claim(rooms, "mill")
    claim(rooms, "kitchen")
    with rooms.database.reading() as session:
        kitchen = session.get_one(Resource, "kitchen")
        place = {"place_from": kitchen.place_from, "place_to": kitchen.place_to}
    with refusing("overlap"), rooms.database.transaction() as session:
        session.execute(update(Resource).where(Resource.id == "mill").values(place))


@pytest.mark.parametrize("into", ["house", "workshop", "printer-a"])
def test_nothing_lies_within_itself(rooms: Lab, into: str) -> None:
    with pytest.raises(InputError, match="within itself"):
        put_into(rooms, "house", into)


def test_four_levels_are_the_most(lab: Lab) -> None:
    inside = None
    for level in range(5):
        add_space(lab, f"level-{level}", inside)
        inside = f"level-{level}"
    with pytest.raises(InputError, match="four levels"):
        add_space(lab, "level-5", inside)


def test_who_holds_the_room_holds_the_machines_in_it(rooms: Lab) -> None:
    book(rooms, 0, 60, resource="workshop")
    book(rooms, 0, 60, resource="kitchen", person=rooms.noemie)
    rooms.clock.advance(60)
    found = {person: answers(rooms, person) for person in (rooms.lea, rooms.karim)}
    assert found == {rooms.lea: [], rooms.karim: ["someone-elses-slot"]}
    with rooms.database.reading() as session:
        said = machines.bookings_projection(session, rooms.clock)
    assert said["printer-a"][0] == said["printer-b"][0] == moment(rooms, 59)
    assert said["mill"] == (None, None)


def answers(lab: Lab, person: str) -> list[str]:
    with lab.database.reading() as session:
        found = may_use(
            session,
            lab.clock,
            PARIS,
            person_id=person,
            resource_id="printer-a",
            machine_state="idle",
        )
    return [refusal.code for refusal in unmet(found)]


def test_machines_follow_lab_toml_and_spaces_stay(rooms: Lab) -> None:
    with rooms.database.transaction() as session:
        machines.sync_resources(session, rooms.clock, [])
        assert [one.id for one in resources.list_all(session)] == [
            "house", "workshop", "kitchen", "seat-1",
        ]  # fmt: skip
        assert machines.list_resources(session) == []


def pool(lab: Lab) -> None:
    with lab.database.transaction() as session:
        resources.set_pool(
            session,
            lab.clock,
            pool_id="printers",
            name="Any printer",
            members=["printer-b", "printer-a"],
            by=lab.awa,
        )


def book_any(lab: Lab, person: str) -> str:
    wanted = slot(lab, 0, 60)
    with lab.database.transaction() as session:
        return bookings.book_any(
            session,
            lab.clock,
            PARIS,
            person_id=person,
            pool_id="printers",
            start=wanted.start,
            end=wanted.end,
            by=person,
        ).resource_id


def test_a_pool_gives_the_first_free_one(lab: Lab) -> None:
    pool(lab)
    assert [book_any(lab, lab.lea), book_any(lab, lab.karim)] == ["printer-b", "printer-a"]
    with pytest.raises(RefusedError) as refused:
        book_any(lab, lab.noemie)
    assert refused.value.codes == {"not-certified", "overlap"}
    with lab.database.reading() as session, pytest.raises(UnknownIdError):
        resources.get_pool(session, "nothing")


def test_the_first_of_a_whole_house_is_asked_first(rooms: Lab) -> None:
    """Karim waits for one printer, Noémie for the room, and Léa for the other printer later."""
    held = book(rooms, 60, 120, resource="workshop")
    first = wait_for(rooms, rooms.karim, 60, 120, "printer-b")
    wait_for(rooms, rooms.noemie, 60, 120, "workshop")
    book(rooms, 200, 260, person=rooms.karim)
    wait_for(rooms, rooms.lea, 200, 260, "printer-a")
    for reason in ("smoke", None):
        with rooms.database.transaction() as session:
            machines.set_out_of_order(
                session, rooms.clock, resource_id="house", reason=reason, by=None
            )
        if reason:
            cancel(rooms, held)
    assert [one.id for one in catch_up(rooms).offers] == [first.id]


def test_only_the_staff_change_what_lies_where(lab: Lab) -> None:
    with refusing("staff-only"), lab.database.transaction() as session:
        resources.put_into(session, lab.clock, resource_id="mill", parent_id=None, by=lab.lea)
    with pytest.raises(InputError, match=r"lab\.toml"), lab.database.transaction() as session:
        resources.add_resource(
            session,
            lab.clock,
            resource_id="lathe",
            name="Lathe",
            kind=ResourceKind.MACHINE,
            by=lab.awa,
        )
