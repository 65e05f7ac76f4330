"""Reading an archive, every byte held against its manifest."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from fabctl.backup import manifest as form
from fabctl.backup.cipher import decrypting
from fabctl.errors import InputError

_AGE = b"age-encryption.org/v1"
_AGE_ARMOR = b"-----BEGIN AGE ENCRYPTED"
_BLOCK = 1 << 20
_MANIFEST_MAX = 1 << 28

Take = Callable[[str, IO[bytes]], None]
"""Is given a member's name and its bytes."""


def is_encrypted(archive: Path) -> bool:
    """Say whether age is needed to read a file.

    :raises InputError: the file cannot be read.
    """
    try:
        with archive.open("rb") as stream:
            head = stream.read(len(_AGE_ARMOR))
    except OSError as error:
        raise InputError(f"{archive} cannot be read ({error.strerror})") from error
    return head.startswith((_AGE, _AGE_ARMOR))


def read_archive(archive: Path, identity: Path | None, take: Take) -> form.Manifest:
    """Hand out every file of an archive, then return its manifest, which agrees with them.

    What was handed out is to be believed only once this returns.

    :param identity: the file of age's identity, for an encrypted one.
    :raises InputError: it is none of ours, damaged, cut off or changed; or there is no identity.
    :raises LocalError: age is missing, or cannot decrypt it.
    """
    found: dict[str, tuple[int, str, int]] = {}
    manifest: form.Manifest | None = None
    try:
        with _opened(archive, identity) as tar:
            for member in tar:
                stream = _stream(tar, member, manifest)
                if member.name == form.NAME:
                    manifest = form.decode(stream.read(_MANIFEST_MAX))
                    continue
                hashing = _Reader(stream)
                take(member.name, hashing)  # type: ignore[arg-type]  # all that is asked is read()
                found[member.name] = (*hashing.rest(), member.mode)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # a disk that is full, a file that may not be written: not the archive's fault
        raise InputError(
            f"{archive.name} is damaged or cut off ({error})", next_step=_OTHER
        ) from error
    if manifest is None:
        raise InputError(f"{archive.name} is cut off: its last file is missing", next_step=_OTHER)
    _compare(archive.name, manifest, found)
    return manifest


_OTHER = "use another archive"


@contextmanager
def _opened(archive: Path, identity: Path | None) -> Iterator[tarfile.TarFile]:
    with ExitStack() as stack:
        if not is_encrypted(archive):
            stream: IO[bytes] = stack.enter_context(archive.open("rb"))
        elif identity is None:
            raise InputError(
                f"{archive.name} is encrypted",
                next_step="name the file of the key that may read it: --identity FILE",
            )
        else:
            stream = stack.enter_context(decrypting(archive, identity))
        unpacked = stack.enter_context(gzip.GzipFile(fileobj=stream, mode="rb"))
        yield stack.enter_context(tarfile.open(fileobj=unpacked, mode="r|"))
        while unpacked.read(_BLOCK):  # up to gzip's own check at the end
            pass


def _stream(
    tar: tarfile.TarFile, member: tarfile.TarInfo, manifest: form.Manifest | None
) -> IO[bytes]:
    if manifest is not None or not member.isreg() or not form.is_inside(member.name):
        raise InputError(f"{member.name!r} does not belong into an archive", next_step=_OTHER)
    stream = tar.extractfile(member)
    assert stream is not None  # noqa: S101  # it is a regular file
    return stream


class _Reader:
    """One member's bytes, with how many there were and their SHA-256."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._size = 0
        self._sha256 = hashlib.sha256()

    def read(self, size: int = _BLOCK) -> bytes:
        """Return the next bytes."""
        found = self._stream.read(size if size >= 0 else _BLOCK)
        self._size += len(found)
        self._sha256.update(found)
        return found

    def rest(self) -> tuple[int, str]:
        """Read to the end; return the size in bytes and the SHA-256."""
        while self.read():
            pass
        return self._size, self._sha256.hexdigest()


def _compare(name: str, manifest: form.Manifest, found: dict[str, tuple[int, str, int]]) -> None:
    entries = manifest.entries.items()
    said = {path: (one.size, one.sha256, one.rights.mode) for path, one in entries}
    wrong = sorted(path for path in said.keys() | found.keys() if said.get(path) != found.get(path))
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise InputError(
            f"{name} is not what its manifest says: {', '.join(wrong[:3])}{more}", next_step=_OTHER
        )
    databases = manifest.entries.keys() & {form.SQLITE, form.POSTGRESQL}
    if len(databases) != 1 or form.LAB_TOML not in manifest.entries:
        raise InputError(f"{name} holds no whole lab", next_step=_OTHER)
