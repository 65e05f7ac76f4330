"""`fabctl db copy`: a lab moves between SQLite and PostgreSQL, all of it or nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from fabctl.__main__ import cli
from fabctl.clock import ManualClock
from fabctl.errors import FabError, InputError, LocalError
from fabctl.services import people
from fabctl.store.engine import Database, open_database
from fabctl.store.metadata import METADATA
from tests.backup_lab import digests, written_lab
from tests.databases import PostgreSQL

MEDDLERS = {
    "sqlite": """
CREATE TRIGGER meddler AFTER INSERT ON person BEGIN
    UPDATE person SET display_name = 'X' WHERE id = NEW.id;
END""",
    "postgresql": """
CREATE FUNCTION meddler() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    NEW.display_name := 'X'; RETURN NEW;
END $$;
CREATE TRIGGER meddler BEFORE INSERT ON person FOR EACH ROW EXECUTE FUNCTION meddler()""",
}
"""Triggers of somebody else's that change what is written."""


def copied(source: str, target: str) -> Result:
    """Run the command in this process; an error that fabctl explains is raised."""
    words = ["db", "copy", "--from", source, "--to", target]
    return CliRunner().invoke(cli, words, catch_exceptions=False)


@pytest.fixture
def other_url(
    empty_database_url: str, migrated_sqlite: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> str:
    """A migrated database of the other kind than ``empty_database_url``, without any row."""
    if empty_database_url.startswith("sqlite"):
        server: PostgreSQL = request.getfixturevalue("postgresql_server")
        return server.url(server.new_database(like=server.migrated))
    shutil.copy(migrated_sqlite, tmp_path / "source.db")
    return f"sqlite:///{tmp_path}/source.db"


def test_a_whole_lab_moves_once_and_goes_on(
    empty_database_url: str, other_url: str, tmp_path: Path
) -> None:
    config = written_lab(tmp_path / "lab", other_url)
    done = copied(other_url, empty_database_url)
    assert "read again, both are the same" in done.stdout
    there = digests(empty_database_url)
    assert there == digests(other_url)
    assert there["reservation"].rows == 120
    with pytest.raises(InputError, match=r"not empty: there are rows in audit, job_file, .*"):
        copied(other_url, empty_database_url)
    assert digests(empty_database_url) == there
    target = open_database(empty_database_url, zone=config.time_zone)
    _still_guards(target)
    with target.transaction() as session:  # and numbers go on where they were
        people.add_person(session, ManualClock(), display_name="Tom", login="tom", password="x" * 8)
    target.close()


def _still_guards(database: Database) -> None:
    again = text(
        "INSERT INTO claim (id, resource_id, kind, start_at, end_at, place_from, place_to)"
        " SELECT 'again', resource_id, kind, start_at, end_at, 0, 0 FROM claim"
        " WHERE released_at IS NULL LIMIT 1"
    )
    with pytest.raises(FabError), database.transaction() as session:
        session.execute(again)
    with pytest.raises(LocalError, match="audit"), database.transaction() as session:
        session.execute(text("DELETE FROM audit"))


def test_a_row_that_is_not_the_same_there_undoes_everything(
    database: Database, migrated_sqlite: Path, tmp_path: Path
) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "source.db")
    source = open_database(f"sqlite:///{tmp_path}/source.db")
    with source.transaction() as session:
        lea = people.add_person(session, ManualClock(), display_name="Léa")
    source.close()
    with database.engine.begin() as connection:
        connection.exec_driver_sql(MEDDLERS[connection.dialect.name])
    url = database.engine.url.render_as_string(hide_password=False)
    with pytest.raises(LocalError, match=rf"person: 1 rows .* differ: {lea.id};"):
        copied(f"sqlite:///{tmp_path}/source.db", url)
    assert sum(one.rows for one in digests(url).values()) == 0


def test_what_cannot_be_copied_is_said(tmp_path: Path, migrated_sqlite: Path) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "old.db")
    old, new = f"sqlite:///{tmp_path}/old.db", f"sqlite:///{tmp_path}/new.db"
    with pytest.raises(InputError, match="the same database"):
        copied(old, old)
    with pytest.raises(InputError, match="there is no file"):
        copied(new, old)
    database = open_database(old)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    database.close()
    with pytest.raises(LocalError, match=r"at 0003.*fabctl migrate"):
        copied(old, new)
    assert not (tmp_path / "new.db").exists()


def test_every_table_comes_after_those_that_it_names() -> None:
    order = [table.name for table in METADATA.sorted_tables]
    for table in METADATA.sorted_tables:
        named = {key.column.table.name for key in table.foreign_keys} - {table.name}
        assert all(order.index(one) < order.index(table.name) for one in named)
