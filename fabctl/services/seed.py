"""The demo's people, certifications and reservations: the same every time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import LocalError
from fabctl.model.booking import Slot
from fabctl.model.people import Role
from fabctl.services import bookings, people
from fabctl.services.booking_record import Extra
from fabctl.services.certifications import certify
from fabctl.services.machines import list_resources
from fabctl.services.seed_courses import seed_courses
from fabctl.store.engine import Database


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody to sign in as."""

    display_name: str
    login: str
    password: str
    pin: str
    role: Role
    certified_on: tuple[str, ...]
    person_id: str = ""


@dataclass(frozen=True, slots=True)
class DemoAccounts:
    """What the demo prints, and who prints first."""

    people: tuple[DemoPerson, ...]
    printing: DemoPerson
    """Has a reservation on printer-a now; the demo's first print is theirs."""


PRINTERS = ("printer-a", "printer-b")
ALL = (*PRINTERS, "mill", "laser")
CAST = (
    DemoPerson("Léa M.", "lea", "lea-demo-2026", "402817", Role.MEMBER, PRINTERS),
    DemoPerson("Karim B.", "karim", "karim-demo-2026", "731946", Role.MEMBER, ALL),
    DemoPerson("Noémie R.", "noemie", "noemie-demo-2026", "258604", Role.MEMBER, ()),
    DemoPerson("Tom D.", "tom", "tom-demo-2026", "916350", Role.MEMBER, ("printer-b", "laser")),
    DemoPerson("Awa S.", "awa", "awa-demo-2026", "584072", Role.STAFF, ALL),
)
"""Nobody outside a demo has these passwords; the demo listens on this computer only."""

_PRINTING = "karim"
_BOOKED = (
    # login, machine, minutes from now to the start, minutes
    (_PRINTING, "printer-a", -10, 120),
    ("tom", "printer-a", 180, 60),
    ("tom", "printer-b", 150, 60),
    ("karim", "laser", 90, 90),
    ("awa", "mill", 24 * 60, 120),
)


def seed_demo(db: Database, clock: Clock, secret: bytes) -> DemoAccounts:
    """Fill an empty lab with the demo's people; in a lab that has them, only a
    reservation that lets the first print begin is added.

    :param secret: the lab's, for the PINs.
    :raises LocalError: the machines printer-a, printer-b, mill, laser are not all there.
    """
    with db.transaction() as session:
        _require_machines(session)
        known = people.find_by_login(session, CAST[0].login)
        cast = tuple(
            _found(session, person) if known else _added(session, clock, person, secret)
            for person in CAST
        )
        ids = {person.login: person.person_id for person in cast}
        if known:
            _hold_printer(session, clock, ids[_PRINTING])
        else:
            _book_all(session, clock, ids)
            seed_courses(
                session,
                clock,
                printers=PRINTERS,
                laser="laser",
                trainer=ids[_PRINTING],
                by=ids["awa"],
            )
    printing = next(person for person in cast if person.login == _PRINTING)
    return DemoAccounts(cast, printing)


def _require_machines(session: Session) -> None:
    missing = set(ALL) - {resource.id for resource in list_resources(session)}
    if missing:
        raise LocalError(f"the demo's machines are missing: {', '.join(sorted(missing))}")


def _added(session: Session, clock: Clock, person: DemoPerson, secret: bytes) -> DemoPerson:
    view = people.add_person(
        session,
        clock,
        display_name=person.display_name,
        login=person.login,
        password=person.password,
        pin=person.pin,
        role=person.role,
        language="fr",
        secret=secret,
    )
    for resource_id in person.certified_on:
        certify(session, clock, person_id=view.id, resource_id=resource_id)
    return _with_id(person, view.id)


def _found(session: Session, person: DemoPerson) -> DemoPerson:
    view = people.find_by_login(session, person.login)
    if view is None:
        raise LocalError(f"the demo's {person.login} is missing", next_step="start with --fresh")
    return _with_id(person, view.id)


def _with_id(person: DemoPerson, person_id: str) -> DemoPerson:
    return replace(person, person_id=person_id)


def _book_all(session: Session, clock: Clock, ids: dict[str, str]) -> None:
    """Write the reservations without asking the rules: one began ten minutes ago."""
    minute = clock.now().replace(second=0, microsecond=0)
    for login, machine, begins, lasts in _BOOKED:
        start = minute + timedelta(minutes=begins)
        slot = Slot(start, start + timedelta(minutes=lasts))
        who, extra = ids[login], Extra(checked_in=begins <= 0)
        bookings.write(session, clock, slot, machine, person_id=who, by=who, extra=extra)


def _hold_printer(session: Session, clock: Clock, person_id: str) -> None:
    """In a demo that was kept: let the one who prints hold the printer again, if it is free."""
    machine, now = PRINTERS[0], clock.now()
    if bookings.current(session, clock, resource_id=machine) is not None:
        return
    end = now + timedelta(hours=2)
    coming = bookings.for_resource(session, resource_id=machine, start=now, end=end)
    slot = Slot(now, coming[0].start if coming else end)
    came = Extra(checked_in=True)
    bookings.write(session, clock, slot, machine, person_id=person_id, by=person_id, extra=came)
