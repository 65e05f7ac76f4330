"""Fixtures for tests that need a real database; each test runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fabctl.clock import ManualClock
from fabctl.ports import MachineKind, MachineProfile
from fabctl.services import people
from fabctl.services.certifications import certify
from fabctl.services.machines import sync_resources
from fabctl.store.engine import Database
from tests.databases import (
    clock,
    database,
    database_url,
    empty_database_url,
    migrated_sqlite,
    postgresql_server,
)
from tests.servers.store.racing import track

__all__ = [
    "clock",
    "database",
    "database_url",
    "empty_database_url",
    "migrated_sqlite",
    "postgresql_server",
    "track",
]

MACHINES = ("printer-a", "printer-b", "mill")


def profile(machine: str) -> MachineProfile:
    """Return a machine as lab.toml would describe it."""
    return MachineProfile(
        machine, machine.title(), MachineKind.PRINTER, "marlin", "pi", None, 115200
    )


@dataclass(frozen=True)
class Lab:
    """A database with machines and three people."""

    database: Database
    clock: ManualClock
    lea: str
    """Certified on printer-a and printer-b."""
    karim: str
    """Certified like Léa."""
    noemie: str
    """Certified on nothing."""
    awa: str
    """Staff, certified on nothing."""


@pytest.fixture
def lab(database: Database, clock: ManualClock) -> Lab:
    """A small lab at 9:00 UTC on a Monday, without any reservation."""
    with database.transaction() as session:
        sync_resources(session, clock, [profile(machine) for machine in MACHINES])
        ids = {
            name: people.add_person(session, clock, display_name=name, role=role).id
            for name, role in (
                ("lea", "member"),
                ("karim", "member"),
                ("noemie", "member"),
                ("awa", "staff"),
            )
        }
        for name in ("lea", "karim"):
            for machine in ("printer-a", "printer-b"):
                certify(session, clock, person_id=ids[name], resource_id=machine)
    return Lab(database, clock, **ids)
