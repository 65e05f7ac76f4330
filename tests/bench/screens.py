"""Pages in chromium with a processor eight times slower: largest paint, and when they answer."""

from __future__ import annotations

import os
import tempfile
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
    """Print the median and the worst of the largest paint and of the first answer, in ms."""
    print(
        f"pages, processor slowed {SLOWER} times, nothing kept from before, median of {ROUNDS};"
        f" load average {os.getloadavg()[0]:.1f}"
    )
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
            show(f"{path}: largest paint", quantile([r[0] for r in rounds], 0.5), "ms", aim=1000)
            show(f"{path}: interactive", quantile([r[1] for r in rounds], 0.5), "ms", aim=1200)
        chromium.close()


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
