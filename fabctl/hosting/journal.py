"""A machine's events on its own disk, until the steward says that they are on record.

SQLite with synchronous=EXTRA: an event that was added survives kill -9, and a power cut where the
disk keeps what it says it kept. FULL would not be enough with this kind of journal: it ends a
transaction by deleting a file, and a deletion that is not forced to the disk may come undone.
(SQLite, "PRAGMA synchronous".)
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fabctl.errors import DeviceError
from fabctl.messaging.payloads import EventPayload

MOST_TOLD_AT_ONCE = 50
MOST_KEPT = 10_000
"""Events, some 4 MB: a steward that is away for good must not fill the disk."""
FOR_JOBS_UNDER_WAY = 1_000
"""Of these, so many are left to what has already begun: no job is taken on then."""
_TABLE = """
PRAGMA synchronous = EXTRA;
PRAGMA cache_size = -64;
CREATE TABLE IF NOT EXISTS event (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL, boot TEXT NOT NULL, seq INTEGER NOT NULL,
    job TEXT, payload BLOB NOT NULL,
    UNIQUE (boot, seq)
) STRICT;
"""
DAMAGED = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as it goes out on MQTT."""

    type: str
    boot: str
    seq: int
    payload: bytes


class Journal:
    """The events that are not on record yet, oldest first.

    :raises DeviceError: the file cannot be opened, or is damaged and cannot be set aside.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        self.set_aside: Path | None = None
        """Where a journal that could not be read was put, for a person to look at."""
        try:
            try:
                self._db = self._open()
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode & 0xFF not in DAMAGED:
                    raise  # locked, or the disk fails: the events in it are still good
                self.set_aside = _free_name(path.with_name(f"{path.name}.unreadable"))
                path.replace(self.set_aside)
                self._db = self._open()
            self._count = int(self._db.execute("SELECT count(*) FROM event").fetchone()[0])
        except (sqlite3.Error, OSError) as error:
            raise DeviceError(f"the journal {path} cannot be opened: {error}") from error

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, cached_statements=8)
        try:
            db.executescript(_TABLE)
        except BaseException:
            db.close()
            raise
        return db

    def add(self, event: EventPayload) -> Entry:
        """Keep an event; on return it is on the disk.

        :raises DeviceError: the disk is full or broken, or 10 000 events are kept already.
        """
        if self._count >= MOST_KEPT:
            raise DeviceError(f"{self._count} events wait to be put on record")
        entry = Entry(str(event.type), event.stamp.boot, event.stamp.seq, event.encode())
        try:
            self._db.execute(
                "INSERT INTO event (type, boot, seq, job, payload) VALUES (?, ?, ?, ?, ?)",
                (entry.type, entry.boot, entry.seq, event.job, entry.payload),
            )
        except sqlite3.Error as error:
            raise DeviceError(f"the event {entry.type} cannot be kept: {error}") from error
        self._count += 1
        return entry

    def newest(self) -> tuple[str, int] | None:
        """Return boot and number of the newest event that is kept."""
        row = self._db.execute("SELECT boot, seq FROM event ORDER BY n DESC LIMIT 1").fetchone()
        return (str(row[0]), int(row[1])) if row else None

    @property
    def crowded(self) -> bool:
        """Whether what is left is for the jobs that have begun."""
        return self._count >= MOST_KEPT - FOR_JOBS_UNDER_WAY

    def untold(self) -> list[Entry]:
        """Return the oldest 50 events that are not on record yet, oldest first.

        :raises DeviceError: the disk is broken.
        """
        query = "SELECT type, boot, seq, payload FROM event ORDER BY n LIMIT ?"
        try:
            return [Entry(*row) for row in self._db.execute(query, (MOST_TOLD_AT_ONCE,))]
        except sqlite3.Error as error:
            raise DeviceError(f"the events kept cannot be read: {error}") from error

    def acknowledge(self, events: Iterable[tuple[str, int]]) -> int:
        """Forget events, named by (boot, seq), that are on record; return how many there were.

        :raises DeviceError: the disk is full or broken; what was not forgotten is said again.
        """
        try:
            return self._forget(list(events))
        except sqlite3.Error as error:
            raise DeviceError(f"events on record cannot be forgotten: {error}") from error

    def _forget(self, events: list[tuple[str, int]]) -> int:
        """Delete in one transaction: the disk is waited for once, not once for each event."""
        self._db.execute("BEGIN")
        try:
            query = "DELETE FROM event WHERE boot = ? AND seq = ?"
            done = self._db.executemany(query, events)
            self._db.execute("COMMIT")
        except sqlite3.Error:
            if self._db.in_transaction:  # a full disk may have ended it
                self._db.execute("ROLLBACK")
            raise
        forgotten = max(0, done.rowcount)
        self._count -= forgotten
        return forgotten

    def __len__(self) -> int:
        return self._count

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def _free_name(path: Path) -> Path:
    """Return a name that no file has: the path, else with .2, .3, … after it."""
    names = (path.with_name(f"{path.name}.{n}") for n in itertools.count(2))
    return next(name for name in itertools.chain([path], names) if not name.exists())
