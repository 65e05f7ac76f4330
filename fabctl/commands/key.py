"""``fabctl key``: the keys that requests and permits are signed with."""

from __future__ import annotations

import os
from pathlib import Path

import click

from fabctl.commands.options import config_option
from fabctl.config import LabConfig
from fabctl.errors import InputError, LocalError
from fabctl.whole_files import explaining_full_disk

# What reads and writes keys is imported inside the commands: `fabctl key --help` stays quick.


@click.group()
def key() -> None:
    """Create, rotate and list the machines' signing keys.

    Every machine has a key for requests (start, resume, clear). A machine with an interlock has
    a second one for permits, which its machine process does not read. `fabctl run` makes what is
    missing; on a lab of several computers, copy a machine's files to the one it is wired to.
    """


@key.command(short_help="Make a machine's missing keys, or all.")
@config_option
@click.argument("machine", metavar="ID", required=False)
def create(config: LabConfig, machine: str | None) -> None:
    """Make the missing keys of the machine ID; without ID, of all, and the web's own secret.

    A key that is there stays.
    """
    from fabctl.keyfile import make_secret  # noqa: PLC0415  # see the top

    files = [
        file for one in ([machine] if machine else config.machines) for file in _files(config, one)
    ]
    if machine is None:
        files.append(("the web's secret", config.paths.secret))
    for what, path in files:
        try:
            with explaining_full_disk(path):
                made = make_secret(path)
        except OSError as error:
            raise LocalError(f"{path} cannot be written: {error}") from error
        click.echo(f"{path}  {what}  {'made' if made else 'is there already'}")


@key.command(short_help="Replace a machine's keys by new ones.")
@config_option
@click.argument("machine", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
def rotate(config: LabConfig, machine: str, *, yes: bool) -> None:
    """Replace the keys of the machine ID by new ones, for instance when one was seen by others.

    Web, steward, the machine's process and its interlock take the new keys within seconds; none
    has to be started again. What was signed with the old ones is refused from then on. A permit
    that the interlock holds lasts until its end, 10 s at most; the next one is signed anew.

    On a lab of several computers, copy the files to the others at once: until then the machine
    refuses requests, its interlock refuses permits, and a running job drains.
    """
    from fabctl.keyfile import replace_secret  # noqa: PLC0415  # see the top

    files = _files(config, machine)
    if not yes:
        click.confirm(f"Replace {len(files)} key(s) of {machine}?", abort=True)
    for what, path in files:
        try:
            with explaining_full_disk(path):
                replace_secret(path)
        except OSError as error:
            raise LocalError(
                f"{path} cannot be written: {error}", next_step="the old key still counts"
            ) from error
        click.echo(f"{path}  {what}  is new")
    if len(config.hosts) > 1:
        click.echo(f"Now copy them to the host {config.machines[machine].host}.")


@key.command("list", short_help="Show which keys there are, never the keys.")
@config_option
@click.argument("machine", metavar="ID", required=False)
def list_(config: LabConfig, machine: str | None) -> None:
    """Show the key files of the machine ID, or of all: fingerprint, date and who may read them.

    Equal fingerprints on two computers mean equal keys. The key itself is never shown.
    """
    from datetime import datetime  # noqa: PLC0415  # see the top

    for one in [machine] if machine else config.machines:
        for what, path in _files(config, one):
            if not path.exists():
                click.echo(f"{one:16} {what:8}  missing")
                continue
            found = path.stat()
            changed = datetime.fromtimestamp(found.st_mtime, config.time_zone)
            unsafe = "  OTHERS MAY READ IT" if found.st_mode & 0o027 else _group(found)
            click.echo(f"{one:16} {what:8}  {_fingerprint(path)}  {changed:%Y-%m-%d %H:%M}{unsafe}")


def _files(config: LabConfig, machine: str) -> list[tuple[str, Path]]:
    """Return what each key is for, and where it lies.

    :raises InputError: lab.toml names no such machine.
    """
    from fabctl.config_reader import suggestion  # noqa: PLC0415  # see the top

    if machine not in config.machines:
        raise InputError(
            f"no machine is called {machine!r}", limit=suggestion(machine, config.machines)
        )
    files = [("requests", config.paths.machine_key(machine))]
    if machine in config.interlocks:
        files.append(("permits", config.paths.permit_key(machine)))
    return files


def _group(file: os.stat_result) -> str:
    """Say which group may read a key, where one may: an installed lab's processes differ."""
    import grp  # noqa: PLC0415  # see the top

    if not file.st_mode & 0o040:
        return ""
    try:
        return f"  also for the group {grp.getgrgid(file.st_gid).gr_name}"
    except KeyError:
        return f"  also for the group {file.st_gid}"


def _fingerprint(path: Path) -> str:
    """Return 16 hex digits that tell keys apart and say nothing about them."""
    from hashlib import sha256  # noqa: PLC0415  # see the top

    from fabctl.keyfile import read_key  # noqa: PLC0415  # see the top

    return sha256(b"fabctl-fingerprint\n" + read_key(path)).hexdigest()[:16]
