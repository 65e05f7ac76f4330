"""The API of training: courses, quizzes, checks, certifications, and who may do what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fabctl.model.certification import Level
from fabctl.services import certifications, courses, quiz_making, quizzes
from fabctl.services.courses import Wording
from fabctl.services.quizzes import QuestionWording
from tests.web_caller import Caller, caller, codes
from tests.web_lab import WebLab, web_lab


@dataclass
class School:
    """A course on printer-a with a quiz of one question, and people of every role."""

    lab: WebLab
    course: str
    right: str
    question: str

    def by(self, login: str, language: str = "en") -> Caller:
        """Return a program of somebody's."""
        return caller(self.lab, login, language)

    def id(self, login: str) -> str:
        """Return a person's id."""
        return self.lab.id_of(login)


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    with web_lab(tmp_path) as lab:
        for login in ("member", "other", "animator", "staff"):
            lab.person(login, role=login if login != "other" else "member")
        trainer = lab.person("trainer", role="trainer")
        staff = lab.id_of("staff")
        with lab.db.transaction() as db:
            certifications.certify(
                db, lab.clock, person_id=trainer.id, resource_id="printer-a", level=Level.TRAINER
            )
            course = courses.create_course(
                db,
                lab.clock,
                wording={"fr": Wording("Imprimante 3D", "Une heure"), "en": Wording("3D printer")},
                resource_ids=["printer-a"],
                by=staff,
            ).id
            question = quiz_making.add_question(
                db,
                lab.clock,
                course_id=course,
                wording={
                    "fr": QuestionWording("La buse est à 210 °C. Je la touche ?", ("Oui", "Non")),
                    "en": QuestionWording("The nozzle is at 210 °C. Touch it?", ("Yes", "No")),
                },
                right=[1],
                by=staff,
            )
            answers = quizzes.quiz_for(db, course_id=course, language="en").questions[0].answers
        yield School(
            lab, course, next(key for key, said in answers.items() if said == "No"), question
        )


def test_courses_are_listed_in_the_language_asked_for(school: School) -> None:
    found = school.by("member", "fr").ask("GET", "/courses").get_json()
    assert found["next"] is None
    (course,) = found["courses"]
    assert (course["title"], course["steps"]) == (
        "Imprimante 3D",
        ["prerequisites", "quiz", "practical"],
    )
    program = school.by("member")
    one = program.ask("GET", f"/courses/{school.course}").get_json()
    assert (one["title"], one["machines"]) == ("3D printer", ["printer-a"])
    assert program.ask("GET", "/courses?resource=printer-b").get_json()["courses"] == []
    assert program.ask("GET", "/courses/nope").status_code == 404


def take(school: School, login: str, *chosen: str) -> Any:
    body = {"answers": [{"question": school.question, "chosen": list(chosen)}]}
    answer = school.by(login).ask("POST", f"/courses/{school.course}/quiz", json=body)
    return answer.get_json() | {"status": answer.status_code}


def test_a_quiz_says_nothing_of_what_is_right(school: School) -> None:
    quiz = school.by("member", "fr").ask("GET", f"/courses/{school.course}/quiz").get_json()
    assert (quiz["language"], quiz["questions"][0]["several"]) == ("fr", False)
    assert [one["wording"] for one in quiz["questions"][0]["answers"]] == ["Oui", "Non"]
    assert "right" not in str(quiz)
    assert take(school, "member") == {"right": 0, "asked": 1, "passed": False, "status": 200}
    assert take(school, "member", school.right)["passed"] is True


def test_malformed_answers(school: School) -> None:
    path = f"/courses/{school.course}/quiz"
    bodies: tuple[Any, ...] = (None, [], {}, {"answers": 1}, {"answers": [1]})
    for body in (*bodies, {"answers": [{"question": "x"}]}):
        answer = school.by("member").ask("POST", path, json=body)
        assert (answer.status_code, set(codes(answer))) == (422, {"malformed"}), body


def check(school: School, by: str, whom: str, **more: Any) -> Any:
    body = {"person": school.id(whom), "passed": True, **more}
    return school.by(by).ask("POST", f"/courses/{school.course}/checks", json=body)


