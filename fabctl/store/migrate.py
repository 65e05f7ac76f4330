"""Bringing a database to the state this software needs, all of it or nothing."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from fabctl.clock import Clock, SystemClock
from fabctl.errors import LocalError
from fabctl.store.engine import (
    Database,
    is_sqlite,
    make_sqlite_file,
    open_database,
    parse_url,
)
from fabctl.store.snapshot import copy_sqlite, dump_postgresql
from fabctl.store.version import HEAD
from fabctl.whole_files import disk_full, explaining_full_disk, is_full

_STAMP = "%Y%m%dT%H%M%SZ"
_LOCK_NUMBER = 0x666162  # "fab": the advisory lock's number in PostgreSQL


@dataclass(frozen=True, slots=True)
class Scripts:
    """The migrations to apply: alembic's folder, and the newest of them."""

    folder: Path
    head: str


OURS = Scripts(Path(__file__).parent / "migrations", HEAD)


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What was done."""

    before: str | None
    """The migration the database stood at; None: it was empty."""
    after: str
    backup: Path | None
    """The copy made before; None when nothing was due, or there was nothing to lose."""

    @property
    def changed(self) -> bool:
        """Whether anything was due."""
        return self.before != self.after


def upgrade(
    url: str, backups: Path, clock: Clock | None = None, scripts: Scripts = OURS
) -> MigrationReport:
    """Apply every migration that is due, in one transaction, after a backup copy.

    Several programs may call this at once: one works, the others wait and find it done.
    The copy of an SQLite database is one, a PostgreSQL database's is pg_dump's.

    :raises LocalError: the database is newer than this software, is not fabctl's, is damaged,
        or cannot be written; it is left as it was.
    """
    address = parse_url(url)
    if is_sqlite(address):
        file = Path(str(address.database))
        _make_folder(file.parent)
        with _file_lock(file.with_name(f"{file.name}.migrate.lock")):
            _make_file(file)
            return _upgrade(url, scripts, lambda: _back_up(file, backups, clock or SystemClock()))
    return _upgrade(url, scripts, lambda: _dump(url, backups, clock or SystemClock()))


def require_current(database: Database) -> None:
    """Do nothing when the database is at this software's state.

    :raises LocalError: it is older (next step: ``fabctl migrate``), newer, or not ours.
    """
    found = revision(database)
    if found == HEAD:
        return
    if found is None or found < HEAD:
        raise LocalError(
            f"the database is at {found or 'nothing yet'}, this fabctl needs {HEAD}",
            next_step="run `fabctl migrate`",
        )
    raise _too_new(found)


def revision(database: Database) -> str | None:
    """Return the migration a database stands at; None for an empty one.

    :raises LocalError: it holds tables that are not fabctl's.
    """
    with database.reading() as session:
        return _revision(session.connection())


def _upgrade(url: str, scripts: Scripts, back_up: Callable[[], Path]) -> MigrationReport:
    database = open_database(url)
    try:
        # one transaction, and one lock, over looking, copying and changing
        with database.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK_NUMBER})"))
            before = _revision(connection)
            if before == scripts.head:
                return MigrationReport(before, before, None)
            if before is not None and before > scripts.head:
                raise _too_new(before)
            backup = back_up() if before else None
            _run(scripts, connection)
            return MigrationReport(before, scripts.head, backup)
    finally:
        database.close()


def _run(scripts: Scripts, connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415  # heavy, and only needed here
    from alembic.config import Config  # noqa: PLC0415  # the same
    from alembic.util import CommandError  # noqa: PLC0415  # the same

    config = Config()
    config.set_main_option("script_location", str(scripts.folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, scripts.head)
    except CommandError as error:
        raise LocalError(f"the database cannot be migrated: {error}") from error


def _revision(connection: Connection) -> str | None:
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return None if found is None else str(found)
    if tables:
        raise LocalError(
            "this database belongs to another program",
            next_step="give fabctl a database of its own: [database] url in lab.toml",
        )
    return None


def _too_new(found: str) -> LocalError:
    return LocalError(
        f"the database is at {found}, newer than this fabctl ({HEAD}); it was not touched",
        next_step="install the newer fabctl again, or put back the copy made before it",
    )


def _make_folder(folder: Path) -> None:
    try:
        with explaining_full_disk(folder):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LocalError(
            f"the folder {folder} cannot be made ({error.strerror})",
            next_step="make it, and let the user of fabctl write there",
        ) from error


def _make_file(file: Path) -> None:
    try:
        with explaining_full_disk(file):
            make_sqlite_file(file)
    except OSError as error:
        raise LocalError(
            f"the database {file} cannot be opened ({error.strerror})",
            next_step="let the user of fabctl read and write it",
        ) from error


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    """Hold a lock that ends with the process, whatever happens to it."""
    try:
        with explaining_full_disk(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LocalError(
            f"the folder {path.parent} may not be written ({error.strerror})",
            next_step="let the user of fabctl write there",
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _back_up(file: Path, backups: Path, clock: Clock) -> Path:
    """Copy the database as it is, sound and whole, to ``backups/lab-<UTC time>.db``.

    :raises LocalError: the database is damaged, or the copy cannot be written.
    """
    target = backups / f"{file.stem}-{clock.now().strftime(_STAMP)}.db"
    return _written(target, lambda part: copy_sqlite(file, part))


def _dump(url: str, backups: Path, clock: Clock) -> Path:
    """Let pg_dump write the database as it is to ``backups/<name>-<UTC time>.pgdump``.

    :raises LocalError: pg_dump is missing or fails, or the copy cannot be written.
    """
    name = parse_url(url).database or "lab"
    target = backups / f"{name}-{clock.now().strftime(_STAMP)}.pgdump"
    return _written(target, lambda part: dump_postgresql(url, part))


def _written(target: Path, write: Callable[[Path], None]) -> Path:
    _make_folder(target.parent)
    part = target.with_suffix(".part")
    try:
        part.unlink(missing_ok=True)  # of a process that died half-way
        write(part)
        part.replace(target)
    except (sqlite3.Error, OSError) as error:
        if is_full(error) or getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":
            raise disk_full(target) from error
        raise LocalError(
            f"no backup copy could be written to {target.parent} ({error}); nothing was changed",
            next_step="let the user of fabctl write there",
        ) from error
    finally:
        with suppress(OSError):  # a folder that may not be written: that was told
            part.unlink(missing_ok=True)
    return target
