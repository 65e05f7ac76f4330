"""Backups of real labs: whole, of one moment, refused when damaged, put back into empty places."""

from __future__ import annotations

import gzip
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from fabctl.__main__ import cli
from fabctl.backup import checking
from fabctl.backup.checking import verify
from fabctl.backup.making import Made, make_backup
from fabctl.backup.restoring import Place, restore
from fabctl.backup.rotation import Keep
from fabctl.clock import ManualClock
from fabctl.commands import options
from fabctl.config import LabConfig
from fabctl.config_file import load
from fabctl.errors import InputError, LocalError
from fabctl.store.engine import Database, open_database
from tests.backup_lab import GCODES, digests, kept_files, written_lab
from tests.databases import PostgreSQL

KEY = "age1gnheh2d4py4fns8kacv7k84kcalxtadxu7a2uexafkwee0df0sjqhm3fvr"
NEEDS_AGE = pytest.mark.skipif(
    shutil.which("age") is None and os.environ.get("CI") != "true",
    reason="the program age is missing: apt install age",
)


@pytest.fixture
def whole(database_url: str, tmp_path: Path) -> LabConfig:
    """A lab on each kind of database."""
    return written_lab(tmp_path / "lab", database_url, seeded=False)


@pytest.fixture
def small(migrated_sqlite: Path, tmp_path: Path) -> LabConfig:
    """A lab on SQLite."""
    shutil.copy(migrated_sqlite, tmp_path / "lab.db")
    return written_lab(tmp_path / "lab", f"sqlite:///{tmp_path}/lab.db", seeded=False)


