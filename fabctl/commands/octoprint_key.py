"""``fabctl octoprint-key``: a key for a printer behind an OctoPrint, without copying it by hand."""

from __future__ import annotations

import time
from pathlib import Path

import click

from fabctl.errors import InputError, LocalError
from fabctl.ports import AsksForKey
from fabctl.whole_files import explaining_full_disk, write_new

WAIT_S = 300
EXIT_CTRL_C = 130
APP = "fabctl"


@click.command("octoprint-key")
@click.option("--url", required=True, metavar="URL", help="Such as http://octopi.local.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), metavar="KEYFILE", help="A new file."
)
@click.option("--ca-file", type=click.Path(path_type=Path, exists=True), metavar="PEM")
@click.option("--wait", type=click.IntRange(1, 3600), default=WAIT_S, show_default=True)
def octoprint_key(url: str, out: Path, ca_file: Path | None, wait: int) -> None:
    """Ask the OctoPrint at URL for a key, and keep it in KEYFILE (mode 0600).

    \b
    fabctl octoprint-key --url http://octopi.local --out printer-b.key

    OctoPrint shows the request to whoever is signed in there; that person confirms it. The key
    belongs to their account, and has its rights. It is shown nowhere. Give its file to the machine:
    options.api_key_file in lab.toml, --option api_key_file=KEYFILE for fabctl stream.

    Exit codes: 0 the key is in KEYFILE, 2 nobody confirmed within --wait seconds, or the server or
    the file refused, 130 Ctrl-C.
    """
    if out.exists():
        raise InputError("there is such a file already", device=str(out), next_step="name another")
    ends_at = time.monotonic() + wait

    def pause(seconds: float) -> bool:
        time.sleep(seconds)
        return time.monotonic() < ends_at

    try:
        key = _asking().ask_for_key(url, ca_file, APP, _tell, pause)
    except KeyboardInterrupt:
        raise click.exceptions.Exit(EXIT_CTRL_C) from None
    _keep(key, out)
    click.echo(f"the key is in {out}")


def _asking() -> AsksForKey:
    from fabctl.hosting.drivers import find_factory  # noqa: PLC0415  # --help stays quick

    factory = find_factory("octoprint", APP)
    if not isinstance(factory, AsksForKey):
        raise LocalError("the driver octoprint that is installed cannot ask for keys")
    return factory


def _tell(page: str) -> None:
    click.echo(
        f"Confirm it in OctoPrint: on any of its pages where you are signed in, or at {page}"
    )


def _keep(key: str, out: Path) -> None:
    try:
        with explaining_full_disk(out):
            write_new(out, key + "\n", mode=0o600)
    except OSError as error:
        raise LocalError(f"the key cannot be kept: {error.strerror}", device=str(out)) from error
