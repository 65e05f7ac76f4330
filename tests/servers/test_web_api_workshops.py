"""The API of workshops, sessions and places, and who may do what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fabctl.model.accounts import GroupKind
from fabctl.services import accounts
from tests.servers.api_workshop import HOUR, PARENT, SIGNED, Scene, api_scene
from tests.web_caller import codes


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with api_scene(tmp_path) as found:
        yield found


# -- workshops and sessions -----------------------------------------------------------------


def test_workshops_are_listed_shown_and_retired(scene: Scene) -> None:
    found = scene.got("member", "GET", "/workshops")
    assert [one["title"] for one in found["workshops"]] == ["Atelier"]
    one = scene.got("member", "GET", f"/workshops/{scene.workshop}")
    assert (one["places"], one["price_cents"], one["consent_needed"]) == (2, 0, True)
    gone = scene.got("staff", "DELETE", f"/workshops/{scene.workshop}")
    assert gone["retired_at"]
    assert scene.got("member", "GET", "/workshops")["workshops"] == []
    assert scene.ask("member", "GET", "/workshops/nope").status_code == 404


IMPOSSIBLE: tuple[dict[str, Any], ...] = (
    {"title": "x"},
    {"title": " ", "places": 2},
    {"title": "x", "places": 0},
    {"title": "x", "places": 501},
    {"title": "x", "places": 2, "age_least": 30, "age_most": 20},
    {"title": "x", "places": 2, "accept_hours": 0},
    {"title": "x\0", "places": 2},
)


def test_a_workshop_that_cannot_be(scene: Scene) -> None:
    for body in IMPOSSIBLE:
        assert scene.ask("staff", "POST", "/workshops", **body).status_code == 422, body


def test_sessions_come_in_pages_and_show_no_names_to_members(scene: Scene) -> None:
    weekly = {"workshop": scene.workshop, "first": "2026-12-01", "until": "2026-12-15"}
    made = scene.got("animator", "POST", "/sessions/weekly", **weekly, starts="18:00", ends="20:00")
    assert [one["start"] for one in made["sessions"]] == [
        f"2026-12-{day}T17:00:00+00:00" for day in ("01", "08", "15")
    ]
    starts, cursor = [], ""
    while True:
        page = scene.got("member", "GET", f"/sessions?limit=3&until=2027-01-01T00:00:00Z{cursor}")
        starts += [one["start"][:10] for one in page["sessions"]]
        assert all(one["animators"] is None for one in page["sessions"])
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert starts == ["2026-11-24", "2026-12-01", "2026-12-08", "2026-12-15"]
    one = scene.got("guest", "GET", f"/sessions/{scene.meeting}")
    assert (one["animators"], one["free"]) == ([scene.id("animator")], 2)
    for bad in ("from=x", "until=2020-01-01T00:00:00Z", "until=2099-01-01T00:00:00Z", "cursor=x"):
        assert scene.ask("member", "GET", f"/sessions?{bad}").status_code == 422


def test_a_series_says_which_dates_cannot_be(scene: Scene) -> None:
    body: dict[str, Any] = {"workshop": scene.workshop}
    body |= {"first": "2026-11-24", "until": "2026-12-01"}
    body |= {"starts": "10:30", "ends": "11:00", "resources": ["printer-a"]}
    answer = scene.ask("staff", "POST", "/sessions/weekly", **body)
    assert answer.status_code == 200
    (refused,) = answer.get_json()["refused"]
    assert (refused["day"], refused["refusals"][0]["code"]) == ("2026-11-24", "overlap")
    answer = scene.ask("staff", "POST", "/sessions/weekly", **body, skip_refused=True)
    assert (answer.status_code, len(answer.get_json()["sessions"])) == (201, 1)
    for bad in (
        {"first": "2026-13-01"},
        {"first": "9999-12-31", "until": "9999-12-31"},
        {"starts": "25:00"},
        {"ends": "11:00+02:00"},
        {"until": None},
    ):
        assert scene.ask("staff", "POST", "/sessions/weekly", **body | bad).status_code == 422
    long = scene.ask("staff", "POST", "/sessions/weekly", **body | {"until": "2226-11-24"})
    assert (long.status_code, codes(long)) == (409, ["series-length"])


def test_a_session_moves_with_its_claims_and_is_cancelled(scene: Scene) -> None:
    start = scene.clock.now() + 48 * HOUR
    path = f"/sessions/{scene.meeting}"
    times = {"start": start.isoformat(), "end": (start + HOUR).isoformat()}
    moved = scene.got("animator", "PATCH", path, **times, places=5)
    assert (moved["start"], moved["places"]) == (start.isoformat(timespec="seconds"), 5)
    back = {"start": times["end"], "end": times["start"]}
    refused = scene.ask("staff", "PATCH", path, **back)
    assert (refused.status_code, codes(refused)) == (409, ["session-length"])
    for bad in ({"start": times["start"]}, {"places": 0}, {"start": "9999-12-31T23:59:59Z"} | back):
        assert scene.ask("staff", "PATCH", path, **bad).status_code in {409, 422}
    mine = scene.enrol("member")
    assert scene.ask("staff", "DELETE", path).status_code == 422
    gone = scene.got("staff", "DELETE", f"{path}?reason=no+heating")
    assert gone["tell"] == [scene.id("member")]
    assert scene.got("member", "GET", f"/enrolments/{mine}")["state"] == "cancelled"
    refused = scene.ask("staff", "PATCH", path, **times)
    assert codes(refused) == ["session-cancelled"]


def test_a_session_uses_other_machines_and_is_led_by_others(scene: Scene) -> None:
    path = f"/sessions/{scene.meeting}"
    start = scene.clock.now() + 24 * HOUR
    other = {"start": start.isoformat(), "end": (start + HOUR).isoformat()}
    body = {"workshop": scene.workshop, **other, "resources": ["printer-b"]}
    scene.got("staff", "POST", "/sessions", **body)
    refused = scene.ask("staff", "PATCH", path, resources=["printer-b"], animators=[])
    assert (refused.status_code, codes(refused)) == (409, ["overlap"])
    found = scene.got("staff", "PATCH", path, resources=[], animators=[scene.id("guest")])
    assert (found["resources"], found["animators"]) == ([], [scene.id("guest")])
    assert found["start"] == start.isoformat(timespec="seconds")
    assert scene.ask("staff", "PATCH", path, resources=["nope"]).status_code == 404
    for bad in ({"resources": "printer-a"}, {"animators": [1]}, {"resources": None}, {}):
        assert scene.ask("staff", "PATCH", path, **bad).status_code in {415, 422}, bad


def test_a_poster_is_changed_field_by_field(scene: Scene) -> None:
    path = f"/workshops/{scene.workshop}"
    found = scene.got("animator", "PATCH", path, age_least=12, age_most=99, price_cents=250)
    assert (found["title"], found["age_least"], found["places"]) == ("Atelier", 12, 2)
    found = scene.got("staff", "PATCH", path, title="Couture", age_most=None)
    assert (found["title"], found["age_least"], found["age_most"]) == ("Couture", 12, None)
    assert found["price_cents"] == 250
    for bad in ({"title": " "}, {"places": 0}, {"age_least": 121}, {"consent_needed": "maybe"}):
        assert scene.ask("staff", "PATCH", path, **bad).status_code == 422, bad
    assert scene.ask("staff", "PATCH", path, course="nope").status_code == 404
    assert scene.ask("staff", "PATCH", "/workshops/nope", title="x").status_code == 404


STAFF_ONLY: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/workshops", {"title": "x", "places": 2}),
    ("PATCH", "/workshops/{workshop}", {"title": "x"}),
    ("DELETE", "/workshops/{workshop}", {}),
    ("POST", "/sessions", "session"),
    ("POST", "/sessions/weekly", "weekly"),
    ("PATCH", "/sessions/{meeting}", {"places": 3}),
    ("DELETE", "/sessions/{meeting}?reason=r", {}),
)


def test_only_staff_and_animators_put_sessions_on(scene: Scene) -> None:
    session = {
        "workshop": scene.workshop,
        "start": "2026-12-01T10:00:00Z",
        "end": "2026-12-01T12:00:00Z",
    }
    weekly = {"workshop": scene.workshop, "first": "2026-12-02", "until": "2026-12-02"}
    weekly |= {"starts": "10:00", "ends": "12:00"}
    bodies: dict[str, dict[str, Any]] = {"session": session, "weekly": weekly}
    for method, path, asked in STAFF_ONLY:
        body = bodies[asked] if isinstance(asked, str) else asked
        where = path.format(workshop=scene.workshop, meeting=scene.meeting)
        assert scene.ask("nobody", method, where, **body).status_code == 401
        for login in ("member", "trainer"):
            answer = scene.ask(login, method, where, **body)
            assert (answer.status_code, codes(answer)) == (403, ["staff-only"]), where
    assert scene.got("member", "GET", f"/sessions/{scene.meeting}")["cancelled_at"] is None


# -- places ---------------------------------------------------------------------------------


def test_a_freed_place_is_offered_and_accepted(scene: Scene) -> None:
    first, _, third = scene.enrol("member"), scene.enrol("other"), scene.enrol("parent")
    assert scene.states() == ["confirmed", "confirmed", "waiting"]
    early = scene.ask("parent", "POST", f"/enrolments/{third}/accept")
    assert (early.status_code, codes(early)) == (409, ["not-offered"])
    assert scene.got("member", "DELETE", f"/enrolments/{first}")["state"] == "cancelled"
    mine = scene.got("parent", "GET", "/enrolments")["enrolments"]
    assert (mine[0]["state"], mine[0]["accept_by"]) == ("offered", "2026-11-24T09:00:00+00:00")
    (done,) = scene.got("parent", "POST", f"/enrolments/{third}/accept")["enrolments"]
    assert done["state"] == "confirmed"
    again = scene.ask("member", "DELETE", f"/enrolments/{first}")
    assert (again.status_code, codes(again)) == (409, ["already-cancelled"])


def test_other_peoples_places_are_not_there(scene: Scene) -> None:
    mine = scene.enrol("member")
    for method, path, body in (
        ("GET", f"/enrolments/{mine}", {}),
        ("DELETE", f"/enrolments/{mine}", {}),
        ("POST", f"/enrolments/{mine}/accept", {}),
        ("PUT", f"/enrolments/{mine}/needs", {"needs": "x"}),
        ("PUT", f"/enrolments/{mine}/person", {"person": scene.id("other")}),
        ("PUT", f"/enrolments/{mine}/passed", {"passed": True}),
    ):
        assert scene.ask("nobody", method, path, **body).status_code == 401
        for login in ("other", "trainer"):
            assert scene.ask(login, method, path, **body).status_code == 404, path
    assert scene.got("animator", "GET", f"/enrolments/{mine}")["state"] == "confirmed"
    path = f"/sessions/{scene.meeting}/enrolments"
    for login in ("member", "trainer", "guest"):
        assert codes(scene.ask(login, "GET", path)) == ["session-staff-only"]


def test_nobody_learns_about_a_stranger_by_enrolling_them(scene: Scene) -> None:
    scene.enrol("member")
    path = f"/sessions/{scene.meeting}/enrolments"
    for more in ({}, {"override": "they asked me"}):
        answer = scene.ask("other", "POST", path, people=[scene.id("member")], **more)
        assert (answer.status_code, codes(answer)) == (403, ["not-yours"])
    own = scene.ask("other", "POST", path, people=[scene.id("other")], override="for me")
    assert (own.status_code, codes(own)) == (403, ["not-yours"])
    assert scene.ask("staff", "POST", path, people=["nobody"]).status_code == 404
    assert scene.ask("staff", "POST", path, people=[]).status_code == 422
    guest = scene.got("guest", "POST", path, people=[scene.id("other")])["enrolments"]
    assert guest[0]["via"] == "staff"


def test_a_parent_adds_signs_for_and_enrols_a_child(scene: Scene) -> None:
    body = {"first_name": "Tom", "birth_year": 2016, "my_child": True}
    child = scene.got("parent", "POST", "/participants", **body)["id"]
    (listed,) = scene.got("parent", "GET", "/children")["children"]
    assert listed == {"id": child, "first_name": "Tom", "birth_year": 2016}
    path = f"/sessions/{scene.meeting}/enrolments"
    refused = scene.ask("parent", "POST", path, people=[child])
    assert (refused.status_code, codes(refused)) == (409, ["consent-missing"])
    consent = f"/people/{child}/consent"
    unsigned = scene.ask("parent", "PUT", consent, signed_by="guardian", takes_part=True)
    assert set(codes(unsigned)) == {"guardian-name-missing", "guardian-phone-missing"}
    assert scene.got("parent", "PUT", consent, **PARENT)["guardian_name"] == "Fatou N."
    together = scene.got("parent", "POST", path, people=[child, scene.id("parent")])["enrolments"]
    assert {one["state"] for one in together} == {"confirmed"}
    assert len({one["party"] for one in together}) == 1
    assert len(scene.got("parent", "GET", "/enrolments")["enrolments"]) == 2
    assert codes(scene.ask("other", "PUT", consent, **PARENT)) == ["not-yours"]
    assert scene.ask("other", "GET", consent).status_code == 404
    assert scene.got("staff", "GET", consent)["takes_part"] is True
    assert (
        scene.ask("other", "POST", "/participants", first_name="X", birth_year=2000).status_code
        == 403
    )
    impossible = scene.ask("parent", "POST", "/participants", **body | {"birth_year": 1800})
    assert codes(impossible) == ["birth-impossible"]
    assert scene.ask("parent", "PUT", consent, signed_by="cat", takes_part=1).status_code == 422


def test_a_partner_holds_places_and_names_them_later(scene: Scene) -> None:
    with scene.lab.db.transaction() as db:
        partner = accounts.add_group(
            db, scene.clock, name="Maison des jeunes", kind=GroupKind.PARTNER, by=scene.id("staff")
        ).id
        accounts.set_member(
            db, scene.clock, account_id=partner, person_id=scene.id("other"), may_act=True,
            by=scene.id("staff"),
        )  # fmt: skip
    path = f"/sessions/{scene.meeting}/held-places"
    stranger = scene.ask("member", "POST", path, partner=partner, count=2)
    assert (stranger.status_code, codes(stranger)) == (403, ["not-yours"])
    held = scene.got("other", "POST", path, partner=partner, count=2)["enrolments"]
    assert [(one["person"], one["state"]) for one in held] == [(None, "confirmed")] * 2
    young = scene.got("other", "POST", "/participants", first_name="Léo", birth_year=2010)["id"]
    place = f"/enrolments/{held[0]['id']}/person"
    assert scene.ask("member", "PUT", place, person=young).status_code == 404
    assert scene.got("other", "PUT", place, person=young)["person"] == young
    again = scene.ask("other", "PUT", f"/enrolments/{held[1]['id']}/person", person=young)
    assert codes(again) == ["already-enrolled"]
    own = scene.ask("other", "PUT", place, person=scene.id("member"), override="please")
    assert codes(own) == ["not-yours"]
    assert scene.ask("staff", "POST", path, partner="nope", count=1).status_code == 404
    with scene.lab.db.transaction() as db:
        accounts.suspend_group(
            db, scene.clock, account_id=partner, reason="unpaid", by=scene.id("staff")
        )
    suspended = scene.ask("staff", "POST", path, partner=partner, count=1)
    assert codes(suspended) == ["account-suspended"]
    scene.got("staff", "POST", path, partner=partner, count=1, override="they have paid")
    assert scene.ask("staff", "POST", path, partner=partner, count=0).status_code == 422


def test_needs_are_read_by_the_staff_of_the_session_only(scene: Scene) -> None:
    mine = scene.enrol("member")
    path, all_needs = f"/enrolments/{mine}/needs", f"/sessions/{scene.meeting}/needs"
    assert scene.got("member", "PUT", path, needs="peanuts")["noted"] is True
    for login in ("member", "other", "trainer", "guest"):
        assert codes(scene.ask(login, "GET", all_needs)) == ["session-staff-only"]
    for login in ("animator", "staff"):
        (found,) = scene.got(login, "GET", all_needs)["needs"]
        assert (found["needs"], found["person"]) == ("peanuts", scene.id("member"))
    assert "peanuts" not in str(scene.got("staff", "GET", f"/enrolments/{mine}"))
    assert scene.ask("member", "PUT", path, needs="x" * 1001).status_code == 422
    assert scene.got("member", "PUT", path, needs="")["noted"] is False
    assert scene.got("staff", "GET", all_needs)["needs"] == []
    assert scene.ask("staff", "GET", "/sessions/nope/needs").status_code == 404


def test_a_person_signs_for_themselves(scene: Scene) -> None:
    me = f"/people/{scene.id('trainer')}/consent"
    assert scene.ask("trainer", "GET", me).status_code == 404
    assert scene.got("trainer", "PUT", me, **SIGNED)["image_rights"] is True
    taken = scene.got("trainer", "PUT", me, **SIGNED | {"takes_part": False})
    assert (taken["takes_part"], taken["image_rights"]) == (False, False)
