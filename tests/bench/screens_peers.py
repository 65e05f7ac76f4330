"""Our pages beside OctoPrint's own: bytes, requests, largest paint, taps to a started job.

Both on this computer, in chromium at 800x480, nothing kept from before, the processor as it is.
OctoPrint has its virtual printer and is without the add-ons that the tests leave out, which makes
it lighter than it comes. Rounds take turns, so that a busy minute hits both.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.bench.figures import quantile
from tests.lab import RunningLab, running_lab, wait_for
from tests.lab_work import TAG, book_now, send_file
from tests.octoprint_server import VERSION, OctoPrintServer, octoprint_server
from tests.web_lab import form_token

MACHINE = "printer-b"
ROUNDS = 5
QUIET_MS = 2000
"""A page is there when nothing has come for so long."""
MOST_MS = 30_000
WATCH = """
window.paint = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.paint = entry.startTime;
}).observe({ type: "largest-contentful-paint", buffered: true });
"""
SignIn = Callable[[BrowserContext], None]


@dataclass
class Load:
    """What one page took."""

    bytes: float = 0.0
    requests: int = 0
    paint_ms: float = 0.0


@dataclass
class Screens:
    """One page of one program, loaded several times."""

    name: str
    address: str
    sign_in: SignIn = lambda _context: None
    loads: list[Load] = field(default_factory=list)

    def median(self, what: str) -> float:
        """Return the median of a figure."""
        return quantile([float(getattr(one, what)) for one in self.loads], 0.5)


def main() -> None:
    """Print both programs' figures, and how many times ours OctoPrint's are."""
    print(f"pages beside those of OctoPrint {VERSION}, {ROUNDS} rounds")
    with (
        tempfile.TemporaryDirectory() as folder,
        running_lab(_in(folder, "lab")) as lab,
        octoprint_server(Path(folder) / "octoprint") as server,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        server.connect_printer()
        _give_file(server)
        ours, theirs = _ours(lab), _octoprint(server)
        for _ in range(ROUNDS):
            for one in (*ours, *theirs):
                one.loads.append(load(chromium, one.address, one.sign_in))
        show([*ours, *theirs], theirs[-1])
        print("  taps to a started job, signed in, the file is there:")
        print(f"  from the board of all machines {_our_taps(chromium, lab)}", end="")
        print(f"; OctoPrint, of one machine, {_their_taps(chromium, server)}; it books nothing")
        chromium.close()


def _in(folder: str, name: str) -> Path:
    made = Path(folder) / name
    made.mkdir()
    return made


def show(all_of_them: Sequence[Screens], other: Screens) -> None:
    """Print the medians, and how many times as much ``other`` takes as each."""
    print(f"  load average {os.getloadavg()[0]:.1f}")
    for one in all_of_them:
        figures = [(what, one.median(what)) for what in ("bytes", "requests", "paint_ms")]
        told = ", ".join(f"{value:,.0f} {what}" for what, value in figures)
        times = ", ".join(f"{other.median(what) / value:.1f}" for what, value in figures)
        print(f"  {one.name:<30} {told}; {other.name} is {times} times that")


def load(chromium: Browser, address: str, sign_in: SignIn) -> Load:
    """Load a page in a browser that knows nothing but who is signed in."""
    context = chromium.new_context(
        viewport={"width": 800, "height": 480}, has_touch=True, locale="fr-FR"
    )
    try:
        sign_in(context)
        context.add_init_script(WATCH)
        page, found = context.new_page(), Load()
        _count(page, found)
        page.goto(address)
        _settle(page, found)
        found.paint_ms = float(page.evaluate("window.paint"))
        return found
    finally:
        context.close()


def _count(page: Page, found: Load) -> None:
    """Count what goes over the network; of streams and sockets what came so far."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")

    def asked(event: dict[str, Any]) -> None:
        address = str(event.get("request", event).get("url"))
        found.requests += not address.startswith(("data:", "blob:"))

    def came(event: dict[str, Any]) -> None:
        found.bytes += event["encodedDataLength"]

    def told(event: dict[str, Any]) -> None:
        found.bytes += len(event["response"]["payloadData"])

    session.on("Network.requestWillBeSent", asked)
    session.on("Network.webSocketCreated", asked)
    session.on("Network.loadingFinished", came)
    session.on("Network.webSocketFrameReceived", told)


