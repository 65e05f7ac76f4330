"""Workshops: what is offered, and the sessions in which it takes place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import InputError, UnknownIdError
from fabctl.model.booking import Slot
from fabctl.model.workshop_sessions import MOST_PLACES
from fabctl.model.workshops import HOLDS_A_PLACE, EnrolmentState
from fabctl.services.audit import audit
from fabctl.services.courses import course_row
from fabctl.services.rights import require_workshop_staff
from fabctl.store.ids import new_id
from fabctl.store.tables import Claim
from fabctl.store.tables_workshops import (
    Enrolment,
    SessionAnimator,
    SessionClaim,
    Workshop,
    WorkshopSession,
)

HELD = [state.value for state in HOLDS_A_PLACE]


@dataclass(frozen=True, slots=True)
class WorkshopView:
    """A workshop as the rest of the program sees it."""

    id: str
    title: str
    description: str
    bring: str
    places: int
    price_cents: int
    age_least: int | None
    age_most: int | None
    accept_hours: int
    consent_needed: bool
    course_id: str | None
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as the rest of the program sees it; free places are counted, never kept."""

    id: str
    workshop_id: str
    title: str
    start: datetime
    end: datetime
    places: int
    held: int
    """Confirmed, or offered to somebody."""
    waiting: int
    resource_ids: tuple[str, ...]
    animators: tuple[str, ...]
    """People's ids; not for public screens."""
    cancelled_at: datetime | None
    series_id: str | None

    @property
    def free(self) -> int:
        """How many places nobody holds."""
        return max(0, self.places - self.held)

    @property
    def slot(self) -> Slot:
        """When it is."""
        return Slot(self.start, self.end)


def create_workshop(  # noqa: PLR0913  # what a poster says, most of it may be left out
    session: Session,
    clock: Clock,
    *,
    title: str,
    places: int,
    by: str | None,
    description: str = "",
    bring: str = "",
    price_cents: int = 0,
    age_least: int | None = None,
    age_most: int | None = None,
    accept_hours: int = 48,
    consent_needed: bool = True,
    course_id: str | None = None,
) -> WorkshopView:
    """Make a workshop; its sessions are put on by :mod:`fabctl.services.sessions`.

    :param price_cents: 0: free.
    :param age_least: in years; like ``age_most`` it belongs to the range.
    :param accept_hours: so long somebody has to accept a place that became free, 1 to 720.
    :param course_id: whoever passes is certified by this course.
    :raises RefusedError: staff-only.
    :raises InputError: a number that cannot be, or no title.
    """
    require_workshop_staff(session, by)
    check_poster(title, places, price_cents, (age_least, age_most), accept_hours)
    if course_id is not None:
        course_row(session, course_id)
    row = Workshop(
        id=new_id(),
        title=title.strip(),
        description=description.strip(),
        bring=bring.strip(),
        places=places,
        price_cents=price_cents,
        age_least=age_least,
        age_most=age_most,
        accept_hours=accept_hours,
        consent_needed=consent_needed,
        course_id=course_id,
        created_at=clock.now(),
    )
    session.add(row)
    audit(session, clock, by, "workshop.created", f"workshop:{row.id}", {"places": places})
    session.flush()
    return view_workshop(row)


def check_poster(
    title: str, places: int, price: int, ages: tuple[int | None, int | None], hours: int
) -> None:
    """Do nothing where a poster can be so. For services only. :raises InputError: it cannot."""
    least, most = ages
    if not title.strip():
        raise InputError("a workshop has a title")
    if not 1 <= places <= MOST_PLACES:
        raise InputError("no workshop has so many places", limit=f"1 to {MOST_PLACES}")
    if not 0 <= price <= 1_000_000:
        raise InputError("this is no price", limit="0 to 10,000 euros")
    if any(age is not None and not 0 <= age <= 120 for age in ages) or (
        least is not None and most is not None and least > most
    ):
        raise InputError("this is no age range", limit="0 to 120 years, the younger first")
    if not 1 <= hours <= 720:
        raise InputError("nobody has so long to accept a place", limit="1 to 720 hours")


def retire_workshop(session: Session, clock: Clock, *, workshop_id: str, by: str | None) -> None:
    """Offer a workshop no more; its sessions stay. :raises RefusedError: staff-only."""
    require_workshop_staff(session, by)
    row = workshop_row(session, workshop_id)
    if row.retired_at is None:
        row.retired_at = clock.now()
        audit(session, clock, by, "workshop.retired", f"workshop:{workshop_id}")
        session.flush()


def workshop_row(session: Session, workshop_id: str) -> Workshop:
    """Return a workshop's row. For services only. :raises UnknownIdError: there is none."""
    row = session.get(Workshop, workshop_id)
    if row is None:
        raise UnknownIdError(f"there is no workshop {workshop_id!r}")
    return row


