"""G-code on a USB stick beside a screen: listed and read, and nothing outside of it.

Every step into a folder is taken from an open one, and follows no link: a name can never lead out.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

SUFFIXES = (".gcode", ".bgcode", ".gco", ".g", ".nc", ".ngc", ".tap")
MOST = 200
"""Files that are listed."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class StickFile:
    """One file that can be taken."""

    name: str
    """Below the stick's folder: ``part.gcode`` or ``folder/part.gcode``."""
    size: int
    """Bytes."""
    changed: float
    """Seconds since 1970, as the stick says."""


def files(folder: Path) -> list[StickFile]:
    """Return the G-code files of a stick and of its folders, the newest first, 200 at most.

    :raises OSError: there is no stick, or it cannot be read.
    """
    found = []
    with _opened(os.open(folder, _FOLDER)) as root:
        found += _files_in(root, "")
        for name in _folders_in(root):
            with _opened(os.open(name, _FOLDER, dir_fd=root)) as inner:
                found += _files_in(inner, f"{name}/")
    return sorted(found, key=lambda one: (-one.changed, one.name))[:MOST]


@contextmanager
def opened(folder: Path, name: str) -> Iterator[BinaryIO]:
    """Open one file as :func:`files` names it.

    :raises FileNotFoundError: the name is none of a G-code file there.
    :raises OSError: the stick cannot be read.
    """
    parts = name.split("/")
    if len(parts) > 2 or not all(map(_is_plain, parts)) or not _is_gcode(parts[-1]):
        raise FileNotFoundError(name)
    with _opened(os.open(folder, _FOLDER)) as root:
        if len(parts) == 1:
            descriptor = os.open(parts[0], _FILE, dir_fd=root)
        else:
            with _opened(os.open(parts[0], _FOLDER, dir_fd=root)) as inner:
                descriptor = os.open(parts[1], _FILE, dir_fd=inner)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileNotFoundError(name)
        yield file


@contextmanager
def _opened(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _files_in(folder: int, before: str) -> list[StickFile]:
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if _is_gcode(entry.name) and _is_plain(entry.name):
                about = os.stat(entry.name, dir_fd=folder, follow_symlinks=False)
                if stat.S_ISREG(about.st_mode):
                    found.append(StickFile(before + entry.name, about.st_size, about.st_mtime))
    return found


def _folders_in(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(
            entry.name
            for entry in entries
            if _is_plain(entry.name) and entry.is_dir(follow_symlinks=False)
        )[:MOST]


def _is_gcode(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def _is_plain(name: str) -> bool:
    """Say whether a name is one step down, and can be shown: no hidden file, no odd byte."""
    return bool(name) and not name.startswith(".") and "/" not in name and name.isprintable()
