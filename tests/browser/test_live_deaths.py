"""Parts of a running lab are stopped: the board never shows what is old as live, and recovers."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import psutil
import pytest
import requests
from playwright.sync_api import Browser, Locator, Page, expect

from tests.lab import RunningLab, running_lab, wait_for

MACHINE = "printer-b"
STALE_WITHIN_S = 10.0
RIGHT_WITHIN_MS = 6_000


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
    opened.goto("/")
    wait_for("the stream is open", lambda: _streams(lab) >= 1)
    expect(opened.locator(".state-silent")).to_have_count(0, timeout=15_000)
    yield opened
    context.close()


def _streams(lab: RunningLab) -> int:
    return int(requests.get(f"{lab.url}/health", timeout=10).json()["streams"])


def card(page: Page, machine: str = MACHINE) -> Locator:
    return page.locator(f'a.card[href="/m/{machine}"]')


def send(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        process.send_signal(number)


def stale_within(began: float, found: Locator) -> None:
    """Wait until it shows, and hold the time since ``began`` against the promise."""
    left = STALE_WITHIN_S - (time.monotonic() - began)
    expect(found).to_be_visible(timeout=left * 1000)


def test_a_machines_process_and_the_steward_are_stopped(lab: RunningLab, page: Page) -> None:
    """The machine is not known any more; all others go on, and the board needs no steward."""
    stopped = [lab.child("machine", MACHINE), lab.child("steward")]
    send(stopped, signal.SIGSTOP)
    began = time.monotonic()
    with lab.sim("printer-a") as sim:
        sim.ask("unplug")
        expect(card(page, "printer-a").locator(".state-silent")).to_be_visible(timeout=5_000)
        sim.ask("plug")
    stale_within(began, card(page).locator(".state-silent"))
    expect(page.locator("#stale")).to_be_hidden()
    expect(card(page, "mill").locator(".state-silent")).to_have_count(0)
    send(stopped, signal.SIGCONT)
    expect(card(page).locator(".state-free")).to_be_visible(timeout=RIGHT_WITHIN_MS)


def test_the_broker_is_stopped(lab: RunningLab, page: Page) -> None:
    machines = page.locator("a.card").count()
    broker = [lab.child("mosquitto")]
    send(broker, signal.SIGSTOP)
    began = time.monotonic()
    stale_within(began, page.locator(".state-silent").nth(machines - 1))
    send(broker, signal.SIGCONT)
    expect(page.locator(".state-silent")).to_have_count(0, timeout=RIGHT_WITHIN_MS)


def test_the_web_is_stopped_and_then_killed(lab: RunningLab, page: Page) -> None:
    arbiter = lab.child("web", "-m")
    web = [arbiter, *arbiter.children(recursive=True)]
    send(web, signal.SIGSTOP)
    began = time.monotonic()
    with lab.sim(MACHINE) as sim:
        sim.ask("unplug")
        stale_within(began, page.locator("#stale"))
        grey = page.evaluate("getComputedStyle(document.getElementById('board')).filter")
        assert "grayscale" in grey
        send(web, signal.SIGCONT)
        expect(page.locator("#stale")).to_be_hidden(timeout=RIGHT_WITHIN_MS)
        expect(card(page).locator(".state-silent")).to_be_visible(timeout=RIGHT_WITHIN_MS)
        lab.kill("web", "-m")
        sim.ask("plug")
    wait_for("the web is back", lambda: lab.state(MACHINE) is not None)
    expect(card(page).locator(".state-silent")).to_have_count(0, timeout=RIGHT_WITHIN_MS)
    expect(page.locator("#stale")).to_be_hidden()
