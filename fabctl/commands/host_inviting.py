"""``fabctl host invite``: a code for a computer that is to join, and what to type there."""

from __future__ import annotations

import click

from fabctl.clock import SystemClock
from fabctl.commands.as_owner import as_owner
from fabctl.commands.lab_database import lab_database, who_types
from fabctl.config import LabConfig
from fabctl.errors import FabError
from fabctl.hosting import broker_accounts, mosquitto
from fabctl.joining import calling
from fabctl.joining.parcel import pack
from fabctl.keyfile import read_key
from fabctl.model.hosts import CODE_LASTS, shown_code
from fabctl.services import hosts


def invite(config: LabConfig, host: str) -> None:
    """Make a code and print it.

    :raises InputError: lab.toml names no such host.
    :raises LocalError: something that it would be given is missing.
    """
    was_revoked = host in mosquitto.revoked_hosts(config.paths)
    if was_revoked:
        give_account(config, host)
    pack(config, host, "nothing")  # what is missing is said now, not when the code is typed
    with as_owner(config.data_directory), lab_database(config) as database:
        secret = read_key(config.paths.secret)
        clock, by = SystemClock(), who_types()
        with database.transaction() as session:
            known = hosts.list_hosts(session, clock, by=by)
            code = hosts.invite(session, clock, secret, host=host, by=by, anew=was_revoked)
    minutes = int(CODE_LASTS.total_seconds() // 60)
    click.echo(f"The code for {host}: {shown_code(code)}   ({minutes} minutes, once)")
    click.echo("On that computer:")
    click.echo(f"  sudo fabctl host join {_how(config)}")
    if any(one.id == host and one.joined_at and not one.revoked_at for one in known):
        click.echo(
            f"{host} has joined before. Is that another computer, not switched off for good? Put it"
            f" out first (fabctl host revoke {host}): two would drive the same machines."
        )


def give_account(config: LabConfig, host: str) -> None:
    """Give a host that was put out a new password, and an account with it."""
    with as_owner(config.broker_passwords):
        broker_accounts.forget_password(config.broker_password_file(host))
        mosquitto.plain_passwords(config, [host])
    with as_owner(config.data_directory):
        broker_accounts.give_back(config.paths, host)
    out = broker_accounts.folder_of(config.paths)
    if out is not None:
        with as_owner(out):
            broker_accounts.write_again(config, out)
    was_told = out is not None and broker_accounts.reload_broker(out)
    if out is None or not was_told or broker_accounts.is_dynamic(out):
        click.echo("The broker has to read its users again: sudo systemctl restart mosquitto")


def _how(config: LabConfig) -> str:
    """Return the server's address, and its fingerprint where no one but the lab vouches for it."""
    if config.web.public_url is None:
        return "https://…   (lab.toml does not say how: [web] public_url)"
    try:
        server = calling.parse_server(config.web.public_url)
        if not server.tls:
            return server.url
        try:
            calling.open_connection(server, calling.Trust()).close()
        except calling.NotTrustedError:
            authority = config.web.ca_file.read_text() if config.web.ca_file else None
            return f"{server.url} --fingerprint {calling.own_fingerprint(server, authority)}"
    except FabError as error:
        return f"{config.web.public_url}   (from here: {error})"
    return server.url
