"""The end of a session at its console: who passed, who is certified, who is refused and told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fabctl.model.certification import Level
from fabctl.services import certifications, courses, training, workshop_changes, workshops
from fabctl.services.courses import Wording
from fabctl.services.workshop_changes import poster_of
from tests.servers.test_web_session_console import mark, page_of, post
from tests.web_lab import form_token, web_lab
from tests.workshop_scene import Scene, send, signed, text, workshop_scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with web_lab(tmp_path) as lab:
        yield workshop_scene(lab)


def passed(scene: Scene) -> set[str]:
    page = text(signed(scene, "sasha"), page_of(scene))
    ticked = re.findall(r'name="passed" type="checkbox" value="(\w+)" checked', page)
    by_place = {place: name for name, place in scene.places.items()}
    return {by_place[one] for one in ticked}


def test_ticks_from_an_old_page_take_nobody_elses_away(scene: Scene) -> None:
    ana, sasha, page = signed(scene, "ana"), signed(scene, "sasha"), page_of(scene)
    bilal, driss, chloe = (scene.places[one] for one in ("Bilal", "Driss", "Chloé"))
    send(sasha, page, page, passed=[chloe], what="save")
    old = text(ana, page)
    were = re.findall(r'type="hidden" name="was" value="(\w+)"', old)
    assert were == [chloe]
    send(sasha, page, page, passed=[chloe, bilal], was=[chloe], what="save")
    for what in ("save", "award", "everyone"):  # Driss is ticked, Chloé is not any more
        fields = {"csrf_token": form_token(old), "passed": [driss], "was": were, "what": what}
        assert ana.client.post(page, data=fields).status_code in {200, 303}
        assert passed(scene) == {"Bilal", "Driss"}, what


def make_it_a_training(scene: Scene) -> None:
    """Let the workshop lead to a certification on printer-a."""
    lab, by = scene.lab, scene.id("sasha")
    with lab.db.transaction() as db:
        course = courses.create_course(
            db, lab.clock, wording={"fr": Wording("C")}, resource_ids=["printer-a"], by=by
        )
        poster = replace(poster_of(workshops.get_workshop(db, scene.workshop)), course_id=course.id)
        workshop_changes.change_workshop(
            db, lab.clock, workshop_id=scene.workshop, poster=poster, by=by
        )


def test_ticks_stay_when_nothing_can_be_handed_out(scene: Scene) -> None:
    make_it_a_training(scene)
    ana, page, bilal = signed(scene, "ana"), page_of(scene), scene.places["Bilal"]
    post(ana, scene, mark(scene, 1, "Bilal", presence="present"))
    assert ana.post(page, {"passed": bilal, "what": "award"}, page=page).status_code == 409
    assert passed(scene) == {"Bilal"}  # ana is no trainer


def test_each_person_whom_the_course_refuses_is_named_each_time(scene: Scene) -> None:
    make_it_a_training(scene)
    lab, elise, on, by = scene.lab, scene.minor, "printer-a", scene.id("sasha")
    with lab.db.transaction() as db:
        certifications.certify(
            db, lab.clock, person_id=elise, resource_id=on, level=Level.AUTONOMOUS
        )
        training.suspend(db, lab.clock, person_id=elise, resource_id=on, reason="smoke", by=by)
    sasha, page = signed(scene, "sasha"), page_of(scene)
    post(sasha, scene, mark(scene, 1, "Élise", presence="present"))
    for papers in (1, 0):
        fields = {"passed": scene.places["Élise"], "what": "award"}
        said = sasha.post(page, fields, page=page).get_data(as_text=True)
        said = said.split('id="given"')[1].split("</section>")[0]
        assert f"New certificates: {papers}" in said
        assert "<h3>Élise</h3>" in said
        assert "This certification is suspended." in said
