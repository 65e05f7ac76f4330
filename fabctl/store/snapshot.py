"""A sound copy of a database that is used: SQLite's online backup, PostgreSQL's programs."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine.url import URL

from fabctl.errors import LocalError
from fabctl.store.engine import parse_url

_PASSWORD = "password"  # noqa: S105  # the name of libpq's parameter
_DAMAGED = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB"})


def copy_sqlite(file: Path, target: Path) -> None:
    """Write one moment of a database that others may be writing to a new file (0600), checked.

    The copy is one file, without the companions of a write-ahead log.

    :raises LocalError: the database is damaged.
    :raises sqlite3.Error, OSError: it cannot be read, or the copy cannot be written.
    """
    os.close(os.open(target, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o600))
    source_address = f"{file.resolve().as_uri()}?mode=ro"
    try:
        with (
            closing(sqlite3.connect(source_address, uri=True)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            found = copy.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname not in _DAMAGED:
            raise
        found = str(error)
    if found != "ok":
        raise LocalError(
            f"the database file is damaged ({found})",
            next_step="put the newest sound copy of the backups folder in its place",
        )


def sqlite_troubles(file: Path) -> list[str]:
    """Return what is wrong with a database that nobody uses; looks at every page and every row."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as found:
            wrong = [str(row[0]) for row in found.execute("PRAGMA integrity_check")]
            orphans = found.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.Error as error:
        return [str(error)]
    troubles = [] if wrong == ["ok"] else wrong
    return troubles + [
        f"a row of {row[0]} names one of {row[2]} that is not there" for row in orphans
    ]


def sqlite_revision(file: Path) -> str | None:
    """Return the migration a database stands at; None: it says none."""
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as found:
        try:
            row = found.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            return None
    return None if row is None else str(row[0])


def dump_postgresql(url: str, target: Path) -> None:
    """Write one moment of a PostgreSQL database to a new file (0600), in pg_dump's own format.

    :raises LocalError: pg_dump is missing, older than the server, or failed.
    """
    os.close(os.open(target, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o600))
    address = parse_url(url)
    # not compressed: the archive is
    words = ["pg_dump", "--format=custom", "--compress=0", "--no-password", f"--file={target}"]
    _run([*words, f"--dbname={_plain(address)}"], address)


def restore_postgresql(url: str, dump: Path) -> None:
    """Fill an empty PostgreSQL database from :func:`dump_postgresql`'s file, all or nothing.

    :raises LocalError: pg_restore is missing or failed; the database is as it was.
    """
    address = parse_url(url)
    words = ["pg_restore", "--no-owner", "--no-privileges", "--single-transaction"]
    words += ["--exit-on-error", "--no-password"]
    _run([*words, f"--dbname={_plain(address)}", str(dump)], address)


def postgresql_dump_revision(dump: Path) -> str | None:
    """Return the migration that a dump stands at, after reading all of it; None: it says none.

    :raises LocalError: pg_restore is missing, or cannot read the file.
    """
    _run(["pg_restore", "--file=/dev/null", str(dump)], None)
    words = ["pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(dump)]
    lines = _run(words, None).splitlines()
    heads = [number for number, line in enumerate(lines) if line.startswith("COPY ")]
    return lines[heads[0] + 1].strip() if heads else None


def _plain(address: URL) -> str:
    """Return the address for PostgreSQL's programs, without the password: others see arguments."""
    query = {key: value for key, value in address.query.items() if key != _PASSWORD}
    shown = URL.create(
        "postgresql", address.username, None, address.host, address.port, address.database, query
    )
    return shown.render_as_string(hide_password=False)


def _password(address: URL) -> str | None:
    """Return the password, which may also stand behind the question mark (libpq)."""
    behind = address.query.get(_PASSWORD)
    found = address.password if behind is None else behind
    return None if found is None else str(found)


def _run(words: Sequence[str], address: URL | None) -> str:
    environment = dict(os.environ)
    password = None if address is None else _password(address)
    if password is not None:
        environment["PGPASSWORD"] = password
    try:
        done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    except FileNotFoundError as error:
        raise LocalError(
            f"the program {words[0]} is missing",
            next_step="install it: apt install postgresql-client",
        ) from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing"]
        raise LocalError(f"{words[0]} failed: {'; '.join(said[:3])}")
    return done.stdout
