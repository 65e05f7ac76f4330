"""One person's data: handed out whole, erased for good, and who has looked at a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, Table, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.people import (
    Role,
    erasing_is_the_admins,
    last_admin,
    own_role,
    uses_a_machine,
)
from fabctl.model.refusal import RefusedError
from fabctl.model.workshops import LIVE, not_yours
from fabctl.services import lookups, waiting
from fabctl.services.audit import NAMED, SAID_BY_MACHINES, audit
from fabctl.services.enrolments import cancel_enrolment
from fabctl.services.personal_tables import HELD, Fate, Held
from fabctl.services.places import live_claim
from fabctl.services.rights import (
    is_guardian,
    is_staff,
    locked_admins,
    require_reason,
    require_staff,
    role_of,
)
from fabctl.store.metadata import METADATA
from fabctl.store.tables import Audit, Claim, Credential, Reservation, Use, WrongTry
from fabctl.store.tables_booking import Waiting
from fabctl.store.tables_workshops import Enrolment, WorkshopSession

READS = ("attendance.read", "needs.read", "consent.read", "person.exported")
"""What the audit calls it when somebody looks at a file."""


MOST_READINGS = 50
"""On one page."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Somebody looked at a person's file."""

    number: int
    """The audit's: a later one is larger."""
    at: datetime
    who: str | None
    what: str


def export(session: Session, clock: Clock, *, person_id: str, by: str) -> dict[str, Any]:
    """Return all that is kept about a person, by table, as JSON values; it is put on record.

    Secrets (hashes of passwords, PINs and tokens) are left out.

    :param by: the person, their guardian, or somebody of the staff.
    :raises RefusedError: not-yours.
    :raises UnknownIdError: no such person.
    """
    lookups.person(session, person_id)
    if (
        by != person_id
        and not is_guardian(session, clock, by, person_id)
        and not is_staff(session, by)
    ):
        raise RefusedError([not_yours()])
    found: dict[str, list[dict[str, Any]]] = {}
    for held in HELD:
        table = METADATA.tables[held.table]
        shown = [column for column in table.columns if column.name not in held.secret]
        query = select(*shown).where(_theirs(held, person_id)).order_by(*table.primary_key)
        rows = [_plain(row) for row in session.execute(query).mappings()]
        if rows:
            known = found.setdefault(held.table, [])
            known += [row for row in rows if row not in known]
    readings = [
        {name: value for name, value in _plain(asdict(one)).items() if name != "number"}
        for one in who_read(session, person_id=person_id)
    ]
    audit(session, clock, by, "person.exported", f"person:{person_id}")
    return {**found, "audit": _audit_of(session, person_id), "readings": readings}


def _audit_of(session: Session, person_id: str) -> list[dict[str, Any]]:
    about = or_(
        Audit.subject == f"person:{person_id}",
        Audit.who == person_id,
        and_(
            Audit.what.startswith(SAID_BY_MACHINES),
            Audit.details[NAMED].as_string() == person_id,
        ),
    )
    query = select(Audit.at, Audit.what, Audit.subject).where(about).order_by(Audit.id)
    return [_plain(row) for row in session.execute(query).mappings()]


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        str(key): value.isoformat() if isinstance(value, date) else value
        for key, value in row.items()
    }


def _theirs(held: Held, person_id: str) -> ColumnElement[bool]:
    """Return the condition for a row that is about a person."""
    table = METADATA.tables[held.table]
    if held.through is None:
        return table.c[held.column] == person_id
    through = METADATA.tables[held.through]
    theirs = select(through.c[held.through_key]).where(through.c.person_id == person_id)
    return table.c[held.column].in_(theirs)


def who_read(session: Session, *, person_id: str) -> list[Reading]:
    """Return who looked at a person's file, oldest first: the sheets and needs of their sessions,
    their consents, their exports. This is the access log of minors' files.
    """
    query = _readings(person_id).order_by(Audit.id)
    return [Reading(number, at, who, what) for number, at, who, what in session.execute(query)]


def read_lately(
    session: Session, *, person_id: str, before: int | None = None
) -> tuple[list[Reading], bool]:
    """Return who looked at a person's file, the latest first, 50 at most; and whether there are
    more. For the person and the staff.

    :param before: the number of the last one that was shown.
    """
    query = _readings(person_id).order_by(Audit.id.desc()).limit(MOST_READINGS + 1)
    if before is not None:
        query = query.where(Audit.id < before)
    found = [Reading(number, at, who, what) for number, at, who, what in session.execute(query)]
    return found[:MOST_READINGS], len(found) > MOST_READINGS


