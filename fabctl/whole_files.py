"""Files that are whole or not there, whatever stops their writer: kill -9, the power, a full disk.

The one place where small files are written. A file is written beside its place, forced to the
disk, put into its place in one step, and then the folder is forced to the disk too: a name that
is only in the kernel's memory goes with the power. What was there stands until then.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fabctl.errors import DiskFullError

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What the kernel answers when a disk, or somebody's share of it, is full."""


def write_whole(
    path: Path, content: bytes | str, *, mode: int = 0o666, shared: bool = False
) -> None:
    """Replace a file in one step; on return it is on the disk.

    :param mode: rights of the new file, less the umask.
    :param shared: several processes or threads may write it at once: the last one wins.
    :raises OSError: the disk is full, or not ours to write; the file that was there still stands.
    """
    half = half_of(path, shared=shared)
    try:
        write_half(half, content, mode=mode)
        half.replace(path)
    except OSError:
        with suppress(OSError):  # the first error is told; on a disk that fails both would
            half.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def half_of(path: Path, *, shared: bool = False) -> Path:
    """Return where a file is written before it takes its place; a hidden name, in its folder."""
    alone = f".{os.getpid()}-{threading.get_native_id()}" if shared else ""
    return path.with_name(f".{path.name}{alone}.new")


def write_half(half: Path, content: bytes | str, *, mode: int = 0o666) -> None:
    """Write a new file and force it to the disk; one that a dead process left there goes.

    :raises OSError: the disk is full, or not ours to write; nothing is left.
    """
    half.unlink(missing_ok=True)
    write_new(half, content, mode=mode)


def write_new(path: Path, content: bytes | str, *, mode: int = 0o666) -> None:
    """Write a file that is not there yet, and force it to the disk; its name is not, yet.

    :raises FileExistsError: it is there; it was not touched.
    :raises OSError: the disk is full, or not ours to write; nothing is left.
    """
    data = content.encode() if isinstance(content, str) else content
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            left = memoryview(data)
            while left:
                left = left[file.write(left) :]
            os.fsync(descriptor)
    except OSError as error:
        error.filename = error.filename or str(path)
        path.unlink(missing_ok=True)  # on a full disk its room is needed
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder outlast a power cut."""
    _sync(folder, os.O_DIRECTORY)


def sync_file(file: Path) -> None:
    """Make what is in a file, whose it is and its rights outlast a power cut."""
    _sync(file, 0)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Make a folder, and those above it, where there is none; their names are on the disk then.

    :param mode: rights of the folder itself, less the umask; those above have the usual ones.
    """
    missing = [one for one in (folder, *folder.parents) if not one.is_dir()]
    folder.mkdir(mode=mode, parents=True, exist_ok=True)
    for one in reversed(missing):
        sync_folder(one.parent)


# -- full disks --------------------------------------------------------------------------------


def is_full(error: BaseException) -> bool:
    """Say whether an error means that there is no room left."""
    return isinstance(error, OSError) and error.errno in NO_ROOM


def disk_of(path: Path) -> Path:
    """Return where the disk is mounted on which a file lies, or would lie."""
    path = path.absolute()
    while not path.exists():
        path = path.parent
    while not path.is_mount():
        path = path.parent
    return path


def disk_full(path: Path | None) -> DiskFullError:
    """Return the error to raise when a file could not be written for lack of room.

    :param path: the file; None: the kernel did not say which.
    """
    if path is None:
        return DiskFullError(
            "a disk is full; what was about to be written is not there",
            next_step="free some space: `df -h` and `fabctl doctor` say on which, then try again",
        )
    disk = disk_of(path)
    return DiskFullError(
        "the disk is full; nothing was changed",
        device=str(path),
        next_step=f"free some space on the disk mounted at {disk}, then try again",
        disk=disk,
    )


@contextmanager
def explaining_full_disk(path: Path) -> Iterator[None]:
    """Turn the kernel's error of a full disk into one that names the disk and says what to do.

    :raises DiskFullError: instead of an OSError of a full disk; others pass as they are.
    """
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise disk_full(path) from error
        raise
