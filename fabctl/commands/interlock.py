"""``fabctl interlock ID``: guard one machine, or speak to what guards it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from fabctl.commands.options import config_option
from fabctl.config import LabConfig
from fabctl.errors import InputError
from fabctl.interlock import InterlockProfile


@click.command("interlock")
@click.argument("machine_id", metavar="ID")
@click.option("--status", "act", flag_value="status", help="Print what the running daemon tells.")
@click.option(
    "--clear-fault",
    "act",
    flag_value="clear-fault",
    help="At the machine: say that the fault was seen to. Asks for its code.",
)
@click.option(
    "--commission",
    "act",
    flag_value="commission",
    help="Walk through the commissioning checks and write a dated report.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the report goes. Default: ./interlock-ID-DATE.txt.",
)
@config_option
def interlock(config: LabConfig, machine_id: str, act: str | None, report: Path | None) -> None:
    """Guard the machine called ID, until Ctrl-C or SIGTERM.

    `fabctl run` starts one of these for each [interlocks.ID] of this computer. It owns the GPIO
    lines that lab.toml names, and needs no broker, no database and no web. When it ends, however
    that comes, the relays let go.

    The options speak to a daemon that runs. None of them can arm: that is the reset button's
    alone.
    """
    profile = _profile(config, machine_id)
    if report is not None and act != "commission":
        raise InputError("--report belongs to --commission")
    if act is None:
        from fabctl.hosting.interlock_process import run_interlock  # noqa: PLC0415  # --help

        sys.exit(run_interlock(config, profile))
    from fabctl.commands import interlock_acts  # noqa: PLC0415  # the same

    if act == "status":
        interlock_acts.status(profile)
    elif act == "clear-fault":
        interlock_acts.clear_fault(profile)
    else:
        interlock_acts.commission(config, profile, report)


def _profile(config: LabConfig, machine: str) -> InterlockProfile:
    from fabctl.config_reader import suggestion  # noqa: PLC0415  # for the error only

    profile = config.interlocks.get(machine)
    if profile is None:
        raise InputError(
            f"{config.file} describes no interlock for {machine!r}",
            limit=suggestion(machine, config.interlocks),
        )
    return profile
