"""``fabctl run``: a whole lab on this computer."""

from __future__ import annotations

import sys

import click

from fabctl.commands.options import config_option
from fabctl.config import LabConfig
from fabctl.this_computer import this_host


@click.command("run")
@config_option
@click.option("--host", "host", metavar="ID", help="Which host of lab.toml this computer is.")
@click.option(
    "--machines-only",
    is_flag=True,
    help="Run this host's machines only: broker, web and steward run elsewhere.",
)
def run(config: LabConfig, host: str | None, machines_only: bool) -> None:
    """Run a whole lab on this computer: broker, web, steward, machines.

    Makes what is missing in the data directory (keys, passwords, the database), starts one
    process for each part, and starts again what dies. The parts' own lines are shown with their
    name before them.

    Ctrl-C ends all: running jobs are stopped in order, with heaters off, and that is recorded.
    A second Ctrl-C kills what has not ended yet.
    """
    from fabctl.hosting.run_lab import run_lab  # noqa: PLC0415  # --help stays quick

    sys.exit(run_lab(config, this_host(config, host), machines_only=machines_only))
