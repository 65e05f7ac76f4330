"""``fabctl db``: a lab's database as a whole."""

from __future__ import annotations

import sys
import time

import click

from fabctl.commands.options import database_address


@click.group()
def db() -> None:
    """Move a lab from one database into another.

    SQLite serves a lab on one computer for years. PostgreSQL serves several computers.
    """


@db.command(short_help="Copy a lab into an empty database, and compare them row by row.")
@click.option(
    "--from",
    "source_url",
    metavar="URL",
    required=True,
    callback=database_address,
    help="sqlite:////path/lab.db, postgresql+psycopg://user@host/name, or @FILE that holds it.",
)
@click.option(
    "--to",
    "target_url",
    metavar="URL",
    required=True,
    callback=database_address,
    help="The same; an empty one.",
)
def copy(source_url: str, target_url: str) -> None:
    """Copy every row of one database into another, empty one, of the same kind or not.

    Stop the lab first: what happens after the copy began stays behind. Tables are made where
    there are none. All rows are written in one transaction, read again and compared with the
    source's before it ends: all is there, or nothing is.

    A password does not belong among the words of a command, where everybody sees it: write the
    whole address into a file and give @FILE, or leave the password out and have it in ~/.pgpass.
    """
    from pathlib import Path  # noqa: PLC0415  # --help stays quick

    from fabctl.errors import InputError  # noqa: PLC0415  # the same
    from fabctl.store.copying import copy_database, row_counts  # noqa: PLC0415  # the same
    from fabctl.store.engine import is_sqlite, open_database, parse_url  # noqa: PLC0415  # the same
    from fabctl.store.migrate import require_current, revision, upgrade  # noqa: PLC0415  # the same

    source_address = parse_url(source_url)
    if source_address == parse_url(target_url):
        raise InputError("--from and --to are the same database")
    if is_sqlite(source_address) and not Path(str(source_address.database)).is_file():
        raise InputError(f"there is no file {source_address.database}")
    began = time.monotonic()
    source, target = open_database(source_url), open_database(target_url)
    try:
        require_current(source)
        # a target without tables gets them; one with rows is refused before anything is due
        if revision(target) is None:
            upgrade(target_url, Path())
        counts = row_counts(source)
        with click.progressbar(
            length=sum(counts.values()), label="Copying", file=sys.stderr
        ) as bar:
            copied = copy_database(source, target, bar.update)
    finally:
        source.close()
        target.close()
    rows = sum(one.rows for one in copied.values())
    click.echo(
        f"Copied {rows} rows of {len(copied)} tables in {time.monotonic() - began:.1f} s;"
        " read again, both are the same."
    )
    click.echo("Now write the new address into lab.toml, [database] url, and start the lab.")