def _readings(person_id: str) -> Select[int, datetime, str | None, str]:
    return (
        select(Audit.id, Audit.at, Audit.who, Audit.what)
        .outerjoin(
            Enrolment,
            and_(
                Audit.subject == "session:" + Enrolment.session_id,
                Enrolment.person_id == person_id,
                Enrolment.made_at <= Audit.at,
            ),
        )
        .where(
            Audit.what.in_(READS),
            or_(Audit.subject == f"person:{person_id}", Enrolment.id.is_not(None)),
        )
        .distinct()
    )


def erase_by_admin(  # whose, why, who
    session: Session, clock: Clock, zone: ZoneInfo, *, person_id: str, reason: str, by: str
) -> None:
    """Erase another person's data, as :func:`erase` does; an admin is always left: who asks.

    :raises RefusedError: admin-only, own-role, uses-a-machine.
    :raises InputError: no reason was given.
    :raises UnknownIdError: no such person.
    """
    if role_of(session, by) is not Role.ADMIN:
        raise RefusedError([erasing_is_the_admins()])
    said = require_reason(reason)
    if by == person_id:
        raise RefusedError([own_role()])
    if by not in locked_admins(session):  # two who erase each other
        raise RefusedError([erasing_is_the_admins()])
    erase(session, clock, zone, person_id=person_id, by=by, reason=said)


def erase(
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    person_id: str,
    by: str,
    reason: str | None = None,
) -> None:
    """Erase what tells who somebody is, for good; what is counted stays, without a name.

    Their coming reservations and places are given back. Their year of birth stays, for the
    statistics of the past. The audit keeps their id, which names nobody any more.

    :param reason: why; the audit keeps it.
    :raises RefusedError: staff-only, uses-a-machine, last-admin.
    :raises UnknownIdError: no such person.
    """
    require_staff(session, by)
    blank_out(session, clock, zone, person_id)
    details = {"reason": reason} if reason else {}
    audit(session, clock, by, "person.erased", f"person:{person_id}", details)
    session.flush()


def blank_out(session: Session, clock: Clock, zone: ZoneInfo, person_id: str) -> None:
    """Do the erasing. For services only: whoever calls asks for the right, and audits."""
    lookups.person(session, person_id)
    using = select(Use.id).where(Use.person_id == person_id, Use.closed_at.is_(None))
    refusals = [uses_a_machine()] if session.scalars(using).first() is not None else []
    if locked_admins(session) == [person_id]:
        refusals.append(last_admin())
    if refusals:
        raise RefusedError(refusals)
    _give_back(session, clock, zone, person_id)
    _forget_tries(session, person_id)
    session.flush()
    session.expire_all()
    for held in HELD:
        _apply(session, held, METADATA.tables[held.table], person_id)


def _apply(session: Session, held: Held, table: Table, person_id: str) -> None:
    theirs = _theirs(held, person_id)
    if held.fate is Fate.DELETE:
        session.execute(delete(table).where(theirs))
    elif held.fate is Fate.BLANK:
        session.execute(update(table).where(theirs).values(dict(held.blank)))


def _give_back(session: Session, clock: Clock, zone: ZoneInfo, person_id: str) -> None:
    """Free what they hold or wait for in the time to come; the next are offered it."""
    now, freed = clock.now(), set()
    for row, claim in _coming(session, person_id, now):
        row.cancelled_at, row.cancelled_by, claim.released_at = now, person_id, now
        freed.add(claim.resource_id)
    mine = select(Waiting).where(Waiting.person_id == person_id, Waiting.settled_at.is_(None))
    for one in session.scalars(mine).all():
        waiting.settle(session, clock, one, waiting.DECLINED)
        freed.add(one.resource_id)
    session.flush()
    for resource_id in sorted(freed):
        waiting.promote(session, clock, zone, resource_id)
    places = (
        select(Enrolment.id)
        .join(WorkshopSession, WorkshopSession.id == Enrolment.session_id)
        .where(
            Enrolment.person_id == person_id,
            Enrolment.state.in_([state.value for state in LIVE]),
            WorkshopSession.start_at > now,
        )
    )
    for enrolment_id in session.scalars(places).all():
        cancel_enrolment(session, clock, enrolment_id=enrolment_id, by=person_id)


def _coming(session: Session, person_id: str, now: datetime) -> list[tuple[Reservation, Claim]]:
    query = (
        select(Reservation, Claim)
        .join(Claim, Claim.id == Reservation.claim_id)
        .where(Reservation.person_id == person_id, live_claim(), Claim.start_at > now)
    )
    return [(row, claim) for row, claim in session.execute(query)]


def _forget_tries(session: Session, person_id: str) -> None:
    """Forget wrong passwords: they stand under the login itself."""
    logins = select(Credential.login).where(
        Credential.person_id == person_id, Credential.login.is_not(None)
    )
    session.execute(
        delete(WrongTry).where(WrongTry.kind == "password", WrongTry.subject.in_(logins))
    )
