"""What slicers write into comments: layers, their own estimate of time, a picture.

Formats as the slicers write them: PrusaSlicer ``;LAYER_CHANGE``, ``; estimated printing time
(normal mode) = 1h 2m 3s``, ``; thumbnail begin 220x124 10012``, ``; thumbnail_JPG begin ...``;
OrcaSlicer and Bambu Studio ``; CHANGE_LAYER``, ``; model printing time: 14m 54s; total estimated
time: 20m 21s``; Cura ``;LAYER:0``, ``;TIME:1234``, and, by its script ``CreateThumbnail.py``,
``; thumbnail begin 300 300 21608`` as well as with an x.
"""

from __future__ import annotations

import base64
import binascii
import re

from fabctl.gcode.images import image_of

LARGEST_THUMBNAIL_PX = 640
LARGEST_THUMBNAIL_BYTES = 512 * 1024
_LAYER_MARKS = ("LAYER_CHANGE", "CHANGE_LAYER", "LAYER:")
_FEATURE_MARKS = ("TYPE:", "FEATURE:")
_TIMES = (
    re.compile(r"total estimated time: ([\dhms ]+)"),
    re.compile(r"estimated printing time \(normal mode\) = ([\ddhms ]+)"),
    re.compile(r"estimated printing time = ([\ddhms ]+)"),
    re.compile(r"model printing time: ([\ddhms ]+)"),
)
_DURATION = re.compile(r"(\d{1,6})([dhms])")
_UNIT_S = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_CURA_TIME = re.compile(r"TIME:(\d{1,9}(?:\.\d{1,6})?)$")
_THUMBNAIL = re.compile(r"(?:thumbnail(?:_jpg)?|png) begin (\d{1,5})(?: ?[x*] ?| )(\d{1,5}) ")
_THUMBNAIL_END = re.compile(r"(?:thumbnail(?:_jpg)?|png) end")
_BASE64 = re.compile(r"[A-Za-z0-9+/=]+")
_MOST_PICTURE_CHARS = LARGEST_THUMBNAIL_BYTES * 4 // 3


def duration_s(written: str) -> float | None:
    """Return what ``1d 2h 3m 4s`` means, in s; None when it holds no such part."""
    parts = _DURATION.findall(written)
    return sum(int(value) * _UNIT_S[unit] for value, unit in parts) if parts else None


class CommentReader:
    """Takes a file's comments in order, without their semicolon."""

    def __init__(self) -> None:
        self._marks = dict.fromkeys(_LAYER_MARKS, 0)
        self._estimates: dict[int, float] = {}
        self._picture: list[str] | None = None
        self._picture_size = (0, 0)
        self._picture_chars = 0
        self.thumbnail: bytes | None = None
        """The largest PNG or JPEG found so far, at most 640 px wide and high and 512 KiB long; its
        bytes say what it is, not the file's word.
        """
        self._thumbnail_size = (0, 0)
        self.layer_marks = 0
        """Layers begun so far, by any slicer's mark."""
        self.feature = ""
        """What is being extruded, in the slicer's words: "External perimeter", "WALL-OUTER"."""

    def take(self, comment: str) -> bool:
        """Read one comment; return whether it begins a layer."""
        body = comment.strip()
        if self._picture is not None and self._take_picture_line(body):
            return False
        for mark in _LAYER_MARKS:
            if body.startswith(mark) and (mark[-1] == ":" or body == mark):
                self._marks[mark] += 1
                self.layer_marks += 1
                return True
        if body.startswith(_FEATURE_MARKS):
            self.feature = body.partition(":")[2][:40].strip()
            return False
        lower = body[:200].lower()
        if " time" in lower or body.startswith("TIME:"):
            self._take_time(body[:200])
        elif " begin " in lower:
            self._begin_picture(lower)
        return False

    @property
    def layers(self) -> int | None:
        """How many layers the marks count; None without marks."""
        return max(self._marks.values()) or None

    @property
    def slicer_estimate_s(self) -> float | None:
        """The slicer's own estimate of the whole print, s; its most complete one."""
        return self._estimates[min(self._estimates)] if self._estimates else None

    def _take_time(self, body: str) -> None:
        if found := _CURA_TIME.match(body):
            self._estimates.setdefault(len(_TIMES), float(found[1]))
        for rank, pattern in enumerate(_TIMES):
            found = pattern.search(body)
            seconds = duration_s(found[1]) if found else None
            if seconds is not None:
                self._estimates.setdefault(rank, seconds)

    def _begin_picture(self, lower: str) -> None:
        if not (found := _THUMBNAIL.match(lower)):
            return
        width, height = int(found[1]), int(found[2])
        larger = width * height > self._thumbnail_size[0] * self._thumbnail_size[1]
        if larger and max(width, height) <= LARGEST_THUMBNAIL_PX:
            self._picture, self._picture_size, self._picture_chars = [], (width, height), 0

    def _take_picture_line(self, body: str) -> bool:
        """Return whether this comment still belongs to the picture that began before."""
        lines, self._picture = self._picture or [], None
        if _THUMBNAIL_END.match(body[:20].lower()):
            data = _image("".join(lines), self._picture_size)
            if data is not None:
                self.thumbnail, self._thumbnail_size = data, self._picture_size
            return True
        self._picture_chars += len(body)
        if not _BASE64.fullmatch(body) or self._picture_chars > _MOST_PICTURE_CHARS:
            return False
        lines.append(body)
        self._picture = lines
        return True


def _image(written: str, size: tuple[int, int]) -> bytes | None:
    """Return the image in this base64 text, None unless it is one and of this size."""
    try:
        data = base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        return None
    found = image_of(data)
    return data if found and (found.width, found.height) == size else None
