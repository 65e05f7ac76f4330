"""Who holds a lock file of ours, read from the kernel's list; no lock is touched for it.

A line of ``/proc/locks`` (proc_locks(5)): ``1: FLOCK  ADVISORY  WRITE 708 00:13:2546 0 EOF``, with
the holder's process and the file's device (hexadecimal) and inode. ``->`` marks one that waits.
"""

from __future__ import annotations

import os
from pathlib import Path

LOCKS = Path("/proc/locks")


def is_held(lock: Path, locks: Path = LOCKS) -> bool | None:
    """Say whether a process of this computer holds a lock file; None: that cannot be seen.

    A file that is not there was never locked here: the process may run on another computer.
    """
    try:
        found = lock.stat()
        listed = locks.read_text()
    except OSError:
        return None
    return listed_as_held(listed, os.major(found.st_dev), os.minor(found.st_dev), found.st_ino)


def listed_as_held(listed: str, major: int, minor: int, inode: int) -> bool | None:
    """Say whether a list of locks names one that somebody holds on this file.

    None: one is held on a file of this number on another device. Btrfs and overlayfs show another
    one to ``stat`` than to the list (stat(2), "st_dev"), so it may be this file.
    """
    places = [place for line in listed.splitlines() if (place := _place(line.split()))]
    if (major, minor, inode) in places:
        return True
    return None if any(place[2] == inode for place in places) else False


def _place(words: list[str]) -> tuple[int, int, int] | None:
    """Return device and inode of a line's lock; None: it is another kind, or is waited for."""
    if len(words) < 6 or words[1] != "FLOCK":  # a lock that is waited for has an arrow there
        return None
    place = words[5].split(":")
    if len(place) != 3:
        return None
    return int(place[0], 16), int(place[1], 16), int(place[2])
