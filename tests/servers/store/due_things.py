"""Fills a lab: something of every kind becomes due within the next three days."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from fabctl.model.booking import Slot
from fabctl.services import (
    certifications,
    enrolments,
    mail_queue,
    maintenance,
    needs,
    people,
    sessions,
    sign_ins,
)
from fabctl.store.ids import new_id
from fabctl.store.tables import Job
from fabctl.store.tables_booking import Waiting
from fabctl.store.tables_notices import Notice
from fabctl.store.tables_training import Course, LabPresence, QuizAttempt
from tests.servers.store import booking_lab as act
from tests.servers.store.conftest import Lab
from tests.servers.store.jobs_at_work import asked
from tests.servers.store.steward_days import Days
from tests.servers.store.workshop_scene import Scene, put_on

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
YEAR = 365 * DAY


def before_the_steward_leaves(lab: Lab, folder: Path) -> Days:
    """Fill the lab: what the test lists becomes due in the next three days."""
    names = {getattr(lab, name): name for name in ("lea", "karim", "noemie", "awa")}
    days = Days(lab, folder, names)
    with lab.database.transaction() as session:
        for name in ("lea", "karim", "awa"):
            person, to = getattr(lab, name), f"{name}@example.org"
            mail_queue.set_wish(
                session, lab.clock, person_id=person, address=to, wanted=True, by=person
            )
        certifications.certify(
            session, lab.clock, person_id=lab.noemie, resource_id="printer-a"
        )  # fmt: skip
        certifications.certify(session, lab.clock, person_id=lab.noemie, resource_id="printer-b")
    _reservations(days)
    _workshops(days)
    _certifications(days)
    _maintenance(days)
    _old_things(days)
    days.names[asked(lab, folder).id] = "the job"
    days.names[act.coming(lab, lab.lea)[0].id] = "lea's Monday"
    return days


def _reservations(days: Days) -> None:
    lab, name = days.lab, days.names
    at = 60.0
    gone = act.book(lab, 25 * at, 26 * at)
    name[gone.id] = "lea's Tuesday"
    name[act.wait_for(lab, lab.noemie, 25 * at, 26 * at).id] = "noemie's wait for Tuesday"
    used = act.book(lab, 27 * at, 29 * at, person=lab.karim)
    name[used.id] = "karim's Tuesday"
    running = act.book(lab, 72 * at - 10, 75 * at)
    name[running.id] = "lea's Thursday"
    name[act.wait_for(lab, lab.karim, 72 * at - 10, 75 * at).id] = "karim's wait for Thursday"
    friday = act.book(lab, 97 * at, 99 * at, resource="printer-b")
    for who in ("karim", "noemie"):
        entry = act.wait_for(lab, getattr(lab, who), 97 * at, 99 * at, "printer-b")
        name[entry.id] = f"{who}'s wait for Friday"
    act.cancel(lab, friday)
    name[act.book(lab, 94 * at, 95 * at, person=lab.karim, resource="printer-b").id] = "karim's"


def _workshops(days: Days) -> None:
    lab, name = days.lab, days.names
    tuesday = put_on(lab, places=1, accept_hours=6)
    name[tuesday.meeting] = "Tuesday's session"
    adults = {who: tuesday.adult(who) for who in ("Ana", "Bo", "Cy", "Di")}
    name.update({person: who for who, person in adults.items()})
    place = tuesday.enrol(adults["Ana"])[0].id
    with lab.database.transaction() as session:
        needs.write_needs(
            session, lab.clock, enrolment_id=place, needs="sans gluten", by=adults["Ana"]
        )
    name[tuesday.enrol(adults["Bo"])[0].id] = "Bo's wait for Tuesday"
    saturday = _another(tuesday, 121)
    first = saturday.enrol(adults["Ana"])[0].id
    for who in ("Bo", "Cy"):
        name[saturday.enrol(adults[who])[0].id] = f"{who}'s Saturday"
    with lab.database.transaction() as session:
        enrolments.cancel_enrolment(session, lab.clock, enrolment_id=first, by=lab.awa)
    friday = _another(tuesday, 95, places=2)
    friday.enrol(adults["Di"])
    tom = friday.child(adults["Ana"])
    name[tom] = "Tom"
    friday.enrol(tom, by=adults["Ana"])


def _another(scene: Scene, in_hours: float, **how: int) -> Scene:
    """Put on another session of a scene's workshop."""
    lab, start = scene.lab, scene.lab.clock.now() + in_hours * HOUR
    slot = Slot(start, start + HOUR)
    with lab.database.transaction() as session:
        meeting = sessions.schedule(
            session, lab.clock, workshop_id=scene.workshop, slot=slot, resource_ids=(),
            animators=[scene.ali], by=lab.awa, **how,
        )  # fmt: skip
    return replace(scene, meeting=meeting.id, slot=slot)


