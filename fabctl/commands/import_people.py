"""``fabctl import``: add a list of people from a CSV file, all of them or nobody."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabctl.clock import SystemClock
from fabctl.commands.options import config_option
from fabctl.config import LabConfig
from fabctl.errors import InputError
from fabctl.model.people_list import MOST_BYTES, BadRow

if TYPE_CHECKING:
    from fabctl.services.people_import import Imported

# Services and SQLAlchemy are imported inside the command: `fabctl import --help` stays quick.


@click.command("import", short_help="Add a list of people from a CSV file.")
@config_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--skip-bad", is_flag=True, help="Add the good rows although there are bad ones.")
def import_people(config: LabConfig, file: Path, *, skip_bad: bool) -> None:
    """Add everybody in FILE (CSV), or nobody when a row is bad.

    The first row names the columns, in French or English: name (nom), first name (prénom), login
    (identifiant), role, birth year (année de naissance), language (langue). Only a name is
    needed. UTF-8 or Latin-1, commas, semicolons or tabs.

    Every bad row is reported with its line and all that is wrong with it. A person who is in the
    file twice, or in the lab already (same name and year of birth, or same login), is a bad row.

    Nobody gets a password: `fabctl person set-password LOGIN` gives one to somebody with a login.
    """
    from fabctl.commands.lab_database import lab_database, who_types  # noqa: PLC0415  # see the top
    from fabctl.services import people_import  # noqa: PLC0415  # see the top

    content = _read(file)
    with lab_database(config) as database, database.transaction() as session:
        done = people_import.import_people(
            session,
            SystemClock(),
            config.time_zone,
            content=content,
            skip_bad=skip_bad,
            by=who_types(),
        )
    _report(file, done)


def _read(file: Path) -> bytes:
    """Return the file, and not much more than what may be in one."""
    try:
        with file.open("rb") as stream:
            return stream.read(MOST_BYTES + 1)
    except OSError as error:
        step = "put it where this user may read it, such as in /tmp"
        raise InputError(
            f"{file} cannot be read: {error.strerror}",
            next_step=step if isinstance(error, PermissionError) else None,
        ) from error


def _report(file: Path, done: Imported) -> None:
    if done.unreadable is not None:
        _say([done.unreadable])
        raise InputError(f"{file.name} cannot be taken; nobody was added")
    for column in done.unknown_columns:
        click.echo(f"Column {column!r} is not known; it was not read.", err=True)
    _say(done.bad)
    if done.bad and not done.added:
        raise InputError(
            f"{len(done.bad)} bad rows; nobody was added",
            next_step="put them right, or add the others with --skip-bad",
        )
    skipped = f", {len(done.bad)} bad rows left out" if done.bad else ""
    click.echo(f"Added {done.added} people{skipped} (read as {done.encoding}).")


def _say(rows: Iterable[BadRow]) -> None:
    for row in rows:
        for refusal in row.refusals:
            click.echo(f"line {row.line}: {refusal.message} {refusal.next_step}", err=True)
