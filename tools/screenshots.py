"""Take the pictures that the README and the documents show: `python -m tools.screenshots FOLDER`.

Runs a demo lab of its own and Debian's chromium. Look at the pictures before you commit them.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.lab import RunningLab, running_lab, wait_for
from tests.lab_work import book_now, start

SIZES = {"kiosk": (800, 480), "wall": (1280, 800), "phone": (360, 740)}
PAGES = {
    "board": "/",
    "machine": "/m/printer-b",
    "laser": "/m/laser",
    "book": "/m/mill/book",
    "sign-in": "/in",
    "me": "/me",
}


def main(folder: Path) -> None:
    """Write one picture per page, size and language into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, running_lab(Path(data)) as lab:
        _make_it_look_busy(lab)
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox"]
            )
            for size in SIZES:
                for language in ("fr", "en"):
                    _shoot(chromium, lab, folder, size, language)
            chromium.close()


def _make_it_look_busy(lab: RunningLab) -> None:
    """Two prints under way, one of them half done."""
    with lab.api("lea") as api:
        book_now(lab, api, "printer-b", minutes=90)
        start(lab, api, "printer-b")
    with lab.sim("printer-a") as a, lab.sim("printer-b") as b:
        a.ask("factor", factor=300)
        b.ask("factor", factor=300)
        wait_for("a third", lambda: (lab.machine("printer-b").get("progress") or 0) > 0.3)
        b.ask("factor", factor=1)
        wait_for("a half", lambda: (lab.machine("printer-a").get("progress") or 0) > 0.5)
        a.ask("factor", factor=1)


def _shoot(chromium: Browser, lab: RunningLab, folder: Path, size: str, language: str) -> None:
    width, height = SIZES[size]
    context = chromium.new_context(
        base_url=lab.url,
        viewport={"width": width, "height": height},
        locale={"fr": "fr-FR", "en": "en-GB"}[language],
        has_touch=True,
    )
    page = context.new_page()
    page.goto(f"/in?lang={language}")
    page.screenshot(path=folder / f"sign-in-{size}-{language}.png")
    for digit in lab.account("lea")["pin"]:
        page.tap(f"[data-key='{digit}']")
    with page.expect_navigation():
        page.tap(".key.done")
    for name, path in PAGES.items():
        if name != "sign-in":
            page.goto(f"{path}?lang={language}")
            page.wait_for_timeout(500)
            page.screenshot(path=folder / f"{name}-{size}-{language}.png")
    context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots"))
