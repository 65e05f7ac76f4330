"""Forty open screens and forty quick visits on the real server: a page's time, memory."""

from __future__ import annotations

import os
import re
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.bench.event_to_screen import Stream
from tests.bench.figures import quantile, show
from tests.lab import RunningLab, running_lab, wait_for

SCREENS = 40
VISITS = 40
SPREAD_S = 10.0
PATHS = ("/", "/m/printer-a")
MACHINE = "printer-b"
CHANGES = 10
WARM_UP = 20
"""Loads before memory is measured: templates are compiled at their first use."""
ASSET = re.compile(r'(?:src|href)="(/static/[^"#]+)')


def main() -> None:
    """Print a page's p95 beside forty streams, and the memory they add."""
    print(f"{SCREENS} open screens, {VISITS} quick visits; load average {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder, running_lab(Path(folder)) as lab:
        for number in range(WARM_UP):
            requests.get(lab.url + PATHS[number % 2], timeout=30).raise_for_status()
        before = _memory_mb(lab)
        with _open_screens(lab) as screens:
            _change(lab, screens)
            _visits(lab, "all at once", 0.0)
            _visits(lab, f"within {SPREAD_S:.0f} s", SPREAD_S)
            show("memory added by all of it", _memory_mb(lab) - before, "MB", aim=10)
        show("memory of the web before", before, "MB")


def _memory_mb(lab: RunningLab) -> float:
    """Return the proportional set size of the web, its worker included."""
    web = lab.child("web", "-m")
    return sum(
        float(process.memory_full_info().pss) / 1e6
        for process in [web, *web.children(recursive=True)]
    )


@contextmanager
def _open_screens(lab: RunningLab) -> Iterator[list[Stream]]:
    """Keep forty boards open and read what comes."""
    screens = [Stream(f"{lab.url}/events") for _ in range(SCREENS)]
    readers = [threading.Thread(target=screen.follow) for screen in screens]
    for reader in readers:
        reader.start()
    wait_for("every screen is open", lambda: _streams(lab) == SCREENS)
    try:
        yield screens
    finally:
        for screen in screens:
            screen.ended.set()
        for reader in readers:
            reader.join()


def _change(lab: RunningLab, screens: Sequence[Stream]) -> None:
    """Pull and plug a cable, and see when each screen is told."""
    delays: list[float] = []
    with lab.sim(MACHINE) as sim:
        for _ in range(CHANGES):
            wait_for("the printer is idle", lambda: lab.state(MACHINE) == "idle")
            pulled = time.monotonic()
            sim.ask("unplug")
            for screen in screens:
                came = wait_for("told", lambda one=screen, at=pulled: one.first_after(at, _is_told))  # type: ignore[misc]  # bound now
                delays.append((came - pulled) * 1000)
            sim.ask("plug")
    show("a change on all screens, p95", quantile(delays, 0.95), "ms", aim=1000)


def _is_told(name: str, _data: str) -> bool:
    return name == f"face-{MACHINE}"


def _streams(lab: RunningLab) -> int:
    return int(requests.get(f"{lab.url}/health", timeout=30).json()["streams"])


def _visits(lab: RunningLab, how: str, spread_s: float) -> None:
    """Let visitors come: each loads a page with all that belongs to it, and leaves."""
    pages: list[float] = []
    whole: list[float] = []

    def visit(number: int) -> None:
        time.sleep(spread_s * number / VISITS)
        with requests.Session() as browser:
            began = time.perf_counter()
            answer = browser.get(lab.url + PATHS[number % 2], timeout=60)
            answer.raise_for_status()
            pages.append((time.perf_counter() - began) * 1000)
            for address in dict.fromkeys(ASSET.findall(answer.text)):
                browser.get(lab.url + address, timeout=60).raise_for_status()
            browser.get(f"{lab.url}/events", stream=True, timeout=60).close()  # as a page does
            whole.append((time.perf_counter() - began) * 1000)

    visitors = [threading.Thread(target=visit, args=(number,)) for number in range(VISITS)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert len(whole) == VISITS, "a visit failed"
    show(f"page, p50, {how}", quantile(pages, 0.5), "ms")
    show(f"page, p95, {how}", quantile(pages, 0.95), "ms", aim=1000)
    show(f"with all that belongs to it, p95, {how}", quantile(whole, 0.95), "ms")


if __name__ == "__main__":
    main()
