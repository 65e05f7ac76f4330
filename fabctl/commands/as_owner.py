"""What root does in the lab's data directory is done as the user whom it belongs to."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def as_owner(folder: Path) -> Iterator[None]:
    """Act as a folder's owner until the end of the block; as ourselves where we are not root.

    SQLite's files beside a database belong to whoever opens it first: root's would keep the lab
    out. A database server that asks the system who we are sees the owner, too.
    """
    while not folder.exists():  # not made yet: whoever owns the one above makes it
        folder = folder.parent
    found = folder.stat()
    if os.geteuid() != 0 or found.st_uid == 0:
        yield
        return
    groups, gid = os.getgroups(), os.getegid()
    os.setgroups(_groups_of(found.st_uid, found.st_gid))
    os.setegid(found.st_gid)
    os.seteuid(found.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(gid)
        os.setgroups(groups)


def _groups_of(uid: int, gid: int) -> list[int]:
    try:
        return os.getgrouplist(pwd.getpwuid(uid).pw_name, gid)
    except KeyError:
        return [gid]
