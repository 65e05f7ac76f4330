"""What tests of the staff's pages share: somebody at a desk, forms, tables, parts of a page."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from tests.staff_scene import Morning
from tests.web_lab import Browser

TODAY = "/staff/today"


def at_desk(scene: Morning, login: str = "sasha", address: str | None = None) -> Browser:
    browser = scene.lab.browser(address) if address else scene.lab.browser()
    browser.sign_in(login)
    return browser


def text(browser: Browser, path: str, status: int = 200) -> str:
    answer = browser.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    return answer.get_data(as_text=True)


def send(browser: Browser, path: str, page: str = TODAY, status: int = 303, **fields: Any) -> str:
    answer = browser.post(path, fields, page=page)
    assert answer.status_code == status, (path, answer.status_code, answer.get_data(as_text=True))
    return text(browser, page) if status == 303 else answer.get_data(as_text=True)


def table(browser: Browser, path: str) -> list[list[str]]:
    written = browser.get(path).get_data(as_text=True).removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    return list(csv.reader(io.StringIO(written), delimiter=";"))


def part(page: str, section: str) -> str:
    """Return one section of a page."""
    found = re.search(rf'<section class="box[^"]*" id="{section}">(.*?)</section>', page, re.DOTALL)
    assert found, section
    return found[1]
