"""The way to the database: SQLite in one file, or PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.url import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session, sessionmaker

from fabctl.errors import InputError, LocalError
from fabctl.store.faults import explained

BUSY_TIMEOUT_S = 10
"""How long a write waits for another writer, in s, before it gives up with an error."""

CONNECT_TIMEOUT_S = 10
"""How long connecting to PostgreSQL may take, in s."""

_READING = "fabctl_reading"
_ZONE = "fabctl_zone"


class Database:
    """A lab's database. Safe to share between threads; a session is not."""

    def __init__(
        self, engine: Engine, patience_s: float = BUSY_TIMEOUT_S, zone: ZoneInfo | None = None
    ) -> None:
        self.engine = engine
        self._turn = threading.RLock()
        self._patience_s = patience_s
        self._writing = sessionmaker(engine, expire_on_commit=False, info={_ZONE: zone})
        self._reading = sessionmaker(
            engine.execution_options(**{_READING: True}),
            expire_on_commit=False,
            info={_ZONE: zone},
        )

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Yield a session that may write; all of it is kept at the end, or nothing.

        Its first statement takes SQLite's one write lock (waiting up to 10 s) and keeps it to
        the end, so what it read is still true when it writes.

        :raises RefusedError: a guarantee of the database refused.
        :raises LocalError: the database cannot do it (locked, full, read-only, damaged).
        """
        with self._our_turn(), self._writing() as session:
            yield session
            session.commit()

    @contextmanager
    def _our_turn(self) -> Iterator[None]:
        """Let the threads of this process write to SQLite one after the other.

        SQLite would let them sleep, ever longer, and look again: some wait for seconds while the
        lock is free. Its own lock still decides; whoever has waited too long here asks it.
        """
        if self.engine.dialect.name != "sqlite":
            yield
            return
        ours = self._turn.acquire(timeout=self._patience_s)
        try:
            yield
        finally:
            if ours:
                self._turn.release()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session that sees one moment of the database and cannot change it."""
        with self._reading() as session:
            yield session

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_database(
    url: str, *, patience_s: float = BUSY_TIMEOUT_S, zone: ZoneInfo | None = None
) -> Database:
    """Return the database at ``url``; nothing is connected before the first use.

    :param url: ``sqlite:////absolute/path.db`` or ``postgresql+psycopg://user:password@host/name``.
    :param patience_s: how long a write waits for another, in s.
    :param zone: the lab's; its days decide who is of age (:func:`zone_of`). Without one nobody
        can ask for that: for migrations and copies.
    :raises InputError: not such an address.
    """
    address = parse_url(url)
    make = _sqlite if is_sqlite(address) else _postgresql
    engine = make(address, patience_s)
    event.listen(engine, "handle_error", _explain)
    return Database(engine, patience_s, zone)


def zone_of(session: Session) -> ZoneInfo:
    """Return the zone of the lab whose database this is.

    :raises LocalError: it was opened without one, and no other zone's days are the lab's.
    """
    zone = session.info.get(_ZONE)
    if not isinstance(zone, ZoneInfo):
        raise LocalError(
            "this database was opened without the lab's time zone",
            next_step="open it with the zone of lab.toml",
        )
    return zone


def parse_url(url: str) -> URL:
    """Return the address as SQLAlchemy has it, with the driver we use.

    :raises InputError: it is neither SQLite's nor PostgreSQL's.
    """
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise InputError("the database's address cannot be read", next_step=_FORMS) from error
    if address.drivername in {"postgresql", "postgres"}:
        address = address.set(drivername="postgresql+psycopg")
    if address.drivername not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}:
        raise InputError(f"no database of the kind {address.drivername!r}", next_step=_FORMS)
    if is_sqlite(address) and address.database in {None, "", ":memory:"}:
        raise InputError("a database in memory is lost at once", next_step=_FORMS)
    return address


_FORMS = "write sqlite:////path/lab.db or postgresql+psycopg://user:password@host/name"


def is_sqlite(address: URL) -> bool:
    """Say whether this is SQLite's address (else it is PostgreSQL's)."""
    return address.get_backend_name() == "sqlite"


def _sqlite(address: URL, patience_s: float) -> Engine:
    engine = create_engine(
        address,
        # isolation_level None: we say BEGIN and COMMIT ourselves, the module adds nothing
        connect_args={"timeout": patience_s, "isolation_level": None},
        hide_parameters=True,  # an error is logged with its statement: its values are people's
        pool_size=4,
        max_overflow=28,
    )
    event.listen(engine, "do_connect", _make_sqlite)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def make_sqlite_file(file: Path) -> None:
    """Make a database's file before SQLite does: people's data are nobody else's to read.

    SQLite gives its companions (-wal, -shm) the same rights. A file that is there keeps its own,
    and is not opened: closing it would give back every lock that SQLite has on it (fcntl(2)).

    :raises OSError: it cannot be made.
    """
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _make_sqlite(_dialect: object, _record: object, words: Sequence[str], _options: object) -> None:
    with suppress(OSError):  # SQLite meets the same, and its error is the one that is explained
        make_sqlite_file(Path(words[0]))


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -1000")  # KiB; a lab's hot pages fit


def _begin_sqlite(connection: Connection) -> None:
    reading = bool(connection.get_execution_options().get(_READING, False))
    connection.exec_driver_sql(f"PRAGMA query_only = {int(reading)}")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _postgresql(address: URL, patience_s: float) -> Engine:
    settings = f"-c timezone=UTC -c lock_timeout={round(patience_s * 1000)}"
    engine = create_engine(
        address,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "options": settings},
        pool_pre_ping=True,
        hide_parameters=True,  # the same
        pool_size=4,
        max_overflow=28,
    )
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get(_READING, False):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _explain(context: ExceptionContext) -> Any:
    """Let an error that we can explain take the place of the driver's."""
    address = context.engine.url if context.engine is not None else None
    file = Path(str(address.database)) if address is not None and is_sqlite(address) else None
    return explained(context.original_exception, file)
