"""Workshops on pages: places for oneself, children and groups; consents; who sees which names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl.clock import ManualClock
from fabctl.services import enrolment_lists, enrolments, workshops
from fabctl_web.workshops.areas import AREAS
from tests.web_lab import web_lab
from tests.workshop_scene import NAMES, Scene, enrol, send, signed, text, workshop_scene

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with web_lab(tmp_path) as lab:
        yield workshop_scene(lab)


def states(scene: Scene, session: str) -> list[str]:
    with scene.lab.db.reading() as db:
        return [one.state.value for one in enrolment_lists.enrolments_of(db, session_id=session)]


def test_anybody_reads_the_list_and_no_page_of_it_has_a_name(scene: Scene) -> None:
    browser = scene.lab.browser()
    found = text(browser, "/workshops")
    assert "4 places left" not in found  # six, of which a group holds one
    assert "5 places left" in found
    assert "Full" in found
    assert "10 to 99 years" in found
    assert "€12.50" in found
    for login in ("", "mo", "pia"):
        looks = signed(scene, login) if login else browser
        for path in ("/workshops", *(f"/workshops/{one}" for one in (scene.full, scene.running))):
            page = text(looks, path)
            for name in (*NAMES, "Ana", "Eve", "Gil"):
                assert not re.search(rf"\b{name}\b", page), (login, path, name)


def test_a_search_finds_without_accents(scene: Scene) -> None:
    browser = scene.lab.browser()
    assert scene.coming in text(browser, "/workshops?words=decoupe")
    assert "Nothing found." in text(browser, "/workshops?words=couture")


def test_a_place_for_oneself_and_back(scene: Scene) -> None:
    page, mo = f"/workshops/{scene.coming}", signed(scene, "mo")
    send(mo, f"{page}/enrol", page, people=scene.id("mo"))
    assert states(scene, scene.coming) == ["confirmed", "confirmed"]
    shown = text(mo, page)
    assert "It is done: the place is yours." in shown
    place = re.findall(r'data-place="(\w+)"', shown)[0]
    send(mo, f"/places/{place}/needs", page, needs="Peanuts")
    send(mo, f"/places/{place}/cancel", page)
    assert states(scene, scene.coming) == ["confirmed"]


def test_a_minor_stays_one_and_adds_no_child(scene: Scene) -> None:
    page, kid = f"/workshops/{scene.coming}", scene.lab.person("kim", birth_year=2011)
    browser = signed(scene, "kim")
    for path, fields, said in (
        (f"birth/{kid.id}", {"year": "1990"}, "Only the staff change it."),
        ("children", {"first_name": "Tom", "birth_year": "2015"}, "must be 18 or older"),
    ):
        answer = browser.post(f"{page}/{path}", fields, page=page)
        assert answer.status_code == 409, path
        assert said in answer.get_data(as_text=True)


def test_what_comes_after_the_session_is_said_to_be_too_late(scene: Scene) -> None:
    page, mo = f"/workshops/{scene.full}", signed(scene, "mo")
    assert isinstance(scene.lab.clock, ManualClock)
    scene.lab.clock.advance(2 * 24 * 3600)
    mo.sign_in("mo")
    for verb, fields in (("needs", {"needs": "Peanuts"}), ("cancel", {})):
        answer = mo.post(f"/places/{scene.places['Mo']}/{verb}", fields, page="/me")
        assert answer.status_code == 409, verb
        assert "This session is over." in answer.get_data(as_text=True)
    late = mo.post(f"{page}/enrol", {"people": scene.id("mo")}, page="/me")
    assert "This session is over." in late.get_data(as_text=True)


def test_a_child_takes_part_once_a_guardian_has_signed(scene: Scene) -> None:
    page, pia = f"/workshops/{scene.coming}", signed(scene, "pia")
    send(pia, f"{page}/children", page, first_name="Noé", birth_year="2012")
    shown = text(pia, page)
    assert "Under 18, a parent or guardian must agree in writing." in shown
    noe = next(
        one
        for one in re.findall(r"/consent/(\w+)", shown)
        if one not in {scene.child, scene.id("pia")}
    )
    refused = pia.post(f"{page}/enrol", {"people": noe}, page=page)
    assert refused.status_code == 409
    form = f"{page}/consent/{noe}"
    asked = {"takes_part": "true", "guardian_name": "Pia N."}
    assert pia.post(form, asked, page=form).status_code == 409  # no telephone number
    send(pia, form, form, **asked, guardian_phone="06 12 34 56 78")
    send(pia, f"{page}/enrol", page, people=noe)
    assert states(scene, scene.coming) == ["confirmed", "confirmed"]
    assert "Signed before" in text(pia, form)


def test_a_mother_and_her_daughter_come_together_and_leave_together(scene: Scene) -> None:
    page, pia = f"/workshops/{scene.coming}", signed(scene, "pia")
    own, hers = (f"{page}/consent/{one}" for one in (scene.id("pia"), scene.child))
    send(pia, own, own, takes_part="true")
    told = {"guardian_name": "Pia N.", "guardian_phone": "0612345678"}
    send(pia, hers, hers, takes_part="true", **told)
    assert "All together, or nobody." in text(pia, page)
    send(pia, f"{page}/enrol", page, people=[scene.id("pia"), scene.child])
    assert states(scene, scene.coming) == ["confirmed"] * 3
    shown = text(pia, page)
    assert "It is done: 2 places are yours." in shown
    place = re.findall(r'data-place="(\w+)"', shown)[0]
    send(pia, f"/places/{place}/cancel", page, whole_party="1")
    assert states(scene, scene.coming) == ["confirmed"]


def test_a_minor_does_not_sign_for_themselves(scene: Scene) -> None:
    scene.lab.person("tom", birth_year=2012)
    tom = signed(scene, "tom")
    path = f"/workshops/{scene.coming}/consent/{scene.lab.id_of('tom')}"
    assert "A parent or guardian signs for you" in text(tom, path)
    page = f"/workshops/{scene.coming}"
    assert tom.post(path, {"takes_part": "true"}, page=page).status_code == 409


def test_who_waits_is_offered_a_place_and_takes_or_declines_it(scene: Scene) -> None:
    page, gil = f"/workshops/{scene.full}", signed(scene, "gil")
    assert "Join the waiting list" in text(gil, page)
    send(gil, f"{page}/enrol", page, people=scene.id("gil"))
    assert states(scene, scene.full) == ["confirmed", "waiting"]
    with scene.lab.db.transaction() as db:
        by, taken = scene.id("mo"), scene.places["Mo"]
        enrolments.cancel_enrolment(db, scene.lab.clock, enrolment_id=taken, by=by)
    shown = text(gil, "/workshops")
    assert "A place is free: do you take it?" in shown
    place = re.findall(r'action="/places/(\w+)/accept"', shown)[0]
    send(gil, f"/places/{place}/accept", "/workshops")
    assert states(scene, scene.full) == ["confirmed"]
    send(gil, f"/places/{place}/cancel", "/workshops")
    assert states(scene, scene.full) == []


def test_a_group_holds_places_and_names_them(scene: Scene) -> None:
    page, gil = f"/workshops/{scene.coming}", signed(scene, "gil")
    send(gil, f"{page}/hold", page, partner=scene.group, count="2")
    unnamed = re.findall(r'action="/places/(\w+)/name"', text(gil, page))
    first, second, third = dict.fromkeys(unnamed)
    send(gil, f"/places/{first}/name", page, first_name="Zora", birth_year="2001")
    send(gil, f"/places/{second}/name", page, person=scene.id("gil"))
    assert "Zora" in text(gil, page)
    strange = gil.post(f"/places/{third}/name", {"person": scene.id("mo")}, page=page)
    assert strange.status_code == 409  # the lab's, not the group's
    assert "Zora" not in text(signed(scene, "mo"), page)


def test_other_peoples_places_and_consents_do_not_exist(scene: Scene) -> None:
    page, pia = f"/workshops/{scene.coming}", signed(scene, "pia")
    place = scene.places["Mo"]
    for verb, fields in (
        ("accept", {}),
        ("cancel", {}),
        ("name", {"first_name": "Eva", "birth_year": "2000"}),
        ("needs", {"needs": "x"}),
    ):
        assert pia.post(f"/places/{place}/{verb}", fields, page=page).status_code == 404, verb
    stranger = f"{page}/consent/{scene.id('mo')}"
    assert pia.get(stranger).status_code == 404
    assert pia.post(stranger, {"takes_part": "false"}, page=page).status_code == 404
    enrolled = pia.post(f"{page}/enrol", {"people": scene.id("mo")}, page=page)
    assert enrolled.status_code == 409
    born = pia.post(f"{page}/birth/{scene.id('mo')}", {"year": "1950"}, page=page)
    assert born.status_code == 409
    assert (
        pia.post(f"{page}/hold", {"partner": scene.group, "count": "1"}, page=page).status_code
        == 409
    )
    assert states(scene, scene.full) == ["confirmed"]


def test_without_the_form_token_nothing_is_taken(scene: Scene) -> None:
    sasha = signed(scene, "sasha")
    names = {area.name for area in AREAS}
    rules = [
        rule
        for rule in scene.lab.app.url_map.iter_rules()
        if rule.endpoint.split(".")[0] in names and "POST" in (rule.methods or ())
    ]
    assert len(rules) > 20
    values = {"session": scene.running, "workshop": scene.workshop, "person": scene.child}
    for rule in rules:
        path = re.sub(r"<(\w+)>", lambda found: values.get(found[1], "x"), rule.rule)
        assert sasha.client.post(path, data={"places": "3"}).status_code == 400, path
        assert sasha.client.post(path, json={"marks": []}).status_code == 400, path


def test_the_desk_is_for_animators_and_staff_and_never_on_a_shared_screen(scene: Scene) -> None:
    paths = (
        "/staff/workshops",
        "/staff/workshops.csv",
        f"/staff/workshops/{scene.workshop}",
        f"/staff/workshops/{scene.workshop}/sessions.csv",
        f"/staff/sessions/{scene.coming}",
    )
    nobody, mo = scene.lab.browser(), signed(scene, "mo")
    for path in paths:
        assert nobody.get(path).location.startswith("/in"), path
        assert mo.get(path).status_code == 403, path
        assert signed(scene, "eve").get(path).status_code == 200, path
    kiosk = signed(scene, "ana", "127.0.0.1")
    assert kiosk.get(paths[0]).status_code == 409
    assert "Bilal" not in text(signed(scene, "eve"), f"/staff/sessions/{scene.running}")
    assert "Bilal" in text(signed(scene, "ana"), f"/staff/sessions/{scene.running}")


def test_a_workshop_is_made_planned_changed_and_cancelled(scene: Scene) -> None:
    sasha = signed(scene, "sasha")
    made = sasha.post(
        "/staff/workshops",
        {"title": "Couture", "places": "4", "age_least": "12", "consent_needed": "1"},
        page="/staff/workshops",
    )
    page = made.location
    assert "From 12 years on" in text(sasha, page)
    asked = {"day": "2027-01-12", "starts": "14:00", "ends": "16:30", "places": "3"}
    uses = {"uses": ["printer-a", "printer-b"], "leaders": scene.id("eve")}
    planned = sasha.post(f"{page}/sessions", {**asked, **uses}, page=page)
    session = planned.location.rsplit("/", 1)[1]
    with scene.lab.db.reading() as db:
        found = workshops.get_session(db, session)
    assert (found.places, found.resource_ids) == (3, ("printer-a", "printer-b"))
    assert found.start.isoformat() == "2027-01-12T13:00:00+00:00"
    again = sasha.post(f"{page}/sessions", {**asked, **uses}, page=page)
    assert again.status_code == 409  # the machines are taken
    desk = f"/staff/sessions/{session}"
    send(sasha, f"{desk}/places", desk, places="7")
    when = {"day": "2027-01-13", "starts": "09:00", "ends": "11:00"}
    send(sasha, f"{desk}/change", desk, **when, uses="printer-b", leaders=[scene.id("ana")])
    with scene.lab.db.reading() as db:
        found = workshops.get_session(db, session)
    assert (found.resource_ids, found.animators) == (("printer-b",), (scene.id("ana"),))
    assert found.start.isoformat() == "2027-01-13T08:00:00+00:00"
    send(sasha, f"{desk}/enrol", desk, person=scene.id("mo"))
    send(sasha, f"{desk}/hold", desk, partner=scene.group, count="2")
    assert "3 of 7 places" in text(sasha, desk)
    send(sasha, f"{desk}/cancel", desk, reason="No teacher")
    assert "Cancelled" in text(sasha, f"/workshops/{session}")
    assert states(scene, session) == []


def test_a_workshop_says_something_else_and_keeps_its_sessions(scene: Scene) -> None:
    sasha, page = signed(scene, "sasha"), f"/staff/workshops/{scene.workshop}"
    shown = text(sasha, page)
    assert 'value="12.50"' in shown
    poster = {"title": "Gravure", "places": "9", "euros": "7,5", "age_least": "", "age_most": "30"}
    send(sasha, f"{page}/change", page, **poster, description="Sur bois", consent_needed="1")
    with scene.lab.db.reading() as db:
        found = workshops.get_workshop(db, scene.workshop)
        kept = workshops.get_session(db, scene.coming)
    assert (found.title, found.price_cents, found.age_least, found.age_most) == (
        "Gravure", 750, None, 30,
    )  # fmt: skip
    assert (found.bring, kept.title, kept.places) == ("", "Gravure", 6)
    assert "Workshop changed" in text(sasha, "/staff/audit")
    for wrong in ({"title": ""}, {"euros": "-1"}, {"euros": "1.234"}, {"age_least": "31"}):
        assert sasha.post(f"{page}/change", {**poster, **wrong}, page=page).status_code == 409, (
            wrong
        )
    mo = signed(scene, "mo")
    assert mo.post(f"{page}/change", poster, page="/workshops").status_code == 403


def test_a_change_that_cannot_be_says_why_and_changes_nothing(scene: Scene) -> None:
    sasha, desk = signed(scene, "sasha"), f"/staff/sessions/{scene.coming}"
    with scene.lab.db.reading() as db:
        before = workshops.get_session(db, scene.coming)
        running = workshops.get_session(db, scene.running)
    start = running.start.astimezone(scene.lab.config.time_zone)
    when = {"day": f"{start:%Y-%m-%d}", "starts": f"{start:%H:%M}", "ends": "23:00"}
    asked = {**when, "uses": ["printer-a"], "leaders": [scene.id("eve")]}
    refused = sasha.post(f"{desk}/change", asked, page=desk)
    assert refused.status_code == 409
    assert "Already booked then: Imprimante 3D A." in refused.get_data(as_text=True)
    with scene.lab.db.reading() as db:
        assert workshops.get_session(db, scene.coming) == before
    start, end = (one.astimezone(scene.lab.config.time_zone) for one in (before.start, before.end))
    same = {"day": f"{start:%Y-%m-%d}", "starts": f"{start:%H:%M}", "ends": f"{end:%H:%M}"}
    send(sasha, f"{desk}/change", desk, **same, uses="printer-a", leaders=scene.id("ana"))
    assert "Nothing was different." in text(sasha, desk)
    mo = signed(scene, "mo")
    assert mo.post(f"{desk}/change", same, page="/workshops").status_code == 403


def test_a_series_lists_the_days_that_cannot_be(scene: Scene) -> None:
    page, sasha = f"/staff/workshops/{scene.workshop}", signed(scene, "sasha")
    series = {
        "first": "2026-11-30", "until": "2026-12-14", "starts": "09:00", "ends": "12:00",
        "uses": "printer-a", "places": "5",
    }  # fmt: skip
    refused = sasha.post(page, series, page=page)  # the first day is taken
    assert refused.status_code == 200
    assert "Some days cannot be. Nothing was planned." in refused.get_data(as_text=True)
    assert sasha.get(f"{page}?lang=fr").status_code == 200  # the other language has a page
    sasha.get(f"{page}?lang=en")
    done = sasha.post(page, {**series, "skip_refused": "1"}, page=page)
    assert "Sessions planned: 2." in done.get_data(as_text=True)
    assert sasha.get(f"{page}/sessions.csv").get_data(as_text=True).count("\r\n") == 6


def test_what_people_write_is_only_text(scene: Scene) -> None:
    sasha, pia = signed(scene, "sasha"), signed(scene, "pia")
    fields = dict.fromkeys(("title", "description", "bring"), SCRIPT)
    made = sasha.post("/staff/workshops", {**fields, "places": "2"}, page="/staff/workshops")
    when = {"day": "2026-11-23", "starts": "10:30", "ends": "12:00", "leaders": scene.id("sasha")}
    session = sasha.post(f"{made.location}/sessions", when, page=made.location).location[-12:]
    page = f"/workshops/{session}"
    send(pia, f"{page}/children", page, first_name=SCRIPT, birth_year="2012")
    child = next(
        one
        for one in re.findall(r'name="people" type="checkbox" value="(\w+)"', text(pia, page))
        if one not in {scene.child, scene.id("pia")}
    )
    form = f"{page}/consent/{child}"
    signs = {"takes_part": "true", "guardian_name": SCRIPT, "guardian_phone": "061234567"}
    send(pia, form, form, **signs)
    send(pia, f"{page}/enrol", page, people=child)
    place = re.findall(r'data-place="(\w+)"', text(pia, page))[0]
    send(pia, f"/places/{place}/needs", page, needs=SCRIPT)
    desk = f"/staff/sessions/{session}"
    for browser, paths in (
        (pia, ("/workshops", page, form, f"/workshops?words={SCRIPT}")),
        (sasha, ("/staff/workshops", made.location, desk, f"{desk}?words={SCRIPT}")),
        (sasha, (f"{page}/console", f"{page}/needs")),
    ):
        for path in paths:
            shown = text(browser, path)
            assert "<script>alert" not in shown, path
            assert "alert(1)" in shown, path


def test_a_course_of_ages_asks_for_the_year(scene: Scene) -> None:
    zoe = scene.lab.person("zoe")
    page, browser = f"/workshops/{scene.coming}", signed(scene, "zoe")
    assert "Give the year of birth." in text(browser, page)
    send(browser, f"{page}/birth/{zoe.id}", page, year="1999")
    assert "Give the year of birth." not in text(browser, page)


def test_malformed_forms_are_said_at_once(scene: Scene) -> None:
    sasha = signed(scene, "sasha")
    page = f"/staff/workshops/{scene.workshop}"
    wrong = {"day": "tomorrow", "starts": "25:00", "ends": "", "places": "0"}
    answer = sasha.post(f"{page}/sessions", wrong, page=page)
    assert answer.status_code == 409
    assert "Check the fields of the form and send it again." in answer.get_data(as_text=True)
    assert text(sasha, page).count("data-session=") == 3  # as before
    with scene.lab.db.transaction() as db:
        enrol(scene, db, scene.coming, scene.id("mo"), by="mo")
    mo = signed(scene, "mo")
    assert mo.post(f"/workshops/{scene.coming}/enrol", page="/workshops").status_code == 409
