"""The planning of a day, and weekly series: what is free, whose it is, who may."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from fabctl.model.booking_facts import ClaimKind, ResourceKind
from fabctl.model.booking_policy import WHOLE_LAB
from fabctl.model.booking_slots import Slot
from fabctl.services import closures, machines, opening, policies, resources, series
from fabctl_web.static_files import FOLDER
from tests.booking_hand import KIOSK, NASTY, TOMORROW, advance, coming, person, signed_in, text_of
from tests.web_lab import WebLab, web_lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    """It is Monday 2026-11-23, 10:00 in Paris."""
    with web_lab(tmp_path) as found:
        found.certify(found.person("camille"))
        found.certified("sam")
        yield found


def blocks(page: str) -> list[tuple[str, int, int]]:
    """Return the blocks of the first line: kind, first and last quarter."""
    line = page.split('<section class="line">')[1]
    found = re.findall(r'class="block (\w+)(?: narrow)? f(\d+) t(\d+)"', line)
    return [(kind, int(first), int(last)) for kind, first, last in found]


def test_a_day_shows_what_is_free_and_names_nobody(lab: WebLab) -> None:
    lab.book(person(lab, "sam"), "printer-a", after_min=24 * 60, minutes=120)
    page = text_of(lab.browser(), f"/planning/{TOMORROW}")
    assert blocks(page) == [("free", 0, 8), ("taken", 8, 16), ("free", 16, 48)]
    assert "Sam" not in page
    assert f"/m/printer-a/book/{TOMORROW}/12:00" in page


def test_ones_own_are_marked_for_oneself_only(lab: WebLab) -> None:
    lab.book(person(lab, "camille"), "printer-a", after_min=24 * 60, minutes=120)
    path = f"/planning/{TOMORROW}"
    for browser in (signed_in(lab, "camille"), signed_in(lab, "camille", KIOSK)):
        assert ("yours", 8, 16) in blocks(text_of(browser, path))
    assert ("taken", 8, 16) in blocks(text_of(signed_in(lab, "sam"), path))
    assert ("taken", 8, 16) in blocks(text_of(lab.browser(KIOSK), path))


def test_hours_are_those_that_are_open_and_today_begins_now(lab: WebLab) -> None:
    staff = lab.person("staff", role="staff")
    with lab.db.transaction() as db:
        week = dict.fromkeys(range(7), ((9 * 60, 18 * 60),))
        opening.set_week(db, lab.clock, week=week, by=staff.id)
    page = text_of(lab.browser(), f"/planning/{TOMORROW}")
    assert "hours-9" in page
    assert blocks(page) == [("free", 0, 36)]
    today = text_of(lab.browser(), "/planning")
    assert "hours-8" in today
    assert blocks(today) == [("free", 0, 32)]


def gaps(page: str) -> list[str]:
    """Return where the buttons below the first line lead."""
    line = page.split('<section class="line">')[1].split("</section>", maxsplit=1)[0]
    below = line.split('<ul class="gaps">')[1:]
    return re.findall(r'href="/m/printer-a/book/([^"]+)"', "".join(below))


def leave_gap(lab: WebLab, minutes: int) -> str:
    """Book all but a gap from 11:00 on, tomorrow; return the day's planning."""
    sam = person(lab, "sam")
    lab.book(sam, "printer-a", after_min=24 * 60, minutes=60)
    lab.book(sam, "printer-a", after_min=25 * 60 + minutes, minutes=60)
    return text_of(lab.browser(), f"/planning/{TOMORROW}")


