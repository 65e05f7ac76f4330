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


def listed_as_held(listed: str, major: int, minor: int, inode: int) -> bool:
    """Say whether a list of locks names one that somebody holds on this file."""
    return any(_names(line.split(), major, minor, inode) for line in listed.splitlines())


def _names(words: list[str], major: int, minor: int, inode: int) -> bool:
    if len(words) < 6 or words[1] != "FLOCK":  # a lock that is waited for has an arrow there
        return False
    place = words[5].split(":")
    if len(place) != 3:
        return False
    return (int(place[0], 16), int(place[1], 16), int(place[2])) == (major, minor, inode)
