"""Marks that the lab cannot take hold up none of the others; a shared screen keeps no file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fabctl.services import session_changes
from tests.servers.test_web_session_console import mark, page_of, post, presences
from tests.web_lab import form_token, web_lab
from tests.workshop_scene import Scene, signed, text, workshop_scene

KIOSK = "127.0.0.1"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with web_lab(tmp_path) as lab:
        yield workshop_scene(lab)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "x" * 65},
        {"id": " "},
        {"at": "2026-13-01T00:00:00Z"},
        {"presence": "foo"},
        {"enrolment": ""},
        {"undoes": "y" * 65},
    ],
)
def test_a_mark_that_cannot_be_read_is_answered_and_keeps_no_other(
    scene: Scene, wrong: dict[str, str]
) -> None:
    marks = [
        mark(scene, 1, "Chloé", presence="late"),
        {**mark(scene, 2, "Bilal", presence="present"), **wrong},
        mark(scene, 3, "Driss", presence="absent"),
    ]
    answer = post(signed(scene, "ana"), scene, *marks)
    assert answer.status_code == 200
    codes = [[why["code"] for why in one["refusals"]] for one in answer.get_json()["marks"]]
    assert codes == [[], ["mark-malformed"], []]
    assert presences(scene) == {"Chloé": "late", "Driss": "absent"}


def test_only_marks_that_cannot_be_read_are_answered_too(scene: Scene) -> None:
    answer = post(signed(scene, "ana"), scene, {**mark(scene, 1, "Bilal"), "presence": "foo"})
    assert [bool(one["refusals"]) for one in answer.get_json()["marks"]] == [True]


def test_the_page_can_tell_why_nothing_was_taken(scene: Scene) -> None:
    """Not signed in, not leading any more, or nothing that can be read: each has its status."""
    ana, lab = signed(scene, "ana"), scene.lab
    headers = {"X-CSRFToken": form_token(text(ana, page_of(scene)))}
    path, said = f"/workshops/{scene.running}/marks", mark(scene, 1, "Bilal", presence="late")

    def answered(body: Any) -> tuple[int, list[str]]:
        answer = ana.client.post(path, json=body, headers=headers)
        return answer.status_code, [one["code"] for one in answer.get_json()["refusals"]]

    assert answered({"marks": "x"}) == (422, ["malformed"])
    with lab.db.transaction() as db:
        session_changes.change(
            db,
            lab.clock,
            session_id=scene.running,
            animators=[scene.id("eve")],
            by=scene.id("sasha"),
        )
    assert answered({"marks": [said]}) == (403, ["session-staff-only"])
    assert presences(scene) == {}


def test_no_file_comes_down_to_a_shared_screen(scene: Scene) -> None:
    ana, page, base = signed(scene, "ana"), page_of(scene), f"/workshops/{scene.running}"
    post(ana, scene, mark(scene, 1, "Bilal", presence="present"))
    fields = {"passed": scene.places["Bilal"], "what": "award"}
    ana.post(page, fields, page=page)
    shown = text(ana, page)
    paper = shown.split('href="/certificates/')[1].split('"')[0]
    files = [f"{base}/sheet.pdf", f"{base}/sheet.csv", f"/certificates/{paper}"]
    assert all(one in shown for one in files)
    kiosk = signed(scene, "ana", KIOSK)
    shown = text(kiosk, page)
    assert "data-certificate" in shown
    for one in files:
        assert one not in shown
        answer = kiosk.get(one)
        assert answer.status_code == 409, one
        assert 'data-code="not-on-a-shared-screen"' in answer.get_data(as_text=True)
