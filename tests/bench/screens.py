"""Pages in chromium with a processor eight times slower: largest paint, and when they answer."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.bench.figures import quantile, show
from tests.lab import RunningLab, running_lab

SLOWER = 8
ROUNDS = 5
QUIET_MS = 1000
"""A page answers from the end of the last long task before this much time without any."""
PAGES = ("/", "/m/printer-a", "/m/printer-b", "/m/mill/book", "/in", "/planning", "/training")
WATCH = """
window.paint = 0;
window.tasks = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.paint = entry.startTime;
}).observe({ type: "largest-contentful-paint", buffered: true });
new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries())
    window.tasks.push([startTime, startTime + duration]);
}).observe({ type: "longtask", buffered: true });
"""
MEASURED = """(quiet) => {
  const ready = performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd;
  let answers = ready;
  for (const [began, ended] of window.tasks) {
    if (began > answers + quiet) break;
    answers = Math.max(answers, ended);
  }
  return [window.paint, answers];
}"""


def main() -> None:
    """Print how long the largest paint and the first answer take."""
    print(f"pages, processor slowed {SLOWER} times, nothing kept from before, {ROUNDS} rounds")
    with (
        tempfile.TemporaryDirectory() as folder,
        running_lab(Path(folder)) as lab,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        for path in PAGES:
            rounds = [_load(chromium, lab, path) for _ in range(ROUNDS)]
            print(f" {path}; load average {os.getloadavg()[0]:.1f}")
            _show("largest paint", [paint for paint, _ in rounds], aim=1000)
            _show("interactive", [answers for _, answers in rounds], aim=1200)
        chromium.close()


def _show(what: str, rounds: Sequence[float], aim: float) -> None:
    """Print the median, and the fastest: what comes between on a shared computer is in the rest."""
    show(f"{what}, median", quantile(rounds, 0.5), "ms", aim=aim)
    show(f"{what}, fastest", min(rounds), "ms")


def _load(chromium: Browser, lab: RunningLab, path: str) -> tuple[float, float]:
    """Load a page in a browser that knows nothing yet; return its paint and first answer, in ms."""
    context = chromium.new_context(
        viewport={"width": 800, "height": 480}, has_touch=True, locale="fr-FR"
    )
    try:
        context.add_init_script(WATCH)
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        page.goto(lab.url + path)
        page.wait_for_load_state("load")
        page.wait_for_timeout(2 * QUIET_MS)
        paint, answers = page.evaluate(MEASURED, QUIET_MS)
        return float(paint), float(answers)
    finally:
        context.close()


if __name__ == "__main__":
    main()