def test_the_way_to_a_certification(school: School) -> None:
    program = school.by("member")
    path = f"/courses/{school.course}/progress"
    assert program.ask("GET", path).get_json()["next"] == "quiz"
    early = check(school, "trainer", "member")
    assert (early.status_code, codes(early)) == (409, ["quiz-first"])
    take(school, "member", school.right)
    done = check(school, "trainer", "member")
    assert (done.status_code, done.get_json()["standing"]) == (201, "valid")
    assert program.ask("GET", path).get_json()["next"] is None
    (mine,) = program.ask("GET", "/certifications").get_json()["certifications"]
    assert (mine["machine"], mine["standing"], mine["level"]) == (
        "printer-a",
        "valid",
        "autonomous",
    )


def test_who_may_not_check(school: School) -> None:
    for by in ("member", "other", "animator"):
        answer = check(school, by, "member")
        assert answer.status_code == 403
        assert "not-a-trainer" in codes(answer)


def test_bad_checks(school: School) -> None:
    assert check(school, "staff", "member", step="quiz").status_code == 422
    path = f"/courses/{school.course}/checks"
    assert school.by("staff").ask("POST", path, json={"person": "x"}).status_code == 422
    body = {"person": "nobody", "passed": True}
    assert school.by("staff").ask("POST", path, json=body).status_code == 404


SEES = {"member": 200, "other": 404, "trainer": 200, "animator": 200, "staff": 200}


def test_who_sees_where_somebody_stands(school: School) -> None:
    whom = school.id("member")
    for by, status in SEES.items():
        program = school.by(by)
        assert program.ask("GET", f"/people/{whom}/certifications").status_code == status
        path = f"/courses/{school.course}/progress?person={whom}"
        assert program.ask("GET", path).status_code == status


MAY = {"member": 403, "other": 403, "trainer": 200, "animator": 403, "staff": 200}


def test_who_grants_suspends_and_reinstates(school: School) -> None:
    path = f"/people/{school.id('other')}/certifications/printer-a"
    for by, status in MAY.items():
        program = school.by(by)
        answers = [
            program.ask("PUT", path, json={"reason": "trained at another lab"}),
            program.ask("POST", f"{path}/suspend", json={"reason": "left it running"}),
            program.ask("POST", f"{path}/reinstate"),
        ]
        assert [answer.status_code for answer in answers] == [status] * 3
        if status == 200:
            said = [answer.get_json()["standing"] for answer in answers]
            assert said == ["valid", "suspended", "valid"]


def test_a_trainer_is_one_on_their_machine_only(school: School) -> None:
    program, whom = school.by("trainer"), school.id("member")
    path = f"/people/{whom}/certifications/printer-b"
    assert program.ask("PUT", path, json={"reason": "r"}).status_code == 403
    own = f"/people/{school.id('trainer')}/certifications/printer-a"
    answer = program.ask("PUT", own, json={"reason": "r"})
    assert (answer.status_code, codes(answer)) == (409, ["not-yourself"])


def test_a_grant_has_a_reason_a_level_and_an_end(school: School) -> None:
    program = school.by("staff")
    path = f"/people/{school.id('member')}/certifications/printer-b"
    body = {"reason": "school", "level": "supervised", "expires_at": "2027-06-30T23:59:59+02:00"}
    found = program.ask("PUT", path, json=body).get_json()
    assert found["level"] == "supervised"
    assert found["expires_at"] == "2027-06-30T21:59:59+00:00"
    for bad in (
        {},
        {"reason": " "},
        {"reason": "r", "level": "king"},
        {"reason": "r", "expires_at": "x"},
    ):
        assert program.ask("PUT", path, json=bad).status_code == 422
    nowhere = f"/people/{school.id('member')}/certifications/nope"
    assert program.ask("PUT", nowhere, json={"reason": "r"}).status_code == 404


def test_without_a_token_nothing_is_shown(school: School) -> None:
    nobody = Caller(school.lab, None)
    for method, path in (
        ("GET", "/courses"),
        ("GET", f"/courses/{school.course}/quiz"),
        ("POST", f"/courses/{school.course}/checks"),
        ("GET", "/certifications"),
        ("PUT", "/people/x/certifications/printer-a"),
    ):
        assert nobody.ask(method, path).status_code == 401


