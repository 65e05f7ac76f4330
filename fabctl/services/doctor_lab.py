"""Facts about a lab's files on this computer: ports, database, backups, remembered faults."""

from __future__ import annotations

import grp
import json
import os
import pwd
import stat
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy import text as statement
from sqlalchemy.exc import SQLAlchemyError

from fabctl.backup.rotation import archives
from fabctl.config import LabConfig
from fabctl.errors import FabError
from fabctl.model.doctor_lab import BackupFacts, DatabaseFacts, PortFacts
from fabctl.model.doctor_parts import FaultFacts
from fabctl.ports import MachineProfile
from fabctl.store.engine import Database, is_sqlite, open_database, parse_url
from fabctl.store.migrate import revision
from fabctl.store.tables import Audit
from fabctl.store.version import HEAD
from fabctl.this_computer import host_here

UNITS = (Path("/etc/systemd/system/fabctl-machine@.service"),)
"""Where it is, a machine's process is another user's, in groups of its own."""
_NEWEST = select(Audit.at).order_by(Audit.id.desc()).limit(1)
"""The last line, not the latest time: a line of a clock that was ahead must not count for ever."""
PORT_GROUPS = frozenset({"dialout"})
"""Those that the unit itself names; an administrator may have added its user to more."""
UNIT_USER = "fabctl-machine"


def machines_here(config: LabConfig) -> list[MachineProfile]:
    """Return the machines that are wired to this computer; none where nobody knows which it is."""
    here = host_here(config)
    return [one for one in config.machines.values() if one.host == here]


def is_desk_here(config: LabConfig) -> bool:
    """Say whether the lab's steward, web and database are (also) this computer's.

    On the computer of some machines alone there is no database to be asked and nothing to be
    copied, and its user of the broker does not hear the others.
    """
    if config.server is not None:  # it joined a lab, whose server is elsewhere
        return False
    if len(config.hosts) == 1:
        return True
    address = parse_url(config.database_url)
    if is_sqlite(address):
        return Path(str(address.database)).exists()
    return (config.data_directory / "steward.lock").exists()


def offered_certificates(config: LabConfig) -> list[tuple[str, int, Path | None]]:
    """Return the servers by which others reach this lab over TLS, each with who vouches for it."""
    offered = (
        (config.web.public_url, "https", 443, config.web.ca_file),
        (config.broker.hosts_url, "mqtts", 8883, config.broker.hosts_ca_file),
    )
    found = []
    for url, scheme, port, ca_file in offered:
        address = urlsplit(url or "")
        if address.scheme == scheme and address.hostname:
            found.append((address.hostname, address.port or port, ca_file))
    return found


def port_facts(machines: Iterable[MachineProfile]) -> list[PortFacts]:
    """Look at the device files of machines; ports of another kind (``http://…``) are left out."""
    return [_port(one.id, one.port) for one in machines if one.port and one.port.startswith("/")]


def _port(machine: str, path: str) -> PortFacts:
    try:
        found = os.stat(path)  # noqa: PTH116  # a device's name, followed to the device
    except FileNotFoundError:
        return PortFacts(machine, path, found=False)
    except OSError:
        return PortFacts(machine, path, found=None)
    group = _group(found.st_gid)
    if not any(one.exists() for one in UNITS):
        permitted = os.access(path, os.R_OK | os.W_OK)
        return PortFacts(machine, path, found=True, permitted=permitted, group=group)
    groups = PORT_GROUPS | {one.gr_name for one in grp.getgrall() if UNIT_USER in one.gr_mem}
    permitted = unit_may_open(found.st_mode, group, groups, own=_user(found.st_uid) == UNIT_USER)
    return PortFacts(machine, path, found=True, permitted=permitted, group=group, user=UNIT_USER)


