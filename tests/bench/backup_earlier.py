"""The same lab as earlier versions of fabctl would have left it, and how long its upgrade takes."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import inspect

from fabctl.clock import SystemClock
from fabctl.store import migrate
from fabctl.store.copying import _columns, _in_order
from fabctl.store.engine import open_database
from fabctl.store.metadata import METADATA
from fabctl.store.version import HEAD
from tests.bench.figures import show

FROM = ("0001", "0003", "0008")
"""The first schema; the last one before booking came; the first one with everything but details.
Everything that they have is there still, so that today's rows can be put into them."""


def from_earlier(source: str, new_url: str, number: str, folder: Path) -> None:
    """Make a database of an earlier schema from today's rows, and upgrade it, a copy first."""
    earlier = migrate.Scripts(migrate.OURS.folder, number)
    migrate.upgrade(new_url, folder / "copies", SystemClock(), earlier)
    rows = _fill(source, new_url)
    began = time.perf_counter()
    done = migrate.upgrade(new_url, folder / "copies", SystemClock())
    took = time.perf_counter() - began
    assert (done.before, done.after) == (number, HEAD)
    show(f"from {number} with {rows:,} rows, and copy", took, "s")


def _fill(source: str, new_url: str) -> int:
    """Put the rows there that the earlier schema has a place for; return how many."""
    ours, theirs = open_database(source), open_database(new_url)
    count = 0
    with ours.engine.connect() as here, theirs.engine.begin() as there:
        known = inspect(there)
        for table in METADATA.sorted_tables:
            if not known.has_table(table.name):
                continue
            has = {one["name"] for one in known.get_columns(table.name)}
            names = [column.name for column in _columns(table)]
            for rows in _in_order(here, table):
                pairs = [zip(names, row, strict=True) for row in rows]
                kept = [{name: it for name, it in one if name in has} for one in pairs]
                there.execute(table.insert(), kept)
                count += len(rows)
    ours.close()
    theirs.close()
    return count
