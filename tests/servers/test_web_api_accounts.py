"""The API of accounts and rights, and of reservations that are charged to a group."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from fabctl.model.booking_policy import Scope
from fabctl.model.people import Role
from fabctl.services import opening, policies
from tests.web_caller import Caller, caller, codes
from tests.web_lab import WebLab, web_lab

ACT = {"may_act": True}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebLab]:
    """One lab for all: its people's passwords take a second to hash. The last test closes it."""
    with web_lab(tmp_path_factory.mktemp("lab")) as found:
        found.person("awa", role=Role.STAFF)
        for login in ("camille", "sam"):
            found.certified(login)
        yield found


def group(lab: WebLab, name: str = "Les Copeaux") -> str:
    made = caller(lab, "awa").ask("POST", "/accounts", json={"name": name, "kind": "collective"})
    assert made.status_code == 201
    return str(made.get_json()["id"])


def joined(lab: WebLab, account: str, login: str, *, may_act: bool = True) -> None:
    path = f"/accounts/{account}/members/{lab.id_of(login)}"
    found = caller(lab, "awa").ask("PUT", path, json={"may_act": may_act})
    assert (found.status_code, found.get_json()["may_act"]) == (200, may_act)


def slot(lab: WebLab, hours: float = 1, length: float = 1) -> dict[str, Any]:
    start = lab.clock.now() + timedelta(hours=hours)
    end = start + timedelta(hours=length)
    return {"resource": "printer-a", "start": start.isoformat(), "end": end.isoformat()}


def test_a_group_its_members_and_who_sees_them(lab: WebLab) -> None:
    awa, camille, sam = (caller(lab, login) for login in ("awa", "camille", "sam"))
    account = group(lab)
    joined(lab, account, "camille")
    (member,) = awa.ask("GET", f"/accounts/{account}/members").get_json()["members"]
    assert (member["person"], member["may_act"]) == (lab.id_of("camille"), True)
    mine = camille.ask("GET", "/me/accounts").get_json()["accounts"]
    assert {one["kind"] for one in mine} == {None, "collective"}
    assert camille.ask("GET", f"/accounts/{account}").get_json()["name"] == "Les Copeaux"
    for path in ("", "/members"):
        assert sam.ask("GET", f"/accounts/{account}{path}").status_code == 404
    assert sam.ask("GET", "/accounts").status_code == 403
    assert Caller(lab, None).ask("GET", "/accounts").status_code == 401
    leaving = f"/accounts/{account}/members/{lab.id_of('camille')}"
    assert sam.ask("DELETE", leaving).status_code == 403
    assert camille.ask("DELETE", leaving).status_code == 204
    assert camille.ask("GET", f"/accounts/{account}").status_code == 404


def test_groups_come_in_pages(lab: WebLab) -> None:
    made = {group(lab, f"Group {number}") for number in range(3)}
    awa = caller(lab, "awa")
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        body = awa.ask("GET", f"/accounts?limit=1{more}").get_json()
        (one,) = body["accounts"]
        seen.append(one["id"])
        cursor = body["next"]
    assert made <= set(seen)
    assert len(seen) == len(set(seen))


def test_a_group_that_cannot_be_read(lab: WebLab) -> None:
    awa = caller(lab, "awa")
    unreadable: list[Any] = [{}, {"name": "x"}, {"name": "x", "kind": "person"}, {"kind": 1}, []]
    for body in unreadable:
        assert awa.ask("POST", "/accounts", json=body).status_code == 422


def test_members_open_suspend_and_fill_no_group(lab: WebLab) -> None:
    account, camille = group(lab), caller(lab, "camille")
    wanted = {"name": "x", "kind": "partner"}
    member = f"/accounts/{account}/members/{lab.id_of('camille')}"
    assert camille.ask("POST", "/accounts", json=wanted).status_code == 403
    assert camille.ask("PUT", member, json=ACT).status_code == 403
    why = {"reason": "x"}
    assert camille.ask("POST", f"/accounts/{account}/suspend", json=why).status_code == 403
    assert camille.ask("POST", f"/accounts/{account}/reinstate").status_code == 403


