"""``fabctl host list``: which computers joined, and which of them are there."""

from __future__ import annotations

import secrets
from datetime import datetime

import click
from sqlalchemy.orm import Session

from fabctl.clock import SystemClock
from fabctl.commands.as_owner import as_owner
from fabctl.commands.lab_database import lab_database, who_types
from fabctl.config import LabConfig
from fabctl.messaging.call_broker import listen
from fabctl.messaging.lab_view import LabView, PresenceView
from fabctl.messaging.topics import client_id
from fabctl.services import hosts, people
from fabctl.services.audit import person_in
from fabctl.services.hosts import HostView

PATIENCE_S = 2.0
HERE = "there now"


def show(config: LabConfig) -> None:
    """Print a line for each host of lab.toml, and for those that were in it once."""
    clock = SystemClock()
    with (
        as_owner(config.data_directory),
        lab_database(config) as database,
        database.reading() as session,
    ):
        known = {one.id: one for one in hosts.list_hosts(session, clock, by=who_types())}
        names = {one.id: _who(session, one.joined_by) for one in known.values()}
    view = LabView(config.id, {one.id: one.host for one in config.machines.values()}, clock)
    broker, _ = listen(
        config,
        view,
        client_id("hosts", config.id, secrets.token_hex(4)),  # two of one name throw each other out
        lambda: all(one.online is not None for one in view.hosts()),
        PATIENCE_S,
    )
    present = {one.id: one for one in view.hosts()}
    for host in [*config.hosts, *(one for one in known if one not in config.hosts)]:
        said = _there(present.get(host), connected=bool(broker.connected))
        row = known.get(host)
        if said != HERE and row is not None and row.heard_at is not None:
            said = f"{said}, last heard {_when(config, row.heard_at)}"
        if host not in config.hosts:
            said = "not in lab.toml any more"
        click.echo(f"{host:16} {_state(config, row, names.get(host))}; {said}")


def _state(config: LabConfig, found: HostView | None, who: str | None) -> str:
    if found is None:
        return "never joined (the server itself, or set up by hand)"
    parts = []
    if found.joined_at:
        parts.append(f"joined {_when(config, found.joined_at)} by a code of {who or '?'}")
    if found.revoked_at:
        parts.append(f"REVOKED {_when(config, found.revoked_at)}")
    if found.code_until:
        parts.append(f"a code is out until {_when(config, found.code_until)}")
    return ", ".join(parts) or "invited, the code is too old"


def _who(session: Session, who: str | None) -> str | None:
    person = person_in(who)
    return people.get_person(session, person).display_name if person else who


def _there(presence: PresenceView | None, *, connected: bool) -> str:
    if not connected:
        return "the broker does not answer"
    if presence is None or presence.online is None:
        return "not heard"
    return HERE if presence.online else "away"


def _when(config: LabConfig, moment: datetime) -> str:
    return f"{moment.astimezone(config.time_zone):%Y-%m-%d %H:%M}"
