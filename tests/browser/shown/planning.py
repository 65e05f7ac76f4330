"""Booking, the day's timeline, waiting lists, series, and a person's own page."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from fabctl.model.booking_facts import ResourceKind
from fabctl.model.booking_slots import Slot
from fabctl.model.notice import Code
from fabctl.services import (
    bookings,
    feeds,
    notices,
    participants,
    resources,
    series,
    tokens,
    waiting,
)
from fabctl.services.notices import About
from fabctl.services.people import PersonView, get_person
from tests.browser.conftest import Served
from tests.browser.shown import Area, Shown

LONG_NAME = "Maximiliane-Alexandrine de Montmorency-Châteauneuf-du-Pape"


def fill(served: Served) -> dict[str, str]:
    """Give the day bookings of several people, one of them with much on her page."""
    lab, clock = served.lab, served.lab.clock
    zone = lab.config.time_zone
    day = clock.now().astimezone(zone).date() + timedelta(days=1)
    staff = lab.certified("staff", role="staff")
    sam = lab.certified("sam")
    with lab.db.reading() as db:
        camille = get_person(db, lab.id_of("camille"))

    def book(person: PersonView, machine: str, hour: float, hours: float, *, days: int = 0) -> str:
        start = datetime.combine(day, time(int(hour), int(hour % 1 * 60)), zone)
        start += timedelta(days=days)
        with lab.db.transaction() as db:
            return bookings.book(
                db, clock, zone, person_id=person.id, resource_id=machine, start=start,
                end=start + timedelta(hours=hours), by=person.id,
            ).id  # fmt: skip

    moved = book(camille, "printer-a", 11, 1.5)
    gone = book(camille, "printer-g", 19, 2)
    with lab.db.transaction() as db:
        bookings.cancel(db, clock, zone, reservation_id=gone, by=camille.id)
    book(sam, "printer-a", 14.5, 1.5)
    book(sam, "printer-b", 8, 3)
    book(camille, "printer-c", 13, 1)
    book(sam, "printer-c", 11.5, 1)  # half an hour is left before the next
    book(staff, "printer-d", 9.25, 0.75)
    book(staff, "printer-d", 10.25, 0.5)  # a quarter
    book(camille, "printer-e", 9, 8, days=7)
    start = datetime.combine(day, time(18), zone)
    with lab.db.transaction() as db:
        series.book_series(
            db, clock, zone, person_id=staff.id, resource_id="printer-f", start=start,
            end=start + timedelta(hours=2), weeks=8, by=staff.id,
        )  # fmt: skip
    with lab.db.transaction() as db:
        resources.add_resource(
            db, clock, resource_id="salle", kind=ResourceKind.SPACE, by=staff.id,
            name="Salle de réunion et de formation du premier étage",
        )  # fmt: skip
        slot = datetime.combine(day, time(8), zone)
        waiting.join(
            db, clock, zone, person_id=camille.id, resource_id="printer-b", start=slot,
            end=slot + timedelta(hours=3), by=camille.id,
        )  # fmt: skip
        about = About(resource_id="printer-c", slot=Slot(slot, slot + timedelta(hours=1)))
        notices.tell(db, clock, camille.id, Code.FREED_BEFORE, about)
        words = "La machine est en réparation, nous attendons une pièce qui vient de loin."
        about = About(
            resource_id="printer-d", words=words, subject="reservation:gone", slot=about.slot
        )
        notices.tell(db, clock, camille.id, Code.CANCELLED_BY_STAFF, about)
        feeds.create(db, clock, kind=feeds.PERSON, subject=camille.id, by=camille.id)
        name = "Mon-programme-qui-compte-les-heures-de-toutes-les-machines"
        tokens.create_token(db, clock, person_id=camille.id, name=name, by=camille.id)
        participants.add_participant(
            db, clock, zone, first_name=LONG_NAME, birth_year=clock.now().year - 11,
            guardian_id=camille.id, by=staff.id,
        )  # fmt: skip
    return {"reservation": moved, "day": day.isoformat(), "time": "16:30"}


PLANNED = "/planning/{day}"
BOOK = "/m/printer-a/book/{day}/{time}"
AREA = Area(
    "planning",
    fill,
    (
        Shown("/planning"),
        Shown(PLANNED),
        Shown(BOOK),
        Shown(PLANNED, "camille"),
        Shown(PLANNED, "camille", desk=True),
        Shown(BOOK, "camille"),
        Shown("/m/printer-b/book/{day}/09:00", "camille"),
        Shown("/m/salle/book", "camille"),
        Shown("/reservations/{reservation}/move", "camille"),
        Shown("/me", "camille"),
        Shown("/me", "camille", desk=True),
        Shown("/me/notices", "camille"),
        Shown("/me/files", "camille"),
        Shown("/me/data", "camille", desk=True),
        Shown("/me", "staff", desk=True),
        Shown("/planning/series?resource=printer-b", "staff", desk=True),
    ),
)
