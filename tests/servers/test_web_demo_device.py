"""A simulated lab shows on one computer what a wall's screen shows and what a desk shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fabctl.model.people import Role
from tests.web_lab import WebLab, lab_config, web_lab

HERE = "127.0.0.1"
"""A shared screen by its address."""
STAFF_PAGE = "/staff/people"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        found.person("awa", role=Role.STAFF)
        yield found


def test_the_staffs_pages_open_as_at_a_desk_and_close_on_the_wall(lab: WebLab) -> None:
    browser = lab.browser(HERE)
    browser.sign_in("awa")
    assert browser.get(STAFF_PAGE).status_code == 409
    assert 'href="/?device=desk"' in browser.get("/").get_data(as_text=True)
    browser.get("/?device=desk")
    assert browser.get(STAFF_PAGE).status_code == 200
    assert 'href="/?device=wall"' in browser.get("/").get_data(as_text=True)
    browser.get("/?device=wall")
    assert browser.get(STAFF_PAGE).status_code == 409


def test_nobody_elses_device_is_offered_it(lab: WebLab) -> None:
    assert "device=" not in lab.browser().get("/").get_data(as_text=True)


def test_a_real_labs_screen_stays_one_whatever_it_sends(tmp_path: Path) -> None:
    with web_lab(tmp_path, config=replace(lab_config(tmp_path), simulated=False)) as lab:
        lab.person("awa", role=Role.STAFF)
        browser = lab.browser(HERE)
        browser.sign_in("awa")
        browser.client.set_cookie("fabctl-device", "desk")
        assert browser.get(f"{STAFF_PAGE}?device=desk").status_code == 409
        assert "device=" not in browser.get("/").get_data(as_text=True)
