"""The session console: who may open it, marks that come late and twice, machines, certificates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fabctl.clock import ManualClock
from fabctl.services import attendance, group_use, retention, session_notes
from tests.web_lab import Browser, form_token, web_lab
from tests.workshop_scene import NAMES, Scene, send, signed, text, workshop_scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with web_lab(tmp_path) as lab:
        yield workshop_scene(lab)


def page_of(scene: Scene) -> str:
    return f"/workshops/{scene.running}/console"


def mark(scene: Scene, number: int, name: str, **said: str) -> dict[str, str]:
    at = scene.lab.clock.now().isoformat()
    return {"id": f"mark-{number}", "enrolment": scene.places[name], "at": at, **said}


def post(browser: Browser, scene: Scene, *marks: dict[str, str]) -> Any:
    """Send marks as the page's script does."""
    token = form_token(text(browser, page_of(scene)))
    path = f"/workshops/{scene.running}/marks"
    return browser.client.post(path, json={"marks": marks}, headers={"X-CSRFToken": token})


def presences(scene: Scene) -> dict[str, str | None]:
    with scene.lab.db.reading() as db:
        found = attendance.marks_that_count(db, scene.places.values())
    by_place = {place: one.presence if one else None for place, one in found.items()}
    return {name: by_place[place] for name, place in scene.places.items() if by_place[place]}


def opened(scene: Scene) -> set[str]:
    with scene.lab.db.reading() as db:
        return group_use.open_now(db, session_id=scene.running)


def test_only_those_who_lead_open_it(scene: Scene) -> None:
    base = f"/workshops/{scene.running}"
    gets = [f"{base}/{one}" for one in ("console", "needs", "sheet.pdf", "sheet.csv")]
    for path in gets:
        assert scene.lab.browser().get(path).location.startswith("/in"), path
    for login in ("mo", "gil", "pia", "eve"):
        browser = signed(scene, login)
        for path in gets:
            answer = browser.get(path)
            assert answer.status_code == 403, (login, path)
            assert "Bilal" not in answer.get_data(as_text=True)
    for login in ("ana", "sasha"):
        browser = signed(scene, login)
        assert all(browser.get(path).status_code == 200 for path in gets), login


def test_others_change_nothing_there(scene: Scene) -> None:
    base, eve = f"/workshops/{scene.running}", signed(scene, "eve")
    place = scene.places["Bilal"]
    for path, fields in (
        ("machines", {"what": "open"}),
        ("here", {}),
        ("walk-in", {"first_name": "X", "birth_year": "2000"}),
        ("console", {"passed": place, "what": "award"}),
    ):
        assert eve.post(f"{base}/{path}", fields, page="/workshops").status_code == 403, path
    marked = eve.post(f"{base}/mark", {"enrolment": place, "presence": "late"}, page="/workshops")
    assert marked.status_code == 409
    assert presences(scene) == {}
    assert opened(scene) == set()


def test_the_lead_uses_it_on_a_shared_screen(scene: Scene) -> None:
    kiosk = signed(scene, "ana", "127.0.0.1")
    shown = text(kiosk, page_of(scene))
    assert all(name in shown for name in NAMES)
    page = page_of(scene)
    send(kiosk, f"/workshops/{scene.running}/here", page)
    assert "pas signalée" not in text(kiosk, page)


def test_marks_may_come_twice_and_in_any_order(scene: Scene) -> None:
    ana = signed(scene, "ana")
    first, second = (
        mark(scene, 1, "Bilal", presence="present"),
        mark(scene, 2, "Driss", presence="absent"),
    )
    undo = mark(scene, 3, "Bilal", undoes="mark-1")
    answer = post(ana, scene, undo, second).get_json()
    assert [one["new"] for one in answer["marks"]] == [True, True]
    answer = post(ana, scene, first, second, undo).get_json()
    assert [one["new"] for one in answer["marks"]] == [True, False, False]
    assert all(one["refusals"] == [] for one in answer["marks"])
    assert presences(scene) == {"Driss": "absent"}
    assert answer["rows"][scene.places["Driss"]] == {"presence": "absent", "mark": "mark-2"}
    assert answer["rows"][scene.places["Bilal"]] == {"presence": "", "mark": ""}


