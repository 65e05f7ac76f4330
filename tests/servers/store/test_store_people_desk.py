"""What the staff do with people, and what the trail keeps of it, on both databases."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from fabctl.errors import UnknownIdError
from fabctl.model.people import Role
from fabctl.model.refusal import RefusedError
from fabctl.services import audit_trail, people, people_desk
from fabctl.services.audit import lines_about
from fabctl.services.people_desk import Change, NewPerson
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
        while page := people_desk.find_people(session, by=lab.awa, after=after, limit=3):
            seen += [one.display_name for one in page]
            after = page[-1].key
        found = people_desk.find_people(session, by=lab.awa, words="ELODIE")
        percent = people_desk.find_people(session, by=lab.awa, words="%")
    assert len(seen) == len(set(seen)) == len(wanted) + 4
    keys = [people_desk.searched(name) for name in seen]
    assert keys == sorted(keys)
    assert {one.display_name for one in found} == {"Élodie", "elodie"}
    assert [one.display_name for one in percent] == ["Eléa 50%"]


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
            people_desk.record(session, person_id=lab.karim, by=lab.lea)
        assert not people.get_person(session, lab.karim).suspended
