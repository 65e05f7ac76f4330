"""What a job's file looks like: the slicer's own picture, and a drawing of its path.

Both are made once, in the pass that checks an uploaded file, and kept on disk: a page never reads
a job file. They go when their file goes; there are never more than 600 of them.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path

from fabctl.gcode.images import image_of
from fabctl.gcode.preview import Preview
from fabctl.ports import MachineKind
from fabctl.whole_files import write_whole

MOST_FILES = 600
"""Kept at once, the newest; each is below 0.6 MB, most are below 0.1 MB."""
SVG = "image/svg+xml"
DONE = "#003a8c"
TO_DO = "#8b8f97"
_LOG = logging.getLogger("fabctl.files")
_THIN, _THICK = 'stroke-width="2"', 'stroke-width="5"'
_PIECE = re.compile(rf'<path class="work" {_THIN} data-from="\d+" data-to="(\d+)" d="[^"]*"/>')


@dataclass(frozen=True)
class Picture:
    """An image, ready to be sent."""

    type: str
    data: bytes


@dataclass(frozen=True)
class Shown:
    """Which pictures of a file there are."""

    thumbnail: tuple[int, int] | None
    """The width and height of the slicer's own picture, if there is one: a page keeps its room."""
    path: tuple[int, int] | None
    """The drawing's, if there is one."""
    step: int = 0
    """How far the drawing is: as long as this stays, so does the image."""


def keep(
    folder: Path, sha256: str, kind: MachineKind, thumbnail: bytes | None, drawn: Preview | None
) -> None:
    """Keep what a file looks like. A full disk costs the picture, not the job."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if thumbnail is not None:
            write_whole(_thumbnail(folder, sha256), thumbnail, mode=0o600, shared=True)
        if drawn is not None:
            place = _drawing(folder, sha256, kind)
            write_whole(place, drawn.to_json(), mode=0o600, shared=True)
        _trim(folder)
    except OSError as error:
        _LOG.warning("no picture of %s is kept: %s", sha256, error)


def shown(folder: Path, sha256: str, kind: MachineKind, line: int | None = None) -> Shown:
    """Return which pictures there are, and how far a drawing is after ``line`` (1-based)."""
    drawn = _read(folder, sha256, kind)
    size = (drawn.width, drawn.height) if drawn else None
    step = 0
    if drawn and line is not None:
        printed = kind is MachineKind.PRINTER
        step = round(_share(drawn, line) * 50) if printed else _pieces_done(drawn, line)
    return Shown(_size(_thumbnail(folder, sha256)), size, step)


def thumbnail(folder: Path, sha256: str) -> Picture | None:
    """Return the slicer's own picture; its type is what its bytes are."""
    try:
        data = _thumbnail(folder, sha256).read_bytes()
    except OSError:
        return None
    found = image_of(data)
    return Picture(found.type, data) if found else None


def drawing(folder: Path, sha256: str, kind: MachineKind, line: int | None) -> Picture | None:
    """Return the drawing; what is done after ``line`` is blue and thick, the rest is grey.

    Without a line all of it is blue. On white in every case: it is an image of its own.
    """
    drawn = _read(folder, sha256, kind)
    return Picture(SVG, _painted(drawn, kind, line).encode()) if drawn else None


def _painted(drawn: Preview, kind: MachineKind, line: int | None) -> str:
    pieces = [found[0] for found in _PIECE.finditer(drawn.body)]
    travel = _PIECE.sub("", drawn.body).removesuffix("</g>")
    wide, high = drawn.width, drawn.height
    size = f'width="{wide}" height="{high}"'
    if kind is MachineKind.PRINTER and line is not None:
        # Layers lie one above the other, so the drawing fills up from below like the part itself.
        top = round(high * (1.0 - _share(drawn, line)))
        work = _strokes(pieces, TO_DO, _THIN) + (
            f'<svg y="{top}" width="{wide}" height="{high - top}" overflow="hidden"'
            f' viewBox="0 {top} {wide} {high - top}">{_strokes(pieces, DONE, _THICK)}</svg>'
        )
    else:
        done = len(pieces) if line is None else _pieces_done(drawn, line)
        work = _strokes(pieces[done:], TO_DO, _THIN) + _strokes(pieces[:done], DONE, _THICK)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" {size}'
        f' color="{TO_DO}"><rect {size} fill="#ffffff"/>{travel}{work}</g></svg>'
    )


def _strokes(pieces: list[str], colour: str, width: str) -> str:
    return f'<g stroke="{colour}">{"".join(pieces).replace(_THIN, width)}</g>'


def _pieces_done(drawn: Preview, line: int) -> int:
    """Return how many pieces are done; they come in the order of the file."""
    return sum(int(last) <= line for last in _PIECE.findall(drawn.body))


def _share(drawn: Preview, line: int) -> float:
    """Return the part of the path that is done, in steps of 2 %: an image for each."""
    return int(drawn.share_done(line) * 50) / 50


def _read(folder: Path, sha256: str, kind: MachineKind) -> Preview | None:
    try:
        return Preview.from_json(_drawing(folder, sha256, kind).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none was made, or another version's
        return None


def _size(path: Path) -> tuple[int, int] | None:
    """Return the width and height of the slicer's own picture."""
    try:
        found = image_of(path.read_bytes())
    except OSError:
        return None
    return (found.width, found.height) if found else None


def _thumbnail(folder: Path, sha256: str) -> Path:
    """Return where the slicer's own picture is; its bytes say whether it is a PNG or a JPEG."""
    return folder / f"{sha256}.png"


def _drawing(folder: Path, sha256: str, kind: MachineKind) -> Path:
    return folder / f"{sha256}.{kind.value}.json"


def _trim(folder: Path) -> None:
    """Delete the oldest above the most that are kept."""
    by_age = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in by_age[MOST_FILES:]:
        path.unlink(missing_ok=True)
