"""``fabctl backup``: one archive of a lab that runs, then the rotation."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

import fabctl
from fabctl.backup import manifest as form
from fabctl.backup.gathering import Gathering, sqlite_file
from fabctl.backup.rotation import Named, archive_name, archives, to_forget
from fabctl.backup.writing import PART, writing
from fabctl.clock import Clock
from fabctl.config import LabConfig
from fabctl.errors import LocalError
from fabctl.hosting.locks import FolderLock
from fabctl.store.engine import open_database
from fabctl.store.migrate import revision
from fabctl.store.tables import JobFile

_STAGING = "backup-"
_LINKS = "backup-links-"
_LOCK = ".backup.lock"
_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Made:
    """What was done."""

    archive: Path
    size: int
    """Bytes of the archive on the disk."""
    manifest: form.Manifest
    damaged: tuple[str, ...]
    """Job files whose bytes are not those they are named by; they are in the archive as found."""
    forgotten: tuple[Path, ...]
    """Older archives that the rotation deleted."""


def make_backup(config: LabConfig, clock: Clock) -> Made:
    """Write one archive of a lab, and delete those that the rotation does not need any more.

    The lab may run. Nothing older goes before the new archive is on the disk.

    :raises LocalError: another backup is under way, the disk is full, the database is damaged,
        or a program (age, pg_dump) is missing; there is no new archive then.
    """
    folder = config.backup.directory
    try:
        for one in (config.paths.tmp, folder):  # the data directory first: whose it is counts
            if not one.is_dir():
                one.mkdir(mode=0o700, parents=True, exist_ok=True)
                _give_to_lab(one, config)
        lock = FolderLock(folder / _LOCK)
        _give_to_lab(folder / _LOCK, config)
        lock.take(f"the backup folder {folder}", patience_s=_PATIENCE_S)
        try:
            _sweep(config)
            made = _make(config, clock)
        finally:
            lock.give_back()
    except (OSError, sqlite3.OperationalError) as error:
        raise _explained(config, error) from error
    return made


def newest_backup(config: LabConfig) -> Named | None:
    """Return what the newest archive's name says; None: there is none, or no folder."""
    with suppress(OSError):
        found = archives((one.name for one in config.backup.directory.iterdir()), config.id)
        return found[0] if found else None
    return None


def _make(config: LabConfig, clock: Clock) -> Made:
    head, on_record = _head(config, clock)
    folder = config.backup.directory
    name = archive_name(config.id, head.taken_at, encrypted=bool(config.backup.recipients))
    folder_of_jobs = f"{form.DATA}{config.paths.files.name}/"
    damaged = []
    with (
        _folders(config) as (staging, links),
        writing(folder / name, config.backup.recipients) as to,
    ):
        gathering = Gathering(config, staging, links)
        for path, file, rights in gathering.files():
            entry = to.add(path, file, rights)
            if path.startswith(folder_of_jobs) and entry.sha256 != Path(path).stem:
                damaged.append(path)
            if file.parent == staging:
                file.unlink()  # the space is needed
        missing = [
            one for one in sorted(on_record) if f"{folder_of_jobs}{one}.gcode" not in to.entries
        ]
        unread = tuple(gathering.unread)
        manifest = form.Manifest(head, to.entries, gathering.folders, tuple(missing), unread)
        to.close(manifest)
    _give_to_lab(folder / name, config)
    size = (folder / name).stat().st_size
    return Made(folder / name, size, manifest, tuple(damaged), _forget(config, name))


def _head(config: LabConfig, clock: Clock) -> tuple[form.Head, set[str]]:
    """Return the manifest's head, and the SHA-256 of every job file on record."""
    file = sqlite_file(config)
    if file is not None and not file.is_file():
        raise LocalError(f"there is no database {file}", next_step="start the lab: `fabctl run`")
    database = open_database(config.database_url)
    try:
        found = revision(database)
        if found is None:
            raise LocalError("the database is empty", next_step="start the lab: `fabctl run`")
        with database.reading() as session:
            on_record = set(session.scalars(select(JobFile.sha256)))
    finally:
        database.close()
    name = "lab.db"
    if file is not None and file.is_relative_to(config.data_directory):
        name = str(file.relative_to(config.data_directory))
    head = form.Head(config.id, config.name, clock.now(), fabctl.__version__, found, name)
    return head, on_record


@contextmanager
def _folders(config: LabConfig) -> Iterator[tuple[Path, Path]]:
    """Yield a folder for copies and one for links of job files; both are gone afterwards.

    They lie in the data directory: the archives' folder may be a stick that is to hold nothing
    in the clear.
    """
    tmp = config.paths.tmp
    with ExitStack() as stack:
        staging = tempfile.TemporaryDirectory(prefix=_STAGING, dir=tmp)
        links = tempfile.TemporaryDirectory(prefix=_LINKS, dir=tmp)
        yield Path(stack.enter_context(staging)), Path(stack.enter_context(links))


def _give_to_lab(path: Path, config: LabConfig) -> None:
    """As root, let what was made belong to the lab's user, who makes the next backup."""
    if os.geteuid() == 0:
        owner = config.data_directory.stat()
        with suppress(PermissionError):  # a stick whose file system knows no owners
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _sweep(config: LabConfig) -> None:
    """Delete what a backup that was killed left behind; the lock says that none is under way."""
    for part in config.backup.directory.glob(f".lab-*{PART}"):
        part.unlink()
    for folder in config.paths.tmp.glob(f"{_STAGING}*"):
        shutil.rmtree(folder)


def _forget(config: LabConfig, made: str) -> tuple[Path, ...]:
    """Delete what the rotation does not need; never what was made, whatever the clock said."""
    folder = config.backup.directory
    names = [one.name for one in folder.iterdir()]
    old = to_forget(names, config.id, config.backup.keep, config.time_zone)
    doomed = [one for one in old if one.name != made]
    for one in doomed:
        (folder / one.name).unlink()
    return tuple(folder / one.name for one in doomed)


def cannot_write(places: Sequence[Path], error: OSError) -> LocalError:
    """Return what to say when there is no new archive; of two full disks, the fuller is named."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        there = [one for one in places if one.is_dir()]
        full = min(there, key=lambda one: shutil.disk_usage(one).free, default=places[0])
        return LocalError(
            f"the disk of {full} is full; there is no new backup, the older ones stand",
            next_step="free some space, or keep fewer: [backup] daily, weekly, monthly in lab.toml",
        )
    where = f"{error.filename}: " if error.filename else ""
    return LocalError(
        f"there is no new backup ({where}{error.strerror or error}), the older ones stand",
        next_step=f"let the user of fabctl write to {places[0]} and read the lab's files",
    )


def _explained(config: LabConfig, error: OSError | sqlite3.OperationalError) -> LocalError:
    places = (config.backup.directory, config.paths.tmp)
    if isinstance(error, OSError):
        return cannot_write(places, error)
    full = error.sqlite_errorname == "SQLITE_FULL"
    return cannot_write(places, OSError(errno.ENOSPC if full else errno.EIO, str(error)))
