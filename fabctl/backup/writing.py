"""Writing an archive: whole under its own name, or not there at all."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from fabctl.backup import manifest as form
from fabctl.backup.cipher import encrypting
from fabctl.whole_files import sync_folder

PART = ".part"
_LEVEL = 1
"""gzip's quickest: G-code shrinks to a third with it, and a Pi has slow cores."""


class _Hashing(io.RawIOBase):
    """A file that is read once, with its SHA-256."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        found = self._source.read(size)
        self.sha256.update(found)
        return found


class ArchiveWriter:
    """Takes files one after the other, and says what it took."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.entries: dict[str, form.Entry] = {}

    def add(self, name: str, file: Path, rights: form.Rights) -> form.Entry:
        """Add a file that does not change meanwhile."""
        with file.open("rb") as source:
            found = os.fstat(source.fileno())
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = found.st_size, found.st_mtime, rights.mode
            hashing = _Hashing(source)
            self._tar.addfile(member, hashing)
        entry = form.Entry(found.st_size, hashing.sha256.hexdigest(), rights)
        self.entries[name] = entry
        return entry

    def close(self, manifest: form.Manifest) -> None:
        """Add the manifest, the last member: without it an archive is torn."""
        raw = form.encode(manifest)
        member = tarfile.TarInfo(form.NAME)
        member.size, member.mtime, member.mode = len(raw), manifest.head.taken_at.timestamp(), 0o600
        self._tar.addfile(member, io.BytesIO(raw))


@contextmanager
def writing(target: Path, recipients: Sequence[str]) -> Iterator[ArchiveWriter]:
    """Yield a writer; afterwards the archive is on the disk under its name, or not at all.

    :raises OSError: it cannot be written.
    :raises LocalError: age is missing, or refuses.
    """
    part = target.with_name(f".{target.name}{PART}")
    with ExitStack() as stack:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        stack.callback(part.unlink, missing_ok=True)
        sink = stack.enter_context(os.fdopen(descriptor, "wb"))
        with _packing(recipients, sink) as tar:
            yield ArchiveWriter(tar)
        sink.flush()
        os.fsync(sink.fileno())
        part.replace(target)
    sync_folder(target.parent)


@contextmanager
def _packing(recipients: Sequence[str], sink: IO[bytes]) -> Iterator[tarfile.TarFile]:
    with ExitStack() as stack:
        below = stack.enter_context(encrypting(recipients, sink)) if recipients else sink
        packed = stack.enter_context(
            gzip.GzipFile(fileobj=below, mode="wb", compresslevel=_LEVEL, mtime=0)
        )
        with tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            yield tar
