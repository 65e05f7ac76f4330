"""Tables of what comes after use: how machines were left, problems, tasks, planned maintenance.

A ``problem_report`` is never deleted, and what it says never changes; ``maintenance_done`` only
grows. The database refuses the rest.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from fabctl.store.ids import ID_LENGTH
from fabctl.store.tables import Base
from fabctl.store.types import PlainText

_Id = PlainText(ID_LENGTH)


class UseAnswer(Base):
    """How somebody left a machine: one tap, the last one counts."""

    __tablename__ = "use_answer"

    use_id: Mapped[str] = mapped_column(ForeignKey("use.id"), primary_key=True)
    clean: Mapped[bool]
    sound: Mapped[bool]
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]


class UseMaterial(Base):
    """What somebody worked with in a use."""

    __tablename__ = "use_material"

    use_id: Mapped[str] = mapped_column(ForeignKey("use.id"), primary_key=True)
    material: Mapped[str]


class ProblemReport(Base):
    """Somebody saw a problem on a resource. It stays when it is settled."""

    __tablename__ = "problem_report"
    __table_args__ = (
        Index("ix_problem_report_resource_id_at", "resource_id", "at"),
        Index(
            "problem_report_one_answer",
            "use_id",
            "kind",
            unique=True,
            sqlite_where=text("by_answer"),
            postgresql_where=text("by_answer"),
        ),
        CheckConstraint("NOT by_answer OR use_id IS NOT NULL", name="by_answer"),
    )

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"))
    use_id: Mapped[str | None] = mapped_column(ForeignKey("use.id"))
    person_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"), index=True)
    """NULL: a command in a shell."""
    kind: Mapped[str]
    by_answer: Mapped[bool]
    """Whether it came from one tap, without words."""
    summary: Mapped[str]
    """For everybody to read: no names."""
    details: Mapped[str]
    """For the staff and its person."""
    at: Mapped[datetime]
    settled_at: Mapped[datetime | None] = mapped_column(index=True)
    settled_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    outcome: Mapped[str | None]
    """What was done about it."""


class MachineStop(Base):
    """A resource was put out of order, from when to when; the reasons outlive the repair."""

    __tablename__ = "machine_stop"
    __table_args__ = (Index("ix_machine_stop_resource_id_ended_at", "resource_id", "ended_at"),)

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"))
    report_id: Mapped[str | None] = mapped_column(ForeignKey("problem_report.id"), unique=True)
    """NULL: the staff did it without a report."""
    reason: Mapped[str]
    next_step: Mapped[str | None]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class MaintenancePlan(Base):
    """What is to be done to a machine after so many hours of work, or so many weeks or months."""

    __tablename__ = "maintenance_plan"
    __table_args__ = (CheckConstraint("every_hours > 0", name="every_hours"),)

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"), index=True)
    title: Mapped[str]
    instructions: Mapped[str]
    every_hours: Mapped[float] = mapped_column(Float)
    """Infinite: by date only."""
    every_count: Mapped[int | None]
    """With ``every_unit``, how many of them; NULL: by hours only."""
    every_unit: Mapped[str | None]
    owner_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    """Who gets the task."""
    counted_from: Mapped[datetime]
    """When it was done last, or planned."""
    cycle: Mapped[int]
    """How often it was done."""
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class UpkeepTask(Base):
    """Something somebody of the team is to do. The key keeps a plan's from being made twice."""

    __tablename__ = "upkeep_task"
    __table_args__ = (
        UniqueConstraint("plan_id", "cycle"),
        Index("ix_upkeep_task_owner_id_ended_at", "owner_id", "ended_at"),
        CheckConstraint("(plan_id IS NULL) = (cycle IS NULL)", name="cycle"),
        CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="outcome"),
    )

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    resource_id: Mapped[str | None] = mapped_column(ForeignKey("resource.id"))
    report_id: Mapped[str | None] = mapped_column(ForeignKey("problem_report.id"))
    plan_id: Mapped[str | None] = mapped_column(ForeignKey("maintenance_plan.id"))
    cycle: Mapped[int | None]
    title: Mapped[str]
    details: Mapped[str]
    owner_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    outcome: Mapped[str | None]
    """``done`` or ``dropped``."""
    note: Mapped[str | None]


class MaintenanceDone(Base):
    """A planned maintenance was done. The database refuses to change or delete a row."""

    __tablename__ = "maintenance_done"

    plan_id: Mapped[str] = mapped_column(ForeignKey("maintenance_plan.id"), primary_key=True)
    cycle: Mapped[int] = mapped_column(primary_key=True)
    done_at: Mapped[datetime]
    noted_at: Mapped[datetime]
    person_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    hours: Mapped[float] = mapped_column(Float)
    """Of use since the time before."""
    note: Mapped[str]
