"""Secrets on disk. A signing key is read once, and again when somebody replaced the file.

``fabctl key rotate`` puts a new file in the old one's place. Whoever asks a :class:`KeyFile` for
the key each time it needs it works with the new one from then on, without being told.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path

from fabctl.errors import LocalError
from fabctl.whole_files import half_of, make_folder, sync_folder, write_half

KEY_BYTES = 32


def read_key(path: Path) -> bytes:
    """Return a key, 32 bytes.

    :raises LocalError: the file is absent, unreadable or not 64 hex digits.
    """
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError) as error:
        raise LocalError(
            f"the signing key {path} cannot be read: {error}",
            next_step="`fabctl run` makes the keys of a new lab; copy them to the other hosts",
        ) from error
    if len(key) != KEY_BYTES:
        raise LocalError(f"the signing key {path} holds {len(key)} bytes", limit="32 bytes")
    return key


def read_words(path: Path, next_step: str) -> str:
    """Return what a small file holds, such as a password or a certificate, without space around.

    :param next_step: what to do where there is none.
    :raises LocalError: it cannot be read.
    """
    try:
        return path.read_text().strip()
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror}", next_step=next_step) from error


def make_secret(path: Path) -> bool:
    """Write 32 random bytes as hex digits (0600) where there is no file; say whether it did.

    The file appears whole or not at all, and never replaces one that is there.
    """
    if path.exists():
        return False
    half = _written_beside(path)
    try:
        os.link(half, path)
    except FileExistsError:
        return False
    finally:
        half.unlink()
    sync_folder(path.parent)
    return True


def replace_secret(path: Path) -> None:
    """Put 32 new random bytes in the place of a key; at no moment is there no key.

    Whoever could read the old one can read the new one: owner, group and rights stay (0600 where
    there was none). An installed lab gives each key to the one process that needs it.

    :raises OSError: it cannot be written; the old key still stands.
    """
    half = _written_beside(path)
    try:
        _give_to_the_same(path, half)
        half.replace(path)
    except OSError:
        half.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _written_beside(path: Path) -> Path:
    make_folder(path.parent, 0o700)
    half = half_of(path, shared=True)
    write_half(half, secrets.token_hex(KEY_BYTES) + "\n", mode=0o600)
    return half


def _give_to_the_same(old: Path, new: Path) -> None:
    """Give a file that we wrote the owner, the group and the rights of the one that it replaces.

    Root does this in a folder that belongs to the lab: what stands there meanwhile instead of our
    file, such as a link, gets nothing.

    :raises OSError: it is not the file that we wrote.
    """
    try:
        was = old.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(was.st_mode):
        raise OSError(errno.ELOOP, "it is a link", str(old))
    descriptor = os.open(new, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        now = os.fstat(descriptor)
        if now.st_uid != os.geteuid() or now.st_nlink != 1 or not stat.S_ISREG(now.st_mode):
            raise OSError(errno.EPERM, "it is another file than was written", str(new))
        if (was.st_uid, was.st_gid) != (now.st_uid, now.st_gid):
            os.fchown(descriptor, was.st_uid, was.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(was.st_mode))
    finally:
        os.close(descriptor)


class KeyFile:
    """One key; one ``stat`` per question."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int] | None = None
        self._key = b""

    def key(self) -> bytes:
        """Return the key as it stands in the file now.

        :raises LocalError: it cannot be read (any more).
        """
        try:
            found = self.path.stat()
        except OSError as error:
            self._seen = None
            raise LocalError(f"the signing key {self.path} cannot be read: {error}") from error
        seen = (found.st_ino, found.st_mtime_ns)
        if seen != self._seen:
            self._key = read_key(self.path)
            self._seen = seen
        return self._key
