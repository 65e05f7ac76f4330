"""What cannot be done is said in a sentence: a full disk, a lock, a wrong password."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from fabctl.clock import ManualClock
from fabctl.errors import FabError, LocalError
from fabctl.services import people
from fabctl.store.engine import BUSY_TIMEOUT_S, Database, open_database
from fabctl.store.faults import explained
from tests.databases import PostgreSQL
from tests.servers.store.conftest import Lab


def names(database: Database) -> list[str]:
    with database.reading() as session:
        return [person.display_name for person in people.list_people(session)]


def settings(session: Session) -> dict[str, object]:
    words = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    return {word: session.execute(text(f"PRAGMA {word}")).scalar() for word in words}


def sqlite_lab(tmp_path: Path, migrated: Path) -> str:
    file = tmp_path / "lab.db"
    file.write_bytes(migrated.read_bytes())
    return f"sqlite:///{file}"


def fill(database: Database, clock: ManualClock) -> None:
    """Add people until something gives."""
    with database.transaction() as session:
        session.execute(text("PRAGMA max_page_count = 80"))  # the disk ends at 320 KiB
        for number in range(20_000):
            people.add_person(session, clock, display_name=f"Somebody {number}")


def test_a_full_disk_is_named_and_nothing_is_changed(
    tmp_path: Path, migrated_sqlite: Path, clock: ManualClock
) -> None:
    database = open_database(sqlite_lab(tmp_path, migrated_sqlite))
    with pytest.raises(LocalError, match=r"disk is full; nothing was changed.*free some space"):
        fill(database, clock)
    assert names(database) == []
    database.close()


def test_sqlite_is_set_up_to_lose_nothing(tmp_path: Path, migrated_sqlite: Path) -> None:
    database = open_database(sqlite_lab(tmp_path, migrated_sqlite))
    full, wal = 2, "wal"
    with database.transaction() as session:
        assert settings(session) == {
            "journal_mode": wal,
            "synchronous": full,
            "foreign_keys": 1,
            "busy_timeout": BUSY_TIMEOUT_S * 1000,
        }
    database.close()


def test_a_lock_that_lasts_too_long_is_named(tmp_path: Path, migrated_sqlite: Path) -> None:
    database = open_database(sqlite_lab(tmp_path, migrated_sqlite), patience_s=0.05)
    with closing(sqlite3.connect(tmp_path / "lab.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert names(database) == []  # reading goes on
        with pytest.raises(LocalError, match=r"locked for too long.*try again"):
            fill(database, ManualClock())
    database.close()


def test_a_row_locked_for_too_long_is_named_in_postgresql(
    postgresql_server: PostgreSQL, clock: ManualClock
) -> None:
    url = postgresql_server.url(postgresql_server.new_database(like=postgresql_server.migrated))
    database, patient = open_database(url, patience_s=0.05), open_database(url)
    with patient.transaction() as session:
        who = people.add_person(session, clock, display_name="Léa").id
    with patient.transaction() as session:
        session.execute(text("LOCK TABLE account IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(LocalError, match=r"locked for too long"):
            suspend(database, clock, who)
    database.close()
    patient.close()


def suspend(database: Database, clock: ManualClock, who: str) -> None:
    with database.transaction() as session:
        people.set_suspended(session, clock, person_id=who, reason="test", by=None)


@pytest.mark.parametrize(
    ("user", "name", "sentence"),
    [
        ("postgres", "no_such_database", r"no_such_database.*does not exist"),
        ("nobody", "postgres", r"nobody.*does not exist"),
    ],
)
def test_a_server_that_refuses_is_understood(
    postgresql_server: PostgreSQL, user: str, name: str, sentence: str
) -> None:
    url = f"postgresql+psycopg://{user}@127.0.0.1:{postgresql_server.port}/{name}"
    database = open_database(url)
    with pytest.raises(LocalError, match=sentence):
        names(database)
    database.close()


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "lab.db").mkdir()
    database = open_database(f"sqlite:///{tmp_path}/lab.db")
    with pytest.raises(LocalError, match="cannot be opened"):
        names(database)
    database.close()


def test_a_read_only_database_is_named(tmp_path: Path, migrated_sqlite: Path) -> None:
    """SQLite's own read-only opening: rights on files do not stop root, who may run the tests."""
    url = sqlite_lab(tmp_path, migrated_sqlite)
    database = open_database(url.replace("sqlite:///", "sqlite:///file:") + "?mode=ro&uri=true")
    with pytest.raises(LocalError, match=r"may not be written.*right to write"):
        fill(database, ManualClock())
    database.close()


@pytest.mark.parametrize(
    "error", [ValueError("x"), sqlite3.IntegrityError("CHECK constraint failed: x"), KeyError("y")]
)
def test_what_is_a_bug_stays_as_it_is(error: Exception) -> None:
    assert explained(error) is None


def test_an_error_inside_a_transaction_undoes_it(lab: Lab) -> None:
    class MishapError(FabError):
        """Something else goes wrong in the same transaction."""

    def stop_half_way() -> None:
        with lab.database.transaction() as session:
            people.add_person(session, lab.clock, display_name="Zoé")
            raise MishapError("stop")

    before = names(lab.database)
    with pytest.raises(MishapError):
        stop_half_way()
    assert names(lab.database) == before
