"""What belongs to a lab: its database at one moment, its files, its keys, lab.toml."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fabctl.backup import manifest as form
from fabctl.backup.rights import rights_of
from fabctl.config import LabConfig
from fabctl.errors import LocalError
from fabctl.store.engine import is_sqlite, parse_url
from fabctl.store.snapshot import copy_sqlite, dump_postgresql

_SQLITE_HEAD = b"SQLite format 3\0"
_HEAD_BYTES = 20
_NOT_KEPT = frozenset({"tmp", "backups", "sim"})
"""Folders right below the data directory: uploads under way, copies, a demo's simulators."""
_PROJECTION = frozenset({"broker/mosquitto.db", "broker/mosquitto.db.new"})
"""What the private broker keeps is said again by those who said it."""
_COMPANIONS = ("-wal", "-shm", "-journal", ".migrate.lock")


def sqlite_file(config: LabConfig) -> Path | None:
    """Return the file of an SQLite database; None: it is PostgreSQL."""
    address = parse_url(config.database_url)
    return Path(str(address.database)) if is_sqlite(address) else None


def named_files(value: Any) -> Iterator[Path]:
    """Return every path that a configuration names, wherever in it."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from named_files(one)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from named_files(getattr(value, field.name))


class Gathering:
    """A lab's files as they are put together for one archive.

    :param staging: an empty folder for copies, for as long as the archive is written.
    :param links: an empty folder on the file system of the job files: they are linked, so that
        none goes while the archive is written.
    """

    def __init__(self, config: LabConfig, staging: Path, links: Path) -> None:
        self._config = config
        self._staging = staging
        self._links = links
        self._numbers = 0
        self.folders: dict[str, form.Rights] = {}
        """Those of the data directory, once all files were handed out."""
        self.unread: list[str] = []
        """What may not be read, once all files were handed out."""

    def files(self) -> Iterator[tuple[str, Path, form.Rights]]:
        """Return the name of each file in the archive, a copy that does not change, its rights.

        The database is one moment of the lab. A job file that it names was on the disk then: they
        are linked before and after, and go a day after they came at the earliest.

        :raises LocalError: the database is damaged, or a file cannot be copied.
        """
        self._link_jobs()
        yield self._database()
        self._link_jobs()
        yield form.LAB_TOML, *self._copied(self._config.file)
        data = self._config.data_directory
        named = [(self._name_of(file), file) for file in sorted(self._named())]
        others = [(form.DATA + str(file.relative_to(data)), file) for file in self._others()]
        for name, file in [*named, *others]:
            if name and (copy := self._copied_if_possible(file)) is not None:
                yield name, *copy
        for file in sorted(self._links.rglob("*")):
            if file.is_file():
                yield form.DATA + str(file.relative_to(self._links)), file, rights_of(file.stat())

    def _database(self) -> tuple[str, Path, form.Rights]:
        file = sqlite_file(self._config)
        if file is None:
            dump_postgresql(self._config.database_url, self._staging / form.POSTGRESQL)
            return form.POSTGRESQL, self._staging / form.POSTGRESQL, form.Rights(0o600)
        if not file.is_file():
            raise LocalError(
                f"there is no database {file}", next_step="start the lab once: `fabctl run`"
            )
        copy_sqlite(file, self._staging / form.SQLITE)
        return form.SQLITE, self._staging / form.SQLITE, rights_of(file.stat())

    def _link_jobs(self) -> None:
        paths = self._config.paths
        for folder in (paths.files, paths.previews):
            if not folder.is_dir():
                continue
            self.folders[form.DATA + folder.name] = rights_of(folder.stat())
            for file in sorted(folder.glob("*")):
                link = self._links / folder.name / file.name
                link.parent.mkdir(exist_ok=True)
                if not self._is_link(file) and file.is_file() and not link.exists():
                    _link(file, link)

    def _named(self) -> set[Path]:
        """Return the files that lab.toml names, also those of the folder of passwords."""
        found = set(named_files(self._config))
        folder = self._config.broker.password_folder
        if folder is not None:
            for _, _, names in os.walk(folder, onerror=self._note):
                found |= {folder / name for name in names if name.endswith(".password")}
                break  # its own files only
        return found

    def _others(self) -> list[Path]:
        """Return what lies in the data directory beside job files and the database."""
        data, database = self._config.data_directory, sqlite_file(self._config)
        paths = self._config.paths
        no_files = {paths.run_lock, paths.files, paths.previews}
        if database is not None:
            no_files |= {database, *(Path(f"{database}{suffix}") for suffix in _COMPANIONS)}
        no_files.add(self._config.file)
        left_out = {data / name for name in _NOT_KEPT} | {self._config.backup.directory}
        found = []
        for folder, folders, names in os.walk(data, onerror=self._note):
            here = Path(folder)
            inside = "" if here == data else str(here.relative_to(data))
            self.folders[form.DATA + inside] = rights_of(here.stat())
            folders[:] = sorted(name for name in folders if here / name not in left_out | no_files)
            found += [here / name for name in sorted(names) if here / name not in no_files]
            for name in folders:
                self._is_link(here / name)
        return [one for one in found if _is_kept(one, data) and not self._is_link(one)]

    def _is_link(self, file: Path) -> bool:
        """Say whether a file is a link: what it leads to is not the lab's; it is named."""
        found = os.path.islink(file)  # noqa: PTH114  # quiet in a closed folder
        if found and str(file) not in self.unread:
            self.unread.append(str(file))
        return found

    def _name_of(self, file: Path) -> str | None:
        """Return the name of a file that lab.toml names; None: it comes with the data."""
        if file == self._config.file or file.is_relative_to(self._config.data_directory):
            return None
        if file.is_relative_to(self._config.file.parent):
            return form.BESIDE + str(file.relative_to(self._config.file.parent))
        return form.ELSEWHERE + str(file.absolute()).lstrip("/")

    def _copied_if_possible(self, file: Path) -> tuple[Path, form.Rights] | None:
        try:
            return self._copied(file) if file.is_file() else None
        except FileNotFoundError:
            return None  # a mark of a running job: it went meanwhile
        except PermissionError as error:
            self._note(error)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname == "SQLITE_FULL":
                raise
            self.unread.append(str(file))  # its log may not be read
        return None

    def _note(self, error: OSError) -> None:
        self.unread.append(str(error.filename))

    def _copied(self, file: Path) -> tuple[Path, form.Rights]:
        """Copy a file that may change; a database as one moment of it."""
        self._numbers += 1
        target = self._staging / str(self._numbers)
        with file.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
            rights = rights_of(os.fstat(stream.fileno()))
        if not (_may_be_written(file, head) and _is_copied_as_one_moment(file, target)):
            shutil.copyfile(file, target)
        return target, rights


