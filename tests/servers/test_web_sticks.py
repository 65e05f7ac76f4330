"""The USB stick beside a screen: its G-code files, on that screen only, and no way out of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import pytest

from fabctl.clock import ManualClock
from fabctl.config import WebConfig
from fabctl_web.kiosks import sticks
from tests.web_lab import GOOD_FILE, Browser, WebLab, lab_config, web_lab

BESIDE, ELSEWHERE = "127.0.0.1", "::1"
PAGE = "/m/printer-a/stick"
LONG = "n" * 200 + ".gcode"


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """A stick with good files, and with everything that is none."""
    folder = tmp_path / "stick"
    for inner in ("", "pièces", ".Trash", "pièces/deep"):
        (folder / inner).mkdir(parents=True, exist_ok=True)
    for name in ("part.gcode", "PART2.GCO", "pièces/tour.nc", LONG):
        (folder / name).write_bytes(GOOD_FILE)
    for name in ("notes.txt", ".hidden.gcode", ".Trash/old.gcode", "pièces/deep/far.gcode"):
        (folder / name).write_bytes(GOOD_FILE)
    (folder / "turn\u202eedocg.gcode").write_bytes(GOOD_FILE)
    (folder / "large.gcode").write_bytes(b"G28\n" * 300_000)
    (folder / "bad.gcode").write_bytes(b"M104 S900\n")
    os.mkfifo(folder / "pipe.gcode")
    (tmp_path / "secret.gcode").write_bytes(b"; a secret\n")
    (folder / "link.gcode").symlink_to(tmp_path / "secret.gcode")
    (folder / "out").symlink_to(tmp_path)
    return folder


@pytest.fixture
def lab(tmp_path: Path, stick: Path) -> Iterator[WebLab]:
    web = WebConfig(
        upload_max_mb=1, kiosk_addresses=(BESIDE, ELSEWHERE), stick_folders={BESIDE: stick}
    )
    with web_lab(tmp_path, config=lab_config(tmp_path, web=web)) as found:
        found.certified("camille")
        yield found


@pytest.fixture
def camille(lab: WebLab) -> Browser:
    browser = lab.browser(BESIDE)
    browser.sign_in("camille")
    return browser


def listed(browser: Browser) -> set[str]:
    page = browser.get(PAGE).get_data(as_text=True)
    return {unescape(one) for one in re.findall(r'name="name" value="([^"]+)"', page)}


def test_only_gcode_files_that_lie_on_the_stick_are_listed(camille: Browser) -> None:
    good = {"part.gcode", "PART2.GCO", "pièces/tour.nc", LONG}
    assert listed(camille) == good | {"large.gcode", "bad.gcode"}
    assert PAGE in camille.get("/m/printer-a").get_data(as_text=True)


@pytest.mark.parametrize("name", ["part.gcode", "PART2.GCO", "pièces/tour.nc"])
def test_a_file_that_is_taken_is_a_job(lab: WebLab, camille: Browser, name: str) -> None:
    answer = camille.post(PAGE, {"name": name}, page=PAGE)
    assert answer.location == "/m/printer-a"
    said = camille.get("/m/printer-a").get_data(as_text=True)
    assert f"{name.rpartition('/')[2]} est prêt à démarrer." in said
    assert len(lab.files_on_disk()) == 1


@pytest.mark.parametrize(
    "name",
    [
        "../secret.gcode", "link.gcode", "out/secret.gcode", "/etc/passwd", "", ".", "..",
        "pièces/../../secret.gcode", "pièces/deep/far.gcode", "notes.txt", ".hidden.gcode",
        "pipe.gcode", "gone.gcode", "part.gcode\0", "pièces", "\\secret.gcode", "//part.gcode",
        ".Trash/old.gcode", "out/../part.gcode",
    ],
)  # fmt: skip
def test_no_name_leads_out_of_the_stick(lab: WebLab, camille: Browser, name: str) -> None:
    answer = camille.post(PAGE, {"name": name}, page=PAGE)
    assert answer.status_code == 409
    assert "secret" not in answer.get_data(as_text=True)
    assert lab.files_on_disk() == []


def test_a_file_that_is_too_large_or_must_not_run_leaves_nothing(
    lab: WebLab, camille: Browser
) -> None:
    assert camille.post(PAGE, {"name": "large.gcode"}, page=PAGE).status_code == 413
    assert camille.post(PAGE, {"name": "bad.gcode"}, page=PAGE).status_code == 422
    assert lab.files_on_disk() == []


def test_on_no_other_screen_and_for_nobody_unknown(lab: WebLab, camille: Browser) -> None:
    other, desk = lab.browser(ELSEWHERE), lab.browser()
    for browser in (other, desk):
        browser.sign_in("camille")
        assert browser.get(PAGE).status_code == 404
        assert PAGE not in browser.get("/m/printer-a").get_data(as_text=True)
        answer = browser.post(PAGE, {"name": "part.gcode"}, page="/me")
        assert answer.status_code == 404
    through = camille.get(PAGE, headers={"X-Forwarded-For": BESIDE})
    assert through.status_code == 404
    assert lab.browser(BESIDE).get(PAGE).status_code == 303
    assert lab.files_on_disk() == []


def test_without_a_stick_the_list_says_so(camille: Browser, stick: Path) -> None:
    stick.rename(stick.with_name("gone"))
    assert "Branche la clé" in camille.get(PAGE).get_data(as_text=True)
    answer = camille.post(PAGE, {"name": "part.gcode"}, page=PAGE)
    assert answer.status_code == 409
    assert 'data-code="stick-unreadable"' in answer.get_data(as_text=True)


def test_a_stick_that_is_a_link_is_none(stick: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(stick)
    with pytest.raises(OSError, match="link"):
        sticks.files(link)


def test_a_stick_that_is_slower_than_its_screen_waits_is_let_go(
    lab: WebLab, camille: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page keeps the session for five minutes; the last of them is for checking the file."""
    assert isinstance(lab.clock, ManualClock)
    advance, slow = lab.clock.advance, iter([b"G28\n"] * 40)

    class Slow:
        def read(self, _most: int) -> bytes:
            advance(7)
            return next(slow, b"")

    @contextmanager
    def opened(_folder: Path, _name: str) -> Iterator[Slow]:
        yield Slow()

    assert 'data-longest="300"' in camille.get(PAGE).get_data(as_text=True)
    monkeypatch.setattr(sticks, "opened", opened)
    answer = camille.post(PAGE, {"name": "part.gcode"}, page=PAGE)
    assert answer.status_code == 409
    assert 'data-code="stick-too-slow"' in answer.get_data(as_text=True)
    assert len(list(slow)) == 40 - 35  # 35 reads of 7 s are more than 240 s
    assert lab.files_on_disk() == []