def test_a_reservation_is_charged_to_the_group_while_it_is_in_order(lab: WebLab) -> None:
    awa, camille, sam = (caller(lab, login) for login in ("awa", "camille", "sam"))
    account = group(lab)
    joined(lab, account, "camille")
    joined(lab, account, "sam", may_act=False)
    asked = slot(lab) | {"account": account}
    made = camille.ask("POST", "/reservations", json=asked)
    assert (made.status_code, made.get_json()["account"]) == (201, account)
    one = f"/reservations/{made.get_json()['id']}"
    assert sam.ask("GET", one).status_code == 404
    joined(lab, account, "sam")
    assert sam.ask("GET", one).get_json()["person"] == lab.id_of("camille")
    joined(lab, account, "sam", may_act=False)
    refused = sam.ask("POST", "/reservations", json=slot(lab, 3) | {"account": account})
    assert (refused.status_code, codes(refused)) == (409, ["not-acting-for-account"])
    unknown = camille.ask("POST", "/reservations", json=slot(lab, 3) | {"account": "nothing"})
    assert unknown.status_code == 404
    why = {"reason": "unpaid"}
    found = awa.ask("POST", f"/accounts/{account}/suspend", json=why).get_json()
    assert found["suspended_reason"] == "unpaid"
    refused = camille.ask("POST", "/reservations", json=slot(lab, 3) | {"account": account})
    assert codes(refused) == ["account-suspended"]
    found = awa.ask("POST", f"/accounts/{account}/reinstate").get_json()
    assert found["suspended_at"] is None
    series = slot(lab, 5) | {"account": account, "weeks": 2}
    assert sam.ask("POST", "/series/proposals", json=series).status_code == 409
    now = {"account": account, "minutes": 30}
    made = camille.ask("POST", "/resources/printer-b/use-now", json=now)
    assert (made.status_code, made.get_json()["account"]) == (201, account)
    waits = sam.ask("POST", "/waiting", json=asked)
    assert codes(waits) == ["not-acting-for-account"]


def test_rights_are_given_read_and_taken(lab: WebLab) -> None:
    awa, camille, sam = (caller(lab, login) for login in ("awa", "camille", "sam"))
    path = f"/people/{lab.id_of('camille')}/rights"
    right = {"right": "walk-up", "reach": "resource", "subject": "printer-a"}
    assert camille.ask("PUT", path, json=right).status_code == 403
    given = awa.ask("PUT", path, json=right)
    assert given.get_json() == right | {"until": None}
    access = camille.ask("GET", "/machines/printer-a/access").get_json()
    assert "not-reserved" not in [one["code"] for one in access["refusals"]]
    assert camille.ask("GET", path).get_json()["rights"] == [given.get_json()]
    assert sam.ask("GET", path).status_code == 404
    query = "?right=walk-up&reach=resource&subject=printer-a"
    assert camille.ask("DELETE", path + query).status_code == 403
    for _ in range(2):
        assert awa.ask("DELETE", path + query).status_code == 204
    assert awa.ask("GET", path).get_json()["rights"] == []
    for wrong in (
        {},
        {"right": "fly"},
        {"right": "walk-up", "reach": "resource"},
        {"right": "walk-up", "subject": "printer-a"},
        {"right": "walk-up", "until": "2026-11-23T10:00"},
    ):
        assert awa.ask("PUT", path, json=wrong).status_code == 422
    unknown = {"right": "walk-up", "reach": "resource", "subject": "nothing"}
    assert awa.ask("PUT", path, json=unknown).status_code == 404


def test_every_reason_in_both_languages(lab: WebLab) -> None:
    with lab.db.transaction() as db:
        staff = lab.id_of("awa")
        day = lab.clock.now().date()
        opening.set_exception(db, lab.clock, first=day, by=staff)
        numbers = {"company": 2, "minimum_age": 16}
        policies.set_policy(db, lab.clock, scope=Scope(), numbers=numbers, by=staff)
    words = {"en": "The lab is closed now.", "fr": "Le lab est fermé en ce moment."}
    for language, closed in words.items():
        who = caller(lab, "camille", language)
        found = who.ask("GET", "/machines/printer-b/access").get_json()
        said = {one["code"]: one["message"] for one in found["refusals"]}
        assert not found["allowed"]
        assert {"closed", "company-missing", "under-age"} <= set(said)
        assert said["closed"] == closed
