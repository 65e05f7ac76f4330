"""Who counts as staff, and who may decide for whom."""

from __future__ import annotations

import pytest

from fabctl.errors import LocalError, UnknownIdError
from fabctl.model.refusal import RefusedError
from fabctl.services import notices, participants, people, personal_data, rights
from fabctl.services.notices import About
from fabctl.services.participants import may_act_for
from fabctl.store.engine import open_database
from fabctl.store.tables import Person
from tests.servers.store.conftest import Lab
from tests.servers.store.workshop_scene import BORN, PARIS, put_on


@pytest.mark.parametrize(
    ("role", "staff", "workshops"),
    [
        ("member", False, False),
        ("trainer", False, False),
        ("animator", False, True),
        ("staff", True, True),
        ("admin", True, True),
    ],
)
def test_roles(lab: Lab, role: str, staff: bool, workshops: bool) -> None:
    with lab.database.transaction() as session:
        one = people.add_person(session, lab.clock, display_name="X", role=role).id
        assert rights.is_staff(session, one) is staff
        assert rights.runs_workshops(session, one) is workshops


def test_a_shell_is_staff_and_nobody_is_not(lab: Lab) -> None:
    with lab.database.reading() as session:
        assert rights.is_staff(session, "shell:root")
        assert rights.runs_workshops(session, "shell:root")
        assert not rights.is_staff(session, None)
        assert not rights.runs_workshops(session, None)
        with pytest.raises(UnknownIdError):
            rights.is_staff(session, "no-such-person")


def test_who_decides_for_a_child(lab: Lab) -> None:
    scene = put_on(lab)
    parent = scene.adult("Fatou")
    child = scene.child(parent)
    with lab.database.reading() as session:
        deciders = [
            one
            for one in (parent, child, lab.lea, lab.awa, scene.ali, None)
            if may_act_for(session, lab.clock, child, one)
        ]
        assert deciders == [parent, child, lab.awa, scene.ali]
        assert rights.children_of(session, lab.clock, parent) == [child]
        assert not may_act_for(session, lab.clock, parent, child)


def test_a_guardians_part_ends_on_the_18th_birthday_by_the_labs_clocks(lab: Lab) -> None:
    scene = put_on(lab)
    parent = scene.adult("Fatou")
    child = scene.child(parent)
    with lab.database.transaction() as session:
        participants.set_birth(
            session, lab.clock, PARIS, person_id=child, year=BORN.year, day=BORN, by=lab.awa
        )

    def told_and_handed_out() -> list[str]:
        with lab.database.transaction() as session:
            personal_data.export(session, lab.clock, person_id=child, by=parent)
            told = notices.readers(session, lab.clock, child, About())
            assert rights.children_of(session, lab.clock, parent) == [child]
        return [whom for whom, _ in told]

    lab.clock.advance(14 * 3600 - 1)  # 23:59:59 in Paris, the day before
    assert told_and_handed_out() == [child, parent]
    lab.clock.advance(1)
    with pytest.raises(RefusedError, match="Only the person concerned"):
        told_and_handed_out()
    with pytest.raises(RefusedError) as refused:
        scene.enrol(child, by=parent)
    assert "not-yours" in {one.code for one in refused.value.refusals}
    with lab.database.reading() as session:
        assert rights.children_of(session, lab.clock, parent) == []
        assert notices.readers(session, lab.clock, child, About()) == [(child, About())]
        assert not may_act_for(session, lab.clock, child, parent)


def test_whose_birth_nobody_knows_keeps_a_guardian(lab: Lab) -> None:
    scene = put_on(lab)
    parent = scene.adult("Fatou")
    child = scene.child(parent)
    with lab.database.transaction() as session:
        session.get_one(Person, child).birth_year = None
        session.flush()
        lab.clock.advance(30 * 366 * 86400)
        assert may_act_for(session, lab.clock, child, parent)
        assert rights.children_of(session, lab.clock, parent) == [child]


def test_no_other_zone_stands_in_for_the_labs(lab: Lab) -> None:
    scene = put_on(lab)
    parent = scene.adult("Fatou")
    child = scene.child(parent)
    url = lab.database.engine.url.render_as_string(hide_password=False)
    without = open_database(url)
    with without.reading() as session, pytest.raises(LocalError, match="without the lab's time"):
        rights.is_guardian(session, lab.clock, parent, child)
    without.close()
