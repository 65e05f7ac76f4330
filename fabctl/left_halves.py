"""Half-written files of processes that were killed while they wrote (``whole_files.half_of``)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

LEFT_AFTER = timedelta(hours=1)
"""Nobody writes a small file for so long."""
_SHARED = re.compile(r"\..+\.\d+-\d+\.new")
"""What several may write at once. Others are overwritten by whoever writes the file next."""


def is_half(file: Path) -> bool:
    """Say whether a file is one that several may write at once, not whole yet."""
    return _SHARED.fullmatch(file.name) is not None


def left_halves(folder: Path, now: datetime) -> list[Path]:
    """Return the halves in a folder that nobody will finish; none where there is no folder."""
    return [file for file in sorted(folder.glob(".*.new")) if is_half(file) and _is_old(file, now)]


def _is_old(file: Path, now: datetime) -> bool:
    try:
        written = file.lstat().st_mtime
    except FileNotFoundError:  # it has just taken its place
        return False
    return datetime.fromtimestamp(written, UTC) <= now - LEFT_AFTER