def _may_be_written(file: Path, head: bytes) -> bool:
    """Say whether a file is a database that somebody may have open.

    One of the kind with a write-ahead log has it beside it then (fileformat2, "Write version").
    Opening it would make one, where that may be done.
    """
    has_log_kind = head[len(_SQLITE_HEAD) + 2 :] == b"\2\2"
    return head.startswith(_SQLITE_HEAD) and (not has_log_kind or Path(f"{file}-wal").exists())


def _is_copied_as_one_moment(file: Path, target: Path) -> bool:
    """Copy a database that is not the lab's; False: it is damaged, somebody may want to see it.

    :raises sqlite3.OperationalError: the copy cannot be written, or its log may not be read.
    """
    try:
        copy_sqlite(file, target)
    except LocalError:
        target.unlink()
        return False
    return True


def _is_kept(file: Path, data: Path) -> bool:
    name = str(file.relative_to(data))
    is_lock = file.name == "lock" or name.endswith(".lock")
    return name not in _PROJECTION and not is_lock and not name.endswith(_COMPANIONS)


def _link(file: Path, link: Path) -> None:
    try:
        os.link(file, link)
    except FileNotFoundError:
        return  # nobody needs it any more
    except OSError as error:
        raise LocalError(
            f"the job file {file} cannot be linked ({error.strerror})",
            next_step="keep the data directory on a file system of Linux, such as ext4",
        ) from error
