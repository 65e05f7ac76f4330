"""PostgreSQL's own full disk: a tablespace on a small one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlalchemy import func, select

from fabctl.clock import ManualClock
from fabctl.errors import DiskFullError
from fabctl.services.audit import audit
from fabctl.store.engine import Database, open_database
from fabctl.store.tables import Audit
from tests.databases import SERVER_USER, PostgreSQL
from tests.small_disk import SmallDisk, small_disk


@pytest.fixture
def full(postgresql_server: PostgreSQL) -> Iterator[tuple[Database, SmallDisk]]:
    """A migrated database on a disk of 40 MB."""
    folder = Path(tempfile.mkdtemp(prefix="fabctl-tablespace-"))
    folder.chmod(0o755)  # its server runs as another user
    try:
        with small_disk(folder, 40 * 1024) as disk:
            space = disk.path / "space"
            space.mkdir()
            shutil.chown(space, SERVER_USER)
            like, server = postgresql_server.migrated, postgresql_server.url("postgres")
            plain = server.replace("postgresql+psycopg:", "postgresql:")
            with psycopg.connect(plain, autocommit=True) as link:
                link.execute(f"CREATE TABLESPACE small LOCATION '{space}'".encode())
                link.execute(f"CREATE DATABASE small TEMPLATE {like} TABLESPACE small".encode())
            database = open_database(postgresql_server.url("small"), zone=ZoneInfo("Europe/Paris"))
            yield database, disk
            database.close()
            with psycopg.connect(plain, autocommit=True) as link:
                link.execute(b"DROP DATABASE small WITH (FORCE)")
                link.execute(b"DROP TABLESPACE small")
    finally:
        shutil.rmtree(folder)


def test_a_full_disk_of_the_server_is_told_and_gone_with_it(
    full: tuple[Database, SmallDisk], clock: ManualClock
) -> None:
    database, disk = full

    def write(count: int) -> None:
        with database.transaction() as session:
            for _ in range(count):
                audit(session, clock, None, "disk.filled", "disk:1", {"so": os.urandom(900).hex()})
                session.flush()

    def lines() -> int:
        with database.reading() as session:
            return session.scalar(select(func.count()).select_from(Audit)) or 0

    write(10)
    disk.fill()
    with pytest.raises(DiskFullError, match="disk of the database server is full") as caught:
        write(300)
    assert caught.value.disk is None
    assert lines() == 10
    disk.make_room()
    write(300)
    assert lines() == 310
