"""The demo's lab: the same every time, and ready to print."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from fabctl.clock import ManualClock
from fabctl.errors import LocalError
from fabctl.model.access import unmet
from fabctl.model.booking_facts import PARIS
from fabctl.model.people import login_refusals, password_refusals, pin_refusals
from fabctl.model.training import CourseStep
from fabctl.services import bookings, courses, machines, people, practical, quizzes, training
from fabctl.services.access import may_use
from fabctl.services.password_sign_in import check_password
from fabctl.services.seed import ALL, CAST, DemoAccounts, DemoPerson, seed_demo
from fabctl.store.engine import Database
from tests.servers.store.conftest import profile

SECRET = b"the demo's"


@pytest.fixture
def demo(database: Database, clock: ManualClock) -> DemoAccounts:
    with database.transaction() as session:
        machines.sync_resources(session, clock, [profile(machine) for machine in ALL])
    return seed_demo(database, clock, SECRET)


def named(demo: DemoAccounts, login: str) -> DemoPerson:
    return next(person for person in demo.people if person.login == login)


def missing(database: Database, clock: ManualClock, person: DemoPerson, machine: str) -> list[str]:
    with database.reading() as session:
        found = may_use(
            session,
            clock,
            PARIS,
            person_id=person.person_id,
            resource_id=machine,
            machine_state="idle",
        )
    return [refusal.code for refusal in unmet(found)]


def test_everybody_can_sign_in_with_what_is_printed(
    database: Database, clock: ManualClock, demo: DemoAccounts
) -> None:
    for person in demo.people:
        with database.transaction() as session:
            by_pin = people.check_pin(session, clock, SECRET, person.pin, "wall")
        assert by_pin == check_password(database, clock, person.login, person.password)
        assert by_pin is not None
        assert (by_pin.id, by_pin.display_name) == (person.person_id, person.display_name)


def test_the_one_who_prints_first_may_print(
    database: Database, clock: ManualClock, demo: DemoAccounts
) -> None:
    assert missing(database, clock, demo.printing, "printer-a") == []


def test_a_newcomer_has_a_training_to_begin(
    database: Database, clock: ManualClock, demo: DemoAccounts
) -> None:
    newcomer = named(demo, "noemie").person_id
    with database.reading() as session:
        offered = courses.list_courses(session, resource_id="printer-a")
        (found,) = offered
        stands = training.progress(session, clock, course_id=found.id, person_id=newcomer)
        trainers = practical.trainers(session, clock, course=found)
        assert quizzes.quiz_languages(session, found.id) == {"fr", "en"}
    assert (stands.done, stands.next) == ((CourseStep.PREREQUISITES,), CourseStep.QUIZ)
    assert [one.name for one in trainers] == ["Karim B."]
    assert len(practical.criteria_of(found, "fr")) == len(practical.criteria_of(found, "en")) == 3


def test_somebody_certified_can_book_the_other_printer_now(
    database: Database, clock: ManualClock, demo: DemoAccounts
) -> None:
    lea = named(demo, "lea")
    assert missing(database, clock, lea, "printer-b") == ["not-reserved"]
    with database.reading() as session:
        first = bookings.proposals(session, clock, ZoneInfo("Europe/Paris"), "printer-b")[0]
    assert first.start <= clock.now() < first.end


def test_every_kind_of_refusal_can_be_shown(
    database: Database, clock: ManualClock, demo: DemoAccounts
) -> None:
    newcomer = named(demo, "noemie")
    assert missing(database, clock, newcomer, "printer-a") == [
        "not-certified",
        "someone-elses-slot",
    ]
    assert missing(database, clock, newcomer, "printer-b") == ["not-certified", "not-reserved"]
    assert named(demo, "awa").role == "staff"


def test_seeding_again_changes_nobody_and_adds_no_reservation(
    database: Database, clock: ManualClock, demo: DemoAccounts
) -> None:
    with database.reading() as session:
        before = machines.bookings_projection(session, clock)
    assert seed_demo(database, clock, SECRET) == demo
    with database.reading() as session:
        assert machines.bookings_projection(session, clock) == before
        assert len(people.list_people(session)) == len(CAST)


@pytest.mark.parametrize("days", [1, 1.125, 7])
def test_a_demo_that_was_kept_can_print_again_another_day(
    database: Database, clock: ManualClock, demo: DemoAccounts, days: float
) -> None:
    clock.advance(timedelta(days=days).total_seconds())
    again = seed_demo(database, clock, SECRET)
    assert missing(database, clock, again.printing, "printer-a") == []


def test_without_its_machines_nothing_is_seeded(database: Database, clock: ManualClock) -> None:
    with pytest.raises(LocalError, match="laser, mill, printer-a, printer-b"):
        seed_demo(database, clock, SECRET)
    with database.reading() as session:
        assert people.list_people(session) == []


def test_the_cast_follows_the_rules_that_bind_everybody() -> None:
    for person in CAST:
        assert not login_refusals(person.login)
        assert not password_refusals(person.password)
        assert not pin_refusals(person.pin)
    assert len({person.pin for person in CAST}) == len(CAST)
