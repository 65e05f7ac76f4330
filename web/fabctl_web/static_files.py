"""Static files from memory: joined once, compressed once, named by the hash of them all.

The address is ``/static/<hash>/<name>``: it changes with every change of any file, so browsers
may keep what they have for a year. Our style sheets and scripts are joined into ``app.css`` and
``app.js``: a first load asks for six files.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, abort, request

FOLDER = Path(__file__).parent / "static"
STYLES = (
    "css/tokens.css",
    "css/base.css",
    "css/states.css",
    "css/machine.css",
    "css/interlock.css",
    "css/people.css",
    "css/menu.css",
)
SCRIPTS = (
    "js/live.js",
    "js/focus.js",
    "js/hold.js",
    "js/badge.js",
    "js/kiosk.js",
    "js/waiting.js",
    "js/forms.js",
    "js/menu.js",
)
SERVED = {
    "app.css": STYLES,
    "app.js": SCRIPTS,
    "desk.css": ("css/desk.css",),
    "workshops.css": ("css/workshops.css",),
    "training.css": ("css/training.css",),
    "staff.css": ("css/staff.css",),
    "pad.js": ("js/pad.js",),
    "console.js": ("js/sending.js", "js/console.js"),
    "unsent.js": ("js/sending.js", "js/unsent.js"),
    "planning.css": ("css/planning.css", "css/quarters.css"),
    "plot.js": ("vendor/uplot.min.js", "js/plot.js"),
    "trail.js": ("js/trail.js",),
    "plot.css": ("vendor/uplot.min.css", "css/plot.css"),
    "house.css": ("css/house.css",),
    "bars.js": ("vendor/uplot.min.js", "js/bars.js"),
    "camera.js": ("js/camera.js",),
    "today.js": ("js/today.js",),
    "icon.svg": ("icon.svg",),
    "vendor/htmx.min.js": ("vendor/htmx.min.js",),
    "vendor/sse.min.js": ("vendor/sse.min.js",),
    "vendor/uplot.min.js": ("vendor/uplot.min.js",),
    "vendor/uplot.min.css": ("vendor/uplot.min.css",),
    "vendor/icons.svg": ("vendor/icons.svg",),
    "vendor/atkinson.woff2": ("vendor/atkinson.woff2",),
}
ON_EVERY_PAGE = (
    "app.css", "app.js", "icon.svg", "vendor/htmx.min.js", "vendor/sse.min.js",
    "vendor/icons.svg", "vendor/atkinson.woff2",
)  # fmt: skip
"""What a first load of any page asks for; the rest belongs to single pages."""
TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
}
A_YEAR_S = 31536000


@dataclass(frozen=True)
class StaticFile:
    """One file as it is sent; ``packed`` is None where gzip gains nothing (woff2)."""

    type: str
    plain: bytes
    packed: bytes | None


class StaticFiles:
    """Every file a page may ask for."""

    def __init__(self, files: Mapping[str, StaticFile]) -> None:
        self.files = files
        whole = hashlib.sha256()
        for name, file in sorted(files.items()):
            whole.update(name.encode() + b"\0" + file.plain)
        self.version = whole.hexdigest()[:12]

    def address(self, name: str) -> str:
        """Return the address of a file that is served.

        :raises KeyError: no such file: a mistake in a template.
        """
        if name not in self.files:
            raise KeyError(name)
        return f"/static/{self.version}/{name}"


def load(folder: Path = FOLDER) -> StaticFiles:
    """Read, join and compress everything that is served, about 0.1 MB."""
    return StaticFiles({name: _read(folder, name, parts) for name, parts in SERVED.items()})


def _read(folder: Path, name: str, parts: tuple[str, ...]) -> StaticFile:
    plain = b"\n".join((folder / part).read_bytes() for part in parts)
    packed = gzip.compress(plain, 9, mtime=0)
    smaller = len(packed) < len(plain) * 0.95
    return StaticFile(TYPES[name.rsplit(".", 1)[-1]], plain, packed if smaller else None)


def blueprint(files: StaticFiles) -> Blueprint:
    """Return the routes that serve ``files``."""
    area = Blueprint("static_files", __name__)

    @area.get("/static/<version>/<path:name>")
    def serve(version: str, name: str) -> Response:
        file = files.files.get(name)
        if file is None:
            abort(404)
        packed = file.packed if request.accept_encodings.quality("gzip") > 0 else None
        answer = Response(packed or file.plain, content_type=file.type)
        if packed:
            answer.content_encoding = "gzip"
        answer.vary.add("Accept-Encoding")
        if version == files.version:
            answer.headers["Cache-Control"] = f"public, max-age={A_YEAR_S}, immutable"
        else:
            answer.headers["Cache-Control"] = "no-cache"
        return answer

    return area
