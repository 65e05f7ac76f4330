"""The house at the desk: rules, hours, closures, resources, statistics; and the statement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fabctl.services import opening_read, policies
from tests.house_desk import SCRIPT, refused, send, text
from tests.web_lab import Browser, WebLab, web_lab

PAGES = (
    "/staff/policies", "/staff/policies/lab", "/staff/policies/category/printer",
    "/staff/policies/resource/printer-a", "/staff/hours", "/staff/hours/printer-a",
    "/staff/closures", "/staff/resources", "/staff/resources/printer-a", "/staff/pools/new",
    "/staff/maintenance", "/staff/statistics",
)  # fmt: skip
TABLES = (
    "/staff/policies.csv", "/staff/hours.csv", "/staff/hours/printer-a/days.csv",
    "/staff/closures.csv", "/staff/resources.csv", "/staff/pools.csv", "/staff/maintenance.csv",
    "/staff/statistics.csv", "/staff/statistics.pdf",
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


def test_no_address_has_two_views(lab: WebLab) -> None:
    """Of two, the second would never be asked."""
    rules = [
        (rule.rule, method)
        for rule in lab.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]
    assert len(rules) == len(set(rules))


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
    send(sasha, lab_page, lab_page, seen="0", longest_min="240", walk_up="true")
    form = text(sasha, page)
    assert "Otherwise: 4 h (the whole lab)." in re.sub(r"\s", " ", form.replace("\xa0", " "))
    after = send(sasha, page, page, seen="0", longest_min="90", **{"per_day_min-none": "1"})
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
    shown = refused(sasha, page, page, seen="0", longest_min="77")
    assert "Somebody has changed these rules in the meantime." in shown
    assert 'value="77"' in shown
    send(sasha, page, page, seen="1")
    assert "Version 2" in text(sasha, "/staff/policies")


def test_a_rule_that_cannot_be_comes_back_with_everything_typed(sasha: Browser) -> None:
    page = "/staff/policies/lab"
    shown = refused(sasha, page, page, seen="0", longest_min="0", horizon_days="33", walk_up="true")
    assert "“Longest reservation” is missing or cannot be read." in shown
    assert 'value="33"' in shown
    assert 'value="true" selected' in shown
    shown = refused(sasha, page, page, seen="0", longest_min="10", shortest_min="20", company="7")
    assert "The shortest reservation would be longer than the longest." in shown
    assert 'value="7"' in shown


def test_rules_are_searched_and_saved_as_a_table(sasha: Browser) -> None:
    for page in ("/staff/policies/lab", "/staff/policies/resource/printer-a"):
        send(sasha, page, page, seen="0", company="2")
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


def test_days_of_the_house_hold_for_its_places(sasha: Browser) -> None:
    page, place = "/staff/hours", "/staff/hours/printer-a"
    assert "Christmas Day</p>" in text(sasha, place)
    table = "/staff/hours/printer-a/days.csv"
    assert "like its weekday;Christmas Day" in text(sasha, table)  # no week was ever set
    week(sasha, page, **{"day0-opens": ["09:00"], "day0-closes": ["18:00"]})
    assert "closed;Christmas Day" in text(sasha, table)
    send(sasha, f"{page}/days", page, first="2026-12-28", closed="1", reason="Inventory")
    assert "2026-12-28;closed;Inventory · the whole lab" in text(sasha, table)
    assert 'action="/staff/hours/printer-a/forget"' not in text(sasha, place)
    fields = {"special-opens": ["10:00"], "special-closes": ["12:00"]}
    send(sasha, f"{place}/days", place, first="2026-12-28", **fields)
    assert "2026-12-28;10:00 to 12:00;" in text(sasha, table)
    assert "2026-12-28;closed;Inventory" in text(sasha, "/staff/hours.csv")


def test_days_that_cannot_be_come_back_as_typed(sasha: Browser) -> None:
    page = "/staff/hours"
    fields = {"first": "2027-01-05", "last": "2027-01-02", "reason": "Vacances", "closed": "1"}
    shown = refused(sasha, f"{page}/days", page, **fields)
    assert 'value="Vacances"' in shown
    assert 'value="2027-01-02"' in shown
    shown = refused(sasha, f"{page}/days", page, first="2027-01-05")
    assert "“Hours of these days” is missing or cannot be read." in shown


# -- statistics, statement ------------------------------------------------------------------


def test_a_year_that_cannot_be_is_this_one(lab: WebLab, sasha: Browser) -> None:
    this = lab.clock.now().year
    for year in ("", "1999", "9999", "abcd", "²²²²", "-100"):
        assert f"Statistics of {this}" in text(sasha, f"/staff/statistics?year={year}")


def test_everybody_reads_the_statement(lab: WebLab) -> None:
    for browser in (lab.browser(), lab.browser("127.0.0.1")):
        shown = text(browser, "/accessibilite?lang=en")
        assert "WCAG 2.2" in shown
        assert "screen reader" in shown
        assert 'href="/accessibilite"' in text(browser, "/")
