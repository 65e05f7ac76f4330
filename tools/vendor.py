"""Take the browser's libraries from npm into the tree: a maintainer's script, run by hand.

Usage: ``python tools/vendor.py``. Needs ``npm``. Nothing is built: distributed files are copied
as they are, the icons in use are put into one sprite, and licences come along. The archive of
each package must have the integrity pinned below. ``vendor.lock.json`` records what was
written; ``tests/servers/test_web_vendor.py`` hashes it again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "web/fabctl_web/static/vendor"


@dataclass(frozen=True)
class Package:
    """One npm package at an exact version. ``files`` maps a target to a path in the archive."""

    name: str
    version: str
    integrity: str
    licence: str
    files: Mapping[str, str]
    icons: tuple[str, ...] = ()


ICONS = (
    "activity", "arrow-left", "arrow-right", "award", "badge-check", "ban", "bell", "book-open",
    "building-2", "calendar-check", "calendar-clock", "calendar-days", "calendar-plus", "camera",
    "chart-column", "check", "circle-check", "circle-question-mark", "circle-x", "clipboard-list",
    "clock", "delete", "download", "file-text", "file-up", "flag", "graduation-cap",
    "history", "hourglass", "id-card", "info", "key-round", "layout-grid", "link", "list-checks",
    "lock", "log-out", "mail", "menu", "monitor", "move", "octagon-x", "pause", "pencil", "play",
    "plus", "printer", "qr-code", "refresh-cw", "rss", "search", "settings",
    "shield-check", "trash-2", "triangle-alert", "undo-2", "unplug", "usb",
    "user-check", "user-plus", "user-round", "users-round", "wifi-off", "wrench", "x",
)  # fmt: skip

PACKAGES = (
    Package(
        "htmx.org",
        "2.0.11",
        "sha512-Thx/WtpeOQqSrqBCw/A1cwGJGg4UrVa3+sW0GmrM3p4gJgO89ecH4qtbnyzDDWFvBTqjnIMCgELTNt636dtamA==",
        "0BSD",
        {"htmx.min.js": "dist/htmx.min.js"},
    ),
    Package(
        "htmx-ext-sse",
        "2.2.4",
        "sha512-LJmxVhykyflBWgh5PvbRidcyuqMHlgfajmmzumvKctv9puvsufeH6OaejSMZTNTnEI8O2wXXn4ZZtBdpEMqmEQ==",
        "0BSD",
        {"sse.min.js": "dist/sse.min.js"},
    ),
    Package(
        "@fontsource-variable/atkinson-hyperlegible-next",
        "5.3.0",
        "sha512-UnLzNUy1RWoLDfydAatP4NaRm99X/WbQEph7q/PymJnCFIOOwKOx3pBmp5ys8trO0dM+CKGuJgeZP9fAR4mQpA==",
        "OFL-1.1",
        {"atkinson.woff2": "files/atkinson-hyperlegible-next-latin-wght-normal.woff2"},
    ),
    Package(
        "uplot",
        "1.6.32",
        "sha512-KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw==",
        "MIT",
        {"uplot.min.js": "dist/uPlot.iife.min.js", "uplot.min.css": "dist/uPlot.min.css"},
    ),
    Package(
        "lucide-static",
        "1.62.0",
        "sha512-WBZA/m2PvkFpMGHDtsBck5P2A9G4ehLlYu4GwwICcmEm1BvYVgj00lCDxKRWLlbMlOibLaiwdQ88G5pHkSWgwA==",
        "ISC",
        {},
        ICONS,
    ),
)


def main() -> int:
    """Fetch, check, copy, record; return the exit code."""
    written: dict[str, dict[str, str | int]] = {}
    for package in PACKAGES:
        for target, (source, content) in take(package).items():
            path = VENDOR / target
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            written[target] = {
                "package": f"{package.name}@{package.version}",
                "from": source,
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
    remove_strays(set(written))
    (VENDOR / "vendor.lock.json").write_text(lock(written))
    sys.stdout.write(f"{len(written)} files in {VENDOR}\n")
    return 0


def take(package: Package) -> dict[str, tuple[str, bytes]]:
    """Return target -> (where it is in the archive, content) for one package and its licence."""
    with tempfile.TemporaryDirectory() as folder:
        archive = fetch(package, Path(folder))
        with tarfile.open(archive) as tar:
            found = {target: (inner, read(tar, inner)) for target, inner in package.files.items()}
            if package.icons:
                found["icons.svg"] = ("icons/*.svg", sprite(tar, package.icons))
            licence = f"licences/{package.name.split('/')[-1]}.txt"
            found[licence] = ("LICENSE", read(tar, "LICENSE"))
    return found


def fetch(package: Package, folder: Path) -> Path:
    """Download one archive with npm and hold it against the pinned integrity.

    :raises SystemExit: the archive is not the one that was pinned.
    """
    wanted = f"{package.name}@{package.version}"
    command = ["npm", "pack", "--json", "--ignore-scripts", wanted]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (archive,) = folder.glob("*.tgz")
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != package.integrity:
        raise SystemExit(f"{wanted}: the archive's hash is sha512-{digest}, not the pinned one")
    return archive


def read(tar: tarfile.TarFile, inner: str) -> bytes:
    """Return one regular file of the archive."""
    member = tar.extractfile(f"package/{inner}")
    if member is None:
        raise SystemExit(f"{inner} is not a file in the archive")
    return member.read()


def sprite(tar: tarfile.TarFile, icons: tuple[str, ...]) -> bytes:
    """Return one SVG with a symbol per icon; stroke and size come from our style sheet."""
    symbols = []
    for icon in icons:
        source = read(tar, f"icons/{icon}.svg").decode()
        drawing = re.sub(r"\s+", " ", source[source.index(">", source.index("<svg")) + 1 :])
        drawing = drawing.replace("</svg>", "").replace(" />", "/>").replace("> <", "><").strip()
        symbols.append(f'<symbol id="{icon}" viewBox="0 0 24 24">{drawing}</symbol>')
    inside = "\n".join(symbols)
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{inside}\n</svg>\n'.encode()


def remove_strays(kept: set[str]) -> None:
    """Delete files of an earlier run that this run did not write."""
    for path in VENDOR.rglob("*"):
        name = path.relative_to(VENDOR).as_posix()
        if path.is_file() and name not in kept and name != "vendor.lock.json":
            path.unlink()


def lock(written: Mapping[str, Mapping[str, str | int]]) -> str:
    """Return the text of vendor.lock.json."""
    packages = {
        f"{p.name}@{p.version}": {"integrity": p.integrity, "licence": p.licence} for p in PACKAGES
    }
    return (
        json.dumps({"packages": packages, "files": dict(sorted(written.items()))}, indent=2) + "\n"
    )


if __name__ == "__main__":
    raise SystemExit(main())
