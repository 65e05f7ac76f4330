"""What the staff do with people, and what the trail keeps of it, on both databases."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from fabctl.errors import UnknownIdError
from fabctl.model.people import Role, search_name
from fabctl.model.refusal import RefusedError
from fabctl.services import audit_trail, people, people_desk, people_records
from fabctl.services.audit import lines_about
from fabctl.services.people_desk import Change, NewPerson
from fabctl.store.tables import Account, Person
from tests.servers.store.booking_lab import refusing
from tests.servers.store.conftest import Lab

ZONE = ZoneInfo("Europe/Paris")


def test_people_are_found_in_one_order_on_every_database(lab: Lab) -> None:
    wanted = ("Élodie", "elodie", "Zoë", "émile", "🦊", "שירה", "Eléa 50%")
    with lab.database.transaction() as session:
        for name in wanted:
            people_desk.add(session, lab.clock, ZONE, wanted=NewPerson(name), by=lab.awa)
    with lab.database.reading() as session:
        seen, after = [], None
        while page := people_records.find_people(session, by=lab.awa, after=after, limit=3):
            seen += [one.display_name for one in page]
            after = page[-1].key
        found = people_records.find_people(session, by=lab.awa, words="ELODIE")
        percent = people_records.find_people(session, by=lab.awa, words="%")
    assert len(seen) == len(set(seen)) == len(wanted) + 4
    keys = [search_name(name) for name in seen]
    assert keys == sorted(keys)
    assert {one.display_name for one in found} == {"Élodie", "elodie"}
    assert [one.display_name for one in percent] == ["Eléa 50%"]


def test_the_searched_name_follows_the_name_however_it_is_written(lab: Lab) -> None:
    def found(words: str) -> set[str]:
        with lab.database.reading() as session:
            page = people_records.find_people(session, by=lab.awa, words=words)
        return {one.display_name for one in page}

    with lab.database.transaction() as session:
        row = {"id": "seeded", "display_name": "Zoé Ünal", "role": "member"}
        session.execute(insert(Person), [{**row, "created_at": lab.clock.now()}])
        session.execute(
            insert(Account),
            [{"id": "own", "person_id": "seeded", "name": "Z", "created_at": lab.clock.now()}],
        )
        people.set_password(
            session,
            lab.clock,
            person_id="seeded",
            login="z.u",
            password="four words in a row",
            by="shell:test",
        )
    assert found("unal ZOE") == found("zoe z.u") == {"Zoé Ünal"}
    assert found("zoe_unal") == found("zoe nobody") == set()
    with lab.database.transaction() as session:
        change = Change(name="Ève")
        people_desk.change(session, lab.clock, ZONE, person_id="seeded", change=change, by=lab.awa)
    assert found("eve z.u") == {"Ève"}
    assert found("unal") == set()


def test_a_change_keeps_the_account_and_the_trail_in_step_without_names(lab: Lab) -> None:
    with lab.database.transaction() as session:
        after = people_desk.change(
            session,
            lab.clock,
            ZONE,
            person_id=lab.lea,
            change=Change(name="  Léa  M. ", language="en", birth_year=1999),
            by=lab.awa,
        )
        people_desk.set_role(session, lab.clock, person_id=lab.lea, role=Role.TRAINER, by=lab.awa)
    assert (after.display_name, after.language, after.birth_year) == ("Léa M.", "en", 1999)
    with lab.database.reading() as session:
        assert people.get_person(session, lab.lea).role is Role.TRAINER
        lines = lines_about(session, f"person:{lab.lea}")[-2:]
        newest = audit_trail.trail(session, by=lab.awa, subject=f"person:{lab.lea}", limit=1)
    assert [line.what for line in lines] == ["person.changed", "person.role-changed"]
    assert lines[0].details == {"fields": ["name", "language", "birth_year"]}
    assert newest[0].details == {"before": "member", "after": "trainer"}


def test_a_lab_keeps_an_admin_whoever_asks(lab: Lab) -> None:
    def demote(person_id: str) -> None:
        with lab.database.transaction() as session:
            people_desk.set_role(
                session, lab.clock, person_id=person_id, role=Role.MEMBER, by="shell:awa"
            )

    with lab.database.transaction() as session:
        for person_id in (lab.lea, lab.karim):
            people_desk.set_role(
                session, lab.clock, person_id=person_id, role=Role.ADMIN, by="shell:awa"
            )
    demote(lab.lea)
    with refusing("last-admin"):
        demote(lab.karim)


def test_what_members_and_staff_may_not(lab: Lab) -> None:
    with lab.database.transaction() as session:
        for act in (
            lambda: people_desk.set_role(
                session, lab.clock, person_id=lab.lea, role=Role.ADMIN, by=lab.awa
            ),
            lambda: people_desk.suspend(
                session, lab.clock, person_id=lab.awa, reason="x", by=lab.awa
            ),
            lambda: people_desk.suspend(
                session, lab.clock, person_id=lab.karim, reason="x", by=lab.lea
            ),
            lambda: audit_trail.trail(session, by=lab.lea),
        ):
            with pytest.raises(RefusedError):
                act()
        with pytest.raises(UnknownIdError):
            people_records.record(session, person_id=lab.karim, by=lab.lea)
        assert not people.get_person(session, lab.karim).suspended