@pytest.mark.parametrize("minutes", [15, 30, 45])
def test_what_is_left_of_a_short_gap_is_booked_with_two_taps(lab: WebLab, minutes: int) -> None:
    page = leave_gap(lab, minutes)
    assert ("free", 12, 12 + minutes // 15) in blocks(page)
    assert gaps(page) == [f"{TOMORROW}/11:00"]
    camille = signed_in(lab, "camille")
    path = f"/m/printer-a/book/{TOMORROW}/11:00"
    chosen = text_of(camille, path).split('id="chosen-time"')[1].split("</section>")[0]
    fields = dict(re.findall(r'name="(start|minutes)" value="([^"]+)"', chosen))
    assert fields["minutes"] == str(minutes), "all that is left"
    assert camille.post("/m/printer-a/book", fields, page=path).status_code == 303
    assert gaps(text_of(lab.browser(), f"/planning/{TOMORROW}")) == []


def test_an_hour_is_a_button_in_its_place(lab: WebLab) -> None:
    page = leave_gap(lab, 60)
    assert gaps(page) == []
    assert f"/m/printer-a/book/{TOMORROW}/11:00" in page


@pytest.mark.parametrize(
    ("numbers", "minutes", "start"),
    [
        ({"shortest_min": 30}, 30, "11:00"),
        ({"shortest_min": 45}, 30, None),
        ({"step_min": 30}, 45, "11:00"),
        ({"step_min": 60}, 45, None),
    ],
)
def test_a_gap_that_the_policy_leaves_no_room_in_is_no_button(
    lab: WebLab, numbers: dict[str, int], minutes: int, start: str | None
) -> None:
    staff = lab.person("staff", role="staff")
    page = leave_gap(lab, minutes)
    assert gaps(page) == [f"{TOMORROW}/11:00"]
    with lab.db.transaction() as db:
        policies.set_policy(db, lab.clock, scope=WHOLE_LAB, numbers=numbers, by=staff.id)
    page = text_of(lab.browser(), f"/planning/{TOMORROW}")
    assert gaps(page) == ([f"{TOMORROW}/{start}"] if start else [])
    assert ("free", 12, 12 + minutes // 15) in blocks(page)


def test_a_longer_time_can_still_be_asked_for_in_a_gap(lab: WebLab) -> None:
    leave_gap(lab, 30)
    page = text_of(signed_in(lab, "camille"), f"/m/printer-a/book/{TOMORROW}/11:00?minutes=120")
    assert "Free, but not for so long. Choose a shorter time." in page


@pytest.mark.parametrize("day", ["", "tomorrow", "0001-01-01", "9999-12-31", "2026-02-30", NASTY])
def test_a_day_that_is_none_is_today(lab: WebLab, day: str) -> None:
    browser = lab.browser()
    answer = browser.get("/planning", query_string={"day": day})
    assert (answer.status_code, answer.location) == (303, "/planning/2026-11-23")
    if day and "/" not in day:
        assert 'value="2026-11-23"' in text_of(browser, f"/planning/{day}")


def test_what_is_closed_kept_up_or_out_of_order_says_so(lab: WebLab) -> None:
    staff, zone = lab.person("staff", role="staff"), lab.config.time_zone
    start = lab.clock.now() + timedelta(days=1)
    with lab.db.transaction() as db:
        opening.set_week(db, lab.clock, week={1: ((9 * 60, 18 * 60),)}, by=staff.id)
        for hour, kind in enumerate((ClaimKind.MAINTENANCE, ClaimKind.CLOSURE)):
            slot = Slot(start + timedelta(hours=2 * hour), start + timedelta(hours=2 * hour + 1))
            closures.close(
                db, lab.clock, zone, resource_id="printer-a", kind=kind, slot=slot, note=NASTY,
                by=staff.id,
            )  # fmt: skip
    page = text_of(lab.browser(), f"/planning/{TOMORROW}")
    assert NASTY not in page
    assert blocks(page) == [
        ("free", 0, 4), ("maintenance", 4, 8), ("free", 8, 12), ("closed", 12, 16),
        ("free", 16, 36),
    ]  # fmt: skip
    assert blocks(text_of(lab.browser(), "/planning/2026-11-25")) == [("closed", 0, 48)]
    with lab.db.transaction() as db:
        machines.set_out_of_order(db, lab.clock, resource_id="printer-a", reason=NASTY, by=staff.id)
    page = text_of(lab.browser(), f"/planning/{TOMORROW}")
    assert blocks(page) == [("closed", 0, 36)]
    assert "Out of order" in page
    assert NASTY not in page


@pytest.mark.parametrize("day", ["2027-03-28", "2027-10-31"])
def test_days_on_which_the_clocks_change(lab: WebLab, day: str) -> None:
    assert blocks(text_of(lab.browser(), f"/planning/{day}")) == [("free", 0, 48)]


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


# -- series

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


def test_the_day_looks_again_without_keeping_a_session(lab: WebLab) -> None:
    lab.person("alex")
    kiosk = signed_in(lab, "alex", KIOSK)
    assert 'hx-get="/planning/2026-11-23/lines"' in text_of(kiosk, "/planning")
    for _ in range(3):
        advance(lab, 25)
        assert "<section" in text_of(kiosk, "/planning/2026-11-23/lines")
    assert kiosk.get("/me").status_code == 303
