"""The API of what is free and open, of access to machines, and of calendars."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from icalendar import Calendar
from werkzeug.wrappers import Response

from fabctl.errors import FabError
from fabctl.model.booking_facts import ClaimKind, ResourceKind
from fabctl.model.booking_slots import Slot
from fabctl.services import closures, opening, resources
from tests.web_caller import API, Caller, caller, codes
from tests.web_lab import WebLab, web_lab

DAY = "start=2026-11-24T00:00:00Z&end=2026-11-25T00:00:00Z"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        yield found


@pytest.fixture
def camille(lab: WebLab) -> Caller:
    lab.certified("camille")
    return caller(lab, "camille")


@pytest.fixture
def iris(lab: WebLab) -> str:
    return lab.person("iris", role="staff").id


def test_resources_in_pages(lab: WebLab, camille: Caller, iris: str) -> None:
    with lab.db.transaction() as db:
        resources.add_resource(
            db, lab.clock, resource_id="studio", name="Studio", kind=ResourceKind.SPACE, by=iris
        )
        resources.put_into(db, lab.clock, resource_id="printer-b", parent_id="studio", by=iris)
    first = camille.ask("GET", "/resources?limit=2").get_json()
    rest = camille.ask("GET", f"/resources?limit=2&cursor={first['next']}").get_json()
    found = {one["id"]: one for one in first["resources"] + rest["resources"]}
    assert list(found) == ["printer-a", "printer-b", "studio"]
    assert (found["studio"]["kind"], found["printer-b"]["parent"]) == ("space", "studio")
    assert rest["next"] is None


def test_a_room_is_booked_and_its_machines_with_it(lab: WebLab, camille: Caller, iris: str) -> None:
    with lab.db.transaction() as db:
        resources.add_resource(
            db, lab.clock, resource_id="studio", name="Studio", kind=ResourceKind.SPACE, by=iris
        )
        resources.put_into(db, lab.clock, resource_id="printer-b", parent_id="studio", by=iris)
    when = {"start": "2026-11-24T10:00:00Z", "end": "2026-11-24T11:00:00Z"}
    answer = camille.ask("POST", "/reservations", json={"resource": "studio", **when})
    assert answer.status_code == 201
    found = camille.ask("GET", f"/availability?{DAY}").get_json()["availability"]
    assert {one["resource"]: len(one["taken"]) for one in found} == {
        "printer-a": 0, "printer-b": 1, "studio": 1
    }  # fmt: skip
    answer = camille.ask("POST", "/reservations", json={"resource": "printer-b", **when})
    assert "overlap" in codes(answer)


def test_availability_says_no_names(lab: WebLab, camille: Caller) -> None:
    lab.book(lab.certified("sam"), "printer-a", after_min=60)
    today = "start=2026-11-23T09:00:00Z&end=2026-11-23T12:00:00Z"
    (found,) = camille.ask("GET", f"/availability?{today}&resource=printer-a").get_json()[
        "availability"
    ]
    taken = {"start": "2026-11-23T10:00:00+00:00", "end": "2026-11-23T11:00:00+00:00"}
    assert found["taken"] == [{**taken, "kind": "reservation"}]
    assert [(one["start"][11:16], one["end"][11:16]) for one in found["free"]] == [
        ("09:00", "10:00"), ("11:00", "12:00")
    ]  # fmt: skip
    assert lab.id_of("sam") not in str(found)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422),
        ("start=2026-11-24T00:00:00Z", 422),
        ("start=2026-11-25T00:00:00Z&end=2026-11-24T00:00:00Z", 422),
        ("start=2026-11-25T00:00:00Z&end=2027-11-24T00:00:00Z", 422),
        ("start=9998-11-25T00:00:00Z&end=9998-11-26T00:00:00Z", 422),
        ("start=2026-11-24T00:00:00&end=2026-11-25T00:00:00", 422),
        (f"{DAY}&resource=nope", 404),
    ],
)
def test_availability_of_no_such_time(camille: Caller, query: str, status: int) -> None:
    assert camille.ask("GET", f"/availability?{query}").status_code == status


def test_slots_that_are_free(lab: WebLab, camille: Caller) -> None:
    found = camille.ask("GET", "/resources/printer-a/slots?minutes=30&count=2").get_json()
    assert len(found["slots"]) == 2
    for query in ("minutes=0", "count=51", "minutes=1"):
        answer = camille.ask("GET", f"/resources/printer-a/slots?{query}")
        assert answer.status_code == 422
    assert camille.ask("GET", "/resources/nope/slots").status_code == 404


def test_may_i_use_this_machine_now(lab: WebLab, camille: Caller) -> None:
    found = camille.ask("GET", "/machines/printer-a/access").get_json()
    assert found["allowed"] is False
    assert [one["code"] for one in found["refusals"]] == ["not-reserved"]
    assert {one["code"]: one["met"] for one in found["conditions"]}["not-certified"] is True
    camille.ask("POST", "/resources/printer-a/use-now", json={})
    assert camille.ask("GET", "/machines/printer-a/access").get_json()["allowed"] is True
    lab.person("alex")
    lab.workshop.say("printer-a", "broken")
    other = caller(lab, "alex").ask("GET", "/machines/printer-a/access").get_json()
    assert [one["code"] for one in other["refusals"]] == [
        "not-certified", "someone-elses-slot", "machine-broken"
    ]  # fmt: skip
    assert camille.ask("GET", "/machines/nope/access").status_code == 404


def test_opening_hours_with_days_that_differ(lab: WebLab, camille: Caller, iris: str) -> None:
    assert camille.ask("GET", "/opening-hours").get_json()["week"] == []
    with lab.db.transaction() as db:
        opening.set_week(db, lab.clock, week={0: ((540, 720), (840, 1080))}, by=iris)
        opening.set_exception(db, lab.clock, first=date(2026, 12, 24), reason="Noël", by=iris)
    found = camille.ask("GET", "/opening-hours?first=2026-12-01&last=2026-12-31").get_json()
    assert found["week"] == [
        {
            "weekday": 0,
            "periods": [
                {"opens_min": 540, "closes_min": 720}, {"opens_min": 840, "closes_min": 1080}
            ],
        }
    ]  # fmt: skip
    assert found["exceptions"] == [{"date": "2026-12-24", "periods": [], "reason": "Noël"}]
    assert found["closed_holidays"] == ["2026-12-25"]
    for query in ("first=soon", "first=9999-12-31", "first=2026-12-02&last=2026-12-01",
                  "resource=nope", "first=2026-01-01&last=2028-01-01"):  # fmt: skip
        assert camille.ask("GET", f"/opening-hours?{query}").status_code == 422


def test_closures(lab: WebLab, camille: Caller, iris: str) -> None:
    day = datetime(2026, 11, 24, tzinfo=UTC)
    with lab.db.transaction() as db:
        closures.close(
            db, lab.clock, lab.config.time_zone, resource_id="printer-a", by=iris,
            kind=ClaimKind.MAINTENANCE, slot=Slot(day, day.replace(hour=8)), note="New nozzle",
        )  # fmt: skip
    (found,) = camille.ask("GET", "/closures").get_json()["closures"]
    assert (found["kind"], found["note"]) == ("maintenance", "New nozzle")


# -- calendars --------------------------------------------------------------------------------


def test_a_calendar_is_read_without_a_token_until_it_is_revoked(
    lab: WebLab, camille: Caller
) -> None:
    camille.reserve()
    answer = camille.ask("POST", "/calendars", json={})
    assert answer.status_code == 201
    made = answer.get_json()
    path = made["address"].partition(API)[2]
    secret = path.split("/")[2]
    assert len(secret) >= 32
    nobody = Caller(lab, None)
    read = nobody.ask("GET", path)
    assert read.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert read.headers["Cache-Control"] == "no-store"
    (event,) = Calendar.from_ical(read.data).walk("VEVENT")
    assert str(event["summary"]) == "Imprimante 3D A"
    (listed,) = camille.ask("GET", "/calendars").get_json()["calendars"]
    assert listed["id"] == made["id"]
    assert secret not in str(listed)
    with lab.db.reading() as db:
        dump = "".join(db.connection().connection.driver_connection.iterdump())  # type: ignore[union-attr]  # SQLite's
    assert secret not in dump
    for _ in range(2):
        assert camille.ask("DELETE", f"/calendars/{made['id']}").status_code == 204
    gone = nobody.ask("GET", path)
    assert (gone.status_code, gone.headers["Cache-Control"]) == (404, "no-store")
    assert camille.ask("GET", "/calendars").get_json()["calendars"] == []


def test_a_failure_does_not_tell_the_log_a_secret(
    lab: WebLab, camille: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(secret: str) -> Response:
        raise FabError("the disk is gone")

    address = camille.ask("POST", "/calendars", json={}).get_json()["address"]
    lab.app.view_functions["api_calendars.feed"] = broken
    assert Caller(lab, None).ask("GET", address.partition(API)[2]).status_code == 500
    assert "GET /api/v1/calendars/…/calendar.ics: the disk is gone" in caplog.text


def test_a_resources_calendar_names_nobody(lab: WebLab, camille: Caller) -> None:
    lab.book(lab.certified("sam"), "printer-a")
    made = camille.ask("POST", "/calendars", json={"resource": "printer-a"}).get_json()
    read = Caller(lab, None, "fr").ask("GET", made["address"].partition(API)[2])
    text = read.get_data(as_text=True)
    assert "Créneau pris" in text or "Imprimante 3D A" in text
    assert "Sam" not in text
    assert camille.ask("POST", "/calendars", json={"resource": "nope"}).status_code == 422


def test_a_calendar_of_a_kind(camille: Caller) -> None:
    made = camille.ask("POST", "/calendars", json={"kind": "workshops"}).get_json()
    assert (made["kind"], made["resource"]) == ("workshops", None)
    for wrong in (
        {"kind": "all"},
        {"kind": "resource"},
        {"kind": "workshops", "resource": "printer-a"},
        {"kind": "person", "resource": "printer-a"},
    ):
        assert camille.ask("POST", "/calendars", json=wrong).status_code == 422


def test_calendars_of_others(lab: WebLab, camille: Caller) -> None:
    made = camille.ask("POST", "/calendars", json={}).get_json()
    lab.person("sam")
    sam = caller(lab, "sam")
    assert sam.ask("GET", "/calendars").get_json()["calendars"] == []
    answer = sam.ask("DELETE", f"/calendars/{made['id']}")
    assert (answer.status_code, codes(answer)) == (403, ["not-yours"])
    assert sam.ask("DELETE", "/calendars/nope").status_code == 404


@pytest.mark.parametrize("secret", ["x", "%00", "A" * 32, "%F0%9F%8E%89"])
def test_guessing_an_address(lab: WebLab, secret: str) -> None:
    path = f"/calendars/{secret}/calendar.ics"
    assert Caller(lab, None).ask("GET", path).status_code == 404
