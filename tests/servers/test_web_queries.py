"""Pages take as many queries for many people, courses, machines and tasks as for one of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from fabctl.model.certification import Level
from fabctl.model.maintenance import Rhythm, Unit
from fabctl.model.people import Role
from fabctl.services import (
    certifications,
    courses,
    maintenance,
    people,
    presence,
    problems,
    resource_desk,
    upkeep_tasks,
)
from fabctl.services.courses import Wording
from fabctl.services.people import PersonView
from fabctl.store.tables_training import QuizAttempt
from tests.web_lab import TWELVE, Browser, WebLab, lab_config, web_lab

MOST = {
    "/": 8,
    "/m/printer-a": 60,
    "/m/printer-a/panel": 57,
    "/m/printer-a/check": 30,
    "/me": 18,
    "/planning": 18,
    "/staff/courses": 15,
    "/staff/maintenance": 25,
    "/staff/resources": 14,
    "/staff/today/now": 80,
    "/training": 25,
}
"""Queries of a page, counted, and a few more."""


@contextmanager
def counted(lab: WebLab) -> Iterator[list[str]]:
    """Yield the statements that are sent to the database meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("PRAGMA", "BEGIN")):
            sent.append(statement)

    event.listen(lab.db.engine, "before_cursor_execute", note)
    yield sent
    event.remove(lab.db.engine, "before_cursor_execute", note)


def queries(lab: WebLab, browser: Browser) -> dict[str, int]:
    found = {}
    for path in MOST:
        browser.get(path)  # what is kept from one page to the next is there then
        with counted(lab) as sent:
            assert browser.get(path).status_code == 200, path
        found[path] = len(sent)
    return found


def fill(lab: WebLab, staff: PersonView, machines: list[str], each: int) -> None:
    """For each machine a course, people past its quiz, a trainer, a booking, work to be done."""
    for machine in machines:
        with lab.db.transaction() as db:
            names = [f"{machine} {one}" for one in range(each)]
            who = [people.add_person(db, lab.clock, display_name=name) for name in names]
            made = courses.create_course(
                db,
                lab.clock,
                wording={"fr": Wording(f"Cours {machine}", "Voir\n- un critère")},
                resource_ids=[machine],
                by=staff.id,
            )
            passed = {"passed": True, "language": "fr", "right_count": 1, "asked": 1}
            for one in who:
                row = {"course_id": made.id, "person_id": one.id, "at": lab.clock.now()}
                db.add(QuizAttempt(**row, **passed))
        _work(lab, staff, machine)


def _work(lab: WebLab, staff: PersonView, machine: str) -> None:
    with lab.db.transaction() as db:
        trainer = people.add_person(db, lab.clock, display_name=f"Trainer {machine}")
        certifications.certify(
            db, lab.clock, person_id=trainer.id, resource_id=machine, level=Level.TRAINER
        )
    lab.certify(staff, machine)
    lab.book(trainer, machine)
    with lab.db.transaction() as db:
        presence.come(db, lab.clock, person_id=trainer.id, by=staff.id, at_screen=False)
        for where in (machine, "printer-a"):
            problems.report_problem(
                db, lab.clock, resource_id=where, summary="Courroie", by=trainer.id
            )
            upkeep_tasks.add_task(
                db, lab.clock, title="Courroie", owner_id=staff.id, resource_id=where, by=staff.id
            )
        maintenance.plan_maintenance(
            db,
            lab.clock,
            resource_id=machine,
            title="Graisser",
            every_hours=50,
            rhythm=Rhythm(1, Unit.WEEK),
            owner_id=staff.id,
            by=staff.id,
        )
        resource_desk.put_out_of_order(
            db, lab.clock, resource_id=machine, reason="Courroie", by=staff.id
        )


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path, config=lab_config(tmp_path, names=TWELVE)) as lab:
        yield lab


def test_pages_take_as_many_queries_for_twelve_machines_as_for_two(lab: WebLab) -> None:
    staff, browser = lab.person("stan", role=Role.STAFF), lab.browser()
    browser.sign_in("stan")
    machines = list(lab.config.machines)
    fill(lab, staff, machines[:2], 2)
    few = queries(lab, browser)
    fill(lab, staff, machines[2:], 12)
    many = queries(lab, browser)
    assert {path: found for path, found in many.items() if found > few[path]} == {}
    assert {path: found for path, found in many.items() if found > MOST[path]} == {}
