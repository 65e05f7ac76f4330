"""What the session console shows; names are for those who lead only."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from fabctl.model.attendance import CLOSES_AFTER, OPENS_BEFORE
from fabctl.services import (
    attendance,
    certificates,
    group_use,
    presence,
    resources,
    session_notes,
    workshops,
)
from fabctl.services.attendance import SheetRow
from fabctl.services.certificates import CertificateView
from fabctl.services.people import PersonView
from fabctl.services.session_notes import NoteView
from fabctl.services.workshops import SessionView, WorkshopView
from fabctl_web.lab import Lab
from fabctl_web.speech import Speech


@dataclass(frozen=True)
class Machine:
    """A machine of the session."""

    id: str
    name: str
    is_open: bool


@dataclass(frozen=True)
class Console:
    """The page of one session."""

    session: SessionView
    workshop: WorkshopView
    when: str
    rows: list[SheetRow]
    machines: list[Machine]
    certificates: list[CertificateView]
    notes: list[NoteView]
    running: bool
    """Machines are opened now or never."""
    too_early: bool
    too_late: bool
    here: bool
    """Whether the person is checked in: a group's machines work beside an animator only."""
    may_add: bool
    this_year: int

    @property
    def there(self) -> int:
        """How many are there."""
        return sum(row.presence is not None and row.presence.was_there for row in self.rows)

    @property
    def all_open(self) -> bool:
        """Whether every machine is open."""
        return all(one.is_open for one in self.machines)


def console_of(lab: Lab, db: Session, session: str, me: PersonView, speech: Speech) -> Console:
    """Read a session's console. It is on record who looked at the names."""
    zone, now = lab.config.time_zone, lab.clock.now()
    found = workshops.get_session(db, session)
    running = found.cancelled_at is None and found.start <= now < found.end
    opened = group_use.open_now(db, session_id=session) if running else set()
    names = _machines_in(lab, db, found)
    return Console(
        session=found,
        workshop=workshops.get_workshop(db, found.workshop_id),
        when=speech.slot(found.start, found.end, now),
        rows=attendance.sheet(db, lab.clock, zone, session_id=session, by=me.id),
        machines=[Machine(one, name, one in opened) for one, name in names.items()],
        certificates=certificates.certificates_of_session(db, zone, session_id=session, by=me.id),
        notes=session_notes.notes_of(db, session_id=session, by=me.id),
        running=running,
        too_early=now < found.start - OPENS_BEFORE,
        too_late=now > found.end + CLOSES_AFTER,
        here=me.id in presence.here(db, now),
        may_add=me.role.acts_for_others and found.cancelled_at is None and now < found.end,
        this_year=now.astimezone(zone).year,
    )


def machines_of(lab: Lab, db: Session, session: str) -> list[str]:
    """Return the ids of a session's machines."""
    return list(_machines_in(lab, db, workshops.get_session(db, session)))


def _machines_in(lab: Lab, db: Session, found: SessionView) -> dict[str, str]:
    """Return the machines that a session uses, also those that stand in a space it uses."""
    parents = {one.id: one.parent_id for one in resources.list_all(db)}

    def used(place: str | None) -> bool:
        while place is not None:
            if place in found.resource_ids:
                return True
            place = parents.get(place)
        return False

    return {one: profile.name for one, profile in lab.config.machines.items() if used(one)}
