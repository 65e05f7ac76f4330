"""A USB stick of which something cannot be read: the rest is listed, and the screen says so."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fabctl.config import WebConfig
from fabctl_web.kiosks import sticks
from tests.web_lab import GOOD_FILE, WebLab, lab_config, web_lab

BESIDE = "127.0.0.1"
PAGE = "/m/printer-a/stick"


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    (folder / "inner").mkdir(parents=True)
    for name in ("good.gcode", "broken.gcode", "inner/deep.gcode", "inner/broken.nc"):
        (folder / name).write_bytes(GOOD_FILE)
    return folder


@pytest.fixture
def lab(tmp_path: Path, stick: Path) -> Iterator[WebLab]:
    web = WebConfig(upload_max_mb=1, kiosk_addresses=(BESIDE,), stick_folders={BESIDE: stick})
    with web_lab(tmp_path, config=lab_config(tmp_path, web=web)) as found:
        found.certified("camille")
        yield found


def shown(lab: WebLab) -> str:
    browser = lab.browser(BESIDE)
    browser.sign_in("camille")
    return browser.get(PAGE).get_data(as_text=True)


def test_one_bad_file_does_not_hide_the_others(
    lab: WebLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No temporary folder has a bad block: the call that would meet one fails."""
    real = os.stat

    def failing(path: Any, **more: Any) -> os.stat_result:
        if str(path).startswith("broken"):
            raise OSError(errno.EIO, "Input/output error")
        return real(path, **more)

    monkeypatch.setattr(os, "stat", failing)
    page = shown(lab)
    listed = sorted(re.findall(r"[\w/]+\.(?:gcode|nc)(?=</b>)", page))
    assert listed == ["good.gcode", "inner/deep.gcode"]
    assert "Une partie de la clé est illisible." in page


def test_a_stick_that_cannot_be_read_is_not_called_empty(lab: WebLab, stick: Path) -> None:
    for one in sorted(stick.rglob("*"), reverse=True):
        one.rmdir() if one.is_dir() else one.unlink()
    assert "Pas de fichier G-code ici" in shown(lab)
    stick.rmdir()
    assert "Pas de fichier G-code ici" in shown(lab)
    stick.write_bytes(b"")
    page = shown(lab)
    assert "La clé est illisible." in page
    assert "Pas de fichier G-code ici" not in page


def test_of_many_files_the_newest_are_kept(stick: Path) -> None:
    for number in range(sticks.MOST + 50):
        path = stick / f"{number:03}.gcode"
        path.touch()
        os.utime(path, (2e9 + number, 2e9 + number))
    found = sticks.files(stick)
    assert found.whole
    assert [one.name for one in found.files] == [f"{n:03}.gcode" for n in range(249, 49, -1)]
