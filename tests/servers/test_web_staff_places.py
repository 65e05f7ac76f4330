"""Closures, rooms and machines, maintenance and pools at the desk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fabctl.errors import InputError
from fabctl.model.booking_facts import ResourceKind
from fabctl.services import closures, courses, people, resource_desk, resources, waiting
from fabctl.services.courses import Wording
from fabctl_web.staff_house.kept import Kept
from tests.booking_hand import advance
from tests.house_desk import SCRIPT, refused, send, text
from tests.web_lab import Browser, WebLab, web_lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as lab:
        lab.person("sasha", role="staff")
        lab.certified("mo")
        yield lab


@pytest.fixture
def sasha(lab: WebLab) -> Browser:
    browser = lab.browser()
    browser.sign_in("sasha")
    return browser


# -- closures ---------------------------------------------------------------------------------


def codes(page: str) -> list[str]:
    """Return the codes of the refusals on a page."""
    return re.findall(r'data-code="([a-z-]+)"', page)


def closure(lab: WebLab, **more: Any) -> dict[str, Any]:
    day = (lab.clock.now() + timedelta(days=1)).date().isoformat()
    fields = {
        "resource": "printer-a", "kind": "maintenance", "first": day, "starts": "08:00",
        "last": day, "ends": "20:00", "note": "Buse à changer",
    }  # fmt: skip
    return fields | more


def test_what_a_closure_cancels_is_seen_before(lab: WebLab, sasha: Browser) -> None:
    with lab.db.reading() as db:
        mo = people.get_person(db, lab.id_of("mo"))
    taken = lab.book(mo, "printer-a", after_min=26 * 60)
    answer = sasha.post("/staff/closures", closure(lab), page="/staff/closures")
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "This cancels one reservation" in shown
    assert "Mo" in shown
    with lab.db.reading() as db:
        assert closures.coming(db, since=lab.clock.now()) == []
    unseen = refused(sasha, "/staff/closures/make", "/staff/closures", **closure(lab))
    assert "Somebody has booked in the meantime." in unseen
    assert codes(unseen) == ["more-booked"]
    with lab.db.reading() as db:
        assert closures.coming(db, since=lab.clock.now()) == []
    made = send(sasha, "/staff/closures/make", "/staff/closures", seen=taken, **closure(lab))
    assert "Cancelled reservations: 1." in made
    assert "Buse à changer;" not in made
    table = text(sasha, "/staff/closures.csv?words=buse")
    assert "Imprimante 3D A;Maintenance" in table
    (one,) = re.findall(r'data-closure="(\w+)"', made)
    assert "Nothing is closed" in send(sasha, f"/staff/closures/{one}/reopen", "/staff/closures")


def test_who_only_waits_is_seen_before_and_told(lab: WebLab, sasha: Browser) -> None:
    with lab.db.reading() as db:
        mo = people.get_person(db, lab.id_of("mo"))
    taken = lab.book(mo, "printer-a", after_min=26 * 60)
    zoe, start = lab.certified("zoe"), lab.clock.now() + timedelta(hours=26)
    with lab.db.transaction() as db:
        waiting.join(
            db, lab.clock, lab.config.time_zone, person_id=zoe.id, resource_id="printer-a",
            start=start, end=start + timedelta(hours=1), by=zoe.id,
        )  # fmt: skip
    answer = sasha.post("/staff/closures", closure(lab), page="/staff/closures")
    _, _, waits = answer.get_data(as_text=True).partition('id="waits"')
    assert "Zoe" in waits.partition("</section>")[0]
    fields = closure(lab, note=SCRIPT)
    send(sasha, "/staff/closures/make", "/staff/closures", seen=taken, **fields)
    her = lab.browser()
    her.sign_in("zoe")
    told = text(her, "/me/notices")
    assert "You wait no more: Imprimante 3D A" in told
    assert "The staff wrote" in told
    assert SCRIPT not in told
    assert "data-waiting" not in text(her, "/me")


def test_another_closure_in_the_way_is_said(lab: WebLab, sasha: Browser) -> None:
    send(sasha, "/staff/closures/make", "/staff/closures", **closure(lab))
    answer = sasha.post("/staff/closures", closure(lab), page="/staff/closures")
    shown = answer.get_data(as_text=True)
    assert "In the way: move or end this first" in shown
    assert "/staff/closures/make" not in shown
    refused(sasha, "/staff/closures/make", "/staff/closures", **closure(lab))


def test_a_closure_that_cannot_be_comes_back_as_typed(lab: WebLab, sasha: Browser) -> None:
    for field, value, label in (
        ("note", " ", "Reason"), ("ends", "07:00", "End"), ("resource", "", "Place"),
        ("first", "31", "Start"), ("kind", "offer", "Kind"),
    ):  # fmt: skip
        fields = closure(lab, **{field: value})
        shown = refused(sasha, "/staff/closures", "/staff/closures", **fields)
        assert f"“{label}” is missing or cannot be read." in shown
        assert ("Buse à changer" in shown) is (field != "note")


# -- resources --------------------------------------------------------------------------------


def add(sasha: Browser, **fields: str) -> str:
    return send(sasha, "/staff/resources", "/staff/resources", **{"kind": "space"} | fields)


def test_a_room_is_added_and_machines_lie_in_it(lab: WebLab, sasha: Browser) -> None:
    add(sasha, id="atelier", name=SCRIPT)
    page = "/staff/resources/printer-a"
    assert SCRIPT not in send(sasha, f"{page}/parent", page, parent="atelier")
    with lab.db.reading() as db:
        found = {one.id: one for one in resources.list_all(db)}
    assert found["printer-a"].parent_id == "atelier"
    assert found["atelier"].kind is ResourceKind.SPACE
    listed = text(sasha, "/staff/resources")
    assert SCRIPT not in listed
    assert listed.index('data-resource="atelier"') < listed.index('data-resource="printer-a"')
    room = "/staff/resources/atelier"
    into_itself = refused(sasha, f"{room}/parent", room, parent="printer-a")
    assert "A place cannot lie in itself" in into_itself
    assert codes(into_itself) == ["not-into"]
    send(sasha, f"{page}/parent", page, parent="")
    assert "atelier;" in text(sasha, "/staff/resources.csv?words=atelier")


def test_a_short_name_that_is_taken_comes_back_as_typed(sasha: Browser) -> None:
    shown = refused(
        sasha, "/staff/resources", "/staff/resources", id="printer-a", name="Salle 2", kind="seat"
    )
    assert "This short name is taken" in shown
    assert codes(shown) == ["no-such-id"]
    assert 'value="Salle 2"' in shown
    assert '<option value="seat" selected' in shown


def test_a_machine_names_the_courses_that_certify_on_it(lab: WebLab, sasha: Browser) -> None:
    page = "/staff/resources/printer-a"
    assert "No course certifies on it." in text(sasha, page)
    with lab.db.transaction() as db:
        wording, by = {"en": Wording("First layers")}, lab.id_of("sasha")
        course = courses.create_course(
            db, lab.clock, wording=wording, resource_ids=["printer-a"],
            prerequisites=["printer-b"], by=by,
        )  # fmt: skip
    shown = text(sasha, page)
    assert f'href="/staff/courses/{course.id}">First layers' in shown
    assert "Before it, a certification on: Imprimante 3D B" in shown
    assert "Only with a certification." in shown


def test_out_of_order_with_a_reason_and_back(lab: WebLab, sasha: Browser) -> None:
    page = "/staff/resources/printer-a"
    shown = refused(sasha, f"{page}/out-of-order", page, reason=" ", next_step="Demain")
    assert "“Reason” is missing or cannot be read." in shown
    assert 'value="Demain"' in shown
    shown = send(sasha, f"{page}/out-of-order", page, reason=SCRIPT, next_step="Demain")
    assert SCRIPT not in shown
    with lab.db.reading() as db:
        assert resource_desk.order_of(db, resource_id="printer-a").reason == SCRIPT
    assert "Out of order since" in text(sasha, "/staff/resources")
    assert "In order" in send(sasha, f"{page}/in-order", page, back=page)


def test_maintenance_by_hours_and_by_date(lab: WebLab, sasha: Browser) -> None:
    page, me = "/staff/resources/printer-a", lab.id_of("sasha")
    fields = {"title": "Graisser les axes", "every_hours": "100", "owner": me}
    shown = refused(sasha, f"{page}/plans", page, **fields | {"every_hours": "0"})
    assert 'value="Graisser les axes"' in shown
    shown = send(sasha, f"{page}/plans", page, **fields)
    assert "0 of 100 hours" in shown
    (plan,) = re.findall(r'data-plan="(\w+)"', shown)
    assert "Graisser les axes;0 of 100 hours;Sasha;No" in text(sasha, "/staff/maintenance.csv")
    shown = send(sasha, f"{page}/plans/{plan}/done", page, times="0", note=SCRIPT)
    assert "Done so far: 1" in shown
    assert SCRIPT not in shown
    refused(sasha, f"{page}/plans/{plan}/done", page, times="0", note="twice")
    assert plan not in send(sasha, f"{page}/plans/{plan}/end", page)
    shown = send(sasha, f"{page}/tasks", page, task=SCRIPT, due="2030-05-01", owner=me)
    assert SCRIPT not in shown
    (task,) = re.findall(r'data-task="(\w+)"', shown)
    assert task not in send(sasha, f"/staff/tasks/{task}/done", page, back=page)


def test_maintenance_comes_back_by_date(lab: WebLab, sasha: Browser) -> None:
    page, me = "/staff/resources/printer-a", lab.id_of("sasha")
    fields = {"title": "Changer le filtre", "owner": me, "unit": "month"}
    shown = refused(sasha, f"{page}/plans", page, **fields)
    assert "“Every so many hours of use” is missing or cannot be read." in shown
    refused(sasha, f"{page}/plans", page, **fields, every="121")
    shown = send(sasha, f"{page}/plans", page, **fields, every="3")
    assert "next: Tuesday 23 February 2027" in shown
    assert "of 0 hours" not in shown
    table = text(sasha, "/staff/maintenance.csv")
    assert "Changer le filtre;next: Tuesday 23 February 2027;Sasha;No" in table
    assert "Changer le filtre" not in text(sasha, "/staff/today")
    advance(lab, 100 * 24 * 3600)
    sasha.sign_in("sasha")
    assert "every 3 months" in text(sasha, "/staff/today")
    assert "· due" in text(sasha, "/staff/maintenance")


def test_what_a_service_cannot_use_is_said_above_the_form() -> None:
    with Kept({}) as kept:
        raise InputError("not like this")
    assert [one.code for one in kept.refusals] == ["not-possible"]


def test_a_pool_has_its_places_in_their_order(lab: WebLab, sasha: Browser) -> None:
    page = "/staff/pools/new"
    shown = refused(sasha, page, page, id="imprimantes", name="Une imprimante")
    assert "at least one place" in shown
    assert codes(shown) == ["no-member"]
    assert 'value="Une imprimante"' in shown
    fields = {"id": "imprimantes", "name": "Une imprimante"}
    send(sasha, page, page, **fields, **{"rank-printer-a": "2", "rank-printer-b": "1"})
    with lab.db.reading() as db:
        assert list(resources.get_pool(db, "imprimantes").members) == ["printer-b", "printer-a"]
    assert "imprimantes;Une imprimante;1;Imprimante 3D B" in text(sasha, "/staff/pools.csv")
    page = "/staff/pools/imprimantes"
    send(sasha, page, page, name="Imprimantes", **{"rank-printer-a": "1"})
    with lab.db.reading() as db:
        assert list(resources.get_pool(db, "imprimantes").members) == ["printer-a"]
