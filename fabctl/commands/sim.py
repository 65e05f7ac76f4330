"""``fabctl sim``: touch a simulated machine of a running demo lab, or its cabinet."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import click

from fabctl.commands.options import config_option
from fabctl.commands.sim_cabinet import acts, cabinet_socket
from fabctl.config import LabConfig
from fabctl.errors import DeviceError, InputError

ANSWER_TIMEOUT_S = 5.0


class SimCommand(click.Command):
    """Lists what can be done to a cabinet below its options."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write every act with its sentence, group by group."""
        super().format_epilog(ctx, formatter)
        by_group: dict[str, list[tuple[str, str]]] = {}
        for act in acts().values():
            by_group.setdefault(act.group, []).append((act.name, act.sentence))
        for group, rows in by_group.items():
            with formatter.section(f"The cabinet of an interlock: {group.lower()}"):
                formatter.write_dl(rows)


@click.command(cls=SimCommand)
@config_option
@click.argument("machine")
@click.argument("action")
@click.argument("values", nargs=-1, metavar="[KEY=VALUE]...")
def sim(config: LabConfig, machine: str, action: str, values: tuple[str, ...]) -> None:
    """Make something happen to a simulated machine or its cabinet, and print its answer.

    \b
    fabctl sim printer-b status
    fabctl sim printer-b unplug          pull the cable
    fabctl sim printer-b plug            and put it back
    fabctl sim printer-b reset           somebody pressed the reset button
    fabctl sim printer-b factor factor=50
    fabctl sim laser open-lid            the interlock's cabinet: see the lists below
    fabctl sim laser wire-broken lid_b   (the same as role=lid_b)

    The demo prints the file to name with --config.
    """
    of_cabinet = action in acts()
    bare = ("what" if action == "repair" else "role") if of_cabinet else None
    request = {"cmd": action, **dict(_pair(value, bare) for value in values)}
    answer = ask(control_socket(config, machine, cabinet=of_cabinet), request)
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    if not answer.get("ok", True):
        raise click.exceptions.Exit(1)


def control_socket(config: LabConfig, machine: str, *, cabinet: bool = False) -> Path:
    """Return the control socket of a simulated machine, or of its interlock's cabinet.

    :raises InputError: the lab is a real one, or has no such machine, or no stand-in runs for it.
    """
    if not config.simulated:
        raise InputError(f"{config.file} describes a real lab: it has no simulated machines")
    if machine not in config.machines:
        raise InputError(
            f"no machine is called {machine!r}", next_step="one of: " + ", ".join(config.machines)
        )
    has_cabinet = machine in config.interlocks
    if cabinet and not has_cabinet:
        raise InputError("it has no interlock", device=machine)
    path = config.data_directory / "sim" / f"{machine}.sock"
    if cabinet or (has_cabinet and not path.exists()):
        path = cabinet_socket(config, machine)
    if not path.exists():
        raise InputError("no stand-in is running for it", device=machine)
    return path


def ask(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Send one request (a JSON line) to a stand-in's control socket and return its answer.

    :raises DeviceError: nobody answers there.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_TIMEOUT_S)
            connection.connect(str(path))
            connection.sendall(json.dumps(request).encode() + b"\n")
            line = connection.makefile("rb").readline()
    except OSError as error:
        raise DeviceError(f"the stand-in does not answer: {error}", device=path.stem) from error
    answer = json.loads(line)
    return answer if isinstance(answer, dict) else {"answer": answer}


def _pair(word: str, bare: str | None) -> tuple[str, Any]:
    key, sign, value = word.partition("=")
    if not sign and bare:
        return bare, word
    if not sign:
        raise InputError(f"{word!r} is not KEY=VALUE")
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value
