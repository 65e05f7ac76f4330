"""``fabctl backup verify``: whether an archive would bring the lab back."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fabctl.backup import manifest as form
from fabctl.backup.reading import is_encrypted, read_archive
from fabctl.errors import InputError
from fabctl.store.snapshot import postgresql_dump_revision, sqlite_revision, sqlite_troubles
from fabctl.store.version import HEAD
from fabctl.whole_files import explaining_full_disk

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found in a sound archive."""

    manifest: form.Manifest

    @property
    def needs_migrating(self) -> bool:
        """Whether its database is older than this fabctl."""
        return self.manifest.head.revision < HEAD


def verify(archive: Path, identity: Path | None = None) -> Verdict:
    """Read all of an archive, hold every file against its hash, and open the database.

    The database is unpacked beside the archive meanwhile. One that is encrypted goes where
    temporary files go: its folder may be a stick that is to hold nothing in the clear.

    :raises InputError: it is damaged, changed, cut off, encrypted without an identity, or its
        database is newer than this fabctl.
    :raises LocalError: a program (age, pg_restore) is missing, or there is no room to unpack it.
    """
    apart = is_encrypted(archive) or not os.access(archive.parent, os.W_OK)
    beside = None if apart else archive.parent
    with (
        explaining_full_disk(beside or Path(tempfile.gettempdir())),
        tempfile.TemporaryDirectory(prefix=".verify-", dir=beside) as folder,
    ):
        file = Path(folder) / "database"

        def take(name: str, stream: IO[bytes]) -> None:
            if name in {form.SQLITE, form.POSTGRESQL}:
                write_out(stream, file)

        manifest = read_archive(archive, identity, take)
        check_database(archive.name, manifest, file)
    return Verdict(manifest)


def check_database(archive: str, manifest: form.Manifest, file: Path) -> None:
    """Do nothing when an archive's database is sound and as old as its manifest says.

    SQLite's is looked at page by page and row by row. A dump of PostgreSQL's is read to its end;
    only PostgreSQL itself can look further, when it is put back.

    :raises InputError: it is not, or it is newer than this fabctl.
    """
    if manifest.database == form.SQLITE:
        troubles = sqlite_troubles(file)
        if troubles:
            raise InputError(f"the database in {archive} is damaged: {'; '.join(troubles[:3])}")
        found = sqlite_revision(file)
    else:
        found = postgresql_dump_revision(file)
    said = manifest.head.revision
    if found != said:
        raise InputError(f"the database in {archive} is at {found}, its manifest says {said}")
    if said > HEAD:
        raise InputError(
            f"the database in {archive} is at {said}, newer than this fabctl ({HEAD})",
            next_step="install the fabctl that wrote it, or a newer one",
        )


def write_out(stream: IO[bytes], target: Path, mode: int = 0o600) -> None:
    """Write what is left of a stream to a new file."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        while block := stream.read(_BLOCK):
            file.write(block)