def _certifications(days: Days) -> None:
    """Two end by a date, two by not using the mill; of each kind one has been warned of before."""
    now = days.lab.clock.now()
    _certify(days, "Zoe", expires_at=now + 31 * DAY)
    _certify(days, "Yann", expires_at=now + DAY)
    days.lab.clock.wall = now - 29 * DAY
    _certify(days, "Nora", unused_months=2)
    _certify(days, "Max", unused_months=1)
    days.lab.clock.wall = now


def _certify(
    days: Days, name: str, *, expires_at: datetime | None = None, unused_months: int | None = None
) -> None:
    with days.lab.database.transaction() as session:
        person = people.add_person(session, days.lab.clock, display_name=name).id
        certifications.certify(
            session, days.lab.clock, person_id=person, resource_id="mill", expires_at=expires_at,
            unused_months=unused_months,
        )  # fmt: skip
    days.names[person] = name


def _maintenance(days: Days) -> None:
    """Karim's use will be too much for one machine, a use that nobody ends for the other."""
    lab = days.lab
    with lab.database.transaction() as session:
        for machine, hours in (("printer-a", 0.5), ("mill", 10)):
            maintenance.plan_maintenance(
                session, lab.clock, resource_id=machine, title="Grease", every_hours=hours,
                owner_id=lab.awa, by=lab.awa,
            )  # fmt: skip


def _old_things(days: Days) -> None:
    """One of each kind that is kept for some years, and the day to forget it is tomorrow."""
    lab, tomorrow = days.lab, days.lab.clock.now() + DAY
    year, two, three = tomorrow - YEAR, tomorrow - 2 * YEAR, tomorrow - 3 * YEAR
    now, lab.clock.wall = lab.clock.now(), three
    with lab.database.transaction() as session:
        old = people.add_person(session, lab.clock, display_name="Old").id
        course = Course(id=new_id(), level="autonomous", pass_mark=1, first_job=False)
        course.created_at = two
        session.add(course)
        session.flush()
        session.add_all(
            [
                Notice(id=new_id(), person_id=lab.noemie, code="reminder", subject="x", at=year),
                Job(
                    id=new_id(), resource_id="mill", person_id=lab.lea, name="old.gcode",
                    sha256="0" * 64, size=1, lines=1,
                    commands=1, report="{}", state="finished", seq=0,
                    created_at=two, ended_at=two,
                ),
                LabPresence(id=new_id(), person_id=lab.karim, came_at=year),
                Waiting(
                    id=new_id(), number=1, resource_id="mill", person_id=lab.lea, start_at=year,
                    end_at=year, created_at=year, settled_at=year, outcome="missed",
                ),
                QuizAttempt(
                    course_id=course.id, person_id=lab.lea, language="fr", at=two, right_count=1,
                    asked=1, passed=True,
                ),
            ]
        )  # fmt: skip
    lab.clock.wall = now
    with lab.database.transaction() as session:
        sign_ins.open_sign_in(session, lab.clock, lab.lea, kind="kiosk")
    days.names[old] = "Old"
