"""What a course asks for is changed: certifications stay, another question comes in a place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from fabctl.errors import InputError, UnknownIdError
from fabctl.model.certification import Level, Standing
from fabctl.model.refusal import RefusedError
from fabctl.model.training import CourseStep, Expiry, QuizResult
from fabctl.services import (
    certifications,
    course_changes,
    courses,
    practical,
    quiz_making,
    quizzes,
    training,
)
from fabctl.services.audit import lines_about
from fabctl.services.courses import CourseView, Wording
from fabctl.services.quizzes import QuestionWording
from tests.servers.store.conftest import Lab
from tests.servers.store.workshop_scene import PARIS

ASKED = {"en": QuestionWording("Lid open?", ("No", "Yes"), "It cuts skin.")}


def course(lab: Lab, **asks: Any) -> str:
    with lab.database.transaction() as session:
        made = courses.create_course(
            session, lab.clock, wording={"en": Wording("Laser")}, by=lab.awa, **asks
        ).id
        quiz_making.add_question(
            session, lab.clock, course_id=made, wording=ASKED, right=[0], by=lab.awa
        )
    return made


def change(lab: Lab, of: str, by: str | None = None, **asks: Any) -> CourseView:
    with lab.database.transaction() as session:
        return course_changes.change_course(
            session, lab.clock, course_id=of, by=by or lab.awa, **asks
        )


def refused(act: Callable[[], object]) -> list[str]:
    with pytest.raises(RefusedError) as found:
        act()
    return list(found.value.codes)


def take(lab: Lab, of: str, place: int) -> QuizResult:
    with lab.database.transaction() as session:
        one = quizzes.quiz_for(session, course_id=of, language="en").questions[0]
        return quizzes.take_quiz(
            session, lab.clock, course_id=of, person_id=lab.noemie, language="en",
            chosen={one.id: [list(one.answers)[place]]},
        )  # fmt: skip


def check(lab: Lab, of: str) -> training.Progress:
    with lab.database.transaction() as session:
        return training.record_check(
            session, lab.clock, PARIS, course_id=of, person_id=lab.noemie, passed=True, by=lab.awa
        )


def held(lab: Lab) -> dict[str, tuple[Standing, date | None]]:
    with lab.database.reading() as session:
        found = certifications.of_person(session, lab.clock, person_id=lab.noemie)
    return {
        one.resource_id: (one.standing, one.expires_at and one.expires_at.date()) for one in found
    }


def test_certifications_stay_and_the_next_check_goes_by_the_change(lab: Lab) -> None:
    laser = course(lab, resource_ids=["printer-a"], expiry=Expiry(months=12))
    take(lab, laser, 0)
    check(lab, laser)
    given = {"printer-a": (Standing.VALID, date(2027, 11, 23))}
    assert held(lab) == given
    asks: dict[str, Any] = {
        "resource_ids": ["printer-a", "mill"],
        "pass_mark": 100,
        "expiry": Expiry(months=6),
    }
    found = change(lab, laser, **asks)
    assert (found.resource_ids, found.rules.pass_mark) == (("mill", "printer-a"), 100)
    assert held(lab) == given
    with lab.database.reading() as session:
        assert course_changes.certified_by(session, course_id=laser, by=lab.awa) == 1
        stands = training.progress(session, lab.clock, course_id=laser, person_id=lab.noemie)
    assert (stands.standing, stands.renewable) == (Standing.NONE, True)
    lab.clock.advance(60)
    check(lab, laser)  # the practical check alone
    until = date(2027, 5, 23)
    assert held(lab) == {"mill": (Standing.VALID, until), "printer-a": (Standing.VALID, until)}
    change(lab, laser, resource_ids=["mill"])
    assert held(lab)["printer-a"] == (Standing.VALID, until)


def test_who_waits_for_a_first_job_that_is_asked_no_more_is_checked_once_again(lab: Lab) -> None:
    laser = course(lab, resource_ids=["printer-a"], first_job=True)
    take(lab, laser, 0)
    assert check(lab, laser).next is CourseStep.FIRST_JOB
    change(lab, laser, first_job=False)
    with lab.database.reading() as session:
        stands = training.progress(session, lab.clock, course_id=laser, person_id=lab.noemie)
        waits = practical.awaiting_check(
            session, lab.clock, course_id=laser, resource_id="printer-a", by=lab.awa
        )
    assert (stands.next, [one.id for one in waits]) == (CourseStep.PRACTICAL, [lab.noemie])
    assert check(lab, laser).next is None
    assert held(lab)["printer-a"][0] is Standing.VALID


def test_only_the_staff_changes_and_only_to_what_can_be(lab: Lab) -> None:
    laser = course(lab, resource_ids=["printer-a"], pass_mark=70, first_job=True)
    assert refused(lambda: change(lab, laser, by=lab.lea, pass_mark=10)) == ["staff-only"]
    cannot: tuple[dict[str, Any], ...] = (
        {"resource_ids": []},
        {"pass_mark": 101},
        {"expiry": Expiry(months=0)},
    )
    for wrong in cannot:
        with pytest.raises(InputError):
            change(lab, laser, **wrong)
    with pytest.raises(UnknownIdError):
        change(lab, laser, resource_ids=["nope"])
    with pytest.raises(UnknownIdError):
        change(lab, laser, prerequisites=["nope"])
    change(lab, laser)  # nothing is different
    change(lab, laser, first_job=False, prerequisites=["mill"])
    with lab.database.reading() as session:
        lines = lines_about(session, f"course:{laser}")
    changes = [one.details for one in lines if one.what == "course.changed"]
    assert changes == [{"was": {"first_job": True, "prerequisites": []}}]


def test_another_question_comes_in_the_place_of_one(lab: Lab) -> None:
    laser = course(lab, resource_ids=["printer-a"])
    with lab.database.transaction() as session:
        quiz_making.add_question(
            session, lab.clock, course_id=laser, wording=ASKED, right=[0], by=lab.awa
        )
        first, last = quiz_making.questions(session, course_id=laser, by=lab.awa)
    assert first.wording["en"].explanation == "It cuts skin."
    other = {"en": QuestionWording("Fire?", ("Run", "Red button", "Film it"), " Cut the power. ")}

    def replace(by: str, right: list[int]) -> str:
        with lab.database.transaction() as session:
            return quiz_making.replace_question(
                session, lab.clock, question_id=first.id, wording=other, right=right, by=by
            )

    assert refused(lambda: replace(lab.lea, [1])) == ["staff-only"]
    with pytest.raises(InputError):
        replace(lab.awa, [3])
    made = replace(lab.awa, [1])
    with lab.database.reading() as session:
        asked = quiz_making.questions(session, course_id=laser, by=lab.awa)
        why = quizzes.explanation(session, made, "en")
    assert [one.id for one in asked] == [made, last.id]
    assert (asked[0].right, why) == (frozenset({1}), "Cut the power.")
    with pytest.raises(UnknownIdError):
        replace(lab.awa, [1])


def test_trainers_certify_users_and_the_staff_names_trainers(lab: Lab) -> None:
    with lab.database.transaction() as session:
        certifications.certify(
            session, lab.clock, person_id=lab.karim, resource_id="mill", level=Level.TRAINER
        )

    def grant(level: Level, by: str) -> None:
        with lab.database.transaction() as session:
            training.grant_directly(
                session, lab.clock, person_id=lab.noemie, resource_id="mill", level=level,
                reason="seen", by=by,
            )  # fmt: skip

    grant(Level.AUTONOMOUS, lab.karim)
    assert refused(lambda: grant(Level.TRAINER, lab.karim)) == ["trainer-by-staff"]
    grant(Level.TRAINER, lab.awa)
    with lab.database.transaction() as session:
        training.suspend(
            session, lab.clock, person_id=lab.noemie, resource_id="mill", reason="x", by=lab.karim
        )

    def reinstate(by: str) -> None:
        with lab.database.transaction() as session:
            training.reinstate(session, lab.clock, person_id=lab.noemie, resource_id="mill", by=by)

    assert refused(lambda: reinstate(lab.karim)) == ["trainer-by-staff"]
    reinstate(lab.awa)
    assert held(lab)["mill"][0] is Standing.VALID
