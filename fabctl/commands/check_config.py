"""``fabctl check-config``: say everything that is wrong with lab.toml, or what it describes."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from fabctl.commands.options import config_file_option
from fabctl.config_file import ConfigError, load, summary


@click.command("check-config")
@config_file_option
def check_config(config_file: Path) -> None:
    """Read lab.toml and say all that is wrong.

    Each mistake comes on a line of its own: the file and line, the key, what was found, what is
    allowed. Exit code 0 when the file can be used, 1 when it cannot.
    """
    try:
        config = load(config_file)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(problem.sentence(str(config_file)), err=True)
        sys.exit(1)
    click.echo(summary(config))
    click.echo("OK")
