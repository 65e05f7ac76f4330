"""Migrations on real databases: all or nothing, never twice, a copy first."""

from __future__ import annotations

import os
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from fabctl.clock import ManualClock
from fabctl.errors import InputError, LocalError
from fabctl.services import people
from fabctl.store.engine import Database, open_database
from fabctl.store.metadata import METADATA
from fabctl.store.migrate import OURS, Scripts, require_current, upgrade
from fabctl.store.version import HEAD

NEXT_MIGRATION = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "0099", {head!r}, None, None
def upgrade():
    op.create_table("novelty", sa.Column("id", sa.Integer, primary_key=True))
    op.execute({statement!r})
"""


def tables(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names())


def next_version(folder: Path, statement: str) -> Scripts:
    """Return our migrations and one more, as a later fabctl would bring it."""
    shutil.copytree(OURS.folder, folder)
    script = folder / "versions" / "v0099_next.py"
    script.write_text(NEXT_MIGRATION.format(head=HEAD, statement=statement))
    return Scripts(folder, "0099")


def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/lab.db"


def test_a_new_database_and_its_copies_are_their_owners_only(
    tmp_path: Path, clock: ManualClock
) -> None:
    url = sqlite_url(tmp_path)
    upgrade(url, tmp_path / "backups", clock)
    database = open_database(url)
    add_lea(database, clock)
    files = [*tmp_path.glob("lab.db*")]
    assert {path.name for path in files} >= {"lab.db", "lab.db-wal", "lab.db-shm"}
    scripts = next_version(tmp_path / "scripts", "SELECT 1")
    files.append(upgrade(url, tmp_path / "backups", clock, scripts).backup or tmp_path)
    assert {(path.name, oct(path.stat().st_mode & 0o77)) for path in files} == {
        (path.name, "0o0") for path in files
    }
    database.close()


def add_lea(database: Database, clock: ManualClock) -> None:
    with database.transaction() as session:
        people.add_person(session, clock, display_name="Léa M.")


def names(database: Database) -> list[str]:
    with database.reading() as session:
        return [person.display_name for person in people.list_people(session)]


def test_an_empty_database_is_filled_and_the_second_time_nothing_is_due(
    empty_database_url: str, tmp_path: Path
) -> None:
    first = upgrade(empty_database_url, tmp_path / "backups")
    second = upgrade(empty_database_url, tmp_path / "backups")
    assert (first.before, first.after, first.backup, first.changed) == (None, HEAD, None, True)
    assert (second.before, second.changed, second.backup) == (HEAD, False, None)
    assert not (tmp_path / "backups").exists()


def test_the_tables_are_those_of_the_code(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_the_constant_names_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(OURS.folder))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_four_at_once_migrate_once(empty_database_url: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(upgrade, empty_database_url, tmp_path / "b") for _ in range(4)]
    assert sorted(job.result().changed for job in jobs) == [False, False, False, True]


def test_a_copy_is_made_before_data_is_touched(tmp_path: Path, clock: ManualClock) -> None:
    url, backups = sqlite_url(tmp_path), tmp_path / "backups"
    upgrade(url, backups, clock)
    database = open_database(url)
    add_lea(database, clock)
    report = upgrade(url, backups, clock, next_version(tmp_path / "next", "SELECT 1"))
    assert report.backup == backups / "lab-20261123T090000Z.db"
    assert [path.name for path in backups.iterdir()] == [report.backup.name]
    assert "novelty" in tables(database)
    assert names(database) == ["Léa M."]
    database.close()
    copy = open_database(f"sqlite:///{report.backup}")
    assert names(copy) == ["Léa M."]
    assert "novelty" not in tables(copy)
    copy.close()


def test_a_migration_that_fails_half_way_changes_nothing(
    database_url: str, tmp_path: Path, clock: ManualClock
) -> None:
    database = open_database(database_url)
    add_lea(database, clock)
    broken = next_version(tmp_path / "next", "SELECT no_such_column FROM person")
    with pytest.raises(DBAPIError):
        upgrade(database_url, tmp_path / "backups", clock, broken)
    assert "novelty" not in tables(database)
    assert names(database) == ["Léa M."]
    require_current(database)
    database.close()


def test_a_database_of_a_newer_version_is_not_touched(database: Database, tmp_path: Path) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0100'"))
    url = database.engine.url.render_as_string(hide_password=False)
    with pytest.raises(LocalError, match="0100, newer than this fabctl"):
        upgrade(url, tmp_path / "backups")
    with pytest.raises(LocalError, match="0100, newer than this fabctl"):
        require_current(database)


def test_an_older_or_empty_database_asks_for_fabctl_migrate(empty_database_url: str) -> None:
    database = open_database(empty_database_url)
    with pytest.raises(LocalError, match=r"nothing yet.*fabctl migrate"):
        require_current(database)
    database.close()


def test_a_state_that_never_was_is_refused(database: Database, tmp_path: Path) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    url = database.engine.url.render_as_string(hide_password=False)
    with pytest.raises(LocalError, match="'0000'"):
        upgrade(url, tmp_path / "backups")


def test_another_programs_database_is_refused(empty_database_url: str, tmp_path: Path) -> None:
    database = open_database(empty_database_url)
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE recipes (id integer)"))
    with pytest.raises(LocalError, match="another program"):
        upgrade(empty_database_url, tmp_path / "backups")
    assert tables(database) == {"recipes"}
    database.close()


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "lab.db"
    file.write_bytes(b"not a database, " * 300)
    with pytest.raises(LocalError, match=r"not a database.*backups"):
        upgrade(sqlite_url(tmp_path), tmp_path / "backups")
    assert file.read_bytes() == b"not a database, " * 300


def test_a_damaged_database_is_said_to_be_damaged(tmp_path: Path, clock: ManualClock) -> None:
    url = sqlite_url(tmp_path)
    upgrade(url, tmp_path / "backups", clock)
    database = open_database(url)
    add_lea(database, clock)
    database.close()
    file = tmp_path / "lab.db"
    file.write_bytes(file.read_bytes()[:4096] + os.urandom(file.stat().st_size - 4096))
    scripts = next_version(tmp_path / "next", "SELECT 1")
    with pytest.raises(LocalError, match=r"damaged.*backups"):
        upgrade(url, tmp_path / "backups", clock, scripts)
    assert not list((tmp_path / "backups").glob("*.db"))


def test_damage_that_only_a_check_finds_stops_the_migration(
    tmp_path: Path, clock: ManualClock
) -> None:
    url = sqlite_url(tmp_path)
    upgrade(url, tmp_path / "backups", clock)
    with closing(sqlite3.connect(tmp_path / "lab.db")) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        page = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'ix_audit_subject'"
        ).fetchone()[0]
    with (tmp_path / "lab.db").open("r+b") as stream:
        stream.seek((page - 1) * 4096)
        stream.write(b"\xff" * 4096)
    scripts = next_version(tmp_path / "next", "SELECT 1")
    with pytest.raises(LocalError, match="damaged"):
        upgrade(url, tmp_path / "backups", clock, scripts)
    assert not list((tmp_path / "backups").iterdir())


def test_a_folder_that_cannot_be_made_or_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalError, match="cannot be made"):
        upgrade(f"sqlite:///{tmp_path}/file/lab.db", tmp_path / "backups")
    with pytest.raises(LocalError, match="/sys may not be written"):
        upgrade("sqlite:////sys/lab.db", tmp_path / "backups")


def test_backups_that_cannot_be_written_stop_the_migration(
    tmp_path: Path, clock: ManualClock
) -> None:
    url = sqlite_url(tmp_path)
    upgrade(url, tmp_path / "backups", clock)
    scripts = next_version(tmp_path / "next", "SELECT 1")
    with pytest.raises(LocalError, match="no backup copy"):
        upgrade(url, Path("/sys"), clock, scripts)
    database = open_database(url)
    require_current(database)
    database.close()


@pytest.mark.parametrize(
    "url", ["nonsense", "mysql://host/lab", "sqlite://", "sqlite:///:memory:", ""]
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(InputError):
        open_database(url)


def test_a_server_that_is_not_there_is_said_to_be_away(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="cannot be used"):
        upgrade("postgresql://fabctl@127.0.0.1:1/lab", tmp_path / "backups")
