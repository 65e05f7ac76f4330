"""Figures of a lab for its monitoring: counts and ages, never about anybody."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fabctl.model.job import JobState
from fabctl.store.tables import Job, MachineEventRow


@dataclass(frozen=True, slots=True)
class LabFigures:
    """What the database says in numbers."""

    jobs: dict[str, int] = field(default_factory=dict)
    """By state; every state is there."""
    event_lag_s: float | None = None
    """From the newest machine event to its record, by the wall clocks of two computers, in s."""


def lab_figures(session: Session) -> LabFigures:
    """Count what the database holds."""
    rows = session.execute(select(Job.state, func.count()).group_by(Job.state))
    counted = {row[0]: row[1] for row in rows}
    newest = session.execute(
        select(MachineEventRow.at, MachineEventRow.recorded_at)
        .where(MachineEventRow.at.is_not(None))
        .order_by(MachineEventRow.id.desc())
        .limit(1)
    ).first()
    lag = None
    if newest is not None and newest[0] is not None:
        lag = max(0.0, (newest[1] - newest[0]).total_seconds())
    return LabFigures({state.value: counted.get(state.value, 0) for state in JobState}, lag)
