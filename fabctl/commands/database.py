"""``fabctl migrate``: bring the database to the state this version needs."""

from __future__ import annotations

import click

from fabctl.commands.options import config_option
from fabctl.config import LabConfig


@click.command()
@config_option
def migrate(config: LabConfig) -> None:
    """Bring the database to the state that this version of fabctl needs.

    The database is copied into the data directory's folder backups before anything changes
    (PostgreSQL's by pg_dump). Either everything is done or nothing. `fabctl run` does this by
    itself; `fabctl upgrade` does it after a backup of the whole lab.
    """
    from fabctl.store.migrate import upgrade  # noqa: PLC0415  # heavy: only when it is called

    report = upgrade(config.database_url, config.paths.backups)
    if not report.changed:
        click.echo(f"The database is up to date ({report.after}).")
        return
    if report.backup is not None:
        click.echo(f"Copied the database to {report.backup}")
    click.echo(f"Migrated the database from {report.before or 'nothing'} to {report.after}.")
