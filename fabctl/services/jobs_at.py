"""A person's jobs at one machine: those that can be started there, and what became of the last."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.model.job import ON_MACHINE, JobState
from fabctl.services.jobs import JobView, view
from fabctl.store.tables import Job

MOST_PREPARED = 20


@dataclass(frozen=True, slots=True)
class JobsAt:
    """What somebody has at a machine."""

    prepared: list[JobView]
    """The newest first, 20 at most."""
    more: bool
    """Whether more than these are prepared."""
    last: JobView | None
    """The one that was started last, whether it has ended or not."""
    begun: list[JobView]
    """Those on the machine, as far as the database knows."""


def jobs_at(session: Session, *, person_id: str, resource_id: str) -> JobsAt:
    """Return somebody's jobs at a machine, however many they have elsewhere."""
    mine = select(Job).where(Job.person_id == person_id, Job.resource_id == resource_id)
    newest = mine.order_by(Job.created_at.desc(), Job.id.desc())
    prepared = session.scalars(
        newest.where(Job.state == JobState.PREPARED.value).limit(MOST_PREPARED + 1)
    ).all()
    there = Job.state.in_([one.value for one in ON_MACHINE])
    started = mine.where(Job.started_at.is_not(None)).order_by(Job.started_at.desc(), Job.id)
    last = session.scalars(started.limit(1)).first()
    return JobsAt(
        prepared=[view(row) for row in prepared[:MOST_PREPARED]],
        more=len(prepared) > MOST_PREPARED,
        last=view(last) if last else None,
        begun=[view(row) for row in session.scalars(newest.where(there))],
    )
