"""``fabctl machine ID``: drive one machine."""

from __future__ import annotations

import sys

import click

from fabctl.commands.options import config_option
from fabctl.config import LabConfig


@click.command("machine")
@click.argument("machine_id", metavar="ID")
@config_option
def machine(config: LabConfig, machine_id: str) -> None:
    """Drive the machine called ID in lab.toml, until Ctrl-C or SIGTERM.

    `fabctl run` starts one of these for each machine of this computer; on its own it is for
    systemd and for people who look for a fault. It needs the broker, and nothing else: a print
    goes on without the web, the steward and the database.

    When it ends, a running job is stopped in order, with heaters off.
    """
    from fabctl.hosting.machine_process import run_machine  # noqa: PLC0415  # --help stays quick

    sys.exit(run_machine(config, machine_id))
