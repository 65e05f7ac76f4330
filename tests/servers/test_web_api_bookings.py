"""The API of reservations and what belongs to them: lists, moving, series, waiting, pools."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fabctl.clock import ManualClock
from fabctl.model.booking_policy import Scope
from fabctl.services import policies, resources
from tests.web_caller import Caller, caller, codes
from tests.web_lab import WebLab, web_lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        yield found


def at(lab: WebLab, hours: float, *, days: int = 0) -> str:
    return (lab.clock.now() + timedelta(days=days, hours=hours)).isoformat()


def slot(lab: WebLab, hours: float = 1, length: float = 1, *, days: int = 0) -> dict[str, str]:
    return {"start": at(lab, hours, days=days), "end": at(lab, hours + length, days=days)}


def later(lab: WebLab, **ahead: float) -> None:
    assert isinstance(lab.clock, ManualClock)
    lab.clock.advance(timedelta(**ahead).total_seconds())


def people(lab: WebLab) -> tuple[Caller, Caller]:
    """Return two members who are certified on both printers."""
    lab.certified("camille")
    lab.certified("sam")
    return caller(lab, "camille"), caller(lab, "sam")


def reserved(who: Caller, wanted: dict[str, str], resource: str = "printer-a") -> str:
    answer = who.ask("POST", "/reservations", json={"resource": resource, **wanted})
    assert answer.status_code == 201, answer.get_json()
    return str(answer.get_json()["id"])


# -- my reservations --------------------------------------------------------------------------


def test_my_reservations_come_in_pages(lab: WebLab) -> None:
    camille, sam = people(lab)
    mine = [reserved(camille, slot(lab, hours=3 * n + 1, days=n)) for n in range(3)]
    reserved(sam, slot(lab, hours=20))
    seen: list[str] = []
    cursor, pages = "", 0
    while pages == 0 or cursor:
        more = f"&cursor={cursor}" if cursor else ""
        answer = camille.ask("GET", "/reservations?limit=1" + more)
        body = answer.get_json()
        seen += [one["id"] for one in body["reservations"]]
        cursor, pages = body["next"], pages + 1
    assert seen == mine
    assert pages == 3


def test_what_is_over_is_listed_when_asked_for(lab: WebLab) -> None:
    camille, _ = people(lab)
    one = reserved(camille, slot(lab))
    later(lab, days=2)
    assert camille.ask("GET", "/reservations").get_json()["reservations"] == []
    since = "2026-11-01T00:00:00Z"
    (old,) = camille.ask("GET", f"/reservations?since={since}").get_json()["reservations"]
    assert old["id"] == one


def test_only_the_staff_list_and_read_what_others_booked(lab: WebLab) -> None:
    camille, sam = people(lab)
    lab.person("iris", role="staff")
    iris = caller(lab, "iris")
    one, whose = reserved(camille, slot(lab)), lab.id_of("camille")
    answer = sam.ask("GET", f"/reservations?person={whose}")
    assert (answer.status_code, codes(answer)) == (403, ["not-yours"])
    (seen,) = iris.ask("GET", f"/reservations?person={whose}").get_json()["reservations"]
    assert seen["id"] == one
    assert sam.ask("GET", f"/reservations/{one}").status_code == 404
    assert iris.ask("GET", f"/reservations/{one}").get_json()["person"] == whose
    assert camille.ask("GET", f"/reservations/{one}").get_json()["id"] == one


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "limit=", "cursor=x", "cursor=WzFd", "since=now"]
)
def test_a_list_that_cannot_be_read(lab: WebLab, query: str) -> None:
    camille, _ = people(lab)
    answer = camille.ask("GET", f"/reservations?{query}")
    assert answer.status_code == 422
    assert codes(answer) == ["malformed"]


# -- changing them ----------------------------------------------------------------------------


def test_moving(lab: WebLab) -> None:
    camille, sam = people(lab)
    one = reserved(camille, slot(lab, hours=30))
    reserved(sam, slot(lab, hours=40))
    moved = camille.ask("PATCH", f"/reservations/{one}", json=slot(lab, hours=35)).get_json()
    assert moved["start"] == "2026-11-24T20:00:00+00:00"
    answer = camille.ask("PATCH", f"/reservations/{one}", json=slot(lab, hours=40))
    assert (answer.status_code, codes(answer)) == (409, ["overlap"])
    kept = camille.ask("GET", f"/reservations/{one}").get_json()
    assert kept["start"] == moved["start"]
    other = {"resource": "printer-b", **slot(lab, hours=40)}
    assert camille.ask("PATCH", f"/reservations/{one}", json=other).get_json()["resource"] == (
        "printer-b"
    )
    assert sam.ask("PATCH", f"/reservations/{one}", json=slot(lab, hours=50)).status_code == 404
    bad = {"resource": "nope", **slot(lab, hours=40)}
    assert codes(camille.ask("PATCH", f"/reservations/{one}", json=bad)) == ["unknown-resource"]
    answer = camille.ask("PATCH", f"/reservations/{one}", json={"start": "x"})
    assert (answer.status_code, codes(answer)) == (422, ["malformed", "malformed"])


def test_of_what_has_begun_only_the_end_moves(lab: WebLab) -> None:
    camille, _ = people(lab)
    start, end = at(lab, 1), at(lab, 2)
    one = reserved(camille, {"start": start, "end": end})
    later(lab, minutes=61)
    answer = camille.ask("PATCH", f"/reservations/{one}", json=slot(lab, hours=5))
    assert (answer.status_code, codes(answer)) == (409, ["has-begun"])
    shorter = {"start": start, "end": at(lab, 0.5)}
    answer = camille.ask("PATCH", f"/reservations/{one}", json=shorter)
    assert (answer.status_code, answer.get_json()["end"]) == (200, "2026-11-23T10:31:00+00:00")


def test_stopping_early_frees_the_rest(lab: WebLab) -> None:
    camille, sam = people(lab)
    one = reserved(camille, slot(lab, hours=1, length=2))
    assert codes(camille.ask("POST", f"/reservations/{one}/stop")) == ["not-begun"]
    later(lab, hours=2)
    answer = sam.ask("POST", f"/reservations/{one}/stop")
    assert (answer.status_code, codes(answer)) == (403, ["not-yours"])
    assert camille.ask("POST", f"/reservations/{one}/stop").get_json()["end"] == (
        "2026-11-23T11:00:00+00:00"
    )
    reserved(sam, slot(lab, hours=0.25, length=0.5))


def test_use_now_ends_where_the_next_begins(lab: WebLab) -> None:
    camille, sam = people(lab)
    reserved(sam, slot(lab, hours=1))
    answer = camille.ask("POST", "/resources/printer-a/use-now", json={})
    assert answer.status_code == 201
    made = answer.get_json()
    assert (made["end"], made["checked_in_at"]) == (
        "2026-11-23T10:00:00+00:00", "2026-11-23T09:00:00+00:00"
    )  # fmt: skip
    short = camille.ask("POST", "/resources/printer-b/use-now", json={"minutes": 30})
    assert short.get_json()["refusals"][0]["code"] == "own-overlap"
    again = sam.ask("POST", "/resources/printer-a/use-now", json={})
    assert (again.status_code, "overlap" in codes(again)) == (409, True)
    assert sam.ask("POST", "/resources/nope/use-now", json={}).status_code == 404
    assert sam.ask("POST", "/resources/printer-b/use-now", json={"minutes": 0}).status_code == 422


def test_the_staff_book_for_others_and_set_rules_aside_with_a_reason(lab: WebLab) -> None:
    camille, _ = people(lab)
    lab.person("iris", role="staff")
    iris, whose = caller(lab, "iris"), lab.id_of("camille")
    long = {"resource": "printer-a", "person": whose, **slot(lab, length=12)}
    assert codes(iris.ask("POST", "/reservations", json=long)) == ["too-long"]
    made = iris.ask("POST", "/reservations", json={**long, "override_reason": "open day"})
    assert made.get_json()["person"] == whose
    mine = {**long, "person": lab.id_of("sam")}
    answer = camille.ask("POST", "/reservations", json=mine)
    assert (answer.status_code, "not-yours" in codes(answer)) == (403, True)
    late = {**long, **slot(lab, hours=40, length=12), "override_reason": "please"}
    answer = camille.ask("POST", "/reservations", json=late)
    assert (answer.status_code, "override-not-allowed" in codes(answer)) == (409, True)
    gone = {**long, "person": "nobody"}
    assert iris.ask("POST", "/reservations", json=gone).status_code == 404


# -- weekly series ----------------------------------------------------------------------------


def test_a_series_is_proposed_with_its_refused_dates_then_booked(lab: WebLab) -> None:
    camille, _ = people(lab)
    lab.certified("iris", role="staff")
    iris = caller(lab, "iris")
    first = slot(lab, hours=25)
    taken = datetime.fromisoformat(first["start"]) + timedelta(weeks=1)
    reserved(camille, {"start": taken.isoformat(), "end": (taken + timedelta(hours=1)).isoformat()})
    wanted = {"resource": "printer-a", "weeks": 3, **first}
    found = iris.ask("POST", "/series/proposals", json=wanted).get_json()
    assert [one["date"] for one in found["refused"]] == ["2026-12-01"]
    assert found["refused"][0]["refusals"][0]["code"] == "overlap"
    assert [one["start"] for one in found["possible"]] == [
        "2026-11-24T10:00:00+00:00", "2026-12-08T10:00:00+00:00"
    ]  # fmt: skip
    assert iris.ask("GET", "/reservations").get_json()["reservations"] == []
    answer = iris.ask("POST", "/series", json=wanted)
    assert (answer.status_code, codes(answer)) == (409, ["dates-refused"])
    assert answer.get_json()["refused"] == found["refused"]
    assert iris.ask("GET", "/reservations").get_json()["reservations"] == []
    made = iris.ask("POST", "/series", json={**wanted, "book_the_rest": True}).get_json()
    assert len(made["reservations"]) == 2
    assert {one["series"] for one in made["reservations"]} == {made["series"]}
    answer = camille.ask("DELETE", f"/series/{made['series']}")
    assert (answer.status_code, "not-yours" in codes(answer)) == (403, True)
    gone = iris.ask("DELETE", f"/series/{made['series']}").get_json()["reservations"]
    assert all(one["cancelled_at"] for one in gone)
    assert len(gone) == 2


def test_a_series_that_may_not_be(lab: WebLab) -> None:
    camille, _ = people(lab)
    wanted = {"resource": "printer-a", "weeks": 61, **slot(lab)}
    for path in ("/series", "/series/proposals"):
        answer = camille.ask("POST", path, json=wanted)
        assert (answer.status_code, codes(answer)) == (
            409, ["series-length", "series-not-allowed"]
        )  # fmt: skip
    assert camille.ask("POST", "/series", json={**wanted, "weeks": "many"}).status_code == 422
    assert camille.ask("DELETE", "/series/nope").status_code == 404


# -- the waiting list -------------------------------------------------------------------------


def test_waiting_for_a_slot_and_taking_it(lab: WebLab) -> None:
    camille, sam = people(lab)
    wanted = slot(lab, hours=30)
    one = reserved(camille, wanted)
    answer = sam.ask("POST", "/waiting", json={"resource": "printer-a", **wanted})
    assert answer.status_code == 201
    entry = answer.get_json()["id"]
    assert camille.ask("GET", "/waiting").get_json()["waiting"] == []
    assert codes(sam.ask("POST", f"/waiting/{entry}/accept")) == ["offer-over"]
    camille.ask("DELETE", f"/reservations/{one}")
    (offered,) = sam.ask("GET", "/waiting").get_json()["waiting"]
    assert offered["answer_until"] is not None
    answer = camille.ask("POST", f"/waiting/{entry}/accept")
    assert (answer.status_code, "not-yours" in codes(answer)) == (403, True)
    answer = sam.ask("POST", f"/waiting/{entry}/accept")
    assert (answer.status_code, answer.get_json()["person"]) == (201, lab.id_of("sam"))
    assert sam.ask("GET", "/waiting").get_json() == {"waiting": [], "next": None}


def test_leaving_the_waiting_list(lab: WebLab) -> None:
    camille, sam = people(lab)
    wanted = {"resource": "printer-a", **slot(lab, hours=30)}
    assert codes(sam.ask("POST", "/waiting", json=wanted)) == ["slot-free"]
    reserved(camille, slot(lab, hours=30))
    entry = sam.ask("POST", "/waiting", json=wanted).get_json()["id"]
    assert codes(sam.ask("POST", "/waiting", json=wanted)) == ["already-waiting"]
    answer = camille.ask("DELETE", f"/waiting/{entry}")
    assert (answer.status_code, codes(answer)) == (403, ["not-yours"])
    for _ in range(2):
        assert sam.ask("DELETE", f"/waiting/{entry}").status_code == 204
    assert sam.ask("DELETE", "/waiting/nope").status_code == 404
    assert sam.ask("POST", "/waiting", json={"resource": "nope"}).status_code == 422


# -- pools ------------------------------------------------------------------------------------


def test_any_of_the_printers(lab: WebLab) -> None:
    camille, sam = people(lab)
    with lab.db.transaction() as db:
        resources.set_pool(
            db, lab.clock, pool_id="printers", name="Imprimantes 3D",
            members=["printer-b", "printer-a"], by=lab.person("iris", role="staff").id,
        )  # fmt: skip
    (pool,) = camille.ask("GET", "/pools").get_json()["pools"]
    assert (pool["id"], pool["members"]) == ("printers", ["printer-b", "printer-a"])
    found = [
        who.ask("POST", "/pools/printers/reservations", json=slot(lab)) for who in (camille, sam)
    ]
    assert [one.get_json()["resource"] for one in found] == ["printer-b", "printer-a"]
    lab.certified("alex")
    answer = caller(lab, "alex").ask("POST", "/pools/printers/reservations", json=slot(lab))
    assert (answer.status_code, codes(answer)) == (409, ["overlap"])
    assert camille.ask("POST", "/pools/nope/reservations", json=slot(lab)).status_code == 404
    assert camille.ask("POST", "/pools/printers/reservations", json={}).status_code == 422


def test_members_may_book_series_where_the_policy_lets_them(lab: WebLab) -> None:
    camille, _ = people(lab)
    iris = lab.person("iris", role="staff").id
    with lab.db.transaction() as db:
        numbers = {"members_series": True}
        policies.set_policy(db, lab.clock, scope=Scope(), numbers=numbers, by=iris)
    wanted = {"resource": "printer-a", "weeks": 2, **slot(lab)}
    assert len(camille.ask("POST", "/series", json=wanted).get_json()["reservations"]) == 2
