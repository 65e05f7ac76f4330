"""Courses on real databases: quiz, checks, certifying, renewal, suspension, trainers' rights."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from fabctl.errors import InputError, LocalError, UnknownIdError
from fabctl.model.certification import Level, Standing
from fabctl.model.refusal import RefusedError
from fabctl.model.training import CourseStep, Expiry, end_of_day, months_after
from fabctl.services import certifications, courses, quiz_making, quizzes, training
from fabctl.services.audit import lines_about
from fabctl.services.courses import Wording
from fabctl.services.quizzes import QuestionWording
from fabctl.services.training import Progress
from fabctl.store.ids import new_id
from fabctl.store.tables import Account, Certification, Use
from tests.servers.store.conftest import Lab
from tests.servers.store.guarantees import drop_guarantees
from tests.servers.store.workshop_scene import PARIS

LASER = {"fr": Wording("Découpe laser"), "en": Wording("Laser cutting")}
EYES = {
    "fr": QuestionWording("Avant d’ouvrir le capot ?", ("J’attends.", "J’ouvre.")),
    "en": QuestionWording("Before you open the lid?", ("I wait.", "I open.")),
}


def codes(act: Callable[[], object]) -> set[str]:
    with pytest.raises(RefusedError) as refused:
        act()
    return set(refused.value.codes)


def course(lab: Lab, *machines: str, questions: int = 2, **asks: Any) -> str:
    with lab.database.transaction() as session:
        made = courses.create_course(
            session,
            lab.clock,
            wording=LASER,
            resource_ids=machines or ("mill",),
            by=lab.awa,
            **asks,
        ).id
        for _ in range(questions):
            quiz_making.add_question(
                session, lab.clock, course_id=made, wording=EYES, right={0}, by=lab.awa
            )
    return made


def take(lab: Lab, course_id: str, person: str, *, well: bool = True, language: str = "fr") -> bool:
    with lab.database.transaction() as session:
        quiz = quizzes.quiz_for(session, course_id=course_id, language=language)
        chosen = {one.id: [list(one.answers)[0 if well else 1]] for one in quiz.questions}
        return quizzes.take_quiz(
            session,
            lab.clock,
            course_id=course_id,
            person_id=person,
            language=quiz.language,
            chosen=chosen,
        ).passed


def check(
    lab: Lab,
    course_id: str,
    person: str,
    *,
    by: str,
    passed: bool = True,
    step: CourseStep = CourseStep.PRACTICAL,
) -> Progress:
    lab.clock.advance(60)
    with lab.database.transaction() as session:
        return training.record_check(
            session,
            lab.clock,
            PARIS,
            course_id=course_id,
            person_id=person,
            passed=passed,
            by=by,
            step=step,
        )


def standing(lab: Lab, person: str, machine: str = "mill") -> Standing:
    with lab.database.reading() as session:
        return certifications.standing_at(session, person, machine, lab.clock.now())


def make_trainer(lab: Lab, person: str, machine: str = "mill") -> None:
    with lab.database.transaction() as session:
        certifications.certify(
            session, lab.clock, person_id=person, resource_id=machine, level=Level.TRAINER
        )


def test_the_way_from_the_quiz_to_the_certification(lab: Lab) -> None:
    laser = course(lab, first_job=True)
    make_trainer(lab, lab.karim)
    assert codes(lambda: check(lab, laser, lab.noemie, by=lab.karim)) == {"quiz-first"}
    assert not take(lab, laser, lab.noemie, well=False)
    assert take(lab, laser, lab.noemie)
    assert check(lab, laser, lab.noemie, by=lab.karim, passed=False).next is CourseStep.PRACTICAL
    assert standing(lab, lab.noemie) is Standing.NONE
    assert check(lab, laser, lab.noemie, by=lab.karim).next is CourseStep.FIRST_JOB
    assert standing(lab, lab.noemie) is Standing.SUPERVISED
    done = check(lab, laser, lab.noemie, by=lab.karim, step=CourseStep.FIRST_JOB)
    assert (done.next, done.standing) == (None, Standing.VALID)
    with lab.database.reading() as session:
        lines = [line.what for line in lines_about(session, f"person:{lab.noemie}")]
    assert lines == [
        "person.added", "quiz.taken", "quiz.taken", "course.checked", "course.checked",
        "certification.granted", "course.checked", "certification.granted",
    ]  # fmt: skip


def test_a_quiz_is_asked_in_both_languages_and_tells_no_answers(lab: Lab) -> None:
    laser = course(lab)
    with lab.database.reading() as session:
        french = quizzes.quiz_for(session, course_id=laser, language="fr")
        english = quizzes.quiz_for(session, course_id=laser, language="xx")
        assert courses.get_course(session, laser).title("fr") == "Découpe laser"
    assert (french.language, english.language) == ("fr", "en")
    assert [*french.questions[0].answers] == [*english.questions[0].answers]
    assert [*french.questions[0].answers.values()] == ["J’attends.", "J’ouvre."]
    assert "right" not in str(french)
    assert take(lab, laser, lab.noemie, language="en")


def test_a_retired_question_is_asked_no_more(lab: Lab) -> None:
    laser = course(lab)
    with lab.database.transaction() as session:
        first = quizzes.quiz_for(session, course_id=laser, language="fr").questions[0].id
        quiz_making.retire_question(session, lab.clock, question_id=first, by=lab.awa)
        left = quizzes.quiz_for(session, course_id=laser, language="fr").questions
        assert first not in [one.id for one in left]
        assert len(left) == 1


def test_a_prerequisite_comes_first(lab: Lab) -> None:
    laser = course(lab, prerequisites=["printer-a"])
    assert codes(lambda: take(lab, laser, lab.noemie)) == {"prerequisite-missing"}
    assert take(lab, laser, lab.lea)  # certified on printer-a


def test_trainers_certify_on_their_machines_only_and_not_themselves(lab: Lab) -> None:
    both = course(lab, "mill", "printer-a", questions=0)
    make_trainer(lab, lab.karim)
    assert codes(lambda: check(lab, both, lab.noemie, by=lab.karim)) == {"not-a-trainer"}
    make_trainer(lab, lab.karim, "printer-a")
    assert codes(lambda: check(lab, both, lab.karim, by=lab.karim)) == {"not-yourself"}
    check(lab, both, lab.noemie, by=lab.karim)
    assert {standing(lab, lab.noemie, one) for one in ("mill", "printer-a")} == {Standing.VALID}
    with lab.database.transaction() as session:
        training.suspend(
            session,
            lab.clock,
            person_id=lab.karim,
            resource_id="mill",
            reason="smoke",
            by=lab.awa,
        )
    assert "not-a-trainer" in codes(lambda: check(lab, both, lab.lea, by=lab.karim))


def test_months_after_the_grant_it_ends_and_the_check_alone_renews(lab: Lab) -> None:
    laser = course(lab, expiry=Expiry(months=12))
    take(lab, laser, lab.noemie)
    check(lab, laser, lab.noemie, by=lab.awa)
    end = end_of_day(months_after(lab.clock.now().date(), 12), PARIS)
    lab.clock.wall = end
    assert standing(lab, lab.noemie) is Standing.VALID
    lab.clock.wall = end + timedelta(minutes=1)
    assert standing(lab, lab.noemie) is Standing.EXPIRED
    with lab.database.reading() as session:
        found = training.progress(session, lab.clock, course_id=laser, person_id=lab.noemie)
    assert (found.next, found.renewable) == (CourseStep.PRACTICAL, True)
    assert check(lab, laser, lab.noemie, by=lab.awa).standing is Standing.VALID


def test_without_use_it_ends_and_a_use_puts_the_end_off(lab: Lab) -> None:
    laser = course(lab, expiry=Expiry(unused_months=3), questions=0)
    check(lab, laser, lab.noemie, by=lab.awa)
    granted = lab.clock.now()
    used = granted + timedelta(days=60)
    lab.clock.wall = granted.replace(year=2027, month=2)
    assert standing(lab, lab.noemie) is Standing.VALID
    lab.clock.advance(60)
    assert standing(lab, lab.noemie) is Standing.EXPIRED
    with lab.database.transaction() as session:
        account = session.scalars(select(Account.id).where(Account.person_id == lab.noemie)).one()
        session.add(
            Use(
                id=new_id(),
                resource_id="mill",
                person_id=lab.noemie,
                account_id=account,
                opened_at=used - timedelta(hours=1),
                closed_at=used,
                outcome="finished",
            )
        )
    assert standing(lab, lab.noemie) is Standing.VALID
    lab.clock.wall = used.replace(month=4) + timedelta(minutes=1)
    assert standing(lab, lab.noemie) is Standing.EXPIRED


def test_a_suspension_has_a_reason_and_stops_renewals(lab: Lab) -> None:
    laser = course(lab, questions=0)
    check(lab, laser, lab.noemie, by=lab.awa)

    def suspend(by: str, reason: str = "left the laser alone") -> None:
        with lab.database.transaction() as session:
            training.suspend(
                session,
                lab.clock,
                person_id=lab.noemie,
                resource_id="mill",
                reason=reason,
                by=by,
            )

    assert codes(lambda: suspend(lab.lea)) == {"not-a-trainer"}
    with pytest.raises(InputError):
        suspend(lab.awa, " ")
    suspend(lab.awa)
    assert standing(lab, lab.noemie) is Standing.SUSPENDED
    assert codes(lambda: check(lab, laser, lab.noemie, by=lab.awa)) == {"certification-suspended"}
    with lab.database.transaction() as session:
        training.reinstate(session, lab.clock, person_id=lab.noemie, resource_id="mill", by=lab.awa)
    assert standing(lab, lab.noemie) is Standing.VALID


def test_without_a_course_only_with_a_reason(lab: Lab) -> None:
    def grant(by: str, reason: str) -> None:
        with lab.database.transaction() as session:
            training.grant_directly(
                session,
                lab.clock,
                person_id=lab.noemie,
                resource_id="mill",
                reason=reason,
                by=by,
            )

    assert codes(lambda: grant(lab.lea, "a friend")) == {"not-a-trainer"}
    with pytest.raises(InputError):
        grant(lab.awa, "")
    grant(lab.awa, "trained at the lab of Rennes")
    assert standing(lab, lab.noemie) is Standing.VALID


@pytest.mark.parametrize(
    "wrong",
    [
        {"wording": {}},
        {"wording": {"fr": Wording(" ")}},
        {"wording": {"xx": Wording("?")}},
        {"resource_ids": []},
        {"pass_mark": 101},
        {"pass_mark": -1},
        {"expiry": Expiry(months=0)},
        {"expiry": Expiry(unused_months=241)},
    ],
)
def test_a_course_that_cannot_be(lab: Lab, wrong: dict[str, Any]) -> None:
    asks: dict[str, Any] = {"wording": LASER, "resource_ids": ["mill"], **wrong}
    with pytest.raises(InputError), lab.database.transaction() as session:
        courses.create_course(session, lab.clock, by=lab.awa, **asks)


@pytest.mark.parametrize(
    ("wording", "right"),
    [
        ({"fr": QuestionWording("?", ("a", "b"))}, set()),
        ({"fr": QuestionWording("?", ("a", "b"))}, {2}),
        ({"fr": QuestionWording("?", ("a",))}, {0}),
        ({"fr": QuestionWording("?", ("a", " "))}, {0}),
        ({"fr": QuestionWording("?", ("a", "b")), "en": QuestionWording("?", ("a",))}, {0}),
        ({}, {0}),
    ],
)
def test_a_question_that_cannot_be(
    lab: Lab, wording: dict[str, QuestionWording], right: set[int]
) -> None:
    laser = course(lab, questions=0)
    with pytest.raises(InputError), lab.database.transaction() as session:
        quiz_making.add_question(
            session, lab.clock, course_id=laser, wording=wording, right=right, by=lab.awa
        )


def test_a_course_without_questions_has_no_quiz_and_no_quiz_step(lab: Lab) -> None:
    laser = course(lab, questions=0)
    with lab.database.reading() as session, pytest.raises(UnknownIdError):
        quizzes.quiz_for(session, course_id=laser, language="fr")
    assert check(lab, laser, lab.noemie, by=lab.awa).next is None


@pytest.mark.parametrize(
    "statement",
    [update(Certification).values(level="trainer"), delete(Certification)],
    ids=["update", "delete"],
)
def test_the_history_is_never_rewritten(lab: Lab, statement: Any) -> None:
    with pytest.raises(LocalError, match="only grows"), lab.database.transaction() as session:
        session.execute(statement)


def test_control_without_the_triggers_it_could_be(lab: Lab) -> None:
    drop_guarantees(lab.database)
    with lab.database.transaction() as session:
        session.execute(update(Certification).values(level="trainer"))
