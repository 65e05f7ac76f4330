"""A lab whose staff have set much: rules, hours, closures, rooms, maintenance; a year behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.orm import Session

from fabctl.clock import ManualClock
from fabctl.model.attendance import Mark, Presence
from fabctl.model.booking_facts import ClaimKind, ResourceKind
from fabctl.model.booking_policy import WHOLE_LAB, Reach, Scope
from fabctl.model.booking_slots import Slot
from fabctl.model.people import Role
from fabctl.services import (
    attendance,
    closures,
    courses,
    enrolments,
    maintenance,
    opening,
    people,
    policies,
    resource_desk,
    resources,
    sessions,
    upkeep_tasks,
    workshops,
)
from fabctl.services.attendance import SentMark
from fabctl.services.courses import Wording
from tests.web_lab import WebLab

LONG = "Grande salle de réunion, de formation et de coworking du premier étage"
TITLES = ("Initiation à l’impression 3D", "Atelier couture et broderie numérique pour débutants")
AGES = (2014, 2010, 2010, 2009, 2008, 2004, 2003, 2003, 2001, 1990, 1985, 1980)
WEEK = dict.fromkeys(range(1, 5), ((9 * 60, 12 * 60 + 30), (14 * 60, 19 * 60)))
NIGHT = {**WEEK, 5: ((20 * 60, 26 * 60),)}


@dataclass
class House:
    """``sasha`` is of the staff."""

    lab: WebLab
    staff: str
    booked: str
    """A reservation of tomorrow, on printer-a, by ``mo``."""
    tomorrow: date
    year: int
    """In which twelve people came."""


def house_scene(lab: WebLab) -> House:
    """Fill the lab; printer-a to printer-c are there."""
    staff = lab.person("sasha", role=Role.STAFF).id
    mo = lab.certified("mo")
    today = lab.clock.now().astimezone(lab.config.time_zone).date()
    tomorrow = today + timedelta(days=1)
    start = datetime.combine(tomorrow, time(12), lab.config.time_zone).astimezone(UTC)
    minutes = int((start - lab.clock.now()).total_seconds() // 60) + 1
    booked = lab.book(mo, "printer-a", after_min=minutes)
    house = House(lab, staff, booked, tomorrow, today.year - 1)
    with lab.db.transaction() as db:
        _places(house, db)
        _upkeep(house, db)
        _hours(house, db)
        _closures(house, db)
    with lab.db.transaction() as db:
        _rules(house, db)
    with lab.db.transaction() as db:
        _year(house, db)
    return house


def _places(house: House, db: Session) -> None:
    lab, by = house.lab, house.staff
    for place, name, kind, parent in (
        ("atelier", "Atelier", ResourceKind.SPACE, None),
        ("salle", LONG, ResourceKind.SPACE, None),
        ("etabli-1", "Établi 1", ResourceKind.SEAT, "atelier"),
        ("etabli-2", "Établi 2", ResourceKind.SEAT, "atelier"),
    ):
        resources.add_resource(
            db, lab.clock, resource_id=place, name=name, kind=kind, parent_id=parent, by=by
        )
    resources.put_into(db, lab.clock, resource_id="printer-b", parent_id="atelier", by=by)
    members = ["etabli-2", "etabli-1"]
    resources.set_pool(
        db, lab.clock, pool_id="etablis", name="Un établi, n’importe lequel", members=members, by=by
    )
    courses.create_course(
        db, lab.clock, wording={"fr": Wording("Imprimante 3D : premiers pas et sécurité")},
        resource_ids=["printer-a"], prerequisites=["printer-b"], by=by,
    )  # fmt: skip


def _upkeep(house: House, db: Session) -> None:
    lab, by = house.lab, house.staff
    plan = maintenance.plan_maintenance(
        db, lab.clock, resource_id="printer-a", title="Graisser les axes et nettoyer le plateau",
        every_hours=200, owner_id=by, instructions="Huile fine.\nUne goutte par axe.", by=by,
    )  # fmt: skip
    maintenance.note_done(db, lab.clock, plan_id=plan.id, by=by, note="Axe Y un peu dur.")
    upkeep_tasks.add_task(
        db, lab.clock, title="Commander des buses de rechange", owner_id=by,
        resource_id="printer-a", due_at=lab.clock.now() - timedelta(days=2), by=by,
    )  # fmt: skip
    resource_desk.put_out_of_order(
        db, lab.clock, resource_id="printer-a", by=by, next_step="Le réparateur vient jeudi.",
        reason="Le ventilateur de la tête ne tourne plus du tout.",
    )  # fmt: skip


def _hours(house: House, db: Session) -> None:
    lab, by = house.lab, house.staff
    opening.set_week(db, lab.clock, week=WEEK, by=by)
    opening.set_week(db, lab.clock, subject="salle", week=NIGHT, by=by)
    opening.set_exception(
        db, lab.clock, first=house.tomorrow + timedelta(days=20), by=by,
        last=house.tomorrow + timedelta(days=23), reason="Inventaire et grand nettoyage",
    )  # fmt: skip
    opening.set_exception(
        db, lab.clock, first=house.tomorrow + timedelta(days=30), by=by,
        periods=((10 * 60, 16 * 60),), reason="Portes ouvertes",
    )  # fmt: skip


def _closures(house: House, db: Session) -> None:
    now = house.lab.clock.now()
    for place, kind, hours, note in (
        ("printer-c", ClaimKind.MAINTENANCE, (0, 30), "Changement de la courroie, pièce en route"),
        ("salle", ClaimKind.CLOSURE, (100, 103), "Peinture"),
    ):
        begin, end = (now + timedelta(hours=one) for one in hours)
        closures.close(
            db, house.lab.clock, house.lab.config.time_zone, resource_id=place, kind=kind,
            slot=Slot(begin, end), note=note, by=house.staff,
        )  # fmt: skip


def _rules(house: House, db: Session) -> None:
    for scope, numbers in (
        (WHOLE_LAB, {"longest_min": 240, "horizon_days": 30, "coming_most": 3}),
        (WHOLE_LAB, {"longest_min": 480, "horizon_days": 30, "coming_most": 3}),
        (Scope(Reach.CATEGORY, "seat"), {"certification": False, "coming_most": None}),
        (Scope(Reach.RESOURCE, "printer-a"), {"longest_min": 1440, "walk_up": True, "company": 2}),
    ):
        policies.set_policy(db, house.lab.clock, scope=scope, numbers=numbers, by=house.staff)


def _year(house: House, db: Session) -> None:
    """Let twelve people come to sessions of last year: all of them, then seven, then three."""
    then = ManualClock(datetime(house.year, 1, 10, 9, tzinfo=UTC))
    who = [
        people.add_person(db, then, display_name=f"Personne {n}", birth_year=year).id
        for n, year in enumerate(AGES)
    ]
    made = [
        workshops.create_workshop(
            db, then, title=title, places=15, by=house.staff, consent_needed=False
        ).id
        for title in TITLES
    ]
    for month, count in ((2, 12), (3, 7), (6, 3), (10, 9)):
        _session(house, db, made[month % 2], month, who[:count])


def _session(house: House, db: Session, workshop: str, month: int, who: list[str]) -> None:
    lab, by = house.lab, house.staff
    start = datetime(house.year, month, 12, 13, tzinfo=UTC)
    then = ManualClock(start - timedelta(days=3))
    meeting = sessions.schedule(
        db, then, workshop_id=workshop, slot=Slot(start, start + timedelta(hours=2)),
        resource_ids=(), animators=[by], by=by,
    )  # fmt: skip
    places = [
        enrolments.enrol(
            db, then, lab.config.time_zone, session_id=meeting.id, person_ids=[one], by=by
        )[0].id
        for one in who
    ]
    during = ManualClock(start + timedelta(minutes=10))
    marks = [
        SentMark(place, Mark(f"{month}-{n}", during.now(), Presence.PRESENT, None))
        for n, place in enumerate(places)
    ]
    attendance.take_marks(db, during, session_id=meeting.id, marks=marks, by=by)
