"""Moving a lab from one database into another, of whatever kind, compared row by row.

Everything is read in one moment of the source and written in one transaction of the target.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import Column

from fabctl.errors import InputError, LocalError
from fabctl.store.engine import Database
from fabctl.store.metadata import METADATA
from fabctl.store.migrate import require_current

_ROWS_AT_ONCE = 2000
_SHOWN = 3
_DERIVED = frozenset({("claim", "place_from"), ("claim", "place_to")})
"""PostgreSQL's trigger writes them, SQLite has no use for them: not copied, not compared."""

Told = Callable[[int], object]
"""Is told, now and then, how many more rows are written."""
Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class TableDigest:
    """What a table holds, whatever the order of its rows."""

    rows: int
    digest: str
    """The sum of the hashes of all rows, as 32 hex digits."""


def row_counts(database: Database) -> dict[str, int]:
    """Return how many rows each table has, in the order in which they are copied."""
    with database.reading() as session:
        return {table.name: _count(session.connection(), table) for table in _tables()}


def copy_database(source: Database, target: Database, told: Told) -> dict[str, TableDigest]:
    """Copy every row, then read the target again and compare; all of it is kept, or nothing.

    The target's guarantees (triggers, constraints) look at every row as it comes.

    :raises InputError: the target is not empty.
    :raises LocalError: one of the two is not at this software's state, a row cannot be kept
        there, or what was read back is not what was written.
    """
    require_current(source)
    require_current(target)
    copied = {}
    with source.reading() as session, target.engine.begin() as there:
        here = session.connection()
        _must_be_empty(there)
        for table in _tables():
            copied[table.name] = _copy(here, there, table, told)
        _count_on(there)
        for table in _tables():
            _compare(here, there, table, copied[table.name])
    return copied


def digest(connection: Connection, table: Table) -> TableDigest:
    """Return what a table holds."""
    found = _Digest()
    for rows in _read(connection, table):
        found.add(rows)
    return found.value()


def _tables() -> list[Table]:
    """Return every table, each after those that it names."""
    return METADATA.sorted_tables


def _columns(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if (table.name, column.name) not in _DERIVED]


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _must_be_empty(target: Connection) -> None:
    filled = [table.name for table in _tables() if _count(target, table)]
    if filled:
        more = f" and {len(filled) - _SHOWN} more" if len(filled) > _SHOWN else ""
        raise InputError(
            f"the target is not empty: there are rows in {', '.join(filled[:_SHOWN])}{more};"
            " nothing was copied",
            next_step="name an empty database",
        )


def _copy(here: Connection, there: Connection, table: Table, told: Told) -> TableDigest:
    columns = _columns(table)
    names = [column.name for column in columns]
    insert = table.insert()
    found = _Digest()
    for rows in _in_order(here, table):
        found.add(rows)
        values = [dict(zip(names, row, strict=True)) for row in rows]
        try:
            there.execute(insert, values)
        except DBAPIError as error:
            raise LocalError(
                f"a row of {table.name} cannot be kept in the target: {error.orig}; nothing was"
                " copied",
                next_step="tell the authors of fabctl; the source is as it was",
            ) from error
        told(len(rows))
    return found.value()


def _in_order(here: Connection, table: Table) -> Iterator[list[Row]]:
    """Yield a table's rows in blocks; where rows name others of their table, those come first."""
    own = [key.parent.name for key in table.foreign_keys if key.column.table is table]
    if not own:
        yield from _read(here, table)
        return
    names = [column.name for column in _columns(table)]
    key, parent = names.index(next(iter(table.primary_key)).name), names.index(own[0])
    left = [row for rows in _read(here, table) for row in rows]
    done: set[Any] = {None}
    while left:
        ready = [row for row in left if row[parent] in done]
        if not ready:
            raise LocalError(f"rows of {table.name} name each other in a ring")
        yield ready
        done |= {row[key] for row in ready}
        left = [row for row in left if row[key] not in done]


def _read(connection: Connection, table: Table) -> Iterator[list[Row]]:
    query = select(*_columns(table)).execution_options(yield_per=_ROWS_AT_ONCE)
    for rows in connection.execute(query).partitions():
        yield list(rows)


def _count_on(target: Connection) -> None:
    """Let PostgreSQL number new rows after those that came; SQLite does so by itself."""
    if target.dialect.name != "postgresql":
        return
    for table in _tables():
        column = table.autoincrement_column
        if column is None:
            continue
        sequence = target.execute(
            text("SELECT pg_get_serial_sequence(:table, :column)"),
            {"table": f'"{table.name}"', "column": column.name},
        ).scalar()
        highest = target.execute(select(func.max(column))).scalar()
        if sequence is not None and highest is not None:
            move = text("SELECT setval(CAST(:sequence AS regclass), :highest)")
            target.execute(move, {"sequence": sequence, "highest": highest})


def _compare(here: Connection, there: Connection, table: Table, copied: TableDigest) -> None:
    after = digest(there, table)
    if after == copied:
        return
    differ = _differences(here, there, table)
    raise LocalError(
        f"{table.name}: {copied.rows} rows were read, {after.rows} are in the target, and these"
        f" differ: {', '.join(differ[:_SHOWN])}; nothing was copied",
        next_step="tell the authors of fabctl; the source is as it was",
    )


def _differences(here: Connection, there: Connection, table: Table) -> list[str]:
    """Return the keys of the rows that are not the same in both."""
    names = [column.name for column in _columns(table)]
    keys = [names.index(column.name) for column in table.primary_key]

    def by_key(connection: Connection) -> dict[str, int]:
        return {
            "/".join(str(row[key]) for key in keys): _hash(row)
            for rows in _read(connection, table)
            for row in rows
        }

    first, second = by_key(here), by_key(there)
    return sorted(key for key in first.keys() | second.keys() if first.get(key) != second.get(key))


class _Digest:
    """Adds up the hashes of rows."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, rows: Sequence[Row]) -> None:
        """Take some rows."""
        self.rows += len(rows)
        self._sum += sum(map(_hash, rows))

    def value(self) -> TableDigest:
        """Return what was taken."""
        return TableDigest(self.rows, f"{self._sum % (1 << 128):032x}")


def _hash(row: Row) -> int:
    """Return 128 bits of a row's values, the same whichever database they come from."""
    written = json.dumps(list(row), default=_written, sort_keys=True)
    return int.from_bytes(hashlib.blake2b(written.encode(), digest_size=16).digest())


def _written(value: object) -> str:
    if isinstance(value, date):  # and datetime; always UTC
        return value.isoformat()
    raise TypeError(f"no column holds {type(value).__name__}")
