"""Who counts as staff, and who may decide for whom."""

from __future__ import annotations

import pytest

from fabctl.errors import UnknownIdError
from fabctl.services import people, rights
from fabctl.services.participants import may_act_for
from tests.servers.store.conftest import Lab
from tests.servers.store.workshop_scene import put_on


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
            if may_act_for(session, child, one)
        ]
        assert deciders == [parent, child, lab.awa, scene.ali]
        assert rights.children_of(session, parent) == [child]
        assert not may_act_for(session, parent, child)
