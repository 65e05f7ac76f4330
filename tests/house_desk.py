"""A browser at the desk of the staff: forms that are taken, and forms that are refused."""

from __future__ import annotations

from typing import Any

from tests.web_lab import Browser

SCRIPT = "<script>alert(1)</script>"


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
