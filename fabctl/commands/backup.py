"""``fabctl backup``: copies of the whole lab."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

import click

from fabctl.commands.options import loaded, named_config_option
from fabctl.config import LabConfig

Reader: TypeAlias = Callable[[], LabConfig]
"""Finds and reads lab.toml; who holds the key of an archive elsewhere has none."""

identity_option = click.option(
    "--identity",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The file of age's identity that may read an encrypted archive.",
)


@click.group(invoke_without_command=True)
@named_config_option
@click.option("--verify", "and_verify", is_flag=True, help="Read the new archive back at once.")
@click.pass_context
def backup(ctx: click.Context, config_file: Path | None, and_verify: bool) -> None:
    """Write one archive of the whole lab, while it runs.

    It holds the database as it is at one moment, job files and pictures of them, keys and
    passwords, lab.toml and the files it names. It goes to the folder that [backup] in lab.toml
    names (the data directory's folder backups without one), encrypted when recipients are named
    there. Then archives go that no day, week or month needs any more.

    An archive that is not encrypted opens every door of the lab: keep it as you keep the keys.

    Exit code 1: the archive was written, and something that may not be read is not in it.
    """
    ctx.obj = partial(loaded, config_file)
    if ctx.invoked_subcommand is None:
        _back_up(loaded(config_file), and_verify)


def _back_up(config: LabConfig, and_verify: bool) -> None:
    from fabctl.backup.making import make_backup  # noqa: PLC0415  # --help stays quick
    from fabctl.clock import SystemClock  # noqa: PLC0415  # the same

    made = make_backup(config, SystemClock())
    files = len(made.manifest.entries)
    click.echo(f"{made.archive}")
    click.echo(f"{files} files, {size(made.manifest.size)}, {size(made.size)} on the disk")
    for gone in made.forgotten:
        click.echo(f"forgot {gone.name}")
    for one in made.damaged:
        click.echo(f"fabctl: the disk has changed {one}: send that file again", err=True)
    for one in made.manifest.missing:
        click.echo(f"fabctl: the job file {one} is on record, and not on the disk", err=True)
    for one in made.manifest.unread:
        click.echo(
            f"fabctl: {one} is a link or may not be read: it is not in the archive", err=True
        )
    if and_verify and config.backup.recipients:
        click.echo("Encrypted: `fabctl backup verify` reads it where the identity is.")
    elif and_verify:
        _verify(made.archive, None)
    if made.manifest.unread:
        sys.exit(1)


@backup.command(
    "verify", short_help="Read an archive, and say whether it would bring the lab back."
)
@click.argument("archive", type=click.Path(path_type=Path, dir_okay=False), required=False)
@identity_option
@click.pass_obj
def verify_(read: Reader, archive: Path | None, identity: Path | None) -> None:
    """Read all of ARCHIVE, the newest by default: every file's hash, the database's soundness.

    An encrypted one can only be read with its key, which should not be on the lab's computer:
    where ARCHIVE is named, no lab.toml is needed.
    """
    _verify(archive or _newest(read()), identity)


@backup.command("list", short_help="Show the archives there are.")
@click.pass_obj
def list_(read: Reader) -> None:
    """Show the lab's archives, the newest first, with their age and size."""
    from fabctl.backup.rotation import archives  # noqa: PLC0415  # --help stays quick

    config = read()
    folder = config.backup.directory
    names = [one.name for one in folder.iterdir()] if folder.is_dir() else []
    for one in archives(names, config.id):
        at = one.at.astimezone(config.time_zone)
        click.echo(
            f"{at:%Y-%m-%d %H:%M}  {size((folder / one.name).stat().st_size):>9}  {one.name}"
        )
    if not archives(names, config.id):
        click.echo(f"There is no archive in {folder}.")


def _newest(config: LabConfig) -> Path:
    from fabctl.backup.making import newest_backup  # noqa: PLC0415  # --help stays quick
    from fabctl.errors import InputError  # noqa: PLC0415  # the same

    found = newest_backup(config)
    if found is None:
        raise InputError(
            f"there is no archive in {config.backup.directory}",
            next_step="make one: `fabctl backup`",
        )
    return config.backup.directory / found.name


def _verify(archive: Path, identity: Path | None) -> None:
    from fabctl.backup.checking import verify  # noqa: PLC0415  # --help stays quick

    verdict = verify(archive, identity)
    head = verdict.manifest.head
    click.echo(
        f"{archive.name} is sound: {len(verdict.manifest.entries)} files,"
        f" {size(verdict.manifest.size)}, {head.name} of {head.taken_at:%Y-%m-%d %H:%M} UTC,"
        f" database at {head.revision}"
    )
    if verdict.needs_migrating:
        click.echo("The database is older than this fabctl: `fabctl migrate` after restoring.")
    for one in verdict.manifest.unread:
        click.echo(f"It lacks {one}: a link, or it could not be read.")
    for one in verdict.manifest.missing:
        click.echo(f"It lacks the job file {one}, which was not on the disk either.")


def size(count: int) -> str:
    """Return a number of bytes for people, in kB or MB."""
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"