NEW: dict[str, Any] = {
    "wordings": [{"language": "fr", "title": "Fraiseuse"}],
    "machines": ["printer-b"],
    "prerequisites": ["printer-a"],
    "expires_after_months": 24,
}
ASKED: dict[str, Any] = {
    "wordings": [
        {"language": "fr", "question": "Gants ?", "answers": ["Oui", "Non"]},
        {"language": "en", "question": "Gloves?", "answers": ["Yes", "No"]},
    ],
    "right": [1],
}


def test_the_staff_make_a_course_with_its_quiz(school: School) -> None:
    program = school.by("staff")
    made = program.ask("POST", "/courses", json=NEW).get_json()
    assert (made["title"], made["steps"]) == ("Fraiseuse", ["prerequisites", "practical"])
    path = f"/courses/{made['id']}"
    question = program.ask("POST", f"{path}/questions", json=ASKED).get_json()["id"]
    quiz = school.by("member").ask("GET", f"{path}/quiz").get_json()
    assert quiz["questions"][0]["wording"] == "Gloves?"
    other = {"wordings": [{**ASKED["wordings"][0], "explanation": "They are drawn in."}]}
    instead = program.ask("PUT", f"/questions/{question}", json={**ASKED, **other})
    assert program.ask("DELETE", f"/questions/{instead.get_json()['id']}").status_code == 200
    assert program.ask("PUT", f"/questions/{question}", json=ASKED).status_code == 404
    assert program.ask("GET", f"{path}/quiz").status_code == 404
    assert program.ask("DELETE", path).get_json()["retired_at"]
    assert len(program.ask("GET", "/courses").get_json()["courses"]) == 1


def test_what_a_course_asks_for_is_changed(school: School) -> None:
    program, path = school.by("staff"), "/courses"
    made = program.ask("POST", path, json={**NEW, "expires_after_months": 12}).get_json()
    path = f"/courses/{made['id']}"
    found = program.ask("PATCH", path, json={"pass_mark": 90, "first_job": True}).get_json()
    assert (found["pass_mark"], found["expires_after_months"]) == (90, 12)
    assert "first-job" in found["steps"]
    asked = {"expires_after_months": None, "expires_on": "2027-06-30"}
    found = program.ask("PATCH", path, json=asked).get_json()
    assert (found["expires_after_months"], found["expires_on"]) == (None, "2027-06-30")
    assert found["machines"] == made["machines"]
    cannot: tuple[dict[str, Any], ...] = (
        {"machines": []},
        {"pass_mark": 101},
        {"expires_on": "soon"},
    )
    for bad in cannot:
        assert program.ask("PATCH", path, json=bad).status_code == 422, bad
    assert program.ask("PATCH", path, json={"machines": ["nope"]}).status_code == 404


def test_courses_that_cannot_be(school: School) -> None:
    program = school.by("staff")
    impossible: tuple[dict[str, Any], ...] = (
        {"wordings": []},
        {"machines": []},
        {"pass_mark": 101},
        {"expires_on": "soon"},
    )
    for bad in impossible:
        assert program.ask("POST", "/courses", json=NEW | bad).status_code == 422, bad
    klingon = [{"language": "tlh", "title": "nuqneH"}]
    assert program.ask("POST", "/courses", json=NEW | {"wordings": klingon}).status_code == 422
    assert program.ask("POST", "/courses", json=NEW | {"machines": ["nope"]}).status_code == 404
    path = f"/courses/{school.course}/questions"
    uneven = [{"language": "en", "question": "?", "answers": ["one"]}]
    for bad in ({"right": []}, {"right": [2]}, {"right": ["1"]}, {"wordings": uneven}):
        assert program.ask("POST", path, json=ASKED | bad).status_code == 422, bad


def test_only_the_staff_make_courses(school: School) -> None:
    for by in ("member", "trainer", "animator"):
        program = school.by(by)
        answers = [
            program.ask("POST", "/courses", json=NEW),
            program.ask("DELETE", f"/courses/{school.course}"),
            program.ask("POST", f"/courses/{school.course}/questions", json=ASKED),
            program.ask("DELETE", f"/questions/{school.question}"),
            program.ask("PATCH", f"/courses/{school.course}", json={"pass_mark": 1}),
            program.ask("PUT", f"/questions/{school.question}", json=ASKED),
        ]
        assert [(one.status_code, codes(one)) for one in answers] == [(403, ["staff-only"])] * 6
