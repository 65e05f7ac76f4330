"""Debian's chromium over a lab that is served in this process, on a real port."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import make_server

from fabctl.clock import SystemClock
from fabctl.config import LabConfig
from fabctl_web.lab import Lab
from tests.web_lab import OUTSIDE, TWELVE, WebLab, form_token, lab_config, web_lab

CHROMIUMS = ("chromium-headless-shell", "chromium")
"""Debian's, the first that is there: the same engine, the first one without a window's own pages,
which cost a second of computing for each window (docs/decisions/0197)."""
KIOSK = {"width": 800, "height": 480}
WALL = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
PIN = "482915"
SAID_ONCE_S = 600
"""What a machine says is believed so long here: nobody repeats it while pages are looked at."""
WATCH = """
window.troubles = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.troubles.push(`${event.violatedDirective}: ${event.blockedURI}`);
});
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


MOST_MS = 30_000
"""So long anything may take that must come: a computer may be busy, or stand still."""
expect.set_options(timeout=MOST_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark this folder's tests."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One chromium for all tests; each test gets contexts of its own."""
    chromium = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if chromium is None:
        missing = "chromium is missing: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()


@dataclass
class Served:
    """A lab with an address. ``camille`` is certified everywhere, ``alex`` nowhere."""

    lab: WebLab
    url: str

    @property
    def inner(self) -> Lab:
        """What the application works with."""
        found = self.lab.app.extensions["fabctl"]
        assert isinstance(found, Lab)
        return found


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A lab of twelve machines, all idle; shared screens are those on 127.0.0.1."""
    with serving(tmp_path) as found:
        yield found


def twelve_machines(folder: Path) -> LabConfig:
    """Return a lab of twelve machines."""
    return lab_config(folder, names=TWELVE)


@contextmanager
def serving(
    folder: Path, config_of: Callable[[Path], LabConfig] = twelve_machines
) -> Iterator[Served]:
    """Serve a lab below a folder."""
    config = config_of(folder)
    with web_lab(folder, SystemClock(), config, promise_s=SAID_ONCE_S) as lab:
        lab.certified("camille", pin=PIN)
        lab.person("alex", pin="573826")
        server = make_server("127.0.0.1", 0, lab.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        found = Served(lab, f"http://127.0.0.1:{server.server_port}")
        try:
            yield found
        finally:
            found.inner.hub.close()
            server.shutdown()
            thread.join()
            server.server_close()


@dataclass
class Screen:
    """A page in a browser; what it did that it must not do is collected."""

    page: Page
    url: str
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    taps: int = 0

    def open(self, path: str) -> None:
        """Load a page: its scripts have run."""
        self.page.goto(self.url + path)
        self.loaded()

    def loaded(self) -> None:
        """Wait until the scripts of a page have run: what it shows comes before."""
        self.page.wait_for_load_state("load")

    def tap(self, selector: str) -> None:
        """Tap with a finger."""
        self.taps += 1
        self.page.wait_for_selector(selector)  # of the next page, where one is on its way
        self.loaded()
        self.page.tap(selector)

    def stop_time(self, at: datetime | None = None) -> None:
        """Let time pass in the page, and in those that are loaded later, by :meth:`pass_time` only.

        Whatever the computer does meanwhile takes nothing from a countdown. What comes by network
        comes all the same.
        """
        now = at or datetime.now(UTC)
        self.page.clock.install(time=now - timedelta(hours=1))  # it runs until it is stopped
        self.page.clock.pause_at(now)

    def pass_time(self, seconds: float) -> None:
        """Let time pass: every timer that is due rings, one after the other."""
        self.page.clock.run_for(round(seconds * 1000))

    def sign_in_as(self, login: str, path: str = "/") -> None:
        """Sign in with a password, on the way to a page; ends there."""
        self.open("/in?with=password")
        self.page.fill("#login", login)
        self.page.fill("#password", f"{login}-password")
        self.page.tap("main form button")
        self.page.wait_for_url(f"{self.url}/")
        if path != "/":
            self.open(path)

    def be(self, login: str) -> None:
        """Be somebody who has signed in with a password; nothing is shown on the way."""
        web = self.page.context.request
        form = web.get(f"{self.url}/in?with=password").text()
        fields: dict[str, str | float | bool] = {
            "csrf_token": form_token(form), "login": login, "password": f"{login}-password",
        }  # fmt: skip
        answer = web.post(
            f"{self.url}/in/password",
            form=fields,
            headers={"Referer": f"{self.url}/in"},
            max_redirects=0,
        )
        assert answer.status == 303, (login, answer.status)

    def sign_in(self, pin: str = PIN, path: str = "/m/printer-a") -> None:
        """Sign in with a PIN, on the way from a page."""
        self.open(f"/in?next={path}")
        self.type_pin(pin, path)

    def type_pin(self, pin: str = PIN, path: str = "/m/printer-a") -> None:
        """Type a PIN where it is asked for; ends on the page that asked."""
        self.page.wait_for_url(f"{self.url}/in?next={path}")
        for digit in pin:
            self.page.tap(f'[data-key="{digit}"]')
        self.page.tap(".key.done")
        self.page.wait_for_url(self.url + path)

    def troubles(self) -> list[str]:
        """Return violations of the policy, errors of scripts, and requests to other hosts."""
        seen = self.page.evaluate("window.troubles || []")
        return [*seen, *self.foreign, *self.errors]


OpenScreen = Callable[..., Screen]


@pytest.fixture
def screen(browser: Browser, served: Served) -> Iterator[OpenScreen]:
    """Return a function that opens a screen; at the end none may have been in trouble."""
    opened: list[tuple[BrowserContext, Screen]] = []

    def open_screen(
        viewport: dict[str, int] | None = None, *, desk: bool = False, **more: Any
    ) -> Screen:
        if desk:  # what a proxy adds: whoever comes through one is no shared screen
            more["extra_http_headers"] = {"X-Forwarded-For": OUTSIDE}
        options = {"viewport": viewport or KIOSK, "has_touch": True, "locale": "fr-FR", **more}
        context = browser.new_context(**options)
        if options.get("java_script_enabled", True):
            context.add_init_script(WATCH)
        found = Screen(context.new_page(), served.url)
        found.page.set_default_timeout(MOST_MS)
        found.page.on(
            "request",
            lambda r: None if r.url.startswith(served.url) else found.foreign.append(r.url),
        )
        found.page.on("pageerror", lambda error: found.errors.append(str(error)))
        opened.append((context, found))
        return found

    yield open_screen
    for context, _ in opened:
        context.close()
    assert [found.foreign + found.errors for _, found in opened] == [[] for _ in opened]
