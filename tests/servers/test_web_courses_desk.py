"""Courses at the desk, certifications by hand: rights, refusals, tokens, scripts in every text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fabctl.model.certification import Standing
from fabctl.services import courses, notices, people
from fabctl_web.training.areas import AREAS
from tests.training_scene import (
    KIOSK,
    Scene,
    marks,
    send,
    signed,
    standing,
    text,
    training_scene,
)
from tests.web_lab import Browser, web_lab

CHECK = "/m/printer-a/check"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with web_lab(tmp_path) as lab:
        yield training_scene(lab)


# -- by hand


def test_certified_suspended_and_reinstated_by_hand_with_reasons(scene: Scene) -> None:
    karim, lea = signed(scene, "karim"), scene.id("lea")
    page, by_hand = f"{CHECK}/{lea}", f"/m/printer-a/people/{lea}"
    send(karim, f"{by_hand}/certify", page, 409, level="autonomous")
    send(karim, f"{by_hand}/certify", page, 409, level="king", reason="Rennes")
    send(karim, f"{by_hand}/certify", page, 409, level="autonomous", reason="x", until="2020-01-01")
    send(karim, f"{by_hand}/certify", page, level="autonomous", reason="Rennes", until="2027-01-31")
    assert standing(scene, "lea") is Standing.VALID
    assert "until Sunday 31 January 2027" in text(karim, page)
    send(karim, f"{by_hand}/suspend", page, 409)
    send(karim, f"{by_hand}/suspend", page, reason=SCRIPT)
    assert standing(scene, "lea") is Standing.SUSPENDED
    with scene.lab.db.reading() as db:
        told = notices.of_person(db, person_id=lea)
    assert told[0].about.words == SCRIPT
    assert SCRIPT not in text(signed(scene, "lea"), "/me/notices")
    send(karim, f"{by_hand}/reinstate", page)
    assert standing(scene, "lea") is Standing.VALID


def test_by_hand_never_on_a_shared_screen_nor_by_others(scene: Scene) -> None:
    kiosk, lea = signed(scene, "karim", KIOSK), scene.id("lea")
    page, by_hand = f"{CHECK}/{lea}", f"/m/printer-a/people/{lea}"
    assert "Certify without a training" not in text(kiosk, page)
    for verb in ("certify", "suspend", "reinstate"):
        send(kiosk, f"{by_hand}/{verb}", page, 409, reason="x", level="autonomous")
        send(
            signed(scene, "omar"),
            f"{by_hand}/{verb}",
            "/training",
            409,
            reason="x",
            level="trainer",
        )
    own = f"/m/printer-a/people/{scene.id('karim')}"
    send(signed(scene, "karim"), f"{own}/certify", page, 409, reason="x", level="trainer")
    assert standing(scene, "lea") is Standing.NONE


def test_trainers_certify_users_and_the_staff_names_trainers(scene: Scene) -> None:
    karim, sasha, lea = signed(scene, "karim"), signed(scene, "sasha"), scene.id("lea")
    page, by_hand = f"{CHECK}/{lea}", f"/m/printer-a/people/{lea}"
    assert 'value="trainer"' not in text(karim, page)
    refused = send(karim, f"{by_hand}/certify", page, 409, level="trainer", reason="good")
    assert "Only the staff makes somebody a trainer." in refused
    assert standing(scene, "lea") is Standing.NONE
    send(sasha, f"{by_hand}/certify", page, level="trainer", reason="good")
    send(karim, f"{by_hand}/suspend", page, reason="left it alone")
    assert "Only the staff makes somebody a trainer." in text(karim, page)
    send(karim, f"{by_hand}/reinstate", page, 409)
    assert standing(scene, "lea") is Standing.SUSPENDED
    send(sasha, f"{by_hand}/reinstate", page)
    assert standing(scene, "lea") is Standing.VALID


def test_the_last_check_of_a_course_for_trainers_is_the_staffs(scene: Scene) -> None:
    karim, sasha, omar = signed(scene, "karim"), signed(scene, "sasha"), scene.id("omar")
    page = f"{CHECK}/{omar}"
    path = f"{page}/{scene.trainers}"
    send(karim, path, page, passed="true", step="practical")  # a first job follows
    last: dict[str, Any] = {"passed": "true", "step": "first-job"}
    assert "Only the staff makes" in send(karim, path, page, 409, **last)
    assert "Only the staff makes" in text(karim, page)
    send(karim, path, page, **{**last, "passed": "false"})  # not yet: that anybody can say
    send(sasha, path, page, **last)
    assert "Noemie" in text(signed(scene, "omar"), CHECK)


# -- the desk


NEW: dict[str, Any] = {
    "title_fr": SCRIPT,
    "description_fr": f"{SCRIPT}\n- {SCRIPT}",
    "machines": ["printer-b"],
    "level": "autonomous",
    "pass_mark": "80",
}
QUESTION: dict[str, Any] = {
    "question_fr": SCRIPT,
    "answer_fr_0": f"oui {SCRIPT}",
    "answer_fr_1": "non",
    "right_0": "1",
}


def made(scene: Scene, browser: Browser) -> str:
    send(browser, "/staff/courses", "/staff/courses", **NEW)
    with scene.lab.db.reading() as db:
        return courses.list_courses(db)[-1].id


def test_a_course_is_made_asked_reworded_and_retired(scene: Scene) -> None:
    sasha = signed(scene, "sasha")
    course = made(scene, sasha)
    page = f"/staff/courses/{course}"
    send(sasha, f"{page}/questions", page, **QUESTION)
    shown = text(sasha, page)
    assert "Not every question is written in: English." in shown
    assert marks(text(signed(scene, "lea"), f"/training/{course}"))[0] == ("quiz", "now")
    wording: dict[str, Any] = {
        "title_fr": "Fraiser",
        "title_en": "Milling",
        "description_en": "- Goggles",
    }
    send(sasha, f"{page}/wording", page, **wording)
    assert "Goggles" in text(scene.lab.browser(), f"/training/{course}")
    question = re.findall(r'data-question="(\w+)"', shown)[0]
    one = f"/staff/questions/{question}"
    assert "oui &lt;script&gt;" in text(sasha, one)
    said = {**QUESTION, "why_fr": f"Parce que {SCRIPT}"}
    send(sasha, one, one, **said)
    shown = text(sasha, page)
    assert "Parce que &lt;script&gt;" in shown
    sasha_again = sasha.get(one)
    assert sasha_again.status_code == 404  # another is asked in its place
    question = re.findall(r'data-question="(\w+)"', shown)[0]
    send(sasha, f"/staff/questions/{question}/retire", page, course=course)
    assert "this training has no quiz" in text(sasha, page)
    send(sasha, f"{page}/retire", page)
    assert course not in text(scene.lab.browser(), "/training")
    assert "Not offered any more" in text(sasha, "/staff/courses?words=mill")


def test_no_text_of_a_course_runs_as_a_script(scene: Scene) -> None:
    sasha = signed(scene, "sasha")
    course = made(scene, sasha)
    page = f"/staff/courses/{course}"
    send(sasha, f"{page}/questions", page, **QUESTION)
    with scene.lab.db.transaction() as db:
        people.add_person(db, scene.lab.clock, display_name=f"evil {SCRIPT}")
    pages = (
        "/training", f"/training/{course}", f"/training/{course}/quiz", "/staff/courses", page,
        "/m/printer-b/check?words=evil",
    )  # fmt: skip
    for path in pages:
        shown = text(sasha, path)
        assert SCRIPT not in shown, path
        assert "&lt;script&gt;" in shown, path


def test_what_a_course_asks_for_is_changed_and_certifications_stay(scene: Scene) -> None:
    sasha, page = signed(scene, "sasha"), f"/staff/courses/{scene.course}"
    shown = text(sasha, page)
    assert "People certified by it so far: 1." in shown
    assert "Their certifications stay as they are" in shown
    asks: dict[str, Any] = {
        "machines": ["printer-a"],
        "pass_mark": "100",
        "months": "6",
        "first_job": "1",
    }
    send(sasha, f"{page}/change", page, **asks)
    with scene.lab.db.reading() as db:
        found = courses.get_course(db, scene.course)
    assert (found.resource_ids, found.rules.pass_mark) == (("printer-a",), 100)
    assert (found.expiry.months, found.rules.first_job) == (6, True)
    for machine in ("printer-a", "printer-b"):
        assert standing(scene, "omar", machine) is Standing.VALID
    assert "until Tuesday 23 November 2027" in text(signed(scene, "omar"), "/training")
    assert "Course changed" in text(sasha, "/staff/audit")
    cannot: tuple[dict[str, Any], ...] = ({"machines": []}, {"pass_mark": "101"}, {"months": "0"})
    for wrong in cannot:
        answer = sasha.post(f"{page}/change", {**asks, **wrong}, page=page)
        assert answer.status_code == 409, wrong


def test_a_question_that_cannot_be_keeps_what_was_typed(scene: Scene) -> None:
    sasha, page = signed(scene, "sasha"), f"/staff/courses/{scene.course}"
    wrong: dict[str, Any] = {
        "question_fr": "Et alors ?",
        "answer_fr_0": "oui",
        "answer_fr_1": "non",
    }
    assert "Et alors ?" in send(sasha, f"{page}/questions", page, 422, **wrong)
    uneven: dict[str, Any] = {**wrong, "right_1": "1", "question_en": "So?", "answer_en_0": "yes"}
    assert "So?" in send(sasha, f"{page}/questions", page, 422, **uneven)
    unwritten: dict[str, Any] = {**wrong, "right_4": "1"}
    send(sasha, f"{page}/questions", page, 422, **unwritten)
    shown = text(sasha, page)
    assert shown.count("data-question=") == 2
    one = "/staff/questions/" + re.findall(r'data-question="(\w+)"', shown)[0]
    assert "Et alors ?" in send(sasha, one, one, 422, **wrong)
    assert "The nozzle is at 210" in text(sasha, one)


def test_a_course_that_cannot_be_is_refused(scene: Scene) -> None:
    sasha = signed(scene, "sasha")
    cannot: tuple[dict[str, Any], ...] = (
        {"title_fr": ""}, {"machines": []}, {"machines": ["nope"]}, {"pass_mark": "101"},
        {"level": "king"}, {"months": "0"}, {"on": "soon"},
    )  # fmt: skip
    for wrong in cannot:
        answer = sasha.post("/staff/courses", {**NEW, **wrong}, page="/staff/courses")
        assert answer.status_code in {404, 409}, wrong
    with scene.lab.db.reading() as db:
        assert len(courses.list_courses(db)) == 2


def test_the_list_is_searched_and_saved(scene: Scene) -> None:
    sasha = signed(scene, "sasha")
    assert scene.trainers not in text(sasha, "/staff/courses?words=imprimer")
    lines = text(sasha, "/staff/courses.csv").splitlines()
    assert lines[0] == "\ufeffTitle;Machines;Pass mark in percent;Languages;Offered"
    assert len(lines) == 3
    assert "en, fr" in lines[1]


def test_the_desk_is_for_the_staff_at_a_desk(scene: Scene) -> None:
    page = f"/staff/courses/{scene.course}"
    paths = ("/staff/courses", "/staff/courses.csv", page, "/staff/questions/x")
    writes = (
        "/staff/courses", f"{page}/wording", f"{page}/questions", f"{page}/retire",
        f"{page}/change", "/staff/questions/x", "/staff/questions/x/retire",
    )  # fmt: skip
    for browser, status in (
        (signed(scene, "lea"), 403),
        (signed(scene, "karim"), 403),
        (signed(scene, "sasha", KIOSK), 409),
        (scene.lab.browser(), 303),
    ):
        for path in paths:
            assert browser.get(path).status_code == status, path
        for path in writes:
            page_with_form = "/in?with=password" if status == 303 else "/training"
            answer = browser.post(path, {}, page=page_with_form)
            assert answer.status_code == status, path


def test_every_form_needs_its_token(scene: Scene) -> None:
    client = signed(scene, "sasha").client
    names = {area.name for area in AREAS}
    posts = [
        rule
        for rule in scene.lab.app.url_map.iter_rules()
        if rule.endpoint.split(".")[0] in names and "POST" in (rule.methods or ())
    ]
    assert len(posts) == 12
    values = {"machine": "printer-a", "person": scene.id("lea"), "course": scene.course}
    for rule in posts:
        path = re.sub(r"<(\w+)>", lambda found: values.get(found[1], "x"), rule.rule)
        assert client.post(path, data={}).status_code == 400, path
