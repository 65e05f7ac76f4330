"""What was taken from npm is what the lock file says, byte for byte, and nothing else is there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import fabctl_web
from fabctl_web import static_files

VENDOR = Path(fabctl_web.__file__).parent / "static/vendor"
LOCK = json.loads((VENDOR / "vendor.lock.json").read_text())


def test_every_file_has_the_hash_that_was_recorded() -> None:
    for name, entry in LOCK["files"].items():
        content = (VENDOR / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], name
        assert len(content) == entry["bytes"], name


def test_nothing_lies_beside_the_recorded_files() -> None:
    there = {p.relative_to(VENDOR).as_posix() for p in VENDOR.rglob("*") if p.is_file()}
    assert there - {"vendor.lock.json"} == set(LOCK["files"])


def test_every_package_has_its_licence_and_an_integrity() -> None:
    for name, package in LOCK["packages"].items():
        short = name.rsplit("@", 1)[0].split("/")[-1]
        assert f"licences/{short}.txt" in LOCK["files"], name
        assert package["integrity"].startswith("sha512-")


def test_the_lock_names_no_host() -> None:
    assert "://" not in (VENDOR / "vendor.lock.json").read_text()


def test_every_icon_that_templates_use_is_in_the_sprite() -> None:
    sprite = (VENDOR / "icons.svg").read_text()
    root = VENDOR.parents[1]
    sources = [p.read_text() for p in (*root.rglob("*.html"), *root.rglob("*.py"))]
    for icon in _ids(sprite):
        assert any(f'"{icon}"' in source for source in sources), f"{icon} is not used"
    for source in sources:
        for name in _icons_named(source):
            assert f'id="{name}"' in sprite, name


def _ids(sprite: str) -> list[str]:
    return [part.split('"')[0] for part in sprite.split('id="')[1:]]


def _icons_named(template: str) -> list[str]:
    return [part.split('"')[0] for part in template.split('icon("')[1:]]


def test_everything_that_is_served_exists_and_fits_the_first_load() -> None:
    files = static_files.load()
    first = [files.files[name] for name in static_files.ON_EVERY_PAGE]
    sent = sum(len(file.packed or file.plain) for file in first)
    assert sent <= 70_000, "with a page of about 4 KB, a first load stays below 80 KB"