def session_row(session: Session, session_id: str, *, lock: bool = False) -> WorkshopSession:
    """Return a session's row. For services only.

    :param lock: let nobody else who asks so go on before this transaction ends.
    :raises UnknownIdError: there is none.
    """
    row = session.get(
        WorkshopSession, session_id, with_for_update=lock or None, populate_existing=lock
    )
    if row is None:
        raise UnknownIdError(f"there is no session {session_id!r}")
    return row


def list_workshops(session: Session) -> list[WorkshopView]:
    """Return the workshops that are offered, by title."""
    query = select(Workshop).where(Workshop.retired_at.is_(None))
    return [view_workshop(row) for row in session.scalars(query.order_by(Workshop.title))]


def get_workshop(session: Session, workshop_id: str) -> WorkshopView:
    """Return one workshop. :raises UnknownIdError: there is none."""
    return view_workshop(workshop_row(session, workshop_id))


def get_session(session: Session, session_id: str) -> SessionView:
    """Return one session. :raises UnknownIdError: there is none."""
    return view_session(session, session_row(session, session_id))


def sessions_between(
    session: Session,
    *,
    start: datetime,
    end: datetime,
    workshop_id: str | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int | None = None,
) -> list[SessionView]:
    """Return the sessions that share a moment with the stretch, the soonest first.

    :param after: begin and id of the last session that is known already.
    """
    query = select(WorkshopSession).where(
        WorkshopSession.start_at < end, WorkshopSession.end_at > start
    )
    if workshop_id is not None:
        query = query.where(WorkshopSession.workshop_id == workshop_id)
    if after is not None:
        begin, last = after
        later = (WorkshopSession.start_at == begin) & (WorkshopSession.id > last)
        query = query.where((WorkshopSession.start_at > begin) | later)
    rows = session.scalars(
        query.order_by(WorkshopSession.start_at, WorkshopSession.id).limit(limit)
    )
    return view_sessions(session, rows.all())


def counted(session: Session, session_id: str, states: list[str]) -> int:
    """Return how many enrolments of a session are in these states."""
    query = select(func.count()).where(
        Enrolment.session_id == session_id, Enrolment.state.in_(states)
    )
    return session.scalar(query) or 0


def view_workshop(row: Workshop) -> WorkshopView:
    """Return a row as others see it. For services only."""
    return WorkshopView(
        id=row.id,
        title=row.title,
        description=row.description,
        bring=row.bring,
        places=row.places,
        price_cents=row.price_cents,
        age_least=row.age_least,
        age_most=row.age_most,
        accept_hours=row.accept_hours,
        consent_needed=row.consent_needed,
        course_id=row.course_id,
        retired_at=row.retired_at,
    )


def view_session(session: Session, row: WorkshopSession) -> SessionView:
    """Return a row as others see it. For services only."""
    return view_sessions(session, [row])[0]


def view_sessions(session: Session, rows: Sequence[WorkshopSession]) -> list[SessionView]:
    """Return rows as others see them, in four queries however many they are."""
    ids = [row.id for row in rows]
    offered = {row.workshop_id for row in rows}
    titles = _grouped(session, select(Workshop.id, Workshop.title).where(Workshop.id.in_(offered)))
    resources = _grouped(session, _RESOURCES.where(SessionClaim.session_id.in_(ids)))
    animators = _grouped(session, _ANIMATORS.where(SessionAnimator.session_id.in_(ids)))
    states = _grouped(session, _STATES.where(Enrolment.session_id.in_(ids)))
    return [
        SessionView(
            id=row.id,
            workshop_id=row.workshop_id,
            title=titles[row.workshop_id][0],
            start=row.start_at,
            end=row.end_at,
            places=row.places,
            held=sum(state in HELD for state in states[row.id]),
            waiting=states[row.id].count(EnrolmentState.WAITING.value),
            resource_ids=tuple(sorted(set(resources[row.id]))),
            animators=tuple(sorted(animators[row.id])),
            cancelled_at=row.cancelled_at,
            series_id=row.series_id,
        )
        for row in rows
    ]


_RESOURCES = select(SessionClaim.session_id, Claim.resource_id).join(
    Claim, SessionClaim.claim_id == Claim.id
)
_ANIMATORS = select(SessionAnimator.session_id, SessionAnimator.person_id)
_STATES = select(Enrolment.session_id, Enrolment.state).where(Enrolment.ended_at.is_(None))


def _grouped(session: Session, query: Select[str, str]) -> Mapping[str, list[str]]:
    """Return the second column's values by the first's."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for key, value in session.execute(query):
        found[key].append(value)
    return found
