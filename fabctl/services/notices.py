"""What people are told, on their own page: facts in one table, put in words when they are read.

Nothing here needs mail. Where it is configured, :mod:`fabctl.services.mail_queue` sends what
stands here, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.orm import Session, aliased

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.model.booking_slots import Slot
from fabctl.model.notice import Code
from fabctl.services.births import has_guardians
from fabctl.store.ids import new_id
from fabctl.store.tables import Person, Resource
from fabctl.store.tables_notices import Notice
from fabctl.store.tables_workshops import Guardianship, Workshop, WorkshopSession
from fabctl.store.upsert import insert_unless_there


@dataclass(frozen=True, slots=True)
class About:
    """What a notice is about: the facts that its sentences need."""

    resource_id: str | None = None
    session_id: str | None = None
    slot: Slot | None = None
    subject: str = ""
    """``noun:id``, for instance ``reservation:k3j…``."""
    until: datetime | None = None
    """A deadline, or when a certification ends."""
    words: str | None = None
    """What the staff wrote."""
    person_id: str | None = None
    """Whom it is about, where that is not the one who is told."""


@dataclass(frozen=True, slots=True)
class NoticeView:
    """One thing a person is told."""

    id: str
    code: Code
    person_id: str
    about: About
    what: str
    """The name of the machine, or the title of the workshop."""
    name: str | None
    """Of whom it is about, where that is somebody else."""
    at: datetime
    read_at: datetime | None

    @property
    def subject(self) -> str:
        """Return ``noun:id``: what it is about."""
        return self.about.subject

    @property
    def due_at(self) -> datetime | None:
        """Return until when something is to be done, or when something ends."""
        return self.about.until


def tell(session: Session, clock: Clock, person_id: str, code: Code, about: About) -> None:
    """Tell a person something."""
    session.add(Notice(**_columns(clock, person_id, code, about)))
    session.flush()


def tell_once(  # whom, what, and the name under which it is told once
    session: Session, clock: Clock, person_id: str, code: Code, about: About, *, once: str
) -> bool:
    """Tell a person something, unless that was done under this name; say whether it was done now.

    :param once: names a due thing for ever; the person's id is added to it.
    """
    columns = _columns(clock, person_id, code, about)
    return insert_unless_there(session, Notice, columns | {"once": f"{once}:{person_id}"})


def tell_of(session: Session, clock: Clock, person_id: str, code: Code, about: About) -> None:
    """Tell a person something, and their guardians where they have any."""
    for whom, what in readers(session, clock, person_id, about):
        tell(session, clock, whom, code, what)


def readers(
    session: Session, clock: Clock, person_id: str, about: About
) -> list[tuple[str, About]]:
    """Return who is told of what concerns a person: themselves, and their guardians up to the
    18th birthday (see :func:`fabctl.services.births.has_guardians`).
    """
    if not has_guardians(session, clock, person_id):
        return [(person_id, about)]
    query = select(Guardianship.guardian_id).where(Guardianship.child_id == person_id)
    child = replace(about, person_id=person_id)
    guardians = session.scalars(query.order_by(Guardianship.guardian_id))
    return [(person_id, about), *((guardian, child) for guardian in guardians)]


def _columns(clock: Clock, person_id: str, code: Code, about: About) -> dict[str, Any]:
    return {
        "id": new_id(),
        "person_id": person_id,
        "code": code.value,
        "subject": about.subject,
        "about_id": about.person_id,
        "resource_id": about.resource_id,
        "session_id": about.session_id,
        "start_at": about.slot and about.slot.start,
        "end_at": about.slot and about.slot.end,
        "due_at": about.until,
        "words": about.words,
        "at": clock.now(),
    }


def of_person(
    session: Session,
    *,
    person_id: str,
    limit: int = 50,
    after: tuple[datetime, str] | None = None,
    only_unread: bool = False,
) -> list[NoticeView]:
    """Return what a person was told, the newest first.

    :param after: when the last one was told that was shown already, and its id.
    """
    query = _query().where(Notice.person_id == person_id)
    if only_unread:
        query = query.where(Notice.read_at.is_(None))
    if after is not None:
        at, last = after
        query = query.where((Notice.at < at) | ((Notice.at == at) & (Notice.id < last)))
    query = query.order_by(Notice.at.desc(), Notice.id.desc()).limit(limit)
    return [_view(row) for row in session.execute(query)]


def unread_count(session: Session, *, person_id: str) -> int:
    """Return how many notices a person has not seen."""
    unread = (Notice.person_id == person_id) & Notice.read_at.is_(None)
    return session.scalar(select(func.count()).select_from(Notice).where(unread)) or 0


def one(session: Session, notice_id: str) -> NoticeView:
    """Return a notice. For services only.

    :raises UnknownIdError: there is none.
    """
    row = session.execute(_query().where(Notice.id == notice_id)).first()
    if row is None:
        raise UnknownIdError(f"there is no notice {notice_id!r}")
    return _view(row)


def mark_read(
    session: Session, clock: Clock, *, person_id: str, notice_id: str | None = None
) -> None:
    """Note that a person has seen one notice of theirs, or all. Doing it again changes nothing.

    :raises UnknownIdError: they have no such notice.
    """
    unread = update(Notice).where(Notice.person_id == person_id, Notice.read_at.is_(None))
    if notice_id is not None:
        _own(session, person_id, notice_id)
        unread = unread.where(Notice.id == notice_id)
    session.execute(unread.values(read_at=clock.now()))


def _own(session: Session, person_id: str, notice_id: str) -> Notice:
    row = session.get(Notice, notice_id)
    if row is None or row.person_id != person_id:
        raise UnknownIdError(f"there is no notice {notice_id!r} of this person")
    return row


_Child = aliased(Person)


def _query() -> Select[Notice, str, str, str]:
    return (
        select(Notice, Resource.name, Workshop.title, _Child.display_name)
        .outerjoin(Resource, Resource.id == Notice.resource_id)
        .outerjoin(WorkshopSession, WorkshopSession.id == Notice.session_id)
        .outerjoin(Workshop, Workshop.id == WorkshopSession.workshop_id)
        .outerjoin(_Child, _Child.id == Notice.about_id)
    )


def _view(found: Row[Notice, str, str, str]) -> NoticeView:
    row, resource, title, name = found
    about = About(
        resource_id=row.resource_id,
        session_id=row.session_id,
        slot=Slot(row.start_at, row.end_at) if row.start_at and row.end_at else None,
        subject=row.subject,
        until=row.due_at,
        words=row.words,
        person_id=row.about_id,
    )
    what = resource or title or ""
    return NoticeView(row.id, Code(row.code), row.person_id, about, what, name, row.at, row.read_at)
