"""``fabctl steward``: put on record what happens."""

from __future__ import annotations

import sys

import click

from fabctl.commands.options import config_option
from fabctl.config import LabConfig


@click.command("steward")
@config_option
def steward(config: LabConfig) -> None:
    """Record what happens, and do what the clock asks for, until Ctrl-C or SIGTERM.

    One per lab; `fabctl run` starts it. Machines keep their events until the steward has
    recorded them, so it may be stopped and started at any time.
    """
    from fabctl.hosting.steward_process import run_steward  # noqa: PLC0415  # heavy: only now

    sys.exit(run_steward(config))
