"""The log of uses: who, what, when, how long, which job and material, and how it was left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.model.refusal import RefusedError
from fabctl.model.upkeep import SHORT, AfterUseFacts, after_use_refusals, words_refusals
from fabctl.services.audit import audit
from fabctl.services.newest_first import before
from fabctl.services.problems import report_answer
from fabctl.services.rights import is_staff, require_staff
from fabctl.store.tables import Job, Use
from fabctl.store.tables_upkeep import UseAnswer, UseMaterial


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One use. ``person_id`` is not for public screens."""

    id: str
    resource_id: str
    person_id: str
    opened_at: datetime
    closed_at: datetime | None
    outcome: str | None
    """None while it is open; else as :class:`fabctl.services.uses.UseView`."""
    lasted_s: float
    """From its beginning to its end, or to now."""
    ran_s: float | None
    """Seconds that the interlock counted as work; None: it never said any."""
    job_id: str | None
    job_name: str | None
    material: str | None
    clean: bool | None
    """None: nobody has said."""
    sound: bool | None


def log(
    session: Session,
    clock: Clock,
    *,
    by: str,
    resource_id: str | None = None,
    person_id: str | None = None,
    limit: int = 50,
    after: tuple[datetime, str] | None = None,
) -> list[LogEntry]:
    """Return uses, newest first: one's own, or (staff only) those of all or of a machine.

    :param person_id: whose; None: everybody's.
    :param after: when and which the last one of the page before was.
    :raises RefusedError: other people's uses, and not of the staff.
    """
    if person_id != by:
        require_staff(session, by)
    query = _query()
    if resource_id is not None:
        query = query.where(Use.resource_id == resource_id)
    if person_id is not None:
        query = query.where(Use.person_id == person_id)
    if after is not None:
        query = query.where(before(Use.opened_at, Use.id, after))
    query = query.order_by(Use.opened_at.desc(), Use.id.desc()).limit(limit)
    return [_entry(row, clock.now()) for row in session.execute(query)]


def entry(session: Session, clock: Clock, *, use_id: str, by: str) -> LogEntry:
    """Return one use: one's own; the staff anybody's.

    :raises UnknownIdError: no such use, or not theirs to see.
    """
    row = session.execute(_query().where(Use.id == use_id)).first()
    if row is None or (row[0].person_id != by and not is_staff(session, by)):
        raise UnknownIdError(f"there is no use {use_id!r}")
    return _entry(row, clock.now())


def note_material(
    session: Session, clock: Clock, *, use_id: str, material: str, by: str
) -> LogEntry:
    """Note what was worked with; empty takes it back.

    :raises RefusedError: somebody else's use, ended too long ago, or too many words.
    :raises UnknownIdError: no such use.
    """
    material = material.strip()
    use = _speak_of(session, clock, use_id, by)
    if refusals := words_refusals(material, SHORT, needed=False):
        raise RefusedError(refusals)
    row = session.get(UseMaterial, use_id)
    if row is None:
        row = UseMaterial(use_id=use_id, material=material)
        session.add(row)
    row.material = material
    audit(session, clock, by, "use.material", f"use:{use_id}", {"resource": use.resource_id})
    session.flush()
    return entry(session, clock, use_id=use_id, by=by)


def answer_after_use(
    session: Session, clock: Clock, *, use_id: str, clean: bool, sound: bool, by: str
) -> LogEntry:
    """Note in one tap whether the machine is clean and sound; the last answer counts.

    A "no" is a problem report too, made once for each use; it stays whatever is said later.

    :raises RefusedError: somebody else's use, or ended too long ago.
    :raises UnknownIdError: no such use.
    """
    use = _speak_of(session, clock, use_id, by)
    row = session.get(UseAnswer, use_id)
    if row is None:
        row = UseAnswer(use_id=use_id)
        session.add(row)
    row.clean, row.sound, row.person_id, row.at = clean, sound, by, clock.now()
    details = {"resource": use.resource_id, "clean": clean, "sound": sound}
    audit(session, clock, by, "use.answered", f"use:{use_id}", details)
    session.flush()
    report_answer(session, clock, use=use, clean=clean, sound=sound, by=by)
    return entry(session, clock, use_id=use_id, by=by)


def _speak_of(session: Session, clock: Clock, use_id: str, by: str) -> Use:
    use = _use(session, use_id, lock=True)
    facts = AfterUseFacts(
        now=clock.now(),
        own=use.person_id == by,
        staff=is_staff(session, by),
        closed_at=use.closed_at,
    )
    if refusals := after_use_refusals(facts):
        raise RefusedError(refusals)
    return use


def _use(session: Session, use_id: str, *, lock: bool = False) -> Use:
    row = session.get(Use, use_id, with_for_update=True if lock else None)
    if row is None:
        raise UnknownIdError(f"there is no use {use_id!r}")
    return row


Found = Row[Use, str, str, bool, bool]
"""A use, and what was joined to it: None where there is nothing, which the type does not know."""


def _query() -> Select[Use, str, str, bool, bool]:
    return (
        select(Use, Job.name, UseMaterial.material, UseAnswer.clean, UseAnswer.sound)
        .outerjoin(Job, Job.id == Use.job_id)
        .outerjoin(UseMaterial, UseMaterial.use_id == Use.id)
        .outerjoin(UseAnswer, UseAnswer.use_id == Use.id)
    )


def _entry(row: Found, now: datetime) -> LogEntry:
    use, job_name, material, clean, sound = row
    return LogEntry(
        id=use.id,
        resource_id=use.resource_id,
        person_id=use.person_id,
        opened_at=use.opened_at,
        closed_at=use.closed_at,
        outcome=use.outcome,
        lasted_s=max(0.0, ((use.closed_at or now) - use.opened_at).total_seconds()),
        ran_s=use.ran_s,
        job_id=use.job_id,
        job_name=job_name,
        material=material or None,
        clean=clean,
        sound=sound,
    )
