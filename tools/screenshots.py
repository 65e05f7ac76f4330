"""Take a picture of every page: `python -m tools.screenshots FOLDER [AREA …]`.

Every page that tests/browser/shown lists, on the wall's touchscreen, a large screen and a phone,
in French and English: FOLDER/<area>/<page>-<who>-<screen>-<language>.png. With `--documents` the
few that the documents show, small, into docs/images. Look at them before you commit them.
"""

from __future__ import annotations

import logging
import re
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import TimeoutError as LateError

from tests import interlocked_lab
from tests.browser.conftest import KIOSK, PHONE, WALL, Screen, Served, serving
from tests.browser.shown import Area, Shown, laser
from tests.browser.shown.areas import AREAS
from tests.web_lab import OUTSIDE

SIZES = {"kiosk": KIOSK, "wall": WALL, "phone": PHONE}
LANGUAGES = ("fr", "en")
DRAWN_WITHIN_MS = 1000
COLOURS = 128
"""Of a picture in the documents: enough for text, and a third of the bytes."""


@dataclass(frozen=True)
class Wanted:
    """A picture in the documents."""

    name: str
    area: str
    path: str
    who: str = ""
    size: str = "kiosk"
    language: str = "fr"


LASER = f"/m/{interlocked_lab.LASER}"
DOCUMENTS = (
    Wanted("board", "first", "/"),
    Wanted("machine", "machine", "/m/printer-a", "camille"),
    Wanted("booking", "planning", "/m/printer-b/book/{day}/09:00", "camille"),
    Wanted("planning", "planning", "/planning/{day}", "camille"),
    Wanted("sign-in", "first", "/in"),
    Wanted("me", "planning", "/me", "camille", "phone"),
    Wanted("training", "training", "/training", "lea"),
    Wanted("console", "workshops", "/workshops/{running}/console", "ana"),
    Wanted("today", "staff", "/staff/today?came=mi", "sasha", "wall"),
    Wanted("statistics", "staff-house", "/staff/statistics?year={year}", "sasha", "wall"),
    Wanted("system", "staff", "/staff/health", "sasha", "wall"),
    Wanted("quiz", "training", "/training/{course}/quiz", "lea"),
    Wanted("report", "machine", "/m/printer-a/problem", "camille"),
    Wanted("laser", "laser-armed", LASER, "camille"),
    Wanted("person", "staff", "/staff/people/{mia}", "sasha", "wall"),
    Wanted("rules", "staff-house", "/staff/policies", "sasha", "wall"),
    Wanted("courses", "training", "/staff/courses/{course}", "sasha", "wall"),
    *(
        Wanted(f"{name}-phone", area, path, who, "phone", "en")
        for name, area, path, who in (
            ("board", "first", "/", ""),
            ("machine", "machine", "/m/printer-a", "camille"),
            ("booking", "planning", "/m/printer-b/book/{day}/09:00", "camille"),
            ("training", "training", "/training", "lea"),
            ("console", "workshops", "/workshops/{running}/console", "ana"),
            ("today", "staff", "/staff/today?came=mi", "sasha"),
            ("system", "staff", "/staff/health", "sasha"),
            ("laser-cut-off", "laser-cut-off", LASER, "camille"),
        )
    ),
)
"""On the wall in French, on a phone in English: so both languages are seen."""


def main(words: Sequence[str]) -> None:
    """Do what the command line asks."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    if list(words) == ["--documents"]:
        _documents(Path("docs/images"))
    else:
        folder, *names = words or ["screenshots"]
        _everything(Path(folder), names)


def _everything(folder: Path, names: Sequence[str]) -> None:
    """Write every page of the areas named, of all without a name, in each size and language."""
    for area in AREAS:
        if not names or area.name in names:
            looks = [(size, language) for size in SIZES for language in LANGUAGES]
            _area(
                area, folder / area.name, [(page, *look) for page in area.pages for look in looks]
            )


def _documents(folder: Path) -> None:
    """Write the pictures that the documents show."""
    for area in (*AREAS, laser.ARMED, laser.CUT_OFF):
        wanted = {}
        for one in (one for one in DOCUMENTS if one.area == area.name):
            asked = (one.path, one.who)
            page, *_ = [page for page in area.pages if (page.path, page.who) == asked]
            wanted[one.name] = (page, one.size, one.language)
        if wanted:
            _area(area, folder, list(wanted.values()), whole=False)
        for name, look in wanted.items():
            _pack(folder / _file(*look), folder / f"{name}.png")


def _pack(picture: Path, to: Path) -> None:
    with Image.open(picture) as drawn:
        drawn.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(to, optimize=True)
    picture.unlink()


def _area(
    area: Area, folder: Path, wanted: Sequence[tuple[Shown, str, str]], *, whole: bool = True
) -> None:
    """Fill a lab of its own with an area's scene and take pictures.

    :param whole: on a phone, all of a page, not only what fits on the screen.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="fablab-") as data,
        serving(Path(data), area.config) as served,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        names = area.fill(served)
        for who, desk in sorted({(page.who, page.desk) for page, _, _ in wanted}):
            screen = _open(chromium, served, who, desk=desk)
            for page, size, language in wanted:
                if (page.who, page.desk) == (who, desk):
                    to = folder / _file(page, size, language)
                    _show(screen, page.path.format(**names), size, language)
                    screen.page.screenshot(path=to, full_page=whole and size == "phone")
            screen.page.context.close()
        chromium.close()


def _open(chromium: Browser, served: Served, who: str, *, desk: bool) -> Screen:
    context = chromium.new_context(
        has_touch=True,
        locale="fr-FR",
        reduced_motion="reduce",
        extra_http_headers={"X-Forwarded-For": OUTSIDE} if desk else None,
    )
    screen = Screen(context.new_page(), served.url)
    if who:
        screen.be(who)
    return screen


def _show(screen: Screen, path: str, size: str, language: str) -> None:
    """Open a page on a screen of this size and wait until it is drawn."""
    page = screen.page
    page.set_viewport_size({"width": SIZES[size]["width"], "height": SIZES[size]["height"]})
    screen.open(f"{path}{'&' if '?' in path else '?'}lang={language}")
    _wait_until_drawn(page)


def _wait_until_drawn(page: Page) -> None:
    """Wait for the font, and where there is a plot, for that."""
    page.evaluate("document.fonts.ready")
    if page.locator("#plot").count():
        with suppress(LateError):
            page.wait_for_selector("#plot canvas", timeout=DRAWN_WITHIN_MS)


def _file(page: Shown, size: str, language: str) -> str:
    return f"{_name(page)}-{size}-{language}.png"


def _name(page: Shown) -> str:
    words = re.sub(r"[^a-z0-9-]+", "-", page.path.lower()).strip("-") or "board"
    return f"{words}-{page.who or 'visitor'}{'-desk' if page.desk else ''}"


if __name__ == "__main__":
    main(sys.argv[1:])
