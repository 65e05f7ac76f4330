"""Backup, restore and migration of a lab with ten years of data, beside cp and pg_dump."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from fabctl.backup.checking import verify
from fabctl.backup.making import make_backup
from fabctl.backup.restoring import Place, restore
from fabctl.clock import SystemClock
from fabctl.config import LabConfig
from fabctl.config_file import load
from fabctl.store import migrate
from fabctl.store.copying import copy_database, row_counts
from fabctl.store.engine import open_database
from fabctl.store.version import HEAD
from tests.bench.backup_earlier import FROM, from_earlier
from tests.bench.figures import show
from tests.bench.house_lab import seeded
from tests.databases import PostgreSQL, running_server

YEARS = int(os.environ.get("YEARS", "10"))
JOB_FILES = 60
JOB_LINES = 100_000
NEXT = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "0099", {head!r}, None, None
def upgrade():
    op.add_column("reservation", sa.Column("novelty", sa.String))
    op.execute("UPDATE reservation SET novelty = id")
    op.create_index("ix_novelty", "reservation", ["novelty"])
"""


def main() -> None:
    """Print the figures for SQLite, then for PostgreSQL."""
    with tempfile.TemporaryDirectory() as folder:
        house = seeded(Path(folder), YEARS)
        config = _written(house.config)
        _add_job_files(config)
        rows = f"{house.rows:,} rows, {JOB_FILES} job files"
        print(f"{YEARS} year(s) of a lab, {rows}; load average {os.getloadavg()[0]:.1f}")
        _sqlite(config, Path(folder))
        with running_server() as server:
            _postgresql(config, Path(folder), server)
            print(" Migration, SQLite")
            for number in FROM:
                url = f"sqlite:///{folder}/from-{number}.db"
                from_earlier(config.database_url, url, number, Path(folder))
            _migration(config.database_url, Path(folder))


def _written(config: LabConfig) -> LabConfig:
    """Return the same lab, read from a lab.toml as a person would write it."""
    config.file.write_text(
        f'[lab]\nid = "test"\nname = "Bench"\n[database]\nurl = "{config.database_url}"\n'
    )
    return load(config.file)


def _add_job_files(config: LabConfig) -> None:
    rng = random.Random(1)  # noqa: S311  # the same files every time
    config.paths.files.mkdir(exist_ok=True)
    for _ in range(JOB_FILES):
        lines = (
            f"G1 X{rng.uniform(0, 250):.3f} Y{rng.uniform(0, 210):.3f} E{rng.random():.5f}\n"
            for _ in range(JOB_LINES)
        )
        raw = "".join(lines).encode()
        config.paths.job_file(sha256(raw).hexdigest()).write_bytes(raw)


def _sqlite(config: LabConfig, folder: Path) -> None:
    print(" SQLite")
    plain = _timed(lambda: _cp(config, folder / "plain"))
    packed = _timed(lambda: _cp_packed(folder / "plain", folder / "plain.tar.gz"))
    show("files and database", _size(folder / "plain") / 1e6, "MB")
    show("plain cp -a, and sync", plain, "s")
    show("tar and gzip -1 of that", packed, "s")
    archive = _backup_and_back(config, folder, Place(folder / "back"))
    show("archive's size", archive.stat().st_size / 1e6, "MB")
    show("gzip -1's", (folder / "plain.tar.gz").stat().st_size / 1e6, "MB")


def _backup_and_back(config: LabConfig, folder: Path, place: Place) -> Path:
    before = time.perf_counter()
    archive = make_backup(config, SystemClock()).archive
    show("fabctl backup", time.perf_counter() - before, "s")
    show("fabctl backup verify", _timed(lambda: verify(archive)), "s")
    show("fabctl restore", _timed(lambda: restore(archive, place)), "s")
    shutil.rmtree(place.folder)
    kept = folder / archive.name
    archive.replace(kept)
    return kept


def _cp(config: LabConfig, target: Path) -> None:
    target.mkdir()
    file = config.database_url.removeprefix("sqlite:///")
    data = str(config.data_directory)
    subprocess.run(["cp", "-a", file, data, target], check=True)
    subprocess.run(["sync", "-f", target], check=True)


def _cp_packed(plain: Path, target: Path) -> None:
    words = ["tar", "--use-compress-program", "gzip -1", "-cf", str(target), str(plain)]
    subprocess.run(words, check=True, capture_output=True)
    subprocess.run(["sync", "-f", target], check=True)


def _postgresql(config: LabConfig, folder: Path, server: PostgreSQL) -> None:
    print(" PostgreSQL; a server that does not wait for the disk")
    url = server.url(server.new_database())
    migrate.upgrade(url, folder)
    source, target = open_database(config.database_url), open_database(url)
    took = _timed(lambda: copy_database(source, target, lambda _rows: None))
    show("fabctl db copy there, compared", took, "s")
    rows = sum(row_counts(target).values())
    show("of it, rows per second", rows / took, "")
    source.close()
    target.close()
    there = replace(config, database_url=url)
    plain = url.replace("+psycopg", "")
    dump = ["pg_dump", "--format=custom", f"--dbname={plain}", f"--file={folder}/plain.pgdump"]
    show("plain pg_dump -Fc, without files", _timed(lambda: _run(dump)), "s")
    empty = server.new_database()
    back = ["pg_restore", "-1", f"--dbname={server.url(empty).replace('+psycopg', '')}"]
    show("plain pg_restore", _timed(lambda: _run([*back, f"{folder}/plain.pgdump"])), "s")
    place = Place(folder / "back", database=server.url(server.new_database()))
    _backup_and_back(there, folder, place)
    _migration(url, folder)
    for number in FROM:
        from_earlier(config.database_url, server.url(server.new_database()), number, folder)


def _run(words: list[str]) -> None:
    subprocess.run(words, check=True, capture_output=True)


def _migration(url: str, folder: Path) -> None:
    """Apply one more migration, made up for this: a column, filled, and an index; a copy first."""
    scripts = folder / f"scripts-{url.partition(':')[0]}"
    shutil.copytree(migrate.OURS.folder, scripts)
    (scripts / "versions" / "v0099_next.py").write_text(NEXT.format(head=HEAD))
    next_one = migrate.Scripts(scripts, "0099")
    took = _timed(lambda: migrate.upgrade(url, folder / "copies", SystemClock(), next_one))
    show("a migration over all reservations, and copy", took, "s")


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _size(folder: Path) -> int:
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