def empty_place(config: LabConfig, tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    if config.database_url.startswith("sqlite"):
        return Place(tmp_path / "new")
    server: PostgreSQL = request.getfixturevalue("postgresql_server")
    return Place(tmp_path / "new", database=server.url(server.new_database()))


def test_a_lab_comes_back_whole(
    database_url: str, clock: ManualClock, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    whole = written_lab(tmp_path / "lab", database_url)
    made = make_backup(whole, clock)
    assert made.archive == tmp_path / "copies" / "lab-test-20261123T090000Z.tar.gz"
    assert made.archive.stat().st_mode & 0o077 == 0
    assert (made.damaged, made.manifest.missing, made.forgotten) == ((), (), ())
    verify(made.archive)
    restore(made.archive, empty_place(whole, tmp_path, request))
    back = load(tmp_path / "new" / "lab.toml")
    assert digests(back.database_url) == digests(whole.database_url)
    assert kept_files(back) == kept_files(whole)
    assert back.paths.secret.stat().st_mode & 0o077 == 0
    assert back.mail is not None
    assert back.mail.password_file is not None
    assert back.mail.password_file.read_text() == "secret"
    assert not back.paths.tmp.exists()
    with closing(sqlite3.connect(back.paths.machine("mill") / "journal.db")) as journal:
        assert journal.execute("SELECT seq FROM event").fetchall() == [(7,)]
    assert sorted(one.name for one in back.data_directory.iterdir()) == sorted(
        {"broker", "files", "keys", "machines", "previews", "secret.key"}
        | ({"lab.db"} if "sqlite" in back.database_url else set())
    )


def test_what_is_there_is_refused_and_left_alone(
    whole: LabConfig, clock: ManualClock, tmp_path: Path
) -> None:
    archive = make_backup(whole, clock).archive
    before = kept_files(whole)
    with pytest.raises(InputError, match=r"lab is not empty: data, lab.toml, mail.password;"):
        restore(archive, Place(whole.file.parent))
    with pytest.raises(InputError, match=r"data is not empty: broker, files, keys and 4 more"):
        restore(archive, Place(tmp_path / "new", data=whole.data_directory))
    if not whole.database_url.startswith("sqlite"):
        with pytest.raises(InputError, match="the database is not empty: account"):
            restore(archive, Place(tmp_path / "new"))  # lab.toml names the one in use
        assert list((tmp_path / "new").rglob("*")) == []
    assert kept_files(whole) == before


def test_a_backup_is_one_moment_while_others_write(
    whole: LabConfig, clock: ManualClock, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database = open_database(whole.database_url)
    done = threading.Event()
    writer = threading.Thread(target=_write_pairs, args=(database, done))
    writer.start()
    try:
        archives = [_made(whole, clock).archive for _ in range(3)]
    finally:
        done.set()
        writer.join()
    assert _pairs(database) > 3
    database.close()
    restore(archives[-1], empty_place(whole, tmp_path, request))
    copy = open_database(load(tmp_path / "new" / "lab.toml").database_url)
    assert _pairs(copy) > 0
    copy.close()


def _made(config: LabConfig, clock: ManualClock) -> Made:
    clock.advance(60)
    return make_backup(config, clock)


def _write_pairs(database: Database, done: threading.Event) -> None:
    """Write two rows that belong together, again and again."""
    number = 0
    while not done.is_set():
        number += 1
        with database.transaction() as session:
            for subject in ("first", "second"):
                session.execute(
                    text("INSERT INTO wrong_try (kind, subject, in_a_row, in_window, locks)"
                         " VALUES (:kind, :subject, 0, 0, 0)"),
                    {"kind": f"pair-{number}", "subject": subject},
                )  # fmt: skip


def _pairs(database: Database) -> int:
    with database.reading() as session:
        query = "SELECT kind, count(*) FROM wrong_try WHERE kind LIKE 'pair-%' GROUP BY kind"
        found = {row[0]: row[1] for row in session.execute(text(query))}
    assert set(found.values()) <= {2}
    return len(found)


def test_no_changed_byte_goes_unseen(small: LabConfig, clock: ManualClock, tmp_path: Path) -> None:
    archive = make_backup(small, clock).archive
    raw = archive.read_bytes()
    wrong = tmp_path / archive.name
    seen = 0
    for number in range(12, len(raw), len(raw) // 40):
        wrong.write_bytes(raw[:number] + bytes([raw[number] ^ 0x10]) + raw[number + 1 :])
        # a bit may choose between two places that hold the same bytes: then nothing is lost
        if unpacked(wrong) != unpacked(archive):
            seen += 1
            with pytest.raises(InputError):
                verify(wrong)
    assert seen > 20
    for length in (0, 5, len(raw) // 2, len(raw) - 9):
        wrong.write_bytes(raw[:length])
        with pytest.raises(InputError):
            verify(wrong)
        with pytest.raises(InputError):
            restore(wrong, Place(tmp_path / "new"))
        assert not [one for one in (tmp_path / "new").rglob("*") if one.is_file()]


def unpacked(archive: Path) -> bytes | None:
    """Return what gzip makes of an archive; None: it refuses."""
    try:
        return gzip.decompress(archive.read_bytes())
    except (OSError, EOFError, zlib.error):
        return None


def test_job_files_that_the_disk_changed_or_lost_are_named(
    small: LabConfig, clock: ManualClock
) -> None:
    first, second, _ = sorted(small.paths.files.iterdir())
    first.write_bytes(GCODES[0][:-1])
    second.unlink()
    made = make_backup(small, clock)
    assert made.damaged == (f"data/files/{first.name}",)
    assert made.manifest.missing == (second.stem,)
    assert verify(made.archive).manifest.missing == (second.stem,)


def test_a_damaged_database_is_not_kept_and_the_old_archives_stay(
    small: LabConfig, clock: ManualClock, tmp_path: Path
) -> None:
    old = make_backup(small, clock).archive
    database = tmp_path / "lab.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    raw = database.read_bytes()
    database.write_bytes(raw[:40960] + os.urandom(len(raw) - 40960))
    clock.advance(86400)
    with pytest.raises(LocalError, match="damaged"):
        make_backup(small, clock)
    assert archives_in(old.parent) == [old.name]


def archives_in(folder: Path) -> list[str]:
    """Return everything in the folder but the lock."""
    return sorted(one.name for one in folder.iterdir() if one.name != ".backup.lock")


def test_some_nights_leave_what_the_rotation_says(small: LabConfig, clock: ManualClock) -> None:
    config = replace(small, backup_table=replace(small.backup, keep=Keep(2, 1, 1)))
    for _ in range(4):
        made = _made(config, clock)
        clock.advance(timedelta(days=1).total_seconds())
    assert [name[9:17] for name in archives_in(made.archive.parent)] == ["20261125", "20261126"]
    assert [one.name[9:17] for one in made.forgotten] == ["20261124"]


@NEEDS_AGE
def test_an_encrypted_archive_is_read_by_its_key_only(
    migrated_sqlite: Path, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = []
    for name in ("mine", "other"):
        made = subprocess.run(["age-keygen"], check=True, capture_output=True, text=True)
        (tmp_path / name).write_text(made.stdout)
        keys.append(made.stdout.partition("public key: ")[2].split()[0])
    shutil.copy(migrated_sqlite, tmp_path / "lab.db")
    url = f"sqlite:///{tmp_path}/lab.db"
    config = written_lab(tmp_path / "lab", url, f'recipients = ["{keys[0]}"]', seeded=False)
    archive = make_backup(config, clock).archive
    assert archive.name.endswith(".tar.gz.age")
    assert b"lab.toml" not in archive.read_bytes()
    with pytest.raises(InputError, match=r"is encrypted.*--identity"):
        verify(archive)
    with pytest.raises(LocalError, match="no identity matched"):
        verify(archive, tmp_path / "other")
    (tmp_path / "apart").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "apart"))
    seen: list[Path] = []
    with monkeypatch.context() as patch:
        patch.setattr(checking, "check_database", lambda _name, _said, file: seen.append(file))
        verify(archive, tmp_path / "mine")
    assert seen[0].is_relative_to(tmp_path / "apart"), "nothing in the clear beside the archive"
    assert "is sound" in verified_elsewhere(archive, tmp_path / "mine", monkeypatch)
    restore(archive, Place(tmp_path / "new"), tmp_path / "mine")
    back = load(tmp_path / "new" / "lab.toml")
    assert digests(back.database_url) == digests(url)
    raw = archive.read_bytes()
    archive.write_bytes(raw[:-100] + bytes(100))
    with pytest.raises((InputError, LocalError)):
        verify(archive, tmp_path / "mine")


def verified_elsewhere(archive: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what the command says on the computer that has the key: it has no lab.toml."""
    monkeypatch.chdir(archive.parent)
    monkeypatch.delenv("FABCTL_CONFIG", raising=False)
    monkeypatch.setattr(options, "SYSTEM_CONFIG", archive.parent / "no" / "lab.toml")
    done = CliRunner().invoke(cli, ["backup", "verify", archive.name, "--identity", str(key)])
    assert done.exit_code == 0, done.output
    return done.output


def test_without_age_nothing_is_written_in_the_clear(
    small: LabConfig, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = small.file
    file.write_text(f'{file.read_text()}recipients = ["{KEY}"]\n')
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalError, match=r"age is missing.*apt install age"):
        make_backup(load(file), clock)
    assert archives_in(tmp_path / "copies") == []


@pytest.mark.parametrize(
    ("place", "size_k", "more"),
    [
        ("copies", 1000, ""),
        pytest.param("copies", 1000, f'recipients = ["{KEY}"]\n', marks=NEEDS_AGE),
        ("lab/data", 1500, ""),
    ],
    ids=["archive", "encrypted archive", "copy of the database"],
)
def test_a_full_disk_leaves_the_old_archive_and_no_torn_one(
    small: LabConfig, tmp_path: Path, place: str, size_k: int, more: str
) -> None:
    small.file.write_text(f"{small.file.read_text()}{more}")
    small.paths.job_file("0" * 64).write_bytes(os.urandom(1_100_000))
    folder, old = small.backup.directory, "lab-test-20260101T000000Z.tar.gz"
    folder.mkdir()
    (folder / old).touch()
    disk, was = tmp_path / place, tmp_path / "was"
    script = (
        f"cp -a {disk} {was} && mount -t tmpfs -o size={size_k}k none {disk}"
        f" && cp -a {was}/. {disk}/ && {sys.executable} -m fabctl backup --config {small.file};"
        f" echo $?; ls -A {folder} {small.paths.tmp}"
    )
    if subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("this computer lets nobody mount a small disk")
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, check=True
    )
    assert f"the disk of {tmp_path / place}" in done.stderr
    assert "is full; there is no new backup" in done.stderr
    left = [f"{folder}:", ".backup.lock", old, f"{small.paths.tmp}:", "upload"]
    assert done.stdout.split() == ["2", *left]


def test_a_backup_killed_at_any_moment_leaves_no_torn_archive(
    small: LabConfig, clock: ManualClock
) -> None:
    folder = small.backup.directory
    command = [sys.executable, "-m", "fabctl", "backup", "--config", str(small.file)]
    for attempt in range(3):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not list(folder.glob(".lab-*") if attempt else small.paths.tmp.glob("backup-*")):
            assert time.monotonic() < deadline
            assert process.poll() is None
        process.kill()
        process.wait()
        assert [name for name in archives_in(folder) if name.startswith("lab")] == []
    made = make_backup(small, clock)
    assert archives_in(folder) == [made.archive.name]
    assert sorted(one.name for one in small.paths.tmp.iterdir()) == ["upload"]
