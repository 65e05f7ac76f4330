"""Who looked at a file, as the person and the staff see it: in pages, and never slower for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from fabctl.model.people import Role
from fabctl.services.audit import audit
from fabctl.services.personal_data import MOST_READINGS
from tests.web_lab import Browser, WebLab, web_lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        found.person("mia")
        for number in range(5):
            found.person(f"staff-{number}", role=Role.STAFF)
        yield found


def look(lab: WebLab, times: int) -> None:
    subject = f"person:{lab.id_of('mia')}"
    with lab.db.transaction() as db:
        for number in range(times):
            audit(db, lab.clock, lab.id_of(f"staff-{number % 5}"), "consent.read", subject)


def shown(browser: Browser, path: str) -> tuple[int, str]:
    """Return how many lines a page has of those who looked, and the address of the next."""
    answer = browser.get(path)
    assert answer.status_code == 200, path
    part = answer.get_data(as_text=True).split('id="readings"')[1].split("</section>")[0]
    link = re.search(r'href="([^"]+#readings)"', part)
    return len(re.findall(r"Consent form", part)), unescape(link[1]) if link else ""


def test_who_looked_comes_in_pages(lab: WebLab) -> None:
    look(lab, MOST_READINGS + 3)
    for login, path in (("mia", "/me/data"), ("staff-0", f"/staff/people/{lab.id_of('mia')}")):
        browser = lab.browser()
        browser.sign_in(login)
        found, following = shown(browser, path)
        assert found == MOST_READINGS
        assert shown(browser, following) == (3, "")
        for cursor in ("WyJ4Il0", "W10", "WyI5OTk5OTk5OTk5OTk5OTk5OTk5OSJd", "!"):
            assert shown(browser, f"{path}?cursor={cursor}")[0] == MOST_READINGS, cursor


def test_more_who_looked_cost_no_more_queries(lab: WebLab) -> None:
    mia, asked = lab.browser(), [0]
    mia.sign_in("mia")

    def count(*_said: Any) -> None:
        asked[0] += 1

    event.listen(lab.db.engine, "before_cursor_execute", count)
    costs = []
    for times in (1, MOST_READINGS):
        look(lab, times)
        asked[0] = 0
        mia.get("/me/data")
        costs.append(asked[0])
    assert costs[0] == costs[1]
