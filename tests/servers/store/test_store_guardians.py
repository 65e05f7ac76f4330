"""A guardian's link is ended: by whom, when not, and what stays of it."""

from __future__ import annotations

import pytest

from fabctl.errors import InputError, UnknownIdError
from fabctl.model.refusal import RefusedError
from fabctl.services import guardians, participants, people
from fabctl.services.audit import lines_about
from fabctl.services.rights import is_guardian
from tests.servers.store.conftest import Lab
from tests.servers.store.workshop_scene import PARENT, PARIS, Scene, put_on


def end(scene: Scene, guardian: str, child: str, by: str, **how: bool) -> None:
    with scene.lab.database.transaction() as session:
        guardians.end_guardian(
            session,
            scene.lab.clock,
            guardian_id=guardian,
            child_id=child,
            reason=" moved away ",
            by=by,
            **how,
        )


def signs(scene: Scene, guardian: str, child: str) -> bool:
    with scene.lab.database.reading() as session:
        return is_guardian(session, scene.lab.clock, guardian, child)


def test_the_only_guardian_behind_a_consent_stays_unless_staff_says_so(lab: Lab) -> None:
    scene = put_on(lab)
    zoe = scene.adult("Zoé")
    child = scene.child(zoe)
    with pytest.raises(RefusedError) as refused:
        end(scene, zoe, child, lab.awa)
    assert [one.code for one in refused.value.refusals] == ["only-guardian"]
    assert signs(scene, zoe, child)
    end(scene, zoe, child, lab.awa, none_left=True)
    assert not signs(scene, zoe, child)
    with lab.database.reading() as session:
        line = lines_about(session, f"person:{child}")[-1]
        assert participants.consents_of(session, child) == [PARENT]  # what was signed stays
    assert (line.what, line.who) == ("guardian.ended", lab.awa)
    assert line.details == {"guardian": zoe, "reason": "moved away", "left": 0}
    with pytest.raises(UnknownIdError):
        end(scene, zoe, child, lab.awa, none_left=True)


def test_one_of_two_may_go_and_signs_nothing_any_more(lab: Lab) -> None:
    scene = put_on(lab)
    zoe, abel = scene.adult("Zoé"), scene.adult("Abel")
    child = scene.child(zoe)
    with lab.database.transaction() as session:
        participants.add_guardian(session, lab.clock, guardian_id=abel, child_id=child, by=lab.awa)
    end(scene, zoe, child, lab.awa)
    with pytest.raises(RefusedError), lab.database.transaction() as session:
        participants.sign_consent(session, lab.clock, PARIS, person_id=child, form=PARENT, by=zoe)
    with pytest.raises(RefusedError, match="Nobody else would be left"):
        end(scene, abel, child, lab.awa)


def test_without_a_consent_on_file_nobody_has_to_stay(lab: Lab) -> None:
    scene = put_on(lab)
    zoe = scene.adult("Zoé")
    child = scene.child(zoe, signed=False)
    end(scene, zoe, child, lab.awa)
    assert not signs(scene, zoe, child)


def test_it_is_the_staffs_to_say_with_a_reason(lab: Lab) -> None:
    scene = put_on(lab)
    zoe = scene.adult("Zoé")
    child = scene.child(zoe)
    with lab.database.transaction() as session:
        animator = people.add_person(session, lab.clock, display_name="Nour", role="animator").id
    for by in (zoe, child, animator, lab.lea):
        with pytest.raises(RefusedError, match="Only the staff"):
            end(scene, zoe, child, by, none_left=True)
    with pytest.raises(InputError), lab.database.transaction() as session:
        guardians.end_guardian(
            session, lab.clock, guardian_id=zoe, child_id=child, reason="  ", by=lab.awa
        )
    assert signs(scene, zoe, child)
