"""Notes of a session: how it went, for those who lead it. Deleted after a year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import InputError, UnknownIdError
from fabctl.model.refusal import RefusedError
from fabctl.model.workshops import not_yours
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.rights import require_lead
from fabctl.services.workshops import session_row
from fabctl.store.ids import new_id
from fabctl.store.tables_workshops import SessionNote

LONGEST_NOTE = 2000
"""Characters."""


@dataclass(frozen=True, slots=True)
class NoteView:
    """A note; for those who lead the session only."""

    id: str
    words: str
    written_at: datetime
    name: str
    """Who wrote it."""
    mine: bool


def write(session: Session, clock: Clock, *, session_id: str, words: str, by: str) -> None:
    """Add a note to a session.

    :raises RefusedError: session-staff-only.
    :raises InputError: no words, or more than 2000 characters.
    :raises UnknownIdError: no such session.
    """
    session_row(session, session_id)
    require_lead(session, session_id, by)
    if not 1 <= len(words.strip()) <= LONGEST_NOTE:
        raise InputError("a note has words, but not so many", limit=f"{LONGEST_NOTE} characters")
    row = SessionNote(
        id=new_id(),
        session_id=session_id,
        words=words.strip(),
        written_at=clock.now(),
        written_by=by,
    )
    session.add(row)
    audit(session, clock, by, "session.noted", f"session:{session_id}", {"note": row.id})
    session.flush()


def delete(session: Session, clock: Clock, *, note_id: str, by: str) -> str:
    """Take back a note of one's own; return its session.

    :raises RefusedError: session-staff-only, not-yours.
    :raises UnknownIdError: no such note.
    """
    row = session.get(SessionNote, note_id)
    if row is None:
        raise UnknownIdError(f"there is no note {note_id!r}")
    require_lead(session, row.session_id, by)
    if row.written_by != by:
        raise RefusedError([not_yours()])
    session.delete(row)
    subject = f"session:{row.session_id}"
    audit(session, clock, by, "session.note-deleted", subject, {"note": note_id})
    session.flush()
    return row.session_id


def notes_of(session: Session, *, session_id: str, by: str) -> list[NoteView]:
    """Return a session's notes, the oldest first.

    :raises RefusedError: session-staff-only.
    """
    require_lead(session, session_id, by)
    query = select(SessionNote).where(SessionNote.session_id == session_id)
    return [
        NoteView(
            id=row.id,
            words=row.words,
            written_at=row.written_at,
            name=lookups.person(session, row.written_by).display_name,
            mine=row.written_by == by,
        )
        for row in session.scalars(query.order_by(SessionNote.written_at, SessionNote.id))
    ]
