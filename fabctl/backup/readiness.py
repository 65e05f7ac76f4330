"""``fabctl upgrade --check``: what a migration would do, and whether now is a good moment."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from fabctl.backup.gathering import sqlite_file
from fabctl.backup.making import newest_backup
from fabctl.config import LabConfig
from fabctl.model.doctor_lab import CLOCKS_DIFFER
from fabctl.store.engine import open_database
from fabctl.store.migrate import OURS, revision
from fabctl.store.version import HEAD

SPARE_BYTES = 100_000_000
"""What must stay free beside the copies, so that the lab goes on writing."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found."""

    at: str | None
    """The migration the database stands at; None: it is empty."""
    due: tuple[str, ...]
    """What would be done, one line for each migration, the first first."""
    newest: datetime | None
    """When the newest archive was begun, UTC; None: there is none."""
    max_age: timedelta
    needed_bytes: int
    """What the copy made before, the migration and the spare need together."""
    free_bytes: int


def facts(config: LabConfig) -> Facts:
    """Look at a lab; nothing is changed.

    :raises LocalError: its database cannot be read, or belongs to another program.
    """
    at, size = _database(config)
    newest = newest_backup(config)
    return Facts(
        at=at,
        due=_due(at),
        newest=newest.at if newest else None,
        max_age=timedelta(hours=config.backup.max_age_h),
        # the copy, and at worst every page once more in the write-ahead log
        needed_bytes=2 * size + SPARE_BYTES,
        free_bytes=_free(config.data_directory),
    )


def troubles(found: Facts, now: datetime) -> list[str]:
    """Return what an upgrade should not meet, each with what to do; an empty list: go on. Pure."""
    wrong = []
    if is_newer(found):
        wrong.append(f"the database is at {found.at}, newer than this fabctl: install a newer one")
    if found.at is None:
        pass  # an empty database has nothing to lose
    elif found.newest is None:
        wrong.append("there is no backup: `fabctl backup`")
    elif found.newest - now > CLOCKS_DIFFER:
        wrong.append(
            f"the newest backup is of {found.newest:%Y-%m-%d %H:%M} UTC, which is to come: look at"
            " the clock (timedatectl), then `fabctl backup`"
        )
    elif now - found.newest > found.max_age:
        hours = round((now - found.newest).total_seconds() / 3600)
        limit = round(found.max_age.total_seconds() / 3600)
        wrong.append(f"the newest backup is {hours} h old (limit: {limit} h): `fabctl backup`")
    if found.free_bytes < found.needed_bytes:
        free, needed = found.free_bytes / 1e6, found.needed_bytes / 1e6
        wrong.append(f"{free:.0f} MB are free, {needed:.0f} MB are needed: free some space")
    return wrong


def is_newer(found: Facts) -> bool:
    """Say whether the database is of a newer fabctl than this one. Pure."""
    return found.at is not None and found.at > HEAD


def must_wait(found: Facts, now: datetime) -> bool:
    """Say whether an upgrade must not go on. Where nothing is due, nothing is at risk. Pure."""
    return is_newer(found) or (bool(found.due) and bool(troubles(found, now)))


def _database(config: LabConfig) -> tuple[str | None, int]:
    """Return the migration the database stands at, and its size in bytes."""
    file = sqlite_file(config)
    if file is not None and not file.is_file():
        return None, 0
    database = open_database(config.database_url)
    try:
        at = revision(database)
        if file is not None:
            return at, file.stat().st_size
        with database.reading() as session:
            size = session.scalar(text("SELECT pg_database_size(current_database())"))
        return at, int(size or 0)
    finally:
        database.close()


def _due(at: str | None) -> tuple[str, ...]:
    if at is not None and at >= HEAD:
        return ()
    from alembic.config import Config  # noqa: PLC0415  # heavy, and only needed here
    from alembic.script import ScriptDirectory  # noqa: PLC0415  # the same

    config = Config()
    config.set_main_option("script_location", str(OURS.folder).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    due = [f"{one.revision} {one.doc}" for one in scripts if at is None or one.revision > at]
    return tuple(reversed(due))


def _free(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