def test_a_page_learns_what_others_said_of_those_it_marks(scene: Scene) -> None:
    """What counts is the newest tap; what would count without the page's own is told too."""
    ana, sasha = signed(scene, "ana"), signed(scene, "sasha")
    bilal = scene.places["Bilal"]
    later = mark(scene, 2, "Bilal", presence="late")
    assert post(sasha, scene, later).get_json()["others"] == {bilal: {"presence": "", "mark": ""}}
    earlier = mark(scene, 1, "Bilal", presence="present")
    for _again in range(2):  # an answer that got lost tells the same again
        answer = post(ana, scene, earlier).get_json()
        assert answer["others"] == {bilal: {"presence": "late", "mark": "mark-2"}}
        assert answer["rows"][bilal] == {"presence": "late", "mark": "mark-2"}
    newest = mark(scene, 3, "Bilal", presence="absent")
    answer = post(ana, scene, newest).get_json()
    assert answer["others"] == {bilal: {"presence": "late", "mark": "mark-2"}}
    assert presences(scene) == {"Bilal": "absent"}


def test_an_empty_list_only_asks_and_only_those_who_lead(scene: Scene) -> None:
    ana, path = signed(scene, "ana"), f"/workshops/{scene.running}/marks"
    asked = post(ana, scene)
    assert asked.get_json()["rows"][scene.places["Bilal"]] == {"presence": "", "mark": ""}
    for login in ("eve", "mo"):
        browser = signed(scene, login)
        token = form_token(text(browser, f"/workshops/{scene.coming}"))
        answer = browser.client.post(path, json={"marks": []}, headers={"X-CSRFToken": token})
        assert answer.status_code == 403, login
        assert scene.places["Bilal"] not in answer.get_data(as_text=True)


def test_a_mark_that_is_refused_keeps_no_other_from_being_taken(scene: Scene) -> None:
    stranger = {**mark(scene, 1, "Bilal", presence="late"), "enrolment": scene.places["Mo"]}
    good = mark(scene, 2, "Chloé", presence="late")
    answer = post(signed(scene, "ana"), scene, stranger, good).get_json()
    assert [bool(one["refusals"]) for one in answer["marks"]] == [True, False]
    assert presences(scene) == {"Chloé": "late"}


def test_marks_without_a_sign_in_are_not_lost_by_the_page(scene: Scene) -> None:
    """The page keeps what is not answered with 200."""
    browser = scene.lab.browser()
    token = form_token(text(browser, "/in?with=password"))
    path = f"/workshops/{scene.running}/marks"
    answer = browser.client.post(path, json={"marks": []}, headers={"X-CSRFToken": token})
    assert answer.status_code == 401


def test_taps_work_without_scripts(scene: Scene) -> None:
    ana, page = signed(scene, "ana"), page_of(scene)
    path, place = f"/workshops/{scene.running}/mark", scene.places["Bilal"]
    send(ana, path, page, enrolment=place, presence="present")
    assert presences(scene) == {"Bilal": "present"}
    known = re.findall(
        rf'data-place="{place}" data-presence="present" data-mark="(\w+)"', text(ana, page)
    )
    send(ana, path, page, enrolment=place, undoes=known[0])
    assert presences(scene) == {}


def test_machines_open_for_the_group_and_close(scene: Scene) -> None:
    ana, page = signed(scene, "ana"), page_of(scene)
    path = f"/workshops/{scene.running}/machines"
    assert "You are not checked in." in text(ana, page)
    send(ana, path, page, machine="printer-a", what="open")
    assert opened(scene) == {"printer-a"}
    send(ana, path, page, what="open")
    assert opened(scene) == {"printer-a", "printer-b"}
    send(ana, path, page, what="close")
    assert opened(scene) == set()
    later = f"/workshops/{scene.coming}/machines"
    assert ana.post(later, {"what": "open"}, page=page).status_code == 409
    strange = ana.post(path, {"machine": "no-such", "what": "open"}, page=page)
    assert strange.status_code == 404


def test_somebody_who_came_without_a_place(scene: Scene) -> None:
    ana, page = signed(scene, "ana"), page_of(scene)
    send(ana, f"/workshops/{scene.running}/walk-in", page, first_name="Karim", birth_year="2004")
    assert "Karim" in text(ana, page)