def _settle(page: Page, found: Load) -> None:
    """Wait until no answer has come for a while; a stream that says little does not count."""
    waited, seen, quiet = 0, -1, 0
    while quiet < QUIET_MS and waited < MOST_MS:
        quiet = quiet + 250 if found.requests == seen else 0
        seen = found.requests
        page.wait_for_timeout(250)
        waited += 250


# -- ours


def _ours(lab: RunningLab) -> list[Screens]:
    api = lab.api("tom")
    book_now(lab, api, MACHINE)
    send_file(lab, api, MACHINE)
    signed_in = _as_tom(lab)
    return [
        Screens("board, nobody signed in", f"{lab.url}/"),
        Screens("board", f"{lab.url}/", signed_in),
        Screens("a machine's page", f"{lab.url}/m/{MACHINE}", signed_in),
    ]


def _as_tom(lab: RunningLab) -> SignIn:
    def sign_in(context: BrowserContext) -> None:
        web, account = context.request, lab.account("tom")
        token = form_token(web.get(f"{lab.url}/in?with=password").text())
        form: dict[str, str | float | bool] = {
            "csrf_token": token, "login": "tom", "password": account["password"],
        }  # fmt: skip
        answer = web.post(f"{lab.url}/in/password", form=form, headers={"Referer": f"{lab.url}/in"})
        assert "Tom" in answer.text()

    return sign_in


def _our_taps(chromium: Browser, lab: RunningLab) -> int:
    context = chromium.new_context(viewport={"width": 800, "height": 480}, has_touch=True)
    _as_tom(lab)(context)
    page = context.new_page()
    page.goto(f"{lab.url}/")
    taps = (f'a.card[href="/m/{MACHINE}"]', ".primary-action button")
    for selector in taps:
        page.tap(selector)
    wait_for("the job runs", lambda: lab.state(MACHINE) in {"preparing", "running"})
    context.close()
    return len(taps)


# -- OctoPrint


def _octoprint(server: OctoPrintServer) -> list[Screens]:
    def sign_in(context: BrowserContext) -> None:
        who = {"user": "boss", "pass": "boss-password", "remember": False}
        context.request.get(server.url + "/")
        (token,) = [c["value"] for c in context.cookies() if c["name"].startswith("csrf_token")]
        headers = {"X-CSRF-Token": token}
        answer = context.request.post(f"{server.url}/api/login", data=who, headers=headers)
        assert answer.ok, answer.text()

    return [
        Screens("OctoPrint, nobody signed in", server.url + "/"),
        Screens("OctoPrint", server.url + "/", sign_in),
    ]


def _give_file(server: OctoPrintServer) -> None:
    with TAG.open("rb") as file:
        answer = requests.post(
            f"{server.url}/api/files/local",
            files={"file": ("tag.gcode", file)},
            headers={"X-Api-Key": server.new_key()},
            timeout=20,
        )
    assert answer.ok, answer.text


def _their_taps(chromium: Browser, server: OctoPrintServer) -> int:
    context = chromium.new_context(viewport={"width": 800, "height": 480}, has_touch=True)
    _octoprint(server)[-1].sign_in(context)
    page = context.new_page()
    page.goto(server.url + "/")
    page.wait_for_selector("#page-container-loading", state="hidden", timeout=MOST_MS)
    taps = (".btn-files-print",)
    for selector in taps:
        page.tap(selector)
    wait_for("OctoPrint prints", lambda: server.state.startswith(("Starting", "Printing")))
    context.close()
    return len(taps)


if __name__ == "__main__":
    main()
