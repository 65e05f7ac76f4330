"""The planning, moving, waiting lists, series, and one's own page: rights, refusals, names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fabctl.clock import ManualClock
from fabctl.model.booking_facts import ResourceKind
from fabctl.model.notice import Code
from fabctl.services import (
    bookings,
    feeds,
    notices,
    opening,
    participants,
    people,
    resources,
    series,
    tokens,
    waiting,
)
from fabctl.services.notices import About
from fabctl.services.people import PersonView
from fabctl_web.static_files import FOLDER
from tests.web_lab import Browser, WebLab, web_lab

KIOSK = "127.0.0.1"
TOMORROW = "2026-11-24"
NASTY = "<script>alert(1)</script>"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    """It is Monday 2026-11-23, 10:00 in Paris."""
    with web_lab(tmp_path) as found:
        found.certify(found.person("camille"))
        found.certified("sam")
        yield found


def person(lab: WebLab, login: str) -> PersonView:
    with lab.db.reading() as db:
        return people.get_person(db, lab.id_of(login))


def signed_in(lab: WebLab, login: str, address: str | None = None) -> Browser:
    browser = lab.browser(address) if address else lab.browser()
    browser.sign_in(login)
    return browser


def text_of(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def blocks(page: str) -> list[tuple[str, int, int]]:
    """Return the blocks of the first line: kind, first and last quarter."""
    line = page.split('<section class="line">')[1]
    found = re.findall(r'class="block (\w+) f(\d+) t(\d+)"', line)
    return [(kind, int(first), int(last)) for kind, first, last in found]


# -- the day ----------------------------------------------------------------------------------


def test_a_day_shows_what_is_free_and_names_nobody(lab: WebLab) -> None:
    lab.book(person(lab, "sam"), "printer-a", after_min=24 * 60, minutes=120)
    page = text_of(lab.browser(), f"/planning?day={TOMORROW}")
    assert blocks(page) == [("free", 0, 8), ("taken", 8, 16), ("free", 16, 48)]
    assert "Sam" not in page
    assert f"/m/printer-a/book?day={TOMORROW}&amp;time=12:00" in page


def test_ones_own_are_marked_for_oneself_only(lab: WebLab) -> None:
    lab.book(person(lab, "camille"), "printer-a", after_min=24 * 60, minutes=120)
    path = f"/planning?day={TOMORROW}"
    for browser in (signed_in(lab, "camille"), signed_in(lab, "camille", KIOSK)):
        assert ("yours", 8, 16) in blocks(text_of(browser, path))
    assert ("taken", 8, 16) in blocks(text_of(signed_in(lab, "sam"), path))
    assert ("taken", 8, 16) in blocks(text_of(lab.browser(KIOSK), path))


def test_hours_are_those_that_are_open_and_today_begins_now(lab: WebLab) -> None:
    staff = lab.person("staff", role="staff")
    with lab.db.transaction() as db:
        week = {day: ((9 * 60, 18 * 60),) for day in range(7)}
        opening.set_week(db, lab.clock, week=week, by=staff.id)
    page = text_of(lab.browser(), f"/planning?day={TOMORROW}")
    assert "hours-9" in page
    assert blocks(page) == [("free", 0, 36)]
    today = text_of(lab.browser(), "/planning")
    assert "hours-8" in today
    assert blocks(today) == [("free", 0, 32)]


def test_a_short_gap_is_shown_but_is_no_button(lab: WebLab) -> None:
    sam = person(lab, "sam")
    lab.book(sam, "printer-a", after_min=24 * 60, minutes=60)
    lab.book(sam, "printer-a", after_min=24 * 60 + 90, minutes=60)
    page = text_of(lab.browser(), f"/planning?day={TOMORROW}")
    assert ("free", 12, 14) in blocks(page)
    assert "time=11:00" not in page


@pytest.mark.parametrize("day", ["", "tomorrow", "0001-01-01", "9999-12-31", "2026-02-30", NASTY])
def test_a_day_that_is_none_is_today(lab: WebLab, day: str) -> None:
    page = lab.browser().get("/planning", query_string={"day": day}).get_data(as_text=True)
    assert 'value="2026-11-23"' in page
    assert NASTY not in page


@pytest.mark.parametrize("day", ["2027-03-28", "2027-10-31"])
def test_days_on_which_the_clocks_change(lab: WebLab, day: str) -> None:
    assert blocks(text_of(lab.browser(), f"/planning?day={day}")) == [("free", 0, 48)]


def test_every_quarter_has_its_place_in_the_style_sheet() -> None:
    sheet = (FOLDER / "css/quarters.css").read_text(encoding="utf-8")
    for quarter in range(96):
        assert f".f{quarter}{{grid-column-start:{quarter + 1}}}" in sheet
        assert f".t{quarter + 1}{{grid-column-end:{quarter + 2}}}" in sheet
    assert all(f".hours-{n}{{--hours:{n};--quarters:{n * 4}}}" in sheet for n in range(1, 25))


def test_a_room_is_on_the_planning_and_can_be_booked(lab: WebLab) -> None:
    staff = lab.person("staff", role="staff")
    with lab.db.transaction() as db:
        resources.add_resource(
            db, lab.clock, resource_id="room", name=NASTY, kind=ResourceKind.SPACE, by=staff.id
        )
    camille = signed_in(lab, "camille")
    page = text_of(camille, "/planning")
    assert "/m/room/book" in page
    assert NASTY not in page
    sent = {"day": TOMORROW, "time": "10:00", "minutes": "60"}
    answer = camille.post("/m/room/book", sent, page="/m/room/book")
    assert (answer.status_code, answer.location) == (303, "/me")
    assert NASTY not in text_of(camille, "/me")


# -- booking at a moment, waiting -------------------------------------------------------------


def test_a_moment_of_the_planning_opens_the_booking_page_there(lab: WebLab) -> None:
    camille = signed_in(lab, "camille")
    page = text_of(camille, f"/m/printer-a/book?day={TOMORROW}&time=14:15")
    starts = re.findall(r'name="start" value="([^"]+)"', page)
    assert datetime.fromisoformat(starts[0]) == datetime(2026, 11, 24, 13, 15, tzinfo=UTC)
    answer = camille.post(
        "/m/printer-a/book", {"start": starts[0], "minutes": "60"}, page="/m/printer-a/book"
    )
    assert answer.status_code == 303


@pytest.mark.parametrize("time", ["25:00", "x", "", "14:15+02:00"])
def test_a_moment_that_is_none_is_left_out(lab: WebLab, time: str) -> None:
    page = text_of(lab.browser(), f"/m/printer-a/book?day={TOMORROW}&time={time}")
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


# -- moving -----------------------------------------------------------------------------------


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


def advance(lab: WebLab, seconds: float) -> None:
    assert isinstance(lab.clock, ManualClock)
    lab.clock.advance(seconds)


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


# -- series -----------------------------------------------------------------------------------

SERIES = {
    "resource": "printer-a", "day": TOMORROW, "time": "14:00", "minutes": "120", "weeks": "4",
}  # fmt: skip


def test_a_series_lists_each_date_before_it_is_booked(lab: WebLab) -> None:
    lab.certified("staff", role="staff")
    lab.book(person(lab, "sam"), "printer-a", after_min=8 * 24 * 60 + 5 * 60)
    staff, path = signed_in(lab, "staff"), "/planning/series"
    shown = staff.post(f"{path}/proposal", SERIES, page=path).get_data(as_text=True)
    assert "3 of 4 dates can be booked" in shown
    assert 'data-code="overlap"' in shown
    assert coming(lab, "staff") == []
    assert staff.post(path, SERIES, page=path).location == "/me"
    found = coming(lab, "staff")
    assert len(found) == 3
    assert len({one.series_id for one in found}) == 1
    page = text_of(staff, "/me")
    address = re.search(r'action="(/series/[^/]+/cancel)"', page)
    assert address
    assert staff.post(address[1], page="/me").status_code == 303
    assert coming(lab, "staff") == []


def coming(lab: WebLab, login: str) -> list[bookings.ReservationView]:
    with lab.db.reading() as db:
        return bookings.coming_for_person(db, lab.clock, person_id=lab.id_of(login))


def test_a_series_is_for_the_staff_and_never_on_a_shared_screen(lab: WebLab) -> None:
    lab.certified("staff", role="staff")
    camille = signed_in(lab, "camille")
    assert camille.get("/planning/series").status_code == 403
    for path in ("/planning/series", "/planning/series/proposal"):
        assert camille.post(path, SERIES, page="/me").status_code == 403
    kiosk = signed_in(lab, "staff", KIOSK)
    shown = kiosk.get("/planning/series")
    assert shown.status_code == 409
    assert 'data-code="not-on-a-shared-screen"' in shown.get_data(as_text=True)


def test_somebody_elses_series_is_not_mine_to_cancel(lab: WebLab) -> None:
    staff = lab.certified("staff", role="staff")
    start = lab.clock.now() + timedelta(days=1)
    with lab.db.transaction() as db:
        made = series.book_series(
            db, lab.clock, lab.config.time_zone, person_id=staff.id, resource_id="printer-a",
            start=start, end=start + timedelta(hours=1), weeks=2, by=staff.id,
        )  # fmt: skip
    answer = signed_in(lab, "sam").post(f"/series/{made.series_id}/cancel", page="/me")
    assert 'data-code="not-yours"' in answer.get_data(as_text=True)
    assert len(coming(lab, "staff")) == 2


# -- notices ----------------------------------------------------------------------------------


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


# -- what is private --------------------------------------------------------------------------


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