def test_everyone_who_was_here_passes_and_is_certified(scene: Scene) -> None:
    ana, page = signed(scene, "ana"), page_of(scene)
    base = f"/workshops/{scene.running}"
    said = (("Bilal", "present"), ("Driss", "absent"), ("Élise", "late"))
    post(ana, scene, *(mark(scene, n, name, presence=one) for n, (name, one) in enumerate(said)))
    send(ana, f"{base}/console", page, what="everyone")
    ticked = re.findall(r'name="passed" type="checkbox" value="(\w+)" checked', text(ana, page))
    assert set(ticked) == {scene.places["Bilal"], scene.places["Élise"]}
    for new in (2, 0):  # the second time adds nobody
        answer = ana.post(f"{base}/console", {"passed": ticked, "what": "award"}, page=page)
        assert f"New certificates: {new}" in answer.get_data(as_text=True)
    numbers = re.findall(r'data-certificate="(\w+)"', text(ana, page))
    assert len(numbers) == 2
    paper = f"/certificates/{numbers[0]}.pdf"
    assert ana.get(paper).get_data().startswith(b"%PDF")
    assert signed(scene, "mo").get(paper).status_code == 404
    assert scene.lab.browser().get(paper).location.startswith("/in")


def test_what_was_signed_on_paper_is_written_down_by_those_who_lead(scene: Scene) -> None:
    ana, page = signed(scene, "ana"), page_of(scene)
    form = f"/workshops/{scene.running}/consent/{scene.minor}"
    assert "Signed on paper for Élise" in text(ana, form)
    said = {"takes_part": "true", "signed_by": "guardian", "guardian_name": "Ines"}
    assert ana.post(form, said, page=form).status_code == 409  # no telephone number
    send(ana, form, form, **said, guardian_phone="0612345678")
    shown = text(ana, page)
    assert form not in shown
    assert "0612345678" in shown
    for login in ("eve", "mo", "pia"):  # they lead nothing, or somebody else
        assert signed(scene, login).get(form).status_code == 404, login
    stranger = f"/workshops/{scene.running}/consent/{scene.id('mo')}"
    assert ana.get(stranger).status_code == 404  # takes no part in this session


def test_notes_are_kept_for_those_who_lead(scene: Scene) -> None:
    ana, page = signed(scene, "ana"), page_of(scene)
    path = f"/workshops/{scene.running}/notes"
    send(ana, path, page, note="<script>alert(1)</script>")
    shown = text(ana, page)
    assert "&lt;script&gt;alert(1)" in shown
    number = re.findall(r'data-note="(\w+)"', shown)[0]
    sasha = signed(scene, "sasha")
    assert number in text(sasha, page)
    assert sasha.post(f"{path}/{number}/delete", page=page).status_code == 409  # not theirs
    eve = signed(scene, "eve")
    assert eve.post(path, {"note": "x"}, page="/workshops").status_code == 403
    assert ana.post(path, {"note": "x" * 2001}, page=page).status_code == 409
    send(ana, f"{path}/{number}/delete", page)
    assert "data-note" not in text(ana, page)


def test_notes_are_deleted_after_a_year(scene: Scene) -> None:
    lab, by = scene.lab, scene.id("ana")
    with lab.db.transaction() as db:
        session_notes.write(db, lab.clock, session_id=scene.running, words="Good", by=by)
    assert isinstance(lab.clock, ManualClock)
    for days, left in ((364, 1), (2, 0)):
        lab.clock.advance(days * 24 * 3600)
        with lab.db.transaction() as db:
            retention.apply(db, lab.clock, lab.config.time_zone)
            found = session_notes.notes_of(db, session_id=scene.running, by=by)
        assert len(found) == left, days


def test_the_sheet_to_print_and_to_save(scene: Scene) -> None:
    ana = signed(scene, "ana")
    assert ana.get(f"/workshops/{scene.running}/sheet.pdf").get_data().startswith(b"%PDF")
    table = ana.get(f"/workshops/{scene.running}/sheet.csv").get_data(as_text=True)
    assert "Bilal;2006" in table
    assert "(name to come)" in table


def test_before_its_time_the_sheet_is_closed(scene: Scene) -> None:
    ana = signed(scene, "ana")
    shown = text(ana, f"/workshops/{scene.coming}/console")
    assert "opens two hours before" in shown
    assert "data-taps" not in shown
    assert isinstance(scene.lab.clock, ManualClock)
    scene.lab.clock.advance(15 * 24 * 3600)
    assert "closed two weeks after" in text(signed(scene, "ana"), page_of(scene))
