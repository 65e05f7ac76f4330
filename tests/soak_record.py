"""Whether the record of a lab in simulated time equals what its stand-ins and people did."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from sqlalchemy import func, select

from fabctl.model.job import JobState
from fabctl.store.tables import Job, MachineEventRow, Reservation, Use
from fabctl.store.tables_training import LabPresence
from tests.soak_week import BEFORE, Week

WITHIN_S = 1.0
IN_FLIGHT = 8
"""Commands that ran, and whose ok a stopped or cut off job never heard."""


@dataclass(frozen=True)
class Compared:
    """How much there was to compare."""

    outcomes: Counter[str]
    commands: int
    hours: float


def compare(week: Week) -> Compared:
    """Compare everything. :raises AssertionError: something is not as it was."""
    _house(week)
    outcomes: Counter[str] = Counter()
    commands, seconds = 0, 0.0
    events = _events(week)
    witnessed = {k: v for one in week.machines.values() for k, v in one.driver.witnessed.items()}
    assert witnessed.keys() == week.told.started.keys()
    with week.database.reading() as session:
        every = list(session.scalars(select(Job)))
        uses = {row.job_id: row for row in session.scalars(select(Use))}
    rows = {row.id: row for row in every if row.state != JobState.PREPARED}
    assert rows.keys() == week.told.started.keys()
    assert len(every) == week.told.prepared
    for job, seen in witnessed.items():
        row, said = rows[job], events[job]
        kinds = Counter(one.kind for one in said)
        assert row.state == week.told.ends.get(job, "finished"), (job, row.state, row.reason)
        assert kinds["job-started"] == kinds[f"job-{row.state}"] == 1, kinds
        end = next(one for one in said if one.kind == f"job-{row.state}").body
        moves = min(end["commands"] - len(BEFORE), week.told.started[job])
        apart = seen.moves - max(0, moves)
        assert 0 <= apart <= (0 if row.state == "finished" else IN_FLIGHT), (job, apart)
        if row.state == "finished":
            assert end["commands"] == row.commands
            assert seen.moves == week.told.started[job]
            assert abs(end["seconds"] - (seen.ended_at - seen.began_at)) < WITHIN_S, job
        assert uses[job].closed_at is not None
        outcomes[row.state] += 1
        commands += end["commands"]
        seconds += end["seconds"]
    return Compared(outcomes, commands, seconds / 3600)


def _events(week: Week) -> dict[str, list[MachineEventRow]]:
    found: defaultdict[str, list[MachineEventRow]] = defaultdict(list)
    with week.database.reading() as session:
        for row in session.scalars(select(MachineEventRow).order_by(MachineEventRow.id)):
            found[row.job_id or ""].append(row)
    return found


def _house(week: Week) -> None:
    told = week.told
    with week.database.reading() as session:
        reservations = session.scalars(select(Reservation)).all()
        visits = session.scalar(select(func.count()).select_from(LabPresence))
    assert len(reservations) == told.booked
    assert sum(one.cancelled_at is not None for one in reservations) == told.cancelled
    assert {one.id for one in reservations if one.no_show_at is not None} == told.never_came
    assert visits
    assert all(len(machine.journal) == 0 for machine in week.machines.values())
    assert (week.steward.failures, week.steward.repeated) == (0, 0), week.steward.last_failure
