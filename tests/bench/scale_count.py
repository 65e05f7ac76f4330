"""Whether anything was lost: what the stand-ins did, beside screens and record."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from fabctl.hosting.journal import Journal
from fabctl.store.engine import open_database
from fabctl.store.tables import MachineEventRow
from tests.bench.scale_lab import Scaled
from tests.bench.scale_people import EndedJob

LATE_S = 10.0
BUSY = "busy"


def shown(
    jobs: Sequence[EndedJob], told: dict[str, Any], screens: int, machines: Sequence[str]
) -> tuple[list[float], int]:
    """Return how long each job's end took to each screen of its machine, and how many missed it.

    The first half of the screens are boards; each of the others is one machine's page.
    """
    changes: defaultdict[tuple[int, str], list[tuple[float, str]]] = defaultdict(list)
    for at, screen, machine, look in told["seen"]:
        changes[screen, machine].append((at, look))
    boards = screens - screens // 2
    delays, missed = [], 0
    for job in jobs:
        pages = range(boards + machines.index(job.machine), screens, len(machines))
        for screen in (*range(boards), *pages):
            at = _rests_after(changes[screen, job.machine], job.at)
            if at is None:
                missed += 1
            else:
                delays.append(at - job.at)
    return delays, missed


def _rests_after(changes: list[tuple[float, str]], at: float) -> float | None:
    for seen_at, look in changes[bisect_left(changes, (at, "")) :]:
        if seen_at - at > LATE_S:
            return None
        if look != BUSY:
            return seen_at
    return None


@dataclass(frozen=True)
class Record:
    """What the lab has on record."""

    finished: Counter[tuple[str, int]]
    """Each finished job's machine and commands."""
    started: Counter[str]
    """The events that tell a job's beginning, by machine."""
    untold: int
    """Events on the machines' disks that are not on record."""


def on_record(lab: Scaled) -> Record:
    """Read the lab's database, and the journals of its machines."""
    db = open_database(lab.config.database_url, zone=lab.config.time_zone)
    finished: Counter[tuple[str, int]] = Counter()
    started: Counter[str] = Counter()
    with db.reading() as session:
        for row in session.scalars(select(MachineEventRow)):
            if row.kind == "job-finished":
                finished[row.machine, row.body["commands"]] += 1
            elif row.kind == "job-started":
                started[row.machine] += 1
    db.close()
    return Record(finished, started, sum(_untold(lab, one) for one in lab.config.machines))


def _untold(lab: Scaled, machine: str) -> int:
    journal = Journal(lab.config.paths.machine(machine) / "journal.db")
    try:
        return len(journal)
    finally:
        journal.close()


def lost(jobs: Sequence[EndedJob], record: Record) -> int:
    """Count the jobs that stand-ins and record do not have alike, both ways."""
    done = Counter((one.machine, one.moves + 1) for one in jobs)  # and one to home
    starts = Counter(one.machine for one in jobs)
    return sum(((done - record.finished) + (record.finished - done)).values()) + sum(
        ((starts - record.started) + (record.started - starts)).values()
    )
