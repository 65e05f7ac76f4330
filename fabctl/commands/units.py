"""``fabctl units``: which systemd units this computer is to run."""

from __future__ import annotations

import click

from fabctl.commands.options import config_option
from fabctl.config import LabConfig
from fabctl.this_computer import this_host


@click.command("units")
@config_option
@click.option("--host", "host", metavar="ID", help="Which host of lab.toml this computer is.")
@click.option("--machines-only", is_flag=True, help="Web and steward run elsewhere.")
def units(config: LabConfig, host: str | None, *, machines_only: bool) -> None:
    """List the systemd units that this computer runs for the lab, one a line.

    After each stands "network" when it talks to other computers, else "local". The installation
    (`deploy/install.sh --apply`) reads this list; nothing is changed here.
    """
    from fabctl.hosting.unit_plan import units_of  # noqa: PLC0415  # --help stays quick

    for unit in units_of(config, this_host(config, host), desk=not machines_only):
        click.echo(f"{unit.name} {'network' if unit.network else 'local'}")
