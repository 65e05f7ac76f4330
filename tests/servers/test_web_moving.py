"""Booking at a moment, waiting, moving, for a group, and with a rule set aside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fabctl.model.accounts import GroupKind
from fabctl.services import (
    accounts,
    bookings,
    resources,
    waiting,
)
from tests.booking_hand import KIOSK, NASTY, TOMORROW, advance, coming, person, signed_in, text_of
from tests.web_lab import WebLab, web_lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    """It is Monday 2026-11-23, 10:00 in Paris."""
    with web_lab(tmp_path) as found:
        found.certify(found.person("camille"))
        found.certified("sam")
        yield found


def test_a_moment_of_the_planning_opens_the_booking_page_there(lab: WebLab) -> None:
    camille = signed_in(lab, "camille")
    page = text_of(camille, f"/m/printer-a/book/{TOMORROW}/14:15")
    starts = re.findall(r'name="start" value="([^"]+)"', page)
    assert datetime.fromisoformat(starts[0]) == datetime(2026, 11, 24, 13, 15, tzinfo=UTC)
    answer = camille.post(
        "/m/printer-a/book", {"start": starts[0], "minutes": "60"}, page="/m/printer-a/book"
    )
    assert answer.status_code == 303


def test_a_sign_in_on_the_way_leads_back_to_the_moment(lab: WebLab) -> None:
    path = f"/m/printer-a/book/{TOMORROW}/14:15"
    browser = lab.browser()
    assert f"/in?next={path}" in text_of(browser, path)
    sent = {"login": "camille", "password": "camille-password", "next": path}
    assert browser.post("/in/password", sent, page="/in?with=password").location == path


@pytest.mark.parametrize("time", ["25:00", "x", "14:15+02:00"])
def test_a_moment_that_is_none_is_left_out(lab: WebLab, time: str) -> None:
    page = text_of(lab.browser(), f"/m/printer-a/book/{TOMORROW}/{time}")
    assert 'id="chosen-time"' not in page


def test_what_somebody_has_can_be_waited_for_and_taken(lab: WebLab) -> None:
    held = lab.book(person(lab, "sam"), "printer-a", after_min=24 * 60)
    camille = signed_in(lab, "camille")
    sent = {"day": TOMORROW, "time": "10:00", "minutes": "60"}
    refused = camille.post("/m/printer-a/book", sent, page="/m/printer-a/book")
    assert refused.status_code == 409
    page = refused.get_data(as_text=True)
    slot = dict(re.findall(r'name="(start|end)" value="([^"]+)"', page))
    assert set(slot) == {"start", "end"}
    answer = camille.post("/m/printer-a/wait", slot, page="/m/printer-a/book")
    assert (answer.status_code, answer.location) == (303, "/me")
    page = text_of(camille, "/me")
    assert "Wait no more" in page
    assert "Take it" not in page
    assert signed_in(lab, "sam").post(f"/reservations/{held}/cancel", page="/me").status_code == 303
    page = text_of(camille, "/me")
    entry = re.search(r'action="/waiting/([^/]+)/accept"', page)
    assert entry
    assert "Notices: 1 new" in page
    assert camille.post(f"/waiting/{entry[1]}/accept", page="/me").location == "/me"
    assert "data-reservation" in text_of(camille, "/me")


def test_other_peoples_waiting_is_not_mine_to_end(lab: WebLab) -> None:
    lab.book(person(lab, "sam"), "printer-a", after_min=24 * 60)
    camille = person(lab, "camille")
    start = lab.clock.now() + timedelta(days=1)
    with lab.db.transaction() as db:
        entry = waiting.join(
            db, lab.clock, lab.config.time_zone, person_id=camille.id, resource_id="printer-a",
            start=start, end=start + timedelta(hours=1), by=camille.id,
        )  # fmt: skip
    sam = signed_in(lab, "sam")
    for verb in ("accept", "leave"):
        answer = sam.post(f"/waiting/{entry.id}/{verb}", page="/me")
        assert 'data-code="not-yours"' in answer.get_data(as_text=True)
    with lab.db.reading() as db:
        assert len(waiting.of_person(db, person_id=camille.id)) == 1


def test_moving_keeps_the_old_time_until_the_new_one_is_there(lab: WebLab) -> None:
    mine = lab.book(person(lab, "camille"), "printer-a", after_min=24 * 60)
    lab.book(person(lab, "sam"), "printer-a", after_min=26 * 60)
    camille, path = signed_in(lab, "camille"), f"/reservations/{mine}/move"
    taken = {"day": TOMORROW, "time": "12:00", "minutes": "60"}
    refused = camille.post(path, taken, page=path)
    assert refused.status_code == 409
    assert 'data-code="overlap"' in refused.get_data(as_text=True)
    assert where(lab, mine) == ("printer-a", datetime(2026, 11, 24, 9, tzinfo=UTC))
    free = {**taken, "resource": "printer-b"}
    answer = camille.post(path, free, page=path)
    assert (answer.status_code, answer.location) == (303, "/me")
    assert where(lab, mine) == ("printer-b", datetime(2026, 11, 24, 11, tzinfo=UTC))


def where(lab: WebLab, reservation: str) -> tuple[str, datetime]:
    with lab.db.reading() as db:
        found = bookings.get_reservation(db, reservation)
    return found.resource_id, found.start


def test_of_one_that_has_begun_the_end_moves(lab: WebLab) -> None:
    mine = lab.book(person(lab, "camille"), "printer-a")
    advance(lab, 20 * 60)
    camille, path = signed_in(lab, "camille"), f"/reservations/{mine}/move"
    page = text_of(camille, path)
    ends = re.findall(r'name="end" value="([^"]+)"', page)
    assert ends
    assert camille.post(path, {"end": ends[0]}, page=path).status_code == 303
    with lab.db.reading() as db:
        assert bookings.get_reservation(db, mine).end == datetime.fromisoformat(ends[0])
    assert camille.post(f"/reservations/{mine}/stop", page="/me").location == "/me"


@pytest.mark.parametrize("fields", [{}, {"end": "soon"}, {"day": "x", "time": "y", "minutes": "1"}])
def test_a_move_that_cannot_be_read_changes_nothing(lab: WebLab, fields: dict[str, str]) -> None:
    mine = lab.book(person(lab, "camille"), "printer-a", after_min=60)
    camille = signed_in(lab, "camille")
    assert camille.post(f"/reservations/{mine}/move", fields, page="/me").status_code in {400, 409}
    assert where(lab, mine)[1] == lab.clock.now() + timedelta(hours=1)


def test_somebody_elses_reservation_is_not_there(lab: WebLab) -> None:
    mine = lab.book(person(lab, "camille"), "printer-a", after_min=60)
    sam = signed_in(lab, "sam")
    assert sam.get(f"/reservations/{mine}/move").status_code == 404
    assert sam.post(f"/reservations/{mine}/move", {}, page="/me").status_code == 404
    stopped = sam.post(f"/reservations/{mine}/stop", page="/me")
    assert 'data-code="not-yours"' in stopped.get_data(as_text=True)


def test_for_a_group_that_one_acts_for(lab: WebLab) -> None:
    staff, camille = lab.person("staff", role="staff"), person(lab, "camille")
    with lab.db.transaction() as db:
        group = accounts.add_group(
            db, lab.clock, name=NASTY, kind=GroupKind.COLLECTIVE, by=staff.id
        )
        accounts.set_member(
            db, lab.clock, account_id=group.id, person_id=camille.id, may_act=True, by=staff.id
        )
    browser, path = signed_in(lab, "camille"), "/m/printer-a/book"
    assert NASTY not in text_of(browser, path)
    page = text_of(browser, f"{path}?account={group.id}")
    assert f'name="account" value="{group.id}"' in page
    sent = {"day": TOMORROW, "time": "10:00", "minutes": "60", "account": group.id}
    assert browser.post(path, sent, page=path).status_code == 303
    assert coming(lab, "camille")[0].account_id == group.id
    refused = signed_in(lab, "sam").post(path, sent | {"time": "15:00"}, page=path)
    assert refused.status_code == 409
    assert coming(lab, "sam") == []


def test_the_staff_set_a_rule_aside_with_a_reason_and_nobody_else(lab: WebLab) -> None:
    lab.certified("staff", role="staff")
    sent, path = {"day": TOMORROW, "time": "10:00", "minutes": "600"}, "/m/printer-a/book"
    staff = signed_in(lab, "staff")
    refused = staff.post(path, sent, page=path).get_data(as_text=True)
    assert 'data-code="too-long"' in refused
    assert 'name="override_reason"' in refused
    why = {**sent, "override_reason": "a large print"}
    kiosk = signed_in(lab, "staff", KIOSK).post(path, why, page=path)
    assert kiosk.status_code == 409
    assert 'name="override_reason"' not in kiosk.get_data(as_text=True)
    assert staff.post(path, why, page=path).status_code == 303
    camille = signed_in(lab, "camille")
    answer = camille.post(path, {**why, "day": "2026-11-25"}, page=path)
    assert 'data-code="override-not-allowed"' in answer.get_data(as_text=True)
    assert coming(lab, "camille") == []


def test_what_was_just_cancelled_is_booked_again_with_one_tap(lab: WebLab) -> None:
    mine = lab.book(person(lab, "camille"), "printer-a", after_min=60, minutes=90)
    camille = signed_in(lab, "camille")
    camille.post(f"/reservations/{mine}/cancel", page="/me")
    page = text_of(camille, "/me").split("data-cancelled")[1]
    sent = dict(re.findall(r'name="(start|minutes)" value="([^"]+)"', page))
    assert camille.post("/m/printer-a/book", sent, page="/me").status_code == 303
    assert "data-cancelled" not in text_of(camille, "/me")
    (found,) = coming(lab, "camille")
    assert (found.start, found.end - found.start) == (
        lab.clock.now() + timedelta(hours=1),
        timedelta(minutes=90),
    )
    camille.post(f"/reservations/{found.id}/cancel", page="/me")
    assert "data-cancelled" in text_of(camille, "/me")
    advance(lab, 11 * 60)
    assert "data-cancelled" not in text_of(camille, "/me")


FAR, EARLY = "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+00:00"


@pytest.mark.parametrize(("start", "end"), [(FAR, EARLY), (EARLY, FAR), (FAR, FAR), ("", "now")])
def test_times_that_nobody_lives_to_see_are_refused(lab: WebLab, start: str, end: str) -> None:
    camille = signed_in(lab, "camille")
    slot = {"start": start, "end": end, "minutes": "60"}
    for path in ("/m/printer-a/wait", "/m/printer-a/book"):
        answer = camille.post(path, slot, page="/m/printer-a/book")
        assert answer.status_code in {400, 409}, path
    with lab.db.reading() as db:
        assert waiting.of_person(db, person_id=lab.id_of("camille")) == []
    assert coming(lab, "camille") == []


def test_where_one_is_taken_another_of_its_pool_is_offered(lab: WebLab) -> None:
    staff = lab.person("staff", role="staff")
    with lab.db.transaction() as db:
        resources.set_pool(
            db, lab.clock, pool_id="printers", name=NASTY, members=["printer-a", "printer-b"],
            by=staff.id,
        )  # fmt: skip
    lab.book(person(lab, "sam"), "printer-a", after_min=24 * 60)
    camille, path = signed_in(lab, "camille"), "/m/printer-a/book"
    sent = {"day": TOMORROW, "time": "10:00", "minutes": "60"}
    page = camille.post(path, sent, page=path).get_data(as_text=True)
    assert NASTY not in page
    form = page.split('action="/pools/printers/book"')[1]
    fields = dict(re.findall(r'name="(start|minutes)" value="([^"]+)"', form.split("</form>")[0]))
    answer = camille.post("/pools/printers/book", fields, page=path)
    assert (answer.status_code, answer.location) == (303, "/m/printer-b")
    assert [one.resource_id for one in coming(lab, "camille")] == ["printer-b"]
    again = signed_in(lab, "sam").post("/pools/printers/book", fields, page=path)
    assert again.status_code == 409
    assert camille.post("/pools/nope/book", fields, page=path).status_code == 404
