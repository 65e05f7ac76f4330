"""Real databases for tests: SQLite files, and a PostgreSQL server of our own.

A test module imports the fixtures it wants through its folder's ``conftest.py``.
"""

from __future__ import annotations

import atexit
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest

from fabctl.clock import ManualClock
from fabctl.store.engine import Database, open_database
from fabctl.store.metadata import METADATA
from fabctl.store.migrate import upgrade
from tests.ports import free_port

SERVER_USER = "postgres"
START_TIMEOUT_S = 90
NO_WAITING = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off"
"""What a server on a real disk would wait for; what it promises to its clients stays the same."""

FINGERPRINT = b"""
SELECT string_agg(name, ',' ORDER BY name) FROM (
    SELECT version_num AS name FROM alembic_version
    UNION ALL SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT conname::text FROM pg_constraint
    UNION ALL SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal
) AS everything
"""
"""What a migration made, as one text."""


class NoServerError(Exception):
    """PostgreSQL is not installed."""


@dataclass
class PostgreSQL:
    """A running server; every :meth:`new_database` is an empty one with its own name."""

    port: int
    folder: Path
    """Its data."""
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _spare: list[str] = field(default_factory=list)

    def pid(self) -> int:
        """Return the process that all the others of this server come from."""
        return int((self.folder / "postmaster.pid").read_text().split()[0])

    def new_database(self, like: str = "template1") -> str:
        """Create a database, empty or a copy of another, and return its name."""
        name = f"lab_{next(self._numbers)}"
        with psycopg.connect(self._server_url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {like}".encode())
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        with psycopg.connect(self._server_url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    def url(self, database: str) -> str:
        """Return a database's address for fabctl."""
        return self._server_url(database).replace("postgresql:", "postgresql+psycopg:")

    @cached_property
    def migrated(self) -> str:
        """The name of a migrated database without any row, to be copied."""
        name = self.new_database()
        upgrade(self.url(name), Path("/nonexistent"))
        return name

    @contextmanager
    def borrowed(self) -> Iterator[str]:
        """Yield the name of a migrated database without any row; it is lent again afterwards.

        Emptying takes a tenth of the time of copying. One whose tables, triggers or constraints
        a test has changed is thrown away.
        """
        name = self._spare.pop() if self._spare else self.new_database(like=self.migrated)
        yield name
        if self._fingerprint(name) == self._fingerprint(self.migrated):
            self._empty(name)
            self._spare.append(name)
        else:
            self.drop_database(name)

    def _empty(self, name: str) -> None:
        tables = ";".join(f'DELETE FROM "{table}"' for table in METADATA.tables)  # noqa: S608  # our own names
        with psycopg.connect(self._server_url(name)) as connection:
            # as a replica it asks no trigger: the audit trail's own would refuse
            connection.execute(f"SET session_replication_role = replica; {tables}".encode())

    def _fingerprint(self, name: str) -> object:
        with psycopg.connect(self._server_url(name)) as connection:
            return connection.execute(FINGERPRINT).fetchone()

    def _server_url(self, database: str) -> str:
        return f"postgresql://{SERVER_USER}@127.0.0.1:{self.port}/{database}"


def server_programs() -> Path:
    """Return the folder of the newest installed server's programs.

    :raises NoServerError: there is none.
    """
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4])
    )
    if not found:
        raise NoServerError("PostgreSQL's server is missing; install it: apt install postgresql")
    return found[-1].parent


@contextmanager
def running_server(*, waits_for_disk: bool = False) -> Iterator[PostgreSQL]:
    """Yield a server on a free port, in a folder of its own; both are gone afterwards.

    As root it runs as the user ``postgres``: the server refuses to run as root. It promises
    the same as a real one, only it does not wait for the disk.

    :param waits_for_disk: have it wait all the same, as it comes: for figures.
    """
    programs = server_programs()
    folder = Path(tempfile.mkdtemp(prefix="fabctl-postgresql-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, SERVER_USER)
        port = free_port()
        _as_server_user(
            programs / "initdb", "-D", folder / "data", "-U", SERVER_USER, "-A", "trust",
            "--no-sync", "-E", "UTF8", "--locale=C.UTF-8",
        )  # fmt: skip
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder}"
        options += "" if waits_for_disk else f" {NO_WAITING}"
        control = (programs / "pg_ctl", "-D", folder / "data", "-w", "-t", str(START_TIMEOUT_S))
        _as_server_user(*control, "-l", folder / "log", "-o", options, "start")
        try:
            yield PostgreSQL(port, folder / "data")
        finally:
            _as_server_user(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _as_server_user(*command: str | Path) -> None:
    words = [str(word) for word in command]
    if os.geteuid() == 0:
        user = pwd.getpwnam(SERVER_USER)
        ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}"]
        words = ["setpriv", *ids, "--clear-groups", *words]
    done = subprocess.run(words, capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    """A real PostgreSQL. Missing is a failure in CI (env CI=true), elsewhere a skip."""
    try:
        server_programs()
    except NoServerError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    with running_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/lab.db"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql_server")
    name = server.new_database()
    yield server.url(name)
    server.drop_database(name)


@cache
def migrated_file() -> Path:
    """Return a migrated SQLite file without any row, to be copied; made once in a process."""
    folder = Path(tempfile.mkdtemp(prefix="fabctl-migrated-"))
    atexit.register(shutil.rmtree, folder)
    upgrade(f"sqlite:///{folder}/lab.db", folder / "backups")
    return folder / "lab.db"


@pytest.fixture(scope="session")
def migrated_sqlite() -> Path:
    """A migrated SQLite file without any row, to be copied."""
    return migrated_file()


def migrated_copy(url: str, backups: Path) -> None:
    """Do what ``fabctl migrate`` does; a SQLite file that is not there yet is copied."""
    file = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(migrated_file(), file)  # with its mode: 0600
    else:
        upgrade(url, backups)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a migrated database without any row, of each kind in turn."""
    if request.param == "sqlite":
        shutil.copyfile(migrated_file(), tmp_path / "lab.db")
        yield f"sqlite:///{tmp_path}/lab.db"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql_server")
    with server.borrowed() as name:
        yield server.url(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database of a lab in Paris without any row, closed afterwards."""
    opened = open_database(database_url, zone=ZoneInfo("Europe/Paris"))
    yield opened
    opened.close()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at 2026-11-23 09:00 UTC, moved by hand."""
    return ManualClock()
