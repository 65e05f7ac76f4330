"""``fabctl upgrade``: a backup, then the migrations; or only a look."""

from __future__ import annotations

import sys

import click

from fabctl.commands.options import config_option
from fabctl.config import LabConfig


@click.command()
@config_option
@click.option("--check", is_flag=True, help="Say what would be done and what is wrong; do nothing.")
def upgrade(config: LabConfig, check: bool) -> None:
    """Write a backup of the whole lab, then bring its database to this version of fabctl.

    With --check: which migrations are due, whether there is a backup young enough ([backup]
    max_age_h in lab.toml) and enough space on the disk. Exit code 1 when that must be mended
    before; where nothing is due it is only said. `deploy/install.sh` asks this of the version that
    it installs, before it stops anything.

    An older fabctl refuses a database that was migrated: to go back, install the older one and
    restore the backup that this wrote.
    """
    from fabctl.backup.making import make_backup  # noqa: PLC0415  # --help stays quick
    from fabctl.backup.readiness import facts, must_wait, troubles  # noqa: PLC0415  # the same
    from fabctl.clock import SystemClock  # noqa: PLC0415  # the same
    from fabctl.store import migrate  # noqa: PLC0415  # the same

    clock = SystemClock()
    found = facts(config)
    _say(found.at, found.due)
    if check:
        if found.newest is not None:
            age = clock.now() - found.newest
            click.echo(f"newest backup  {age.total_seconds() / 3600:.1f} h old")
        click.echo(f"disk           {found.free_bytes / 1e6:.0f} MB free")
        for line in troubles(found, clock.now()):
            click.echo(f"fabctl: {line}", err=True)
        sys.exit(1 if must_wait(found, clock.now()) else 0)
    if not found.due:
        return
    if found.at is not None:
        click.echo(f"Wrote {make_backup(config, clock).archive}")
    report = migrate.upgrade(config.database_url, config.paths.backups)
    click.echo(f"Migrated the database from {report.before or 'nothing'} to {report.after}.")


def _say(at: str | None, due: tuple[str, ...]) -> None:
    click.echo(f"database       at {at or 'nothing yet'}")
    if not due:
        click.echo("due            nothing")
    for number, line in enumerate(due):
        click.echo(f"{'' if number else 'due':14} {line}")
