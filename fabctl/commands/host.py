"""``fabctl host``: computers with machines of their own join the lab, and are put out of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabctl.commands.options import SYSTEM_CONFIG, config_option
from fabctl.config import LabConfig
from fabctl.errors import InputError, LocalError

if TYPE_CHECKING:
    from fabctl.joining.calling import Server, Trust
    from fabctl.joining.placing import Place

SYSTEM_DATA = Path("/var/lib/fabctl")
FILE = click.Path(path_type=Path, dir_okay=False, exists=True, resolve_path=True)

# What works is imported inside the commands: `fabctl host --help` stays quick.


@click.group()
def host() -> None:
    """Let computers with machines join the lab; list them; put them out.

    On the lab's server: invite, list, revoke. On the computer that the machines are wired to:
    join.
    """


@host.command(short_help="On the server: a code for a computer that is to join.")
@config_option
@click.argument("host_id", metavar="HOST")
def invite(config: LabConfig, host_id: str) -> None:
    """Print a code with which a computer becomes HOST of lab.toml.

    It holds for ten minutes and counts once. Read it aloud to whoever sits at that computer.
    """
    from fabctl.commands import host_inviting  # noqa: PLC0415  # see the top

    host_inviting.invite(config, host_id)


@host.command(short_help="On a machine's computer: join the lab with a code.")
@click.argument("url", metavar="URL", required=False)
@click.option("--code", help="The eight digits; without it they are asked for.")
@click.option("--ca", "ca_file", type=FILE, help="Who vouches for the server: a PEM file.")
@click.option("--fingerprint", "said", help="SHA-256 of the server's certificate, to compare.")
@click.option("--again", is_flag=True, help="This computer has a lab.toml: replace it.")
@click.option("--finish", is_flag=True, help="Only finish a join that was cut off.")
@click.option("--config", "config_file", default=SYSTEM_CONFIG, show_default=True,
              type=click.Path(path_type=Path, dir_okay=False, resolve_path=True))  # fmt: skip
@click.option("--data", default=SYSTEM_DATA, show_default=True,
              type=click.Path(path_type=Path, file_okay=False, resolve_path=True))  # fmt: skip
def join(  # click passes each option by name
    url: str | None,
    code: str | None,
    ca_file: Path | None,
    said: str | None,
    *,
    again: bool,
    finish: bool,
    config_file: Path,
    data: Path,
) -> None:
    """Fetch, once, what this computer needs to drive its machines for the lab at URL.

    That is its part of lab.toml, its account on the broker, its machines' keys and the lab's
    certificates; all of it, or nothing is changed. Afterwards:
    sudo /opt/fabctl/current/deploy/install.sh --apply

    \b
    sudo fabctl host join https://machines.fablab.example --ca lab-ca.pem
    """
    from fabctl.joining import placing  # noqa: PLC0415  # see the top

    place = placing.Place(config_file, data)
    if placing.finish(place):
        click.echo(f"a join that was cut off is finished: {config_file}")
        return
    if finish:
        raise InputError("no join was cut off here")
    if url is None:
        raise InputError("whose server?", next_step="fabctl host join https://…")
    if placing.is_a_labs_own(place):
        raise InputError(
            f"{config_file} is of a lab whose server is this computer: a join would replace it",
            next_step=f"if it is to join another lab: sudo mv {config_file} {config_file}.before",
        )
    if placing.is_joined(place) and not again:
        raise InputError(f"{config_file} is there already", next_step="--again replaces it")
    _join(place, url, code, ca_file, said)


def _join(place: Place, url: str, code: str | None, ca_file: Path | None, said: str | None) -> None:
    from fabctl.joining import calling, parcel, placing  # noqa: PLC0415  # see the top

    server = calling.parse_server(url)
    authority = ca_file.read_text() if ca_file else None
    given = calling.fingerprint(said) if said else None
    trust = _trust(server, calling.Trust(authority, given))
    code = code or click.prompt("The code", hide_input=False)
    placing.check_room(place)
    got = parcel.decode(calling.post(server, trust, calling.JOIN_PATH, {"code": code}))
    server_ca = authority or got.server_ca or (got.broker_ca if trust.fingerprint else None)
    _check_later(server, server_ca)
    placing.put(place, got, server.url, server_ca)
    click.echo(f"This computer is {got.host} now; its machines: {', '.join(got.keys)}.")
    click.echo(f"Written: {place.config_file}. Next: deploy/install.sh --apply")


def _trust(server: Server, given: Trust) -> Trust:
    """Return by what the server is known: what was given, whom we trust anyway, or a person."""
    from fabctl.joining import calling  # noqa: PLC0415  # see the top

    if not server.tls or given.fingerprint:
        return given
    try:
        calling.open_connection(server, given).close()
    except calling.NotTrustedError:
        if given.authority is not None:
            raise
    else:
        return given
    seen = calling.seen_fingerprint(server)
    if not sys.stdin.isatty():
        raise InputError(
            f"nobody vouches for {server.url}, and nobody is here to compare its fingerprint",
            next_step="--ca FILE, or --fingerprint as `fabctl host invite` shows it",
        )
    click.echo(f"Nobody that this computer trusts vouches for {server.url}. It shows:")
    click.echo(f"  {calling.shown(seen)}")
    click.confirm("Is that the fingerprint that `fabctl host invite` shows?", abort=True)
    return calling.Trust(fingerprint=seen)


def _check_later(server: Server, authority: str | None) -> None:
    """Make sure that this computer will know the server without a fingerprint, too.

    :raises LocalError: it would not; nothing is written.
    """
    from fabctl.joining import calling  # noqa: PLC0415  # see the top

    if not server.tls:
        return
    try:
        calling.open_connection(server, calling.Trust(authority)).close()
    except calling.NotTrustedError as error:
        raise LocalError(
            f"the lab does not say who vouches for {server.url}",
            next_step='on its server, lab.toml: [web] ca_file = "…/lab-ca.pem"; then a new code',
        ) from error


@host.command("list", short_help="On the server: which computers joined, and which are there.")
@config_option
def list_(config: LabConfig) -> None:
    """List every host of lab.toml: joined when and by whose code, last heard when, or revoked."""
    from fabctl.commands import host_listing  # noqa: PLC0415  # see the top

    host_listing.show(config)


@host.command(short_help="On the server: put a computer out of the lab.")
@config_option
@click.argument("host_id", metavar="HOST")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--broker-pid", type=int, help="The broker's process, where it is not found.")
def revoke(config: LabConfig, host_id: str, *, yes: bool, broker_pid: int | None) -> None:
    """Take a computer's account on the broker, its token and its machines' keys away.

    Its connections end at once. A job that runs there goes on to its end; nothing new can be
    started. `fabctl host invite` gives the host a new account, for the computer in its place.
    """
    from fabctl.commands import host_revoking  # noqa: PLC0415  # see the top

    if not yes:
        if host_revoking.is_this_computer(config, host_id):
            click.echo(f"{host_id} is this computer: its own machines lose the broker as well.")
        click.confirm(f"Put {host_id} out of the lab?", abort=True)
    host_revoking.revoke(config, host_id, broker_pid)
