"""``fabctl restore``: a lab out of an archive."""

from __future__ import annotations

from pathlib import Path

import click

from fabctl.commands.backup import identity_option, size
from fabctl.commands.options import SYSTEM_CONFIG, database_address

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("archive", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--to", "folder", type=_FOLDER, required=True, help="An empty folder, for lab.toml.")
@click.option("--data", type=_FOLDER, help="An empty folder, for data. Default: data in --to.")
@click.option(
    "--database",
    metavar="URL",
    callback=database_address,
    help="An empty PostgreSQL database, for an archive of one, or @FILE that holds its address."
    " Default: the one in lab.toml.",
)
@identity_option
def restore(
    archive: Path, folder: Path, data: Path | None, database: str | None, identity: Path | None
) -> None:
    """Put the lab of ARCHIVE into an empty place, from where it starts again.

    Everything is checked before anything is in its place. What is not empty is refused and left
    alone. As root, files get their owners and groups back by name; one that is not known here is
    replaced by the folder's.

    On a new computer: docs/backups.md, "Putting a lab back", has every command. In short: install
    fabctl, stop its services, move away what the installer put into the two folders, then

    \b
        fabctl restore ARCHIVE --to /etc/fabctl --data /var/lib/fabctl
        deploy/install.sh

    To look into an archive, any folder will do. Do not start two labs with one lab.toml: they
    would share machines, mail and an outside broker.
    """
    from fabctl.backup.restoring import Place, restore  # noqa: PLC0415  # --help stays quick
    from fabctl.store.version import HEAD  # noqa: PLC0415  # the same

    data = data.absolute() if data else None
    done = restore(archive, Place(folder.absolute(), data, database), identity)
    head = done.manifest.head
    click.echo(
        f"{head.name} as of {head.taken_at:%Y-%m-%d %H:%M} UTC:"
        f" {len(done.manifest.entries)} files, {size(done.manifest.size)}"
    )
    click.echo(f"lab.toml  {done.lab_toml}")
    click.echo(f"data      {done.data}")
    for one in done.manifest.unread:
        click.echo(
            f"fabctl: {one} is not in this archive: a link, or it could not be read then", err=True
        )
    for one in done.elsewhere:
        click.echo(f"lab.toml names {one}: its copy lies in {folder}/elsewhere{one}")
    for one in done.in_fault:
        click.echo(
            f"The interlock of {one} begins in FAULT: what happened after the backup is not known."
            f" Test it, then at the machine: fabctl interlock {one} --clear-fault"
        )
    if done.lab_toml == SYSTEM_CONFIG:
        click.echo("Next: deploy/install.sh of the sources: rights, broker, database, services")
        return
    if head.revision < HEAD:
        click.echo(f"Bring its database to this fabctl: fabctl migrate --config {done.lab_toml}")
    click.echo(f"Start it: fabctl run --config {done.lab_toml}")
