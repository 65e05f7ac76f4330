"""G-code on a USB stick beside a screen: listed and read, and nothing outside of it.

Every step into a folder is taken from an open one, and follows no link: a name can never lead out.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import nsmallest
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


@dataclass(frozen=True)
class Listing:
    """What is on a stick."""

    files: list[StickFile]
    """The newest first, 200 at most."""
    whole: bool
    """Whether everything could be read; else there may be more files than these."""


def files(folder: Path) -> Listing:
    """Return the G-code files of a stick and of its folders; what cannot be read is left out.

    :raises OSError: there is no stick (FileNotFoundError), or its folder cannot be read.
    """
    with _opened(os.open(folder, _FOLDER)) as root:
        looked = _Look(root)
        newest = nsmallest(MOST, looked.files(), key=lambda one: (-one.changed, one.name))
    return Listing(newest, looked.whole)


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


class _Look:
    """One look through a stick; ``whole`` until something could not be read."""

    def __init__(self, root: int) -> None:
        self.whole = True
        self._root = root

    def files(self) -> Iterator[StickFile]:
        """Yield the files, one at a time. :raises OSError: the stick itself cannot be listed."""
        with os.scandir(self._root) as entries:
            yield from self._files(self._root, entries, "")
        with os.scandir(self._root) as entries:
            folders = nsmallest(MOST, (one.name for one in entries if self._is_folder(one)))
        for name in folders:
            yield from self._inside(name)

    def _inside(self, name: str) -> Iterator[StickFile]:
        try:
            with (
                _opened(os.open(name, _FOLDER, dir_fd=self._root)) as inner,
                os.scandir(inner) as entries,
            ):
                yield from self._files(inner, entries, f"{name}/")
        except OSError:
            self.whole = False

    def _files(
        self, folder: int, entries: Iterable[os.DirEntry[str]], before: str
    ) -> Iterator[StickFile]:
        for entry in entries:
            if not (_is_plain(entry.name) and _is_gcode(entry.name)):
                continue
            try:
                about = os.stat(entry.name, dir_fd=folder, follow_symlinks=False)
            except OSError:  # one bad entry; the others can be taken all the same
                self.whole = False
                continue
            if stat.S_ISREG(about.st_mode):
                yield StickFile(before + entry.name, about.st_size, about.st_mtime)

    def _is_folder(self, entry: os.DirEntry[str]) -> bool:
        try:
            return _is_plain(entry.name) and entry.is_dir(follow_symlinks=False)
        except OSError:
            self.whole = False
            return False


def _is_gcode(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def _is_plain(name: str) -> bool:
    """Say whether a name is one step down, and can be shown: no hidden file, no odd byte."""
    return bool(name) and not name.startswith(".") and "/" not in name and name.isprintable()
