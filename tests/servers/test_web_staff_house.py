"""The house at the desk: rules, hours, closures, resources, statistics; and the statement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fabctl.model.booking_facts import ResourceKind
from fabctl.services import closures, opening_read, people, policies, resource_desk, resources
from tests.web_lab import Browser, WebLab, web_lab

SCRIPT = "<script>alert(1)</script>"
PAGES = (
    "/staff/policies", "/staff/policies/lab", "/staff/policies/category/printer",
    "/staff/policies/resource/printer-a", "/staff/hours", "/staff/hours/printer-a",
    "/staff/closures", "/staff/resources", "/staff/resources/printer-a", "/staff/pools/new",
    "/staff/statistics",
)  # fmt: skip
TABLES = (
    "/staff/policies.csv", "/staff/hours.csv", "/staff/hours/printer-a/days.csv",
    "/staff/closures.csv", "/staff/resources.csv", "/staff/statistics.csv", "/staff/statistics.pdf",
)  # fmt: skip
FORMS = (
    ("/staff/policies/lab", "/staff/policies/lab"),
    ("/staff/hours", "/staff/hours"),
    ("/staff/hours/days", "/staff/hours"),
    ("/staff/hours/forget", "/staff/hours"),
    ("/staff/closures", "/staff/closures"),
    ("/staff/closures/change", "/staff/closures"),
    ("/staff/closures/make", "/staff/closures"),
    ("/staff/closures/x/reopen", "/staff/closures"),
    ("/staff/resources", "/staff/resources"),
    ("/staff/resources/printer-a/parent", "/staff/resources/printer-a"),
    ("/staff/resources/printer-a/out-of-order", "/staff/resources/printer-a"),
    ("/staff/resources/printer-a/in-order", "/staff/resources/printer-a"),
    ("/staff/resources/printer-a/plans", "/staff/resources/printer-a"),
    ("/staff/resources/printer-a/tasks", "/staff/resources/printer-a"),
    ("/staff/resources/printer-a/plans/x/done", "/staff/resources/printer-a"),
    ("/staff/resources/printer-a/plans/x/end", "/staff/resources/printer-a"),
    ("/staff/resources/printer-a/tasks/x/done", "/staff/resources/printer-a"),
    ("/staff/pools/new", "/staff/pools/new"),
)


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


def text(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def send(browser: Browser, path: str, page: str, **fields: Any) -> str:
    """Send a form that is taken; return the page it leads to."""
    answer = browser.post(path, fields, page=page)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return text(browser, answer.headers["Location"])


def refused(browser: Browser, path: str, page: str, **fields: Any) -> str:
    """Send a form that is refused; return the page with what was typed."""
    answer = browser.post(path, fields, page=page)
    assert answer.status_code == 409, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def test_the_staff_open_every_page(sasha: Browser) -> None:
    for path in PAGES + TABLES:
        assert sasha.get(path).status_code == 200, path


def test_only_the_staff_and_never_on_a_shared_screen(lab: WebLab) -> None:
    mo, visitor, kiosk = lab.browser(), lab.browser(), lab.browser("127.0.0.1")
    mo.sign_in("mo")
    kiosk.sign_in("sasha")
    for path in PAGES + TABLES:
        assert mo.get(path).status_code == 403, path
        assert visitor.get(path).status_code == 303, path
        assert kiosk.get(path).status_code == 409, path
    for path, _page in FORMS:
        assert mo.post(path, {}, page="/").status_code == 403, path
        assert kiosk.post(path, {}, page="/").status_code == 409, path


def test_no_form_without_its_token(sasha: Browser) -> None:
    for path, page in FORMS:
        answer = sasha.client.post(path, headers={"Referer": f"http://localhost{page}"})
        assert answer.status_code == 400, path


def test_what_is_not_there_is_not_found(sasha: Browser) -> None:
    for path in (
        "/staff/policies/resource/nope", "/staff/policies/category/nope", "/staff/hours/nope",
        "/staff/resources/nope", "/staff/pools/nope",
    ):  # fmt: skip
        assert sasha.get(path).status_code == 404, path


# -- rules ------------------------------------------------------------------------------------


def test_rules_are_set_kept_by_version_and_the_nearest_wins(lab: WebLab, sasha: Browser) -> None:
    lab_page, page = "/staff/policies/lab", "/staff/policies/resource/printer-a"
    send(sasha, lab_page, lab_page, longest_min="240", walk_up="true")
    form = text(sasha, page)
    assert "Otherwise: 4 h (the whole lab)." in re.sub(r"\s", " ", form.replace("\xa0", " "))
    after = send(sasha, page, page, longest_min="90", **{"per_day_min-none": "1"})
    assert "Longest reservation: as around → 1\xa0h\xa030" in after
    assert "Most time in a day: as around → no limit" in after
    assert "Sasha" in after
    with lab.db.reading() as db:
        rules = policies.rules_of_resource(db, "printer-a")
        assert rules.longest == timedelta(minutes=90)
        assert rules.walk_up
    shown = text(sasha, "/staff/policies?place=printer-a")
    assert "this place" in shown
    assert "the whole lab" in shown
    assert shown.index("resource/printer-a") < shown.index('href="/staff/policies/lab"')
    assert "Version 1" in shown
    send(sasha, page, page)
    assert "Version 2" in text(sasha, "/staff/policies")


def test_a_rule_that_cannot_be_comes_back_with_everything_typed(sasha: Browser) -> None:
    page = "/staff/policies/lab"
    shown = refused(sasha, page, page, longest_min="0", horizon_days="33", walk_up="true")
    assert "“Longest reservation” is missing or cannot be read." in shown
    assert 'value="33"' in shown
    assert 'value="true" selected' in shown
    shown = refused(sasha, page, page, longest_min="10", shortest_min="20", company="7")
    assert "The shortest reservation would be longer than the longest." in shown
    assert 'value="7"' in shown


def test_rules_are_searched_and_saved_as_a_table(sasha: Browser) -> None:
    for page in ("/staff/policies/lab", "/staff/policies/resource/printer-a"):
        send(sasha, page, page, company="2")
    found = text(sasha, "/staff/policies.csv?words=whole")
    assert found.count("People who must be there;2;1") == 1
    assert "Nothing found." in text(sasha, "/staff/policies?words=xyz")


# -- opening hours ----------------------------------------------------------------------------


def week(sasha: Browser, page: str, **days: Any) -> str:
    return send(sasha, page, page, **days)


def test_a_week_is_set_and_taken_back(lab: WebLab, sasha: Browser) -> None:
    page = "/staff/hours"
    assert "always open" in text(sasha, page)
    shown = week(
        sasha,
        page,
        **{
            "day0-opens": ["09:00", "14:00"], "day0-closes": ["12:00", "18:30"],
            "day4-opens": ["20:00"], "day4-closes": ["02:00"],
            "day5-opens": ["00:00"], "day5-closes": ["00:00"],
        },
    )  # fmt: skip
    assert 'value="18:30"' in shown
    with lab.db.reading() as db:
        today = lab.clock.now().date()
        found = opening_read.opening_hours(db, first=today, last=today).week
    assert found == {0: ((540, 720), (840, 1110)), 4: ((1200, 1560),), 5: ((0, 1440),)}
    shown = send(sasha, page, page)
    assert "always open" in shown


def test_hours_that_overlap_come_back_as_typed(sasha: Browser) -> None:
    page = "/staff/hours/printer-a"
    fields = {"day2-opens": ["09:00", "11:00"], "day2-closes": ["12:00", "13:37"]}
    shown = refused(sasha, page, page, **fields)
    assert "Opening hours follow each other" in shown
    assert 'value="13:37"' in shown
    shown = refused(sasha, page, page, **{"day2-opens": ["09:00"], "day2-closes": [""]})
    assert "“Wednesday” is missing or cannot be read." in shown


def test_days_that_differ_and_holidays_with_their_names(sasha: Browser) -> None:
    page = "/staff/hours"
    week(sasha, page, **{"day0-opens": ["09:00"], "day0-closes": ["18:00"]})
    shown = text(sasha, page)
    assert "Christmas Day" in shown
    assert "Noël" in text(sasha, f"{page}?lang=fr")
    text(sasha, f"{page}?lang=en")
    holidays = text(sasha, "/staff/hours.csv?words=Christmas")
    assert re.search(r"20\d\d-12-25;closed;Christmas Day", holidays)
    day = re.findall(r"(20\d\d-12-25)", holidays)[0]
    fields = {"special-opens": ["10:00"], "special-closes": ["12:00"]}
    shown = send(sasha, f"{page}/days", page, first=day, reason=SCRIPT, **fields)
    assert SCRIPT not in shown
    assert f"{day};10:00 to 12:00;" in text(sasha, "/staff/hours.csv")
    send(sasha, f"{page}/forget", page, day=day)
    assert f"{day};closed;" in text(sasha, "/staff/hours.csv")


def test_days_that_cannot_be_come_back_as_typed(sasha: Browser) -> None:
    page = "/staff/hours"
    fields = {"first": "2027-01-05", "last": "2027-01-02", "reason": "Vacances", "closed": "1"}
    shown = refused(sasha, f"{page}/days", page, **fields)
    assert 'value="Vacances"' in shown
    assert 'value="2027-01-02"' in shown
    shown = refused(sasha, f"{page}/days", page, first="2027-01-05")
    assert "“Hours of these days” is missing or cannot be read." in shown


# -- closures ---------------------------------------------------------------------------------


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
    with lab.db.reading() as db:
        assert closures.coming(db, since=lab.clock.now()) == []
    made = send(sasha, "/staff/closures/make", "/staff/closures", seen=taken, **closure(lab))
    assert "Cancelled reservations: 1." in made
    assert "Buse à changer;" not in made
    table = text(sasha, "/staff/closures.csv?words=buse")
    assert "Imprimante 3D A;Maintenance" in table
    (one,) = re.findall(r'data-closure="(\w+)"', made)
    assert "Nothing is closed" in send(sasha, f"/staff/closures/{one}/reopen", "/staff/closures")


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
    assert "A place cannot lie in itself" in refused(
        sasha, f"{room}/parent", room, parent="printer-a"
    )
    send(sasha, f"{page}/parent", page, parent="")
    assert "atelier;" in text(sasha, "/staff/resources.csv?words=atelier")


def test_a_short_name_that_is_taken_comes_back_as_typed(sasha: Browser) -> None:
    shown = refused(
        sasha, "/staff/resources", "/staff/resources", id="printer-a", name="Salle 2", kind="seat"
    )
    assert "This short name is taken" in shown
    assert 'value="Salle 2"' in shown
    assert '<option value="seat" selected' in shown


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
    assert "In order" in send(sasha, f"{page}/in-order", page)


def test_maintenance_by_hours_and_by_date(lab: WebLab, sasha: Browser) -> None:
    page, me = "/staff/resources/printer-a", lab.id_of("sasha")
    fields = {"title": "Graisser les axes", "every_hours": "100", "owner": me}
    shown = refused(sasha, f"{page}/plans", page, **fields | {"every_hours": "0"})
    assert 'value="Graisser les axes"' in shown
    shown = send(sasha, f"{page}/plans", page, **fields)
    assert "0 of 100 hours" in shown
    (plan,) = re.findall(r'data-plan="(\w+)"', shown)
    shown = send(sasha, f"{page}/plans/{plan}/done", page, times="0", note=SCRIPT)
    assert "Done so far: 1" in shown
    assert SCRIPT not in shown
    refused(sasha, f"{page}/plans/{plan}/done", page, times="0", note="twice")
    assert plan not in send(sasha, f"{page}/plans/{plan}/end", page)
    shown = send(sasha, f"{page}/tasks", page, task=SCRIPT, due="2030-05-01", owner=me)
    assert SCRIPT not in shown
    (task,) = re.findall(r'data-task="(\w+)"', shown)
    assert task not in send(sasha, f"{page}/tasks/{task}/done", page)


def test_a_pool_has_its_places_in_their_order(lab: WebLab, sasha: Browser) -> None:
    page = "/staff/pools/new"
    shown = refused(sasha, page, page, id="imprimantes", name="Une imprimante")
    assert "at least one place" in shown
    assert 'value="Une imprimante"' in shown
    fields = {"id": "imprimantes", "name": "Une imprimante"}
    send(sasha, page, page, **fields, **{"rank-printer-a": "2", "rank-printer-b": "1"})
    with lab.db.reading() as db:
        assert list(resources.get_pool(db, "imprimantes").members) == ["printer-b", "printer-a"]
    page = "/staff/pools/imprimantes"
    send(sasha, page, page, name="Imprimantes", **{"rank-printer-a": "1"})
    with lab.db.reading() as db:
        assert list(resources.get_pool(db, "imprimantes").members) == ["printer-a"]


# -- statistics, statement ------------------------------------------------------------------


def test_a_year_that_cannot_be_is_this_one(lab: WebLab, sasha: Browser) -> None:
    this = lab.clock.now().year
    for year in ("", "1999", "9999", "abcd", "²²²²", "-100"):
        assert f"Statistics of {this}" in text(sasha, f"/staff/statistics?year={year}")


def test_everybody_reads_the_statement(lab: WebLab) -> None:
    for browser in (lab.browser(), lab.browser("127.0.0.1")):
        shown = text(browser, "/accessibilite")
        assert "WCAG 2.2" in shown
        assert "screen reader" in shown
        assert 'href="/accessibilite"' in text(browser, "/")
