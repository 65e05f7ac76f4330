"""``fabctl find-machines``: what is plugged in, by names that last."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabctl.errors import DeviceError

if TYPE_CHECKING:
    from fabctl.hosting.asking_around import Answer
    from fabctl.hosting.serial_devices import SerialDevice

NOBODY = 1
RESETS = "Opening a port resets many boards. Is any machine working now, also from its own card?"


@dataclass(frozen=True, slots=True)
class Found:
    """One device, and what came of asking it."""

    device: SerialDevice
    answer: Answer | None = None
    why: str | None = None
    """Why it was not asked, or has no answer."""


@click.command("find-machines")
@click.option("--no-ask", is_flag=True, help="Open no port: only list the devices.")
@click.option("--yes", is_flag=True, help="Do not ask first whether a machine is working.")
@click.option(
    "--dev",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path("/dev"),
    hidden=True,
)
def find_machines(*, no_ask: bool, yes: bool, dev: Path) -> None:
    """List the serial devices of this computer: lasting names, firmware, lines for lab.toml.

    Each free port is asked who is there, one at a time: first as Grbl ($I), then as Marlin
    (M115, after heaters off), up to 29 s in all. A port that another program has open is left
    alone. Opening a port resets many boards, so no machine may be working, also not from its own
    card; --no-ask opens nothing, and without a person to answer nor --yes nothing is opened either.

    \b
    Exit codes: 0 something was found, 1 there is no serial device.
    """
    from fabctl.hosting.serial_devices import find_devices  # noqa: PLC0415  # --help stays quick

    devices = find_devices(dev)
    if not devices:
        click.echo(
            f"No serial device in {dev / 'serial'}. Is a machine plugged in and switched on? "
            f"A machine on the network needs no device: see {_documents()}/lab-toml.md.",
            err=True,
        )
        raise click.exceptions.Exit(NOBODY)
    if not no_ask and not yes:
        no_ask = _is_any_working()
    found = [_look(device, no_ask=no_ask) for device in devices]
    for one in found:
        _show(one)
    _show_lines(found)


def _is_any_working() -> bool:
    """Ask whether a machine is working; where nobody can answer, one may be."""
    if sys.stdin.isatty():
        return click.confirm(RESETS, default=True)
    click.echo(
        "Nobody is here to say that no machine is working: no port is opened (--yes).", err=True
    )
    return True


def _look(device: SerialDevice, *, no_ask: bool) -> Found:
    from fabctl.clock import SystemClock  # noqa: PLC0415  # see above
    from fabctl.hosting.asking_around import ask  # noqa: PLC0415  # see above
    from fabctl.hosting.serial_devices import holders  # noqa: PLC0415  # see above

    if using := holders(device.device):
        return Found(device, why=f"in use by {', '.join(using)}; not asked")
    if no_ask:
        return Found(device, why="not asked")
    try:
        answer = ask(
            str(device.name),
            SystemClock(),
            lambda way: click.echo(f"asks {device.device} as {way} …", err=True),
        )
    except DeviceError as error:
        return Found(device, why=str(error))
    return Found(device, answer, None if answer else "nobody that fabctl knows answered")


def _show(found: Found) -> None:
    device = found.device
    usb = f"USB {device.vendor}:{device.product}" if device.vendor else "not USB"
    number = f", serial number {device.serial}" if device.serial else ", no serial number"
    click.echo(f"{device.device}  {usb}{number if device.vendor else ''}")
    for name in (device.by_id, device.by_path):
        if name is not None:
            click.echo(f"  {name}")
    if device.has_twin:
        click.echo("  another one here says the same of itself: only its socket tells it apart")
    if found.answer is not None:
        answer = found.answer
        click.echo(f"  {answer.firmware}  (driver {answer.driver}, {answer.baud} baud)")
    else:
        click.echo(f"  {found.why}")


def _show_lines(found: list[Found]) -> None:
    from fabctl.hosting.serial_devices import udev_rule  # noqa: PLC0415  # see above

    named = _named(found)
    host = host_line()
    click.echo(f"\n# For lab.toml. Add work_area and limits: {_documents()}/lab-toml.md")
    for name, one in named.items():
        unknown = "" if one.answer else "# "
        click.echo("\n".join([*_table(name, one), *(f"{unknown}{line}" for line in host)]))
    click.echo("\n# For /etc/udev/rules.d/71-fabctl-machines.rules, if you want names of your own:")
    for name, one in named.items():
        click.echo(udev_rule(one.device, name))


def _documents() -> Path:
    """Return where the documents are: an installed fabctl has its own."""
    installed = Path(sys.prefix) / "docs"
    return installed if installed.is_dir() else Path("docs")


def host_line() -> list[str]:
    """Return what each machine has to say where lab.toml has several hosts."""
    from fabctl.commands.options import find_config  # noqa: PLC0415  # see above
    from fabctl.config_file import load  # noqa: PLC0415  # the same
    from fabctl.errors import InputError  # noqa: PLC0415  # the same
    from fabctl.this_computer import this_host  # noqa: PLC0415  # the same

    named = os.environ.get("FABCTL_CONFIG")
    try:
        config = load(find_config(Path(named) if named else None))
    except (InputError, OSError):
        return []  # there is none yet, or not one that can be read: `fabctl check-config` says why
    if len(config.hosts) < 2:
        return []
    try:
        return [f'host = "{this_host(config, None)}"']
    except InputError:
        return [f'host = "?"    # which of: {", ".join(config.hosts)}']


def _table(name: str, one: Found) -> list[str]:
    port = json.dumps(str(one.device.name))
    if one.answer is None:
        return [f"# [machines.{name}]    # who is it?", f"# port = {port}"]
    answer = one.answer
    return [
        f"[machines.{name}]",
        f'kind = "{answer.kind}"',
        f'driver = "{answer.driver}"',
        f"port = {port}",
        f"baud = {answer.baud}",
    ]


def _named(found: list[Found]) -> dict[str, Found]:
    counts: Counter[str] = Counter()
    named = {}
    for one in found:
        kind = one.answer.kind.value if one.answer else "machine"
        counts[kind] += 1
        named[f"{kind}-{counts[kind]}"] = one
    return named
