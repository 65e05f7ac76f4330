"""What racers do to a course and its quiz; :mod:`tests.servers.store.racers` runs it."""

from __future__ import annotations

from fabctl.clock import ManualClock
from fabctl.services import course_changes, courses, quiz_making
from fabctl.services.courses import Wording
from fabctl.services.quizzes import QuestionWording
from fabctl.store.engine import Database
from tests.servers.store.racing import Action, Racer, Wait

CLOCK = ManualClock()  # 9:00, as in the tests that set the scene
ASKED = {"en": QuestionWording("Lid closed?", ("No", "Yes"))}


def ask_another(database: Database, wait: Wait, racer: Racer, number: int) -> None:
    """Ask another question in the place of one."""
    wait()
    with database.transaction() as session:
        quiz_making.replace_question(
            session,
            CLOCK,
            question_id=racer["questions"][number],
            wording=ASKED,
            right=[0],
            by=racer["by"],
        )


def ask_one_more(database: Database, wait: Wait, racer: Racer, _number: int) -> None:
    """Add a question at the end of a quiz."""
    wait()
    with database.transaction() as session:
        quiz_making.add_question(
            session, CLOCK, course_id=racer["course"], wording=ASKED, right=[0], by=racer["by"]
        )


def reword(database: Database, wait: Wait, racer: Racer, number: int) -> None:
    """Say anew what a course is."""
    said = {one: Wording(f"Laser {number}") for one in ("en", "fr")}
    wait()
    with database.transaction() as session:
        courses.reword_course(
            session, CLOCK, course_id=racer["course"], wording=said, by=racer["by"]
        )


def change(database: Database, wait: Wait, racer: Racer, number: int) -> None:
    """Change what a course asks for."""
    machines = ["printer-a", "printer-b"]
    wait()
    with database.transaction() as session:
        course_changes.change_course(
            session,
            CLOCK,
            course_id=racer["course"],
            resource_ids=machines[number % 2 :],
            prerequisites=machines,
            by=racer["by"],
        )


ACTIONS: tuple[Action, ...] = (ask_another, ask_one_more, reword, change)
