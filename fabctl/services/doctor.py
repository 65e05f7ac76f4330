"""Looking at a lab from one computer: facts, given to the checks of :mod:`fabctl.model`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from fabctl.believed_clock import jump_of, wall_of
from fabctl.clock import Clock
from fabctl.config import LabConfig
from fabctl.model.doctor import Finding
from fabctl.model.doctor_computer import ClockFacts, check_clock
from fabctl.model.doctor_lab import (
    DatabaseFacts,
    check_backup,
    check_backup_place,
    check_database,
    check_host,
    check_port,
)
from fabctl.model.doctor_parts import FaultFacts, check_fault
from fabctl.released import RELEASED_AT
from fabctl.services.doctor_computer import computer_findings, folders_of
from fabctl.services.doctor_lab import (
    backup_facts,
    is_desk_here,
    machines_here,
    port_facts,
)
from fabctl.services.lock_holders import is_held
from fabctl.synchronisation import asked_kernel
from fabctl.this_computer import host_here, name_here, notes_of


def clock_findings(clock: Clock, newest_record: datetime | None) -> list[Finding]:
    """Look at this computer's clock, beside the newest moment on record."""
    facts = ClockFacts(wall_of(clock), RELEASED_AT, asked_kernel(), newest_record, jump_of(clock))
    return check_clock(facts)


def findings_here(
    config: LabConfig,
    clock: Clock,
    database: tuple[DatabaseFacts, datetime | None],
    faults: Iterable[FaultFacts],
    *,
    by_writing: bool,
) -> list[Finding]:
    """Look at everything but the broker and those who speak there.

    :param database: what it said, and the newest moment on record.
    :param faults: of interlocks, from their files or from what they say.
    :param by_writing: write a small file into each folder of ours, and delete it.
    """
    facts, newest_record = database
    return [
        *clock_findings(clock, newest_record),
        *computer_findings(folders_of(config), by_writing=by_writing),
        *([] if config.server else [check_database(facts)]),  # a joined computer has none
        *(_backups(config, clock) if is_desk_here(config) else []),
        *check_host(
            known=host_here(config) is not None,
            name=name_here(config),
            notes=str(notes_of(config)),
        ),
        *(check_port(one) for one in port_facts(machines_here(config))),
        *(check_fault(one) for one in faults),
    ]


def _backups(config: LabConfig, clock: Clock) -> list[Finding]:
    facts = backup_facts(config)
    return [check_backup(facts, clock.now()), *check_backup_place(facts)]


def held_locks(config: LabConfig) -> dict[str, bool | None]:
    """Return which of our processes hold their locks on this computer, by the findings' names."""
    paths = config.paths
    return {
        "steward": is_held(config.data_directory / "steward.lock"),
        **{name: is_held(paths.machine(name) / "lock") for name in config.machines},
        **{
            f"{name}-interlock": is_held(paths.interlock(name) / "lock")
            for name in config.interlocks
        },
    }
