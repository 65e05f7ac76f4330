#!/usr/bin/env python3
"""Gives files or folders their owner, group and rights; never through a link, a folder is made.

    own.py file|folder MODE OWNER:GROUP BASE NAME...

Root does this in folders that belong to others: whoever took one over could put a link there that
leads to a file of root's. So each step below BASE is opened by itself (openat(2), O_NOFOLLOW), and
what was opened is changed. BASE lies in a folder of root's.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
import sys
from contextlib import ExitStack, suppress
from pathlib import PurePosixPath

_STEP = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def own(kind: str, mode: int, owner: tuple[int, int], base: str, name: str) -> None:
    """Give one file or folder to its owner.

    :raises OSError: it is a link, not there, or something else than it should be.
    """
    *above, last = PurePosixPath(name).parts
    if ".." in (*above, last):
        raise OSError("it would lead out of its place")
    with ExitStack() as stack:
        here = os.open(base, _STEP | os.O_DIRECTORY)
        stack.callback(os.close, here)
        for part in above:
            here = os.open(part, _STEP | os.O_DIRECTORY, dir_fd=here)
            stack.callback(os.close, here)
        if kind == "folder":
            with suppress(FileExistsError):
                os.mkdir(last, 0o700, dir_fd=here)
        found = os.open(last, _STEP | (os.O_DIRECTORY if kind == "folder" else 0), dir_fd=here)
        stack.callback(os.close, found)
        status = os.fstat(found)
        if kind == "file" and (not stat.S_ISREG(status.st_mode) or status.st_nlink != 1):
            raise OSError(f"{name} is no file, or has other names")
        os.fchown(found, *owner)
        os.fchmod(found, mode)  # last: a new owner takes some bits away


def main(words: list[str]) -> int:
    """Do it for every name; return the exit code."""
    kind, mode, owner, base, *names = words
    user, _, group = owner.partition(":")
    ids = (pwd.getpwnam(user).pw_uid, grp.getgrnam(group).gr_gid)
    for name in names:
        try:
            own(kind, int(mode, 8), ids, base, name)
        except OSError as error:
            sys.stderr.write(f"fabctl: {base}/{name} is left as it is: {error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
