"""The parts of a person's own page: notices, what is private, who may see it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl.model.notice import Code
from fabctl.services import (
    enrolments,
    feeds,
    notices,
    participants,
    tokens,
)
from fabctl.services.notices import About
from tests.booking_hand import KIOSK, NASTY, person, signed_in, text_of
from tests.web_lab import WebLab, web_lab
from tests.workshop_scene import workshop_scene


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    """It is Monday 2026-11-23, 10:00 in Paris."""
    with web_lab(tmp_path) as found:
        found.certify(found.person("camille"))
        found.certified("sam")
        yield found


def test_notices_are_counted_read_and_safe_to_show(lab: WebLab) -> None:
    camille_id = lab.id_of("camille")
    with lab.db.transaction() as db:
        about = About(resource_id="printer-a", words=NASTY)
        for _ in range(2):
            notices.tell(db, lab.clock, camille_id, Code.CANCELLED_BY_STAFF, about)
    camille = signed_in(lab, "camille")
    assert "Notices: 2 new" in text_of(camille, "/")
    page = text_of(camille, "/me/notices")
    assert NASTY not in page
    one = re.search(r'data-notice="([^"]+)"', page)
    assert one
    camille.post(f"/me/notices/{one[1]}/read", page="/me/notices")
    assert "Notices: 1 new" in text_of(camille, "/")
    sam = signed_in(lab, "sam")
    assert sam.post(f"/me/notices/{one[1]}/read", page="/me").status_code == 404
    camille.post("/me/notices/read", page="/me/notices")
    assert "Notices: " not in text_of(camille, "/me/notices")


def test_a_calendars_address_is_shown_once_works_and_ends(lab: WebLab) -> None:
    camille = signed_in(lab, "camille")
    lab.book(person(lab, "camille"), "printer-a", after_min=60)
    page = camille.post("/me/calendars", page="/me/data").get_data(as_text=True)
    address = re.search(r'class="secret"[^>]*>http://localhost([^<]+)<', page)
    assert address
    assert "secret" not in text_of(camille, "/me/data")
    assert b"Imprimante 3D A" in lab.browser().get(address[1]).data
    mine = re.search(r'action="(/me/calendars/[^/]+/revoke)"', page)
    assert mine
    sam = signed_in(lab, "sam")
    assert sam.post(mine[1], page="/me").status_code == 409
    assert camille.post(mine[1], page="/me/data").status_code == 303
    assert lab.browser().get(address[1]).status_code == 404


def test_a_key_is_shown_once_works_and_ends(lab: WebLab) -> None:
    camille = signed_in(lab, "camille")
    page = camille.post("/me/tokens", {"name": NASTY}, page="/me/data").get_data(as_text=True)
    key = re.search(r'class="secret"[^>]*>(fab_[^<]+)<', page)
    assert key
    assert NASTY not in page
    assert key[1] not in text_of(camille, "/me/data")
    asked = lab.browser().get("/api/v1/me", headers={"Authorization": f"Bearer {key[1]}"})
    assert asked.status_code == 200
    mine = re.search(r'action="(/me/tokens/[^/]+/revoke)"', page)
    assert mine
    assert signed_in(lab, "sam").post(mine[1], page="/me").status_code == 404
    assert camille.post(mine[1], page="/me/data").status_code == 303
    asked = lab.browser().get("/api/v1/me", headers={"Authorization": f"Bearer {key[1]}"})
    assert asked.status_code == 401


def test_ones_data_as_a_file_and_who_looked(lab: WebLab) -> None:
    camille = signed_in(lab, "camille")
    answer = camille.post("/me/export", page="/me/data")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert json.loads(answer.data)["person"][0]["display_name"] == "Camille"
    page = text_of(camille, "/me/data")
    assert "All data" in page
    sams = camille.post("/me/export", {"person": lab.id_of("sam")}, page="/me/data")
    assert sams.status_code == 404


def test_a_guardian_gets_their_childs_data(lab: WebLab) -> None:
    camille = person(lab, "camille")
    with lab.db.transaction() as db:
        child = participants.add_participant(
            db, lab.clock, lab.config.time_zone, first_name="Zoé", birth_year=2015,
            by=camille.id, guardian_id=camille.id,
        )  # fmt: skip
    browser = signed_in(lab, "camille")
    assert "Zoé" in text_of(browser, "/me/data")
    answer = browser.post("/me/export", {"person": child}, page="/me/data")
    assert json.loads(answer.data)["person"][0]["display_name"] == "Zoé"
    assert "Camille" not in text_of(signed_in(lab, "sam"), "/me/data").split("<main")[1]


@pytest.mark.parametrize("path", ["/me/calendars", "/me/tokens", "/me/export", "/me/mail"])
def test_nothing_private_opens_on_a_shared_screen(lab: WebLab, path: str) -> None:
    kiosk = signed_in(lab, "camille", KIOSK)
    assert "/me/data" not in text_of(kiosk, "/me")
    assert kiosk.get("/me/data").status_code == 409
    answer = kiosk.post(path, {"name": "x", "address": "x@example.org"}, page="/me")
    assert 'data-code="not-on-a-shared-screen"' in answer.get_data(as_text=True)
    with lab.db.reading() as db:
        assert feeds.of_person(db, person_id=lab.id_of("camille")) == []
        assert tokens.list_tokens(db) == []


def test_language_and_mail_are_kept(lab: WebLab) -> None:
    camille = signed_in(lab, "camille")
    camille.post("/me/language", {"language": "fr"}, page="/me/data")
    assert 'lang="fr"' in text_of(camille, "/")
    assert person(lab, "camille").language == "fr"
    sent = {"address": "camille@example.org", "wanted": "1"}
    assert camille.post("/me/mail", sent, page="/me/data").status_code == 303
    assert 'value="camille@example.org"' in text_of(camille, "/me/data")
    bad = camille.post("/me/mail", {"address": "nobody", "wanted": "1"}, page="/me/data")
    assert bad.status_code == 409
    assert camille.post("/me/language", {"language": "xx"}, page="/me/data").status_code == 409


def test_a_job_of_ones_own_is_dropped_and_no_other(lab: WebLab) -> None:
    camille = signed_in(lab, "camille")
    camille.upload(b"G28\nM104 S200\nG1 X10 Y10 Z0.2 F1200\nM104 S0\n", page="/m/printer-a")
    page = text_of(camille, "/me/files")
    address = re.search(r'action="(/me/files/[^/]+/drop)"', page)
    assert address
    assert signed_in(lab, "sam").post(address[1], page="/me").status_code == 404
    assert camille.post(address[1], page="/me/files").status_code == 303
    assert "/drop" not in text_of(camille, "/me/files")


@pytest.mark.parametrize(
    "path", ["/me", "/me/notices", "/me/files", "/me/data", "/planning/series"]
)
def test_a_stranger_is_sent_to_sign_in(lab: WebLab, path: str) -> None:
    assert lab.browser().get(path).location == f"/in?next={path}"


def test_a_calendar_of_a_machine(lab: WebLab) -> None:
    camille = signed_in(lab, "camille")
    page = camille.post("/me/calendars", {"what": "printer-b"}, page="/me/data")
    assert "<b>Imprimante 3D B</b>" in page.get_data(as_text=True)
    assert camille.post("/me/calendars", {"what": "nope"}, page="/me/data").status_code == 404


def test_places_in_workshops_stand_on_ones_page(lab: WebLab) -> None:
    scene = workshop_scene(lab)
    mo = signed_in(lab, "mo")
    with lab.db.transaction() as db:
        enrolments.enrol(
            db, lab.clock, lab.config.time_zone, session_id=scene.coming,
            person_ids=[scene.id("mo")], by=scene.id("mo"),
        )  # fmt: skip
    assert f'data-place="{scene.coming}"' in text_of(mo, "/me")
    assert "data-place" not in text_of(signed_in(lab, "sam"), "/me")
