"""`fabctl upgrade`: a look, a backup of the whole lab, then the migrations; and the way back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fabctl.__main__ import cli
from fabctl.backup.restoring import Place, restore
from fabctl.clock import ManualClock
from fabctl.config_file import load
from fabctl.store.engine import open_database
from fabctl.store.migrate import OURS, revision, upgrade
from fabctl.store.snapshot import postgresql_dump_revision, sqlite_revision
from fabctl.store.version import HEAD
from tests.backup_lab import LAB
from tests.databases import PostgreSQL

OLD = "0014"


@pytest.fixture
def old_lab(empty_database_url: str, tmp_path: Path) -> Path:
    """The lab.toml of a lab whose database is of an older fabctl."""
    upgrade(empty_database_url, tmp_path, scripts=replace(OURS, head=OLD))
    folder = tmp_path / "lab"
    folder.mkdir()
    (folder / "mail.password").touch()
    file = folder / "lab.toml"
    file.write_text(LAB.format(url=empty_database_url, copies=tmp_path / "copies", more=""))
    return file


def typed(file: Path, *words: str) -> Result:
    """Run a command in this process; an error that fabctl explains is raised."""
    return CliRunner().invoke(
        cli, list(words), env={"FABCTL_CONFIG": str(file)}, catch_exceptions=False
    )


def stands_at(url: str) -> str | None:
    database = open_database(url)
    found = revision(database)
    database.close()
    return found


def test_a_look_a_backup_the_migrations_and_the_way_back(
    old_lab: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = load(old_lab).database_url
    look = typed(old_lab, "upgrade", "--check")
    assert (look.exit_code, look.stderr) == (1, "fabctl: there is no backup: `fabctl backup`\n")
    assert f"at {OLD}\ndue            {int(OLD) + 1:04} " in look.stdout
    assert f"\n               {HEAD} " in look.stdout
    assert stands_at(url) == OLD
    done = typed(old_lab, "upgrade")
    archive = Path(done.stdout.partition("Wrote ")[2].splitlines()[0])
    assert f"Migrated the database from {OLD} to {HEAD}." in done.stdout
    assert stands_at(url) == HEAD
    look = typed(old_lab, "upgrade", "--check")
    assert (look.exit_code, look.stderr) == (0, "")
    assert "due            nothing" in look.stdout
    archive.rename(tmp_path / archive.name)
    look = typed(old_lab, "upgrade", "--check")
    assert look.stderr == "fabctl: there is no backup: `fabctl backup`\n"
    assert look.exit_code == 0, "nothing is due, so nothing is at risk"
    archive = tmp_path / archive.name

    assert "is older than this fabctl" in typed(old_lab, "backup", "verify", str(archive)).stdout
    place = Place(tmp_path / "back")
    if not url.startswith("sqlite"):
        server: PostgreSQL = request.getfixturevalue("postgresql_server")
        place = replace(place, database=server.url(server.new_database()))
    restore(archive, place)
    assert stands_at(load(tmp_path / "back" / "lab.toml").database_url) == OLD


def test_a_backup_that_is_too_old_is_said(old_lab: Path, clock: ManualClock) -> None:
    folder = load(old_lab).backup.directory
    folder.mkdir()
    clock.advance(-timedelta(days=900).total_seconds())
    (folder / f"lab-test-{clock.now():%Y%m%dT%H%M%SZ}.tar.gz").touch()
    look = typed(old_lab, "upgrade", "--check")
    assert look.exit_code == 1
    assert "h old (limit: 26 h): `fabctl backup`" in look.stderr


def test_migrate_alone_copies_the_database_first(old_lab: Path) -> None:
    done = typed(old_lab, "migrate")
    copy = Path(done.stdout.splitlines()[0].removeprefix("Copied the database to "))
    assert copy.stat().st_mode & 0o077 == 0
    found = sqlite_revision(copy) if copy.suffix == ".db" else postgresql_dump_revision(copy)
    assert found == OLD
