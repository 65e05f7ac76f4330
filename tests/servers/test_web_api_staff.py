"""The API of the staff: people, policies, opening hours, closures, resources, the audit trail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fabctl.services import bookings, people
from fabctl.services.password_sign_in import check_password
from tests.web_caller import Caller, caller, codes
from tests.web_lab import WebLab, web_lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        found.person("awa", role="staff")
        found.person("lea")
        yield found


@pytest.fixture
def awa(lab: WebLab) -> Caller:
    return caller(lab, "awa")


@pytest.fixture
def lea(lab: WebLab) -> Caller:
    return caller(lab, "lea")


def add(program: Caller, name: str, **more: Any) -> str:
    made = program.ask("POST", "/people", json={"name": name, **more})
    assert made.status_code == 201, made.get_data(as_text=True)
    found: str = made.get_json()["id"]
    return found


# -- people ----------------------------------------------------------------------------------


def test_people_are_found_by_any_word_and_paged_without_a_gap(awa: Caller) -> None:
    for number in range(7):
        add(awa, f"Élodie {number}")
    add(awa, "🦊 שירה", login="fox", password="four words in it")
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = awa.ask("GET", "/people", query_string={"limit": 3, **cursor}).get_json()
        assert len(page["people"]) <= 3
        seen += [one["name"] for one in page["people"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == ["Awa", *(f"Élodie {n}" for n in range(7)), "Lea", "🦊 שירה"]
    for words, names in (
        ("ELODIE 3", ["Élodie 3"]),
        ("fox", ["🦊 שירה"]),
        ("%", []),
        ("שירה", ["🦊 שירה"]),
    ):
        found = awa.ask("GET", "/people", query_string={"search": words}).get_json()
        assert [one["name"] for one in found["people"]] == names
    staff = awa.ask("GET", "/people", query_string={"role": "staff"}).get_json()["people"]
    assert [one["login"] for one in staff] == ["awa"]


@pytest.mark.parametrize(
    "asked",
    [{"limit": 0}, {"limit": 201}, {"cursor": "x"}, {"cursor": "WyJhIl0"}, {"role": "king"}],
)  # fmt: skip
def test_a_page_that_cannot_be(awa: Caller, asked: dict[str, Any]) -> None:
    assert awa.ask("GET", "/people", query_string=asked).status_code == 422


def test_who_is_added_signs_in(lab: WebLab, awa: Caller) -> None:
    who = add(
        awa, "  Tom  B. ", login="Tom", password="four words in it", birth_year=2010, language="en"
    )
    shown = awa.ask("GET", f"/people/{who}").get_json()
    assert (shown["name"], shown["login"], shown["role"]) == ("Tom B.", "tom", "member")
    assert (shown["birth_year"], shown["language"]) == (2010, "en")
    assert check_password(lab.db, lab.clock, "tom", "four words in it") is not None


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "x" * 101}, 409, "name-too-long"),
        ({"name": "\u202eTom"}, 409, "name-hidden-characters"),
        ({"name": "Tom", "birth_year": 1890}, 409, "birth-impossible"),
        ({"name": "Tom", "language": "xx"}, 409, "language-unknown"),
        ({"name": "Tom", "role": "admin"}, 403, "admin-only"),
        ({"name": "Tom", "role": "king"}, 422, "malformed"),
        ({"name": "Tom", "login": "tom"}, 422, "malformed"),
        ({"name": "Tom", "login": "lea", "password": "x" * 9}, 409, "login-taken"),
        ({"name": "Tom", "login": "t!", "password": "x"}, 409, "login-malformed"),
        ({"name": " "}, 422, "malformed"),
        ({"name": 5}, 422, "malformed"),
        ({}, 422, "malformed"),
    ],
)
def test_who_cannot_be_added(awa: Caller, body: dict[str, Any], status: int, code: str) -> None:
    before = awa.ask("GET", "/people").get_json()
    answer = awa.ask("POST", "/people", json=body)
    assert (answer.status_code, codes(answer)[0]) == (status, code)
    assert awa.ask("GET", "/people").get_json() == before


def test_ones_own_profile(lab: WebLab, lea: Caller) -> None:
    assert lea.ask("GET", "/me").get_json()["name"] == "Lea"
    changed = lea.ask("PATCH", "/me", json={"name": "Léa", "language": "en"}).get_json()
    assert (changed["name"], changed["language"]) == ("Léa", "en")
    answer = lea.ask("PATCH", "/me", json={"birth_year": 1990})
    assert (answer.status_code, codes(answer)) == (403, ["staff-only"])
    assert lea.ask("GET", "/me").get_json()["birth_year"] is None


def test_roles_are_given_by_those_above(lab: WebLab, awa: Caller) -> None:
    lea = lab.id_of("lea")
    boss = caller(lab, lab.person("boss", role="admin").login or "")
    assert awa.ask("PUT", f"/people/{lea}/role", json={"role": "trainer"}).status_code == 200
    for who, role, status in (
        (lea, "staff", 403),
        (lab.id_of("boss"), "member", 403),
        (lab.id_of("awa"), "admin", 403),
    ):
        answer = awa.ask("PUT", f"/people/{who}/role", json={"role": role})
        assert (answer.status_code, codes(answer)) == (status, ["admin-only"])
    assert boss.ask("PUT", f"/people/{lea}/role", json={"role": "staff"}).status_code == 200
    answer = boss.ask("PUT", f"/people/{lab.id_of('boss')}/role", json={"role": "member"})
    assert (answer.status_code, codes(answer)) == (409, ["own-role"])
    lines = awa.ask("GET", "/audit", query_string={"subject": f"person:{lea}"}).get_json()["lines"]
    assert [line["details"] for line in lines[:2]] == [
        {"before": "trainer", "after": "staff"}, {"before": "member", "after": "trainer"}
    ]  # fmt: skip


def test_a_suspended_account_books_nothing_until_it_is_reinstated(lab: WebLab, awa: Caller) -> None:
    lab.certify(lab.certified("sam"))
    sam, program = lab.id_of("sam"), caller(lab, "sam")
    answer = awa.ask("POST", f"/people/{sam}/suspend", json={"reason": "left a mess"})
    assert answer.get_json()["suspended_reason"] == "left a mess"
    assert codes(program.reserve()) == ["account-suspended"]
    again = awa.ask("POST", f"/people/{sam}/reinstate").get_json()
    assert (again["suspended_at"], again["suspended_reason"]) == (None, None)
    assert program.reserve().status_code == 201
    for body in ({}, {"reason": " "}):
        assert awa.ask("POST", f"/people/{sam}/suspend", json=body).status_code == 422


def test_a_locked_login_is_unlocked(lab: WebLab, awa: Caller) -> None:
    for _ in range(5):
        check_password(lab.db, lab.clock, "lea", "wrong")
    with pytest.raises(people.TooManyTriesError):
        check_password(lab.db, lab.clock, "lea", "lea-password")
    assert awa.ask("POST", f"/people/{lab.id_of('lea')}/unlock").status_code == 200
    assert check_password(lab.db, lab.clock, "lea", "lea-password") is not None
    answer = awa.ask("POST", f"/people/{add(awa, 'Tom')}/unlock")
    assert (answer.status_code, codes(answer)) == (409, ["login-missing"])


# -- policies --------------------------------------------------------------------------------


def policy(program: Caller, reach: str, subject: str | None, **numbers: Any) -> Any:
    body = {"reach": reach, "subject": subject, "numbers": numbers}
    return program.ask("PUT", "/policies", json=body)


def test_policies_hold_at_once_and_keep_their_versions(lab: WebLab, awa: Caller) -> None:
    lab.certified("sam")
    assert policy(awa, "lab", None, longest_min=30).get_json()["version"] == 1
    assert codes(caller(lab, "sam").reserve()) == ["too-long"]
    assert policy(awa, "resource", "printer-a", longest_min=60).status_code == 200
    assert policy(awa, "category", "printer", longest_min=20).status_code == 200
    assert caller(lab, "sam").reserve().status_code == 201
    assert policy(awa, "lab", None, longest_min=45, per_day_min=None).get_json()["version"] == 2
    listed = awa.ask("GET", "/policies").get_json()["policies"]
    assert [(one["reach"], one["subject"], one["version"]) for one in listed] == [
        ("lab", None, 2), ("category", "printer", 1), ("resource", "printer-a", 1)
    ]  # fmt: skip
    asked = {"reach": "lab", "limit": 1}
    page = awa.ask("GET", "/policies/versions", query_string=asked).get_json()
    assert page["versions"][0]["numbers"] == {"longest_min": 45, "per_day_min": None}
    asked["cursor"] = page["next"]
    rest = awa.ask("GET", "/policies/versions", query_string=asked).get_json()
    assert [one["version"] for one in rest["versions"]] == [1]
    assert (rest["versions"][0]["who"], rest["next"]) == (lab.id_of("awa"), None)


@pytest.mark.parametrize(
    ("reach", "subject", "numbers", "status", "code"),
    [
        ("lab", None, {"longest_min": -1}, 409, "policy-number-malformed"),
        ("lab", None, {"longest_min": True}, 409, "policy-number-malformed"),
        ("lab", None, {"nonsense": 1}, 409, "policy-unknown-number"),
        ("lab", None, {"shortest_min": 9, "longest_min": 5}, 409, "policy-contradicts-itself"),
        ("lab", "x", {}, 422, "malformed"),
        ("category", None, {}, 422, "malformed"),
        ("resource", "nope", {}, 404, "not-found"),
        ("galaxy", None, {}, 422, "malformed"),
    ],
)
def test_policies_that_cannot_be(
    awa: Caller, reach: str, subject: str | None, numbers: dict[str, Any], status: int, code: str
) -> None:
    answer = policy(awa, reach, subject, **numbers)
    assert (answer.status_code, codes(answer)[0]) == (status, code)
    assert awa.ask("GET", "/policies").get_json()["policies"] == []


# -- opening hours and closures --------------------------------------------------------------

MONDAYS = {"week": [{"weekday": 0, "periods": [{"opens_min": 600, "closes_min": 1080}]}]}


def test_opening_hours_hold_at_once(lab: WebLab, awa: Caller) -> None:
    lab.certified("sam")
    sam = caller(lab, "sam")
    assert awa.ask("PUT", "/opening-hours/week", json=MONDAYS).status_code == 200
    assert codes(sam.reserve(minutes_ahead=24 * 60)) == ["closed"]
    open_late = {"first": "2026-11-24", "periods": [{"opens_min": 0, "closes_min": 1440}]}
    assert awa.ask("PUT", "/opening-hours/exceptions", json=open_late).status_code == 200
    made = sam.reserve(minutes_ahead=24 * 60)
    assert made.status_code == 201
    shown = awa.ask("GET", "/opening-hours", query_string={"first": "2026-11-24"}).get_json()
    assert (shown["week"], len(shown["exceptions"])) == (MONDAYS["week"], 1)
    asked = {"date": "2026-11-24"}
    gone = awa.ask("DELETE", "/opening-hours/exceptions", query_string=asked)
    assert gone.get_json() == {"resource": None, "date": "2026-11-24"}
    assert codes(sam.reserve(minutes_ahead=26 * 60)) == ["closed"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("week", {}, 422),
        ("week", {"week": [{"weekday": 7, "periods": []}]}, 422),
        ("week", {"week": MONDAYS["week"] * 2}, 422),
        ("week", {"week": [{"weekday": 0, "periods": [{"opens_min": 9, "closes_min": 9}]}]}, 409),
        ("week", {**MONDAYS, "resource": "nope"}, 404),
        ("exceptions", {"first": "2026-02-30", "periods": []}, 422),
        ("exceptions", {"first": "2026-02-20", "last": "2026-02-19", "periods": []}, 409),
        ("exceptions", {"first": "2026-02-20", "last": "2226-02-19", "periods": []}, 409),
        ("exceptions", {"first": "9999-12-31", "last": "9999-12-31", "periods": []}, 200),
    ],
)
def test_hours_that_cannot_be(awa: Caller, path: str, body: dict[str, Any], status: int) -> None:
    assert awa.ask("PUT", f"/opening-hours/{path}", json=body).status_code == status


def test_a_closure_says_what_became_of_reservations(lab: WebLab, awa: Caller) -> None:
    booked = lab.book(lab.certified("sam"), "printer-a", after_min=60)
    body = {
        "resource": "printer-a",
        "start": "2026-11-23T10:00:00+01:00",
        "end": "2026-11-23T20:00:00+01:00",
        "note": "new belt",
        "kind": "maintenance",
    }
    answer = awa.ask("POST", "/closures", json=body)
    assert (answer.status_code, codes(answer)) == (409, ["overlap"])
    made = awa.ask("POST", "/closures", json=body | {"cancel_reservations": True})
    assert made.get_json()["cancelled"] == [booked]
    with lab.db.reading() as db:
        assert bookings.get_reservation(db, booked).cancelled_at is not None
    assert codes(caller(lab, "sam").reserve())[-1] in {"overlap", "out-of-order", "closed"}
    gone = awa.ask("DELETE", f"/closures/{made.get_json()['id']}")
    assert gone.status_code == 200
    assert caller(lab, "sam").reserve().status_code == 201
    assert awa.ask("DELETE", "/closures/nope").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "reservation"}, {"note": " "}, {"resource": "nope"}, {"start": "soon"},
     {"end": "2026-11-23T09:00"}],
)  # fmt: skip
def test_closures_that_cannot_be(awa: Caller, wrong: dict[str, str]) -> None:
    body = {"resource": "printer-a", "start": "2026-11-24T10:00Z", "end": "2026-11-24T11:00Z",
            "note": "belt"} | wrong  # fmt: skip
    assert awa.ask("POST", "/closures", json=body).status_code == 422


# -- resources -------------------------------------------------------------------------------


def test_a_room_its_machines_and_a_pool(awa: Caller) -> None:
    room = {"id": "wood", "name": "Atelier bois", "kind": "space"}
    assert awa.ask("POST", "/resources", json=room).status_code == 201
    assert awa.ask("POST", "/resources", json=room).status_code == 422
    assert awa.ask("POST", "/resources", json=room | {"kind": "machine"}).status_code == 422
    put = awa.ask("PUT", "/resources/printer-a/parent", json={"parent": "wood"})
    assert put.get_json()["parent"] == "wood"
    assert awa.ask("PUT", "/resources/wood/parent", json={"parent": "printer-a"}).status_code == 422
    pool = awa.ask("PUT", "/pools/any", json={"name": "Any", "members": ["printer-b", "printer-a"]})
    assert pool.get_json()["members"] == ["printer-b", "printer-a"]
    for members in ([], ["printer-a", "printer-a"], ["nope"]):
        answer = awa.ask("PUT", "/pools/any", json={"name": "Any", "members": members})
        assert answer.status_code in {404, 422}
    assert awa.ask("GET", "/pools").get_json()["pools"][0]["members"] == ["printer-b", "printer-a"]


def test_out_of_order_with_a_reason_and_in_order_again(lab: WebLab, awa: Caller) -> None:
    lab.certified("sam")
    body = {"reason": "belt", "next_step": "new one on Friday"}
    shown = awa.ask("POST", "/resources/printer-a/out-of-order", json=body).get_json()
    assert (shown["reason"], shown["next_step"]) == ("belt", "new one on Friday")
    assert "out-of-order" in codes(caller(lab, "sam").reserve())
    assert caller(lab, "sam").ask("GET", "/resources/printer-a").get_json() == shown
    shown = awa.ask("POST", "/resources/printer-a/in-order").get_json()
    assert (shown["out_of_order_at"], shown["reason"]) == (None, None)
    assert caller(lab, "sam").reserve().status_code == 201
    assert awa.ask("POST", "/resources/printer-a/out-of-order", json={}).status_code == 422
    assert awa.ask("POST", "/resources/nope/in-order").status_code == 404


# -- the audit trail -------------------------------------------------------------------------


def test_the_trail_is_paged_newest_first_and_filtered(lab: WebLab, awa: Caller) -> None:
    for number in range(5):
        add(awa, f"P{number}")
    asked: dict[str, Any] = {"who": lab.id_of("awa"), "limit": 2}
    seen = []
    while True:
        page = awa.ask("GET", "/audit", query_string=asked).get_json()
        seen += [line["subject"] for line in page["lines"] if line["what"] == "person.added"]
        if page["next"] is None:
            break
        asked["cursor"] = page["next"]
    assert len(set(seen)) == len(seen) == 5
    for cursor in ("WyJ4Il0", "WyIxIl0", "W10", "!"):
        answer = awa.ask("GET", "/audit", query_string={"cursor": cursor})
        assert answer.status_code == 422
