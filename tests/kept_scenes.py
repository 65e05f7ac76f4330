"""What a scene put into a lab's database is kept for the process, and copied for the next test."""

from __future__ import annotations

import copy
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import select

from fabctl.clock import ManualClock
from fabctl.store.tables import Person
from tests.web_lab import WebLab

ROLLBACK = b"\x01\x01"
"""The write and read versions of a file without a write-ahead log (SQLite, file format 1.3.3)."""


class _Scene(Protocol):
    lab: WebLab


P = ParamSpec("P")
S = TypeVar("S", bound=_Scene)


def kept(fill: Callable[Concatenate[WebLab, P], S]) -> Callable[Concatenate[WebLab, P], S]:
    """Let ``fill`` fill the first lab; one that is like it gets a copy of what that one had then.

    Like it: nobody is known in it yet, its machines and zone are the same, and its clock stands
    still at the same time. ``fill`` leaves nothing behind but rows and what it returns.
    """
    filled: dict[tuple[Any, ...], tuple[bytes, S]] = {}

    @wraps(fill)
    def scene(lab: WebLab, /, *args: P.args, **named: P.kwargs) -> S:
        if not _is_new(lab):
            return fill(lab, *args, **named)
        zone, now = lab.config.time_zone, lab.clock.now()
        key = (args, tuple(sorted(named.items())), tuple(lab.config.machines), zone, now)
        if key not in filled:
            made = fill(lab, *args, **named)
            assert lab.clock.now() == now, "the clock went on: a copy would be of another time"
            filled[key] = _rows(lab), copy.deepcopy(made, {id(lab): None})
            return made
        rows, as_made = filled[key]
        _put(rows, lab)
        made = copy.deepcopy(as_made)
        made.lab = lab
        return made

    return scene


def _is_new(lab: WebLab) -> bool:
    if not (lab.config.database_url.startswith("sqlite") and isinstance(lab.clock, ManualClock)):
        return False
    with lab.db.reading() as db:
        return db.scalar(select(Person.id).limit(1)) is None


def _open(lab: WebLab) -> sqlite3.Connection:
    return sqlite3.connect(Path(lab.config.database_url.removeprefix("sqlite:///")))


def _rows(lab: WebLab) -> bytes:
    with closing(_open(lab)) as file:
        whole = bytearray(file.serialize())
    whole[18:20] = ROLLBACK  # a database in memory has no write-ahead log
    return bytes(whole)


def _put(rows: bytes, lab: WebLab) -> None:
    with closing(sqlite3.connect(":memory:")) as memory, closing(_open(lab)) as file:
        memory.deserialize(rows)
        memory.backup(file)
