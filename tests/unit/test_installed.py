"""Installed drivers are found without importlib.metadata, and as it finds them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabctl.errors import InputError
from fabctl.hosting.drivers import make_driver
from fabctl.installed import DRIVERS, all_entry_points, entry_points, load
from tests.machine_bench import MachineBench


def test_our_reading_is_the_librarys() -> None:
    found = entry_points(DRIVERS)
    assert {"marlin", "opaque"} <= set(found)
    assert found == all_entry_points(DRIVERS)
    assert entry_points("console_scripts")["fabctl"] == "fabctl.__main__:main"


def test_what_a_package_says_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "some_driver-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text(
        "[other]\nx = a:b\n\n[ fabctl.drivers ]\n# no = no:no\nlathe=lathe.driver : Lathe [fast]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path / "no-such-folder"))
    assert entry_points(DRIVERS)["lathe"] == "lathe.driver : Lathe"
    assert "x" not in entry_points(DRIVERS)


def test_what_is_named_is_loaded() -> None:
    assert load("pathlib:Path") is Path
    assert load("pathlib:Path.exists") is Path.exists
    with pytest.raises(ImportError):
        load("no_such_module:x")
    with pytest.raises(AttributeError):
        load("pathlib:NoSuchThing")


def test_a_driver_that_is_not_there_is_explained(tmp_path: Path) -> None:
    bench = MachineBench(tmp_path)
    with pytest.raises(InputError, match="no driver is called 'scripted'"):
        make_driver(bench.profile, bench.clock)
