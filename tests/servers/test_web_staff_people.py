"""People for the staff: found, added, whole lists, one record and what is done from it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from fabctl.model.people import Role
from fabctl.services import people, person_file, person_rights, training
from fabctl.services.audit import lines_about
from tests.staff_hand import at_desk, part, send, table, text
from tests.staff_scene import Morning, morning
from tests.training_scene import LONG
from tests.web_lab import SECRET, Browser, form_token, multipart, web_lab

PEOPLE, IMPORT = "/staff/people", "/staff/people/import"
ADMINS_ONLY = "admin-only"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Morning]:
    """It is Monday, 10:00 in Paris."""
    with web_lab(tmp_path) as lab:
        yield morning(lab)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Morning]:
    """The same, for tests that change nothing: making it takes most of a second."""
    with web_lab(tmp_path_factory.mktemp("still")) as lab:
        yield morning(lab)


def record(scene: Morning, login: str) -> str:
    return f"{PEOPLE}/{scene.people[login]}"


def names(scene: Morning) -> list[str]:
    with scene.lab.db.reading() as db:
        return [one.display_name for one in people.list_people(db)]


def secret(page: str) -> str:
    found = re.search(r'<p class="secret">([^<]+)</p>', page)
    assert found
    return found[1]


def send_list(browser: Browser, content: bytes, **fields: str) -> TestResponse:
    token = form_token(text(browser, IMPORT))
    body, kind = multipart(content, "people.csv", csrf_token=token, **fields)
    return browser.client.post(
        IMPORT, data=body, content_type=kind, headers={"Referer": f"http://localhost{IMPORT}"}
    )


# -- the list ----------------------------------------------------------------------------------


def test_people_are_found_by_name_login_and_role(still: Morning) -> None:
    staff = at_desk(still)
    for query, only in (
        ("words=chateauneuf", "long"),
        ("words=OMAR", "omar"),
        ("role=trainer", "karim"),
    ):
        found = re.findall(r'data-person="(\w+)"', text(staff, f"{PEOPLE}?{query}"))
        assert found == [still.people[only]], query
    assert "Account suspended" in text(staff, f"{PEOPLE}?words=maxi")
    assert "Nothing found." in text(staff, f"{PEOPLE}?words=nobody&role=&cursor=zzz")


def test_a_long_list_is_leafed_through(scene: Morning) -> None:
    with scene.lab.db.transaction() as db:
        for number in range(60):
            people.add_person(db, scene.lab.clock, display_name=f"Number {number:02}")
    staff = at_desk(scene)
    first = text(staff, f"{PEOPLE}?words=number")
    later = re.search(r'href="(/staff/people\?[^"]*cursor=[^"]+)"', first)
    assert later
    second = text(staff, later[1].replace("&amp;", "&"))
    assert [len(re.findall("data-person", page)) for page in (first, second)] == [50, 10]


def test_the_table_is_saved_without_secrets_and_on_record(still: Morning) -> None:
    rows = table(at_desk(still), f"{PEOPLE}.csv?words=maxi")
    assert rows == [
        ["Name", "Role", "Login", "Year of birth", "Language", "Suspended", "Here since"],
        [LONG, "Member", "", "", "", "Yes", "2026-11-23"],
    ]
    with still.lab.db.reading() as db:
        (line,) = lines_about(db, "people:list")
    assert (line.what, line.details) == ("people.exported", {"people": 1})


def test_a_person_is_added_and_a_password_shown_once(scene: Morning) -> None:
    staff = at_desk(scene)
    fields = {"name": "Zoé", "new_role": "member", "login": "zoe", "birth_year": "2000"}
    page = send(staff, PEOPLE, PEOPLE, 200, **fields)
    drawn = secret(page)
    assert drawn not in text(staff, f"{PEOPLE}/{scene.lab.id_of('zoe')}")
    zoe = scene.lab.browser()
    assert (
        zoe.post("/in/password", {"login": "zoe", "password": drawn}, page="/in?with=password")
        .headers["Location"]
        .endswith("/")
    )
    assert "Zoé" in text(zoe, "/me")
    assert "login-taken" in send(staff, PEOPLE, PEOPLE, 409, **(fields | {"name": "Zoé B"}))
    assert "Zoé B" not in names(scene)
    answer = send(staff, PEOPLE, PEOPLE, 409, name="Boss", new_role="admin")
    assert ADMINS_ONLY in answer
    assert "Boss" not in names(scene)


# -- a whole list --------------------------------------------------------------------------------


def test_a_list_with_a_wrong_row_adds_nobody_and_names_the_row(scene: Morning) -> None:
    staff, before = at_desk(scene), names(scene)
    content = (
        "nom;identifiant;année de naissance\nAïcha;aicha;2001\nBob;omar;1999\n;x;3000\n".encode()
    )
    answer = send_list(staff, content)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Nobody was added" in page
    assert re.findall(r'data-row="(\d+)"', page) == ["3", "4"]
    assert names(scene) == before
    added = send_list(staff, content, skip_bad="1")
    assert added.status_code == 200
    assert "People added: 1." in added.get_data(as_text=True)
    assert "Aïcha" in names(scene)


def test_what_is_no_list_is_said_and_nothing_stays_on_disk(still: Morning) -> None:
    staff, before = at_desk(still), names(still)
    for content in (b"", b"\x00\xff\xfe", b"colour;size\nred;3\n", b"name\n<script>x</script>"[:5]):
        answer = send_list(staff, content)
        assert answer.status_code == 422, content
        assert "was added" in answer.get_data(as_text=True) or "Nobody is in" in answer.get_data(
            as_text=True
        )
    assert names(still) == before
    assert still.lab.files_on_disk() == []
    assert send_list(staff, b"x" * (1024 * 1024 + 100_000)).status_code == 413


def test_a_stranger_sends_no_list(still: Morning) -> None:
    body, kind = multipart(b"name\nZed\n", "people.csv")
    stranger, member = still.lab.browser(), at_desk(still, "mia")
    answer = stranger.client.post(IMPORT, data=body, content_type=kind)
    assert (answer.status_code, "Zed" in names(still)) == (303, False)
    token = form_token(text(member, "/me"))
    body, kind = multipart(b"name\nZed\n", "people.csv", csrf_token=token)
    assert member.client.post(IMPORT, data=body, content_type=kind).status_code == 403
    assert "Zed" not in names(still)


# -- one record ----------------------------------------------------------------------------------


def test_a_record_shows_what_the_staff_need(still: Morning) -> None:
    staff = at_desk(still)
    mia, lou = text(staff, record(still, "mia")), text(staff, record(still, "lou"))
    assert "Imprimante 3D A" in part(mia, "certifications")
    assert "Imprimante 3D B" in part(mia, "reservations")
    assert "Works while the lab is closed" in part(mia, "rights")
    assert "Lou" in part(mia, "family")
    assert "couturières" in part(mia, "groups")
    assert "Mia" in part(lou, "family")
    assert "Consent form · Sasha" in part(lou, "readings")
    assert "06 00" not in lou
    assert f'href="/staff/badges/{still.people["mia"]}"' in part(mia, "sign-in")
    assert "N’a pas rendu la clé" in text(staff, record(still, "long"))
    assert "Did not come" in part(text(staff, record(still, "late")), "reservations")


def test_a_suspended_certification_shows_why(scene: Morning) -> None:
    staff, mia = scene.people["sasha"], scene.people["mia"]
    with scene.lab.db.transaction() as db:
        training.suspend(
            db, scene.lab.clock, person_id=mia, resource_id="printer-a", reason="Sparks", by=staff
        )
    shown = part(text(at_desk(scene), record(scene, "mia")), "certifications")
    assert "Sparks" in shown
    assert "Suspended" in shown


def test_reading_a_consent_is_kept(still: Morning) -> None:
    staff, subject = at_desk(still), f"person:{still.people['lou']}"

    def reads() -> int:
        with still.lab.db.reading() as db:
            return sum(one.what == "consent.read" for one in lines_about(db, subject))

    before = reads()
    text(staff, record(still, "lou"))
    assert reads() == before
    assert "06 00 00 00 00" in text(staff, f"{record(still, 'lou')}/consent")
    assert reads() == before + 1
    assert "None on file" in text(staff, f"{record(still, 'mia')}/consent")


def test_a_record_is_changed(scene: Morning) -> None:
    staff, page = at_desk(scene), record(scene, "mia")
    send(staff, f"{page}/change", page, name="Mia B", language="en", birth_year="1985")
    send(staff, f"{page}/mail", page, address="mia@example.org", wanted="1")
    assert "bad-address" in send(staff, f"{page}/mail", page, 409, address="mia")
    send(staff, f"{page}/guardian", page, guardian=scene.people["omar"])
    shown = text(staff, page)
    for said in ("Mia B", "1985", "English", "mia@example.org", "Omar"):
        assert said in shown, said


def test_a_guardian_is_ended_with_a_reason_and_the_last_one_only_on_purpose(
    scene: Morning,
) -> None:
    staff, page = at_desk(scene), record(scene, "lou")
    fields = {"guardian": scene.people["mia"], "reason": "<script>alert(1)</script>"}
    assert "only-guardian" in send(staff, f"{page}/guardian/end", page, 409, **fields)
    assert send(staff, f"{page}/guardian/end", page, 409, guardian=scene.people["mia"])
    assert "Mia" in part(text(staff, page), "family")
    answer = at_desk(scene, "mia").post(f"{page}/guardian/end", fields, page="/me")
    assert answer.status_code == 403
    shown = send(staff, f"{page}/guardian/end", page, 303, alone="1", **fields)
    assert "stays on file" in shown
    assert "Mia" not in part(shown, "family")
    assert "Signed" in part(shown, "who")
    trail = text(staff, f"/staff/audit?subject=person:{scene.people['lou']}")
    assert "Guardian ended" in trail
    assert "&lt;script&gt;" in trail
    assert "<script>alert" not in trail


def test_an_account_is_suspended_with_a_reason_and_reinstated(scene: Morning) -> None:
    staff, page = at_desk(scene), record(scene, "mia")
    send(staff, f"{page}/suspend", page, 409)
    assert "Suspended: Left the laser alone" in send(
        staff, f"{page}/suspend", page, reason="Left the laser alone"
    )
    send(staff, f"{page}/reinstate", page)
    assert "Suspended:" not in text(staff, page)


def test_a_code_and_a_password_are_drawn_and_shown_once(scene: Morning) -> None:
    staff, page, mia = at_desk(scene), record(scene, "mia"), at_desk(scene, "mia")
    pin = secret(send(staff, f"{page}/pin", page, 200))
    with scene.lab.db.transaction() as db:
        found = people.check_pin(db, scene.lab.clock, SECRET, pin, "screen")
    assert found is not None
    assert found.id == scene.people["mia"]
    drawn = secret(send(staff, f"{page}/password", page, 200))
    assert len(set(drawn) - set(person_file.DRAWN_FROM)) == 0
    assert mia.get("/me").status_code == 303  # signed out everywhere
    assert not {pin, drawn} & set(re.findall(r"\w+", text(staff, page)))
    assert "login-missing" in send(staff, f"{record(scene, 'lou')}/password", page, 409)
    send(staff, f"{page}/unlock", page)


@pytest.mark.parametrize("deed", ["pin", "password", "suspend", "role"])
def test_nobody_of_the_staff_acts_on_an_admin(still: Morning, deed: str) -> None:
    staff, page = at_desk(still), record(still, "root")
    assert f"{page}/{deed}" not in text(staff, page)
    fields = {"reason": "x", "role": "member"}
    assert ADMINS_ONLY in send(staff, f"{page}/{deed}", page, 409, **fields)


def test_a_role_is_changed_and_who_is_staff_is_the_admins_to_say(scene: Morning) -> None:
    staff, root, page = at_desk(scene), at_desk(scene, "root"), record(scene, "mia")
    assert ADMINS_ONLY in send(staff, f"{page}/role", page, 409, role="staff")
    send(staff, f"{page}/role", page, role="trainer")
    send(root, f"{page}/role", page, role="staff")
    with scene.lab.db.reading() as db:
        assert people.get_person(db, scene.people["mia"]).role is Role.STAFF
    own = record(scene, "root")
    assert "own-role" in send(root, f"{own}/role", own, 409, role="member")


def test_rights_are_given_and_taken_back(scene: Morning) -> None:
    staff, page = at_desk(scene), record(scene, "omar")
    fields = {"right": "walk-up", "where": "printer-a", "day": "2026-12-01", "clock": "18:00"}
    shown = part(send(staff, f"{page}/rights", page, 303, **fields), "rights")
    assert "Imprimante 3D A" in shown
    fields = {"right": "walk-up", "reach": "resource", "subject": "printer-a"}
    send(staff, f"{page}/rights/take", page, 303, **fields)
    with scene.lab.db.reading() as db:
        assert person_rights.held_by(db, person_id=scene.people["omar"]) == []
    assert send(staff, f"{page}/rights", page, 409, right="fly") is not None


def test_all_data_of_a_person_is_given_and_that_is_kept(still: Morning) -> None:
    staff, page = at_desk(still), record(still, "lou")
    answer = staff.post(f"{page}/data.json", {}, page=page)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="data.json"'
    assert "Lou" in json.dumps(json.loads(answer.get_data(as_text=True)))
    assert "All data · Sasha" in part(text(staff, page), "readings")


def test_only_an_admin_erases_with_a_reason_and_the_right_name(scene: Morning) -> None:
    staff, root, page = at_desk(scene), at_desk(scene, "root"), record(scene, "omar")
    fields = {"again": "Omar", "because": "He asked for it"}
    assert f"{page}/erase" not in text(staff, page)
    assert staff.post(f"{page}/erase", fields, page=page).status_code == 409
    assert "Omar" in names(scene)
    assert "Nothing was erased" in send(root, f"{page}/erase", page, again="Lou", because="x")
    send(root, f"{page}/erase", page, 409, again="Omar")
    assert "Omar" in names(scene)
    assert root.post(f"{page}/erase", fields, page=page).status_code == 303
    assert "Omar" not in names(scene)
