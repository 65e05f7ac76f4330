"""A year of birth decides who signs: who notes it, who changes it, how young a guardian is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fabctl.model.consent import MOST_CHILDREN, Consent, Signer
from fabctl.model.refusal import RefusedError
from fabctl.services import participants, people
from fabctl.store.tables import Person
from tests.servers.store.conftest import Lab
from tests.servers.store.workshop_scene import PARENT, PARIS, SIGNED, Scene, put_on


@pytest.fixture
def scene(lab: Lab) -> Scene:
    return put_on(lab)


def add(scene: Scene, name: str, year: int | None = None, role: str = "member") -> str:
    with scene.lab.database.transaction() as session:
        return people.add_person(
            session, scene.lab.clock, display_name=name, birth_year=year, role=role
        ).id


def note(scene: Scene, person: str, year: int, by: str) -> int | None:
    with scene.lab.database.transaction() as session:
        participants.set_birth(session, scene.lab.clock, PARIS, person_id=person, year=year, by=by)
        return session.get_one(Person, person).birth_year


def codes(tried: Callable[[], object]) -> set[str]:
    with pytest.raises(RefusedError) as refused:
        tried()
    return {one.code for one in refused.value.refusals}


def test_nobody_but_the_staff_changes_a_year_that_is_known(scene: Scene) -> None:
    kid, parent = add(scene, "Kim", 2011), scene.adult("Fatou")
    child = scene.child(parent)
    assert codes(lambda: note(scene, kid, 1990, kid)) == {"birth-known"}
    assert codes(lambda: note(scene, child, 1990, parent)) == {"birth-known"}
    eve = add(scene, "Eve", role="animator")
    assert codes(lambda: note(scene, kid, 1990, eve)) == {"birth-known", "not-yours"}
    assert note(scene, kid, 2012, scene.lab.awa) == 2012


def test_an_unknown_year_is_noted_once(scene: Scene) -> None:
    kim = add(scene, "Kim")
    assert note(scene, kim, 2011, kim) == 2011
    assert codes(lambda: note(scene, kim, 1990, kim)) == {"birth-known"}


def test_an_animator_notes_it_for_those_whom_they_lead(scene: Scene) -> None:
    kim, eve = add(scene, "Kim"), add(scene, "Eve", role="animator")
    assert codes(lambda: note(scene, kim, 1990, scene.ali)) == {"not-yours"}
    with scene.lab.database.transaction() as session:
        participants.sign_consent(
            session, scene.lab.clock, PARIS, person_id=kim, form=SIGNED, by=kim
        )
    scene.enrol(kim)
    assert codes(lambda: note(scene, kim, 1990, eve)) == {"not-yours"}
    assert note(scene, kim, 2010, scene.ali) == 2010


def test_who_is_under_age_is_nobodys_guardian(scene: Scene) -> None:
    kid, parent = add(scene, "Kim", 2010), scene.adult("Fatou")
    child = scene.child(parent, signed=False)
    clock = scene.lab.clock

    def link() -> None:
        with scene.lab.database.transaction() as session:
            participants.add_guardian(
                session, clock, guardian_id=kid, child_id=child, by=scene.lab.awa
            )

    assert codes(link) == {"guardian-under-age"}
    assert codes(lambda: scene.child(kid)) == {"guardian-under-age"}


def test_a_guardian_who_turns_out_to_be_under_age_signs_nothing(scene: Scene) -> None:
    someone = add(scene, "Kim")
    child = scene.child(someone, signed=False)
    note(scene, someone, 2010, scene.lab.awa)

    def sign(form: Consent) -> None:
        with scene.lab.database.transaction() as session:
            participants.sign_consent(
                session, scene.lab.clock, PARIS, person_id=child, form=form, by=someone
            )

    assert codes(lambda: sign(PARENT)) == {"guardian-under-age"}
    sign(Consent(Signer.GUARDIAN, takes_part=False))  # to take it back is always right


def test_after_twelve_children_the_staff_add_the_next(scene: Scene) -> None:
    parent = scene.adult("Fatou")
    for number in range(MOST_CHILDREN):
        scene.child(parent, f"Kid {number}", signed=False)
    assert codes(lambda: scene.child(parent)) == {"too-many-children"}
    with scene.lab.database.transaction() as session:
        participants.add_participant(
            session,
            scene.lab.clock,
            PARIS,
            first_name="Tom",
            birth_year=2016,
            by=scene.lab.awa,
            guardian_id=parent,
        )
