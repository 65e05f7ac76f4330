"""``fabctl host revoke``: a computer is put out of the lab, and it is checked that it is."""

from __future__ import annotations

import secrets
import time
from urllib.parse import urlsplit

import click

from fabctl.clock import SystemClock
from fabctl.commands.as_owner import as_owner
from fabctl.commands.lab_database import lab_database, who_types
from fabctl.config import LabConfig
from fabctl.config_reader import suggestion
from fabctl.errors import InputError, LocalError
from fabctl.hosting import broker_accounts
from fabctl.hosting.machine_reports import Stamps
from fabctl.keyfile import replace_secret
from fabctl.messaging.connect import desk_link, machine_link
from fabctl.messaging.link import MqttLink
from fabctl.messaging.payloads import PresencePayload
from fabctl.messaging.topics import LabTopics, client_id
from fabctl.services import hosts
from fabctl.this_computer import host_here

WITHIN_S = 20.0
"""How long a broker that was told may take for anything."""
UNTOLD_S = 2.0
"""How long is looked at one that was not told, or reads its file at its start only."""


def revoke(config: LabConfig, host: str, broker_pid: int | None = None) -> None:
    """Take a host's token, account and keys away, in this order, and say what was done.

    :raises InputError: lab.toml names no such host.
    :raises LocalError: a file cannot be written, or the broker still lets the host in.
    """
    if host not in config.hosts:
        raise InputError(f"no host is called {host!r}", limit=suggestion(host, config.hosts))
    witness = _witness(config, host)
    with (
        as_owner(config.data_directory),
        lab_database(config) as database,
        database.transaction() as session,
    ):
        hosts.revoke(session, SystemClock(), host=host, by=who_types())
    click.echo(f"{host}: its token and code count no more")
    take_away(config, host)
    _rotate(config, host)
    told = _tell_broker(config, host, broker_pid)
    _check(host, witness, WITHIN_S if told else UNTOLD_S)
    _say_offline(config, host)


def is_this_computer(config: LabConfig, host: str) -> bool:
    """Say whether a host is this computer, as far as that is known."""
    return host_here(config) == host


def take_away(config: LabConfig, host: str) -> None:
    """Take its account and its password away, also a copy that lies in the data directory."""
    with as_owner(config.paths.broker):
        broker_accounts.take_away(config.paths, host)
        broker_accounts.forget_password(config.paths.broker_password(host))
    with as_owner(config.broker_passwords):
        broker_accounts.forget_password(config.broker_password_file(host))


def _rotate(config: LabConfig, host: str) -> None:
    """Replace the keys of a host's machines: who kept a copy can sign nothing any more."""
    for machine in (one.id for one in config.machines.values() if one.host == host):
        files = [config.paths.machine_key(machine)]
        if machine in config.interlocks:
            files.append(config.paths.permit_key(machine))
        for file in files:
            try:
                replace_secret(file)
            except OSError as error:
                raise LocalError(f"{file} cannot be written: {error.strerror}") from error
        click.echo(f"{machine}: {len(files)} new key(s)")


def _tell_broker(config: LabConfig, host: str, pid: int | None) -> bool:
    """Take the account out of the broker's files; say whether the broker reads them now."""
    out = broker_accounts.folder_of(config.paths)
    if out is None:
        click.echo(
            f"The broker's files are not on this computer. On the broker's: take the user {host} "
            "out of its passwords and rights, then have it read them again."
        )
        return False
    with as_owner(out):
        broker_accounts.write_again(config, out)
    click.echo(f"{out}: no user {host} any more")
    if not broker_accounts.reload_broker(out, pid):
        click.echo("No mosquitto of these files was found to read them again.")
        return False
    return not broker_accounts.is_dynamic(out)


class Witness:
    """Is connected under the host's own name, as a thief would be, and sees what becomes of it."""

    def __init__(self, config: LabConfig, host: str) -> None:
        self._said: list[str] = []
        name = client_id("revoked", config.id, host)
        self._open = machine_link(config, host, name, log=self._said.append)
        self._again = machine_link(config, host, f"{name}-again", log=self._said.append)
        self._open.start()
        self.works = _is_let_in(self._open, self._said)

    def is_put_out(self, within_s: float) -> bool:
        """Wait until the open connection has ended, then see whether a new one is refused."""
        end = time.monotonic() + within_s
        while self._open.connected and time.monotonic() < end:
            time.sleep(0.1)
        ended = not self._open.connected
        self._open.stop(0.0)
        self._said.clear()
        self._again.start()
        while not self._said and not self._again.connected and time.monotonic() < end:
            time.sleep(0.1)
        self._again.stop(0.0)
        return ended and any("the broker refused" in line for line in self._said)

    def leave(self) -> None:
        """End the connection."""
        self._open.stop(0.0)


def _is_let_in(link: MqttLink, said: list[str]) -> bool:
    """Wait until a link is there, or has said why not."""
    end = time.monotonic() + WITHIN_S
    while not link.connected and not said and time.monotonic() < end:
        time.sleep(0.1)
    return link.connected


def _witness(config: LabConfig, host: str) -> Witness | None:
    """Return a witness; None where its password is not known here, or nobody answers.

    Nor where lab.toml names one user of the broker for everybody: it would come as that one.
    """
    if urlsplit(config.broker.url or "").username:
        return None
    try:
        witness = Witness(config, host)
    except LocalError:
        return None
    if witness.works:
        return witness
    witness.leave()
    return None


def _check(host: str, witness: Witness | None, within_s: float) -> None:
    """Say whether the host is out.

    :raises LocalError: the broker still lets it in.
    """
    if witness is None:
        click.echo(f"Whether the broker refuses {host} could not be tried from here.")
    elif witness.is_put_out(within_s):
        click.echo(f"tried: the broker has ended {host}'s connections and refuses new ones")
    else:
        raise LocalError(
            f"the broker still lets {host} in, or has not ended its connections",
            next_step="start it again: sudo systemctl restart mosquitto",
        )


def _say_offline(config: LabConfig, host: str) -> None:
    """Say for the host that it is gone: its own last word, kept by the broker, is another."""
    stamps = Stamps(SystemClock(), secrets.token_hex(8))
    said: list[str] = []
    link = desk_link(
        config, client_id("revoking", config.id, secrets.token_hex(4)), log=said.append
    )
    link.start()
    if _is_let_in(link, said):
        payload = PresencePayload(online=False).encode(stamps.next())
        link.publish(LabTopics(config.id).host_status(host), payload, retain=True)
    link.stop()
