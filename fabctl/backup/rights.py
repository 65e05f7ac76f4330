"""Whom files belong to, by name: as it was found, and as it is put back."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Callable
from pathlib import Path

from fabctl.backup.manifest import FILE_BITS, FOLDER_BITS, Rights


def rights_of(found: os.stat_result) -> Rights:
    """Return a file's or a folder's rights; whoever has no name is left out."""
    bits = FOLDER_BITS if stat.S_ISDIR(found.st_mode) else FILE_BITS
    return Rights(
        found.st_mode & bits,
        _named(lambda: pwd.getpwuid(found.st_uid).pw_name),
        _named(lambda: grp.getgrgid(found.st_gid).gr_name),
    )


def give(path: Path, rights: Rights, base: Path) -> None:
    """Give a file or a folder its rights; as root also its owner and group.

    A name that this computer does not know is replaced by whoever ``base`` belongs to.
    """
    if os.geteuid() == 0:
        usual = base.stat()
        os.chown(
            path,
            _number(lambda: pwd.getpwnam(rights.owner).pw_uid, usual.st_uid),
            _number(lambda: grp.getgrnam(rights.group).gr_gid, usual.st_gid),
        )
    path.chmod(rights.mode)  # last: a new owner takes some bits away


def _named(find: Callable[[], str]) -> str:
    try:
        return find()
    except KeyError:
        return ""


def _number(find: Callable[[], int], usual: int) -> int:
    try:
        return find()
    except KeyError:
        return usual
