"""Parts of a running lab are stopped: the board never shows what is old as live, and recovers."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
import requests
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import MOST_MS
from tests.lab import RunningLab, running_lab, wait_for
from tests.promises import kept

MACHINE = "printer-b"
STALE_WITHIN_S = 10.0
RIGHT_WITHIN_S = 6.0


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    with running_lab(tmp_path_factory.mktemp("stopped")) as running:
        yield running


@pytest.fixture
def page(lab: RunningLab, browser: Browser) -> Iterator[Page]:
    """The board, live, with every machine known."""
    context = browser.new_context(
        base_url=lab.url,
        viewport={"width": 800, "height": 480},
        locale="fr-FR",
        has_touch=True,
    )
    opened = context.new_page()
    opened.set_default_timeout(MOST_MS)
    opened.goto("/")
    wait_for("the stream is open", lambda: _streams(lab) >= 1)
    expect(opened.locator(".state-silent")).to_have_count(0)
    yield opened
    context.close()


def _streams(lab: RunningLab) -> int:
    return int(requests.get(f"{lab.url}/health", timeout=30).json()["streams"])


def card(page: Page, machine: str = MACHINE) -> Locator:
    return page.locator(f'a.card[href="/m/{machine}"]')


def send(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        process.send_signal(number)


@contextmanager
def stopped(page: Page, processes: list[psutil.Process], shows: str) -> Iterator[None]:
    """Stop processes and wait until the page shows it, as promised; at the end they go on.

    :param shows: what then holds in the page, and not before; it must be over in time, too.
    """

    def after(number: signal.Signals) -> float:
        """Send it and wait for what the page then shows; return how long that took, in s."""
        send(processes, number)
        began = time.monotonic()
        works = number == signal.SIGCONT
        page.wait_for_function(f"() => !({shows})" if works else f"() => {shows}")
        return time.monotonic() - began

    def shown() -> float:
        after(signal.SIGCONT)
        return after(signal.SIGSTOP)

    def right_again() -> float:
        after(signal.SIGSTOP)
        return after(signal.SIGCONT)

    try:
        kept(STALE_WITHIN_S, shown)
        yield
        kept(RIGHT_WITHIN_S, right_again)
    finally:
        send(processes, signal.SIGCONT)


def silent(where: str = "") -> str:
    """Return what holds in the page while a machine, or one of them all, is not known."""
    return f"document.querySelector('{where} .state-silent')"


def test_a_machines_process_and_the_steward_are_stopped(lab: RunningLab, page: Page) -> None:
    """The machine is not known any more; all others go on, and the board needs no steward."""
    processes = [lab.child("machine", MACHINE), lab.child("steward")]
    with stopped(page, processes, silent(f'a.card[href="/m/{MACHINE}"]')):
        with lab.sim("printer-a") as sim:
            sim.ask("unplug")
            expect(card(page, "printer-a").locator(".state-silent")).to_be_visible()
            sim.ask("plug")
        expect(card(page).locator(".state-silent")).to_be_visible()
        expect(page.locator("#stale")).to_be_hidden()
        expect(card(page, "mill").locator(".state-silent")).to_have_count(0)
    expect(card(page).locator(".state-free")).to_be_visible()


def test_the_broker_is_stopped(lab: RunningLab, page: Page) -> None:
    machines = page.locator("a.card").count()
    all_silent = f"document.querySelectorAll('.state-silent').length >= {machines}"
    with stopped(page, [lab.child("mosquitto")], all_silent):
        pass
    expect(page.locator(".state-silent")).to_have_count(0)


def test_the_web_is_stopped_and_then_killed(lab: RunningLab, page: Page) -> None:
    arbiter = lab.child("web", "-m")
    web = [arbiter, *arbiter.children(recursive=True)]
    with lab.sim(MACHINE) as sim:
        with stopped(page, web, "!document.getElementById('stale').hidden"):
            sim.ask("unplug")
            grey = page.evaluate("getComputedStyle(document.getElementById('board')).filter")
            assert "grayscale" in grey
        expect(page.locator("#stale")).to_be_hidden()
        expect(card(page).locator(".state-silent")).to_be_visible()
        lab.kill("web", "-m")
        sim.ask("plug")
    wait_for("the web is back", lambda: lab.state(MACHINE) is not None)
    expect(card(page).locator(".state-silent")).to_have_count(0)
    expect(page.locator("#stale")).to_be_hidden()
