"""What every page keeps, on every screen: policy, size, targets, language, focus."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest
from werkzeug.exceptions import NotFound

from fabctl_web.pages import is_page
from tests.browser.conftest import KIOSK, OpenScreen, Served
from tests.browser.looks import look_at, walk
from tests.browser.shown import Area
from tests.browser.shown.areas import AREAS


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.name)
def test_every_page_on_every_screen(
    served: Served, screen: OpenScreen, area: Area, language: str
) -> None:
    """Its way by keyboard too, in one language: it is the same in the other. In English each
    address once: who looks changes what is there, not how it is said (``make looks``: all).
    """
    names = area.fill(served)
    pages = area.pages
    if language == "en" and not os.environ.get("EVERY_LOOK"):
        pages = tuple({page.path: page for page in pages}.values())
    for who, desk in sorted({(page.who, page.desk) for page in pages}):
        found = screen(KIOSK, desk=desk, reduced_motion="reduce")
        if who:
            found.be(who)
        for page in pages:
            if (page.who, page.desk) == (who, desk):
                path = page.path.format(**names)
                look_at(found, path, language)
                if language == "fr":
                    walk(found, path)


def test_every_page_is_looked_at(served: Served) -> None:
    """A page that no area shows fails here."""
    app = served.lab.app
    addresses = app.url_map.bind("lab")
    looked_at = {"interlocks.history"}  # test_interlock_screen.py, in a lab that has one
    for area in AREAS:
        for page in area.pages:
            with suppress(NotFound):  # a page that is not there is shown too
                looked_at.add(addresses.match(page.path.split("?")[0], method="GET")[0])
    pages = {rule.endpoint for rule in app.url_map.iter_rules() if is_page(rule.endpoint)}
    assert pages - looked_at == set()