def unit_may_open(
    mode: int, group: str, groups: Collection[str] = PORT_GROUPS, *, own: bool = False
) -> bool:
    """Say whether the unit of a machine may open a port, whoever asks.

    :param groups: those that its process is in.
    :param own: the port belongs to its user; the owner's rights alone count then.
    """
    if own:
        return mode & (owner := stat.S_IRUSR | stat.S_IWUSR) == owner
    everybody, members = stat.S_IROTH | stat.S_IWOTH, stat.S_IRGRP | stat.S_IWGRP
    return mode & everybody == everybody or (group in groups and mode & members == members)


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # a user without a name
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:  # a group without a name, of another system's disk
        return str(number)


def database_facts(config: LabConfig, *, thorough: bool) -> tuple[DatabaseFacts, datetime | None]:
    """Ask the database; return also the newest moment that it has on record.

    :param thorough: have SQLite look through its whole file for damage.
    """
    address = parse_url(config.database_url)
    if not is_desk_here(config):
        return DatabaseFacts(reached=None, needed=HEAD), None
    file = Path(str(address.database)) if is_sqlite(address) else None
    if file is not None and not file.is_file():  # opening it would make one
        return DatabaseFacts(reached=False, why=f"{file}", needed=HEAD), None
    database = open_database(config.database_url, zone=config.time_zone)
    try:
        return ask_database(database, thorough=thorough and file is not None)
    finally:
        database.close()


def ask_database(database: Database, *, thorough: bool) -> tuple[DatabaseFacts, datetime | None]:
    """Ask a database that is open."""
    try:
        found = revision(database)
        with database.reading() as session:
            integrity = newest = None
            if thorough:
                integrity = str(session.execute(statement("PRAGMA quick_check(1)")).scalar())
            if found is not None:
                newest = session.scalar(_NEWEST)
    except (FabError, SQLAlchemyError) as error:
        return DatabaseFacts(reached=False, why=str(error)[:300], needed=HEAD), None
    facts = DatabaseFacts(reached=True, revision=found, needed=HEAD, integrity=integrity)
    return facts, newest


def newest_moment(database: Database) -> datetime | None:
    """Return when the last thing in the trail was done; None: nothing was yet.

    :raises LocalError: the database cannot be read.
    """
    with database.reading() as session:
        return session.scalar(_NEWEST)


def backup_facts(config: LabConfig) -> BackupFacts:
    """Look for the lab's newest archive; its name says when it was begun."""
    folder, late = config.backup.directory, timedelta(hours=config.backup.max_age_h)
    facts = BackupFacts(str(folder), readable=None, late=late, named=folder != config.paths.backups)
    try:
        if not folder.is_dir():
            return facts
        found = archives((one.name for one in folder.iterdir()), config.id)
    except OSError:
        return replace(facts, readable=False)
    newest_at = found[0].at if found else None
    beside_data = _on_one_disk(folder, config.data_directory)
    return replace(facts, readable=True, newest_at=newest_at, beside_data=beside_data)


def _on_one_disk(one: Path, other: Path) -> bool | None:
    try:
        return one.stat().st_dev == other.stat().st_dev
    except OSError:
        return None


def remembered_faults(config: LabConfig) -> list[FaultFacts]:
    """Read what the interlocks of this computer remember; in an installed lab only root may."""
    own = [one.id for one in machines_here(config) if one.id in config.interlocks]
    return [fault_facts(one, config.interlocks[one].fault_file) for one in own]


def fault_facts(machine: str, fault_file: Path) -> FaultFacts:
    """Read what an interlock's daemon remembers: ``{"v": 1, "fault": null}``, or the fault."""
    try:
        kept = json.loads(fault_file.read_bytes())
        fault = kept["fault"]
        code = None if fault is None else str(fault["code"])
    except FileNotFoundError:
        return FaultFacts(machine, readable=None)
    except (OSError, ValueError, KeyError, TypeError):
        return FaultFacts(machine, readable=False)
    return FaultFacts(machine, readable=True, fault=code)
