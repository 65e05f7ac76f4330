"""Training on pages: my path, the quiz, a trainer's check at the machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fabctl.model.certification import Level, Standing
from fabctl.services import certifications, quiz_making, quizzes
from fabctl.services.audit import lines_about
from tests.training_scene import (
    CRITERIA,
    KIOSK,
    Scene,
    marks,
    send,
    signed,
    standing,
    text,
    training_scene,
)
from tests.web_lab import Browser, form_token, web_lab

CHECK = "/m/printer-a/check"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with web_lab(tmp_path) as lab:
        yield training_scene(lab)


def answers(scene: Scene, *, well: bool = True) -> list[dict[str, Any]]:
    """Return the fields of the quiz's forms, one after the other."""
    with scene.lab.db.reading() as db:
        asked = quiz_making.questions(db, course_id=scene.course, by=scene.id("sasha"))
        quiz = quizzes.quiz_for(db, course_id=scene.course, language="en")
    return [
        {
            "question": one.id,
            "answer": [k for n, k in enumerate(one.answers) if (n in record.right) is well],
        }
        for one, record in zip(quiz.questions, asked, strict=True)
    ]


def take(browser: Browser, path: str, *fields: dict[str, Any]) -> None:
    """Answer one question after the other."""
    for number, one in enumerate(fields, 1):
        send(browser, path, f"{path}?q={number}", **one, to="next")


# -- my path


def test_anybody_sees_what_there_is_and_no_names(scene: Scene) -> None:
    visitor = scene.lab.browser()
    listed, one = text(visitor, "/training"), text(visitor, f"/training/{scene.course}")
    assert "3D printing on your own" in listed
    assert "Knows the red button" in one
    assert "4 places left" in one
    assert "/workshops/" in one
    assert "Sign in to begin" in one
    for page in (listed, one):
        assert "Karim" not in page
        assert "Noemie" not in page


def test_my_path_says_what_is_done_and_what_is_missing(scene: Scene) -> None:
    lea, noemie = signed(scene, "lea"), signed(scene, "noemie")
    path = f"/training/{scene.course}"
    assert marks(text(lea, path)) == [("quiz", "now"), ("practical", "later")]
    shown = text(noemie, path)
    assert marks(shown) == [("quiz", "done"), ("practical", "now")]
    assert "Karim" in shown
    assert "in the lab now" in shown
    assert "Noemie" not in text(lea, "/training").replace("Lea", "")


def test_a_certification_says_until_when_and_warns_before_its_end(scene: Scene) -> None:
    assert "until Tuesday 23 November 2027" in text(signed(scene, "omar"), "/training")
    scene.lab.clock.advance(340 * 86400)  # type: ignore[attr-defined]  # a manual clock
    omar = signed(scene, "omar")
    assert "It ends soon." in text(omar, "/training")
    scene.lab.clock.advance(40 * 86400)  # type: ignore[attr-defined]  # the same
    assert "Renew it: show at the machine" in text(signed(scene, "omar"), "/training")


def test_a_lower_level_is_not_what_a_training_certifies(scene: Scene) -> None:
    shown = text(signed(scene, "omar"), f"/training/{scene.trainers}")
    assert marks(shown) == [("prerequisites", "done"), ("practical", "now"), ("first-job", "later")]
    assert "Not yet" in shown
    lea = text(signed(scene, "lea"), f"/training/{scene.trainers}")
    assert "First be certified on: " in lea


def test_whoever_is_certified_without_the_training_is_not_sent_to_it(scene: Scene) -> None:
    scene.lab.certify(scene.lab.person("zoe"), "printer-a", "printer-b")
    shown = text(signed(scene, "zoe"), f"/training/{scene.course}")
    assert "Do the quiz" not in shown
    assert "Certified" in shown


def test_a_machines_page_leads_to_its_training_and_a_search_finds(scene: Scene) -> None:
    lea = signed(scene, "lea")
    assert "/training?machine=printer-a" in text(lea, "/m/printer-a")
    assert scene.course in text(lea, "/training?machine=printer-a")
    assert scene.trainers not in text(lea, "/training?machine=printer-b")
    assert scene.trainers not in text(lea, "/training?words=IMPRIMER")
    assert "Nothing found." in text(lea, "/training?words=couture")
    assert "No training here yet." in text(lea, "/training?machine=nope")


# -- the quiz


def test_a_quiz_is_failed_told_and_passed(scene: Scene) -> None:
    lea, path = signed(scene, "lea"), f"/training/{scene.course}/quiz"
    result = f"/training/{scene.course}/result"
    assert text(lea, path).count('type="checkbox"') == 3
    assert text(lea, f"{path}?q=2").count('type="radio"') == 2
    take(lea, path, *answers(scene, well=False))
    failed = text(lea, result)
    assert "0 of 2 right" in failed
    assert "It smells burnt. Which button?" in failed
    assert "You said: The green one" in failed
    assert "The power must be cut at once." in failed
    assert "The red one" not in failed  # which answers are right is for those who ask
    assert "You need 2." in failed
    right, wrong = answers(scene), answers(scene, well=False)
    take(lea, path, wrong[0], right[1])
    half = text(lea, result)
    assert "1 of 2 right" in half
    assert "The power must be cut" not in half
    take(lea, path, *right)
    passed = text(lea, result)
    assert "Quiz passed" in passed
    assert "Karim" in passed
    assert marks(text(lea, f"/training/{scene.course}"))[0] == ("quiz", "done")


def test_a_quiz_goes_question_by_question_and_loses_nothing(scene: Scene) -> None:
    lea, path = signed(scene, "lea"), f"/training/{scene.course}/quiz"
    first, second = answers(scene)
    assert "Question 1 of 2" in text(lea, path)
    assert 'value="back"' not in text(lea, path)
    send(lea, path, path, question=first["question"], to="next")  # nothing is chosen
    shown = text(lea, f"{path}?q=1")
    assert "Choose an answer first." in shown
    assert "checked" not in shown
    send(lea, path, path, 204, **first)  # each tap is kept, before anybody goes on
    assert text(lea, f"{path}?q=1").count(" checked") == 2
    assert "Question 2 of 2" in text(lea, path)  # the first that is open
    send(lea, path, f"{path}?q=2", **second, to="back")
    assert text(lea, f"{path}?q=1").count(" checked") == 2
    assert text(lea, f"{path}?q=2").count(" checked") == 1
    send(lea, path, path, 204, question=first["question"])  # taken back
    answer = lea.post(path, {**second, "to": "next"}, page=f"{path}?q=2")
    assert answer.location == f"{path}?q=1"
    for strange in ("0", "3", "x", "²", "-1", "99999"):
        assert "Question 1 of 2" in text(lea, f"{path}?q={strange}"), strange
    scene.lab.person("zoe")
    lea.sign_in("zoe")  # in the same browser
    assert " checked" not in text(lea, f"{path}?q=2")


def test_a_question_that_is_retired_while_somebody_answers(scene: Scene) -> None:
    lea, path = signed(scene, "lea"), f"/training/{scene.course}/quiz"
    first, second = answers(scene)
    send(lea, path, path, **first, to="next")
    with scene.lab.db.transaction() as db:
        quiz_making.retire_question(
            db, scene.lab.clock, question_id=first["question"], by=scene.id("sasha")
        )
    send(lea, path, path, **first, to="next")
    assert "Question 1 of 1" in text(lea, path)
    take(lea, path, second)
    assert "1 of 1 right" in text(lea, f"/training/{scene.course}/result")


def test_a_result_is_its_persons_alone(scene: Scene) -> None:
    kiosk, path = signed(scene, "lea", KIOSK), f"/training/{scene.course}/quiz"
    take(kiosk, path, *answers(scene))
    kiosk.sign_in("noemie")
    answer = kiosk.get(f"/training/{scene.course}/result")
    assert (answer.status_code, answer.location) == (303, f"/training/{scene.course}")


def test_a_quiz_has_its_order_and_needs_somebody(scene: Scene) -> None:
    visitor = scene.lab.browser()
    path = f"/training/{scene.course}/quiz"
    assert visitor.get(path).location == f"/in?next={path}"
    lea = signed(scene, "lea")
    assert lea.get(f"/training/{scene.trainers}/quiz").status_code == 409
    assert lea.get("/training/nope/quiz").status_code == 404
    with scene.lab.db.transaction() as db:
        certifications.suspend(
            db, scene.lab.clock, person_id=scene.id("lea"), resource_id="printer-a", reason="x"
        )
        certifications.certify(
            db, scene.lab.clock, person_id=scene.id("lea"), resource_id="printer-a"
        )
        certifications.suspend(
            db, scene.lab.clock, person_id=scene.id("lea"), resource_id="printer-a", reason="x"
        )
    assert "This certification is suspended." in text(lea, path, 409)


# -- the check


def test_from_the_quiz_to_certified_on_the_machines_page(scene: Scene) -> None:
    karim, noemie = signed(scene, "karim", KIOSK), scene.id("noemie")
    assert f'href="{CHECK}"' in text(karim, "/m/printer-a")
    assert f'href="{CHECK}"' not in text(signed(scene, "noemie"), "/m/printer-a")
    listed = text(karim, CHECK)
    assert "Noemie" in listed
    assert "Lea" not in listed
    assert "Omar" not in listed
    page = f"{CHECK}/{noemie}"
    path = f"{page}/{scene.course}"
    refused = send(karim, path, page, 409, passed="true", step="practical", met=["0"])
    assert "Not every point of the list is ticked." in refused
    assert standing(scene, "noemie") is Standing.NONE
    send(karim, path, page, passed="false", step="practical", words="Regarde mieux la buse.")
    assert "Noemie can try again" in text(karim, CHECK)
    met = [str(n) for n in range(len(CRITERIA))]
    send(karim, path, page, passed="true", step="practical", met=met, words="Bravo")
    assert "Noemie is certified now." in text(karim, CHECK)
    assert f'href="{CHECK}"' in text(karim, "/training")
    assert standing(scene, "noemie") is Standing.VALID
    assert standing(scene, "noemie", "printer-b") is Standing.VALID
    told = text(signed(scene, "noemie"), "/me/notices")
    assert "Regarde mieux la buse." in told
    with scene.lab.db.reading() as db:  # the audit keeps its lines for ever
        lines = [one for one in lines_about(db, f"person:{noemie}") if one.what == "course.seen"]
    assert [sorted(one.details) for one in lines] == [["asked", "course", "met"]] * 2
    assert "You are certified on this machine." in text(signed(scene, "noemie"), "/m/printer-a")


def test_a_first_job_follows_the_check(scene: Scene) -> None:
    sasha, omar = signed(scene, "sasha"), scene.id("omar")
    page = f"{CHECK}/{omar}"
    path = f"{page}/{scene.trainers}"
    send(sasha, path, page, passed="true", step="practical")
    assert "Next: First job with a trainer" in text(sasha, CHECK)
    assert standing(scene, "omar") is Standing.VALID  # alone, as before: the course made no trainer
    assert "Only a trainer" in text(signed(scene, "omar"), CHECK, 409)
    send(sasha, path, page, passed="true", step="first-job")
    assert "Noemie" in text(signed(scene, "omar"), CHECK)


def test_a_trainer_who_passes_a_lower_course_stays_a_trainer(scene: Scene) -> None:
    sasha, karim = signed(scene, "sasha"), scene.id("karim")
    scene.take_quiz("karim")
    page = f"{CHECK}/{karim}"
    met = [str(n) for n in range(len(CRITERIA))]
    send(sasha, f"{page}/{scene.course}", page, passed="true", step="practical", met=met)
    assert "Trainer: certifies others" in text(sasha, page)
    assert CHECK in text(signed(scene, "karim"), "/training")


def test_only_trainers_of_the_machine_and_the_staff_check(scene: Scene) -> None:
    page = f"{CHECK}/{scene.id('noemie')}"
    path = f"{page}/{scene.course}"
    for login in ("lea", "noemie", "omar"):
        browser = signed(scene, login)
        assert "Only a trainer of this machine" in text(browser, CHECK, 409)
        assert "Noemie" not in text(browser, f"{CHECK}?words=noemie", 409).replace(
            '<span class="name">Noemie</span>', ""
        )
        assert browser.get(page).status_code == 409
        send(browser, path, "/training", 409, passed="true", step="practical")
    assert scene.lab.browser().get(CHECK).location == f"/in?next={CHECK}"
    karim = signed(scene, "karim")
    own = f"{CHECK}/{scene.id('karim')}"
    assert "Nobody certifies themselves." in text(karim, own)
    send(karim, f"{own}/{scene.course}", own, 409, passed="true", step="practical")
    send(
        karim,
        f"/m/printer-b/check/{scene.id('noemie')}/{scene.trainers}",
        page,
        404,
        passed="true",
        step="practical",
    )
    assert karim.get(f"{CHECK}/nobody").status_code == 404
    assert karim.get("/m/nope/check").status_code == 404
    assert standing(scene, "noemie") is Standing.NONE


def test_people_are_found_by_name_but_not_by_one_letter(scene: Scene) -> None:
    karim = signed(scene, "karim")
    assert "Lea" in text(karim, f"{CHECK}?words=LÉA")
    assert "Lea" not in text(karim, f"{CHECK}?words=l")


def test_what_a_form_lacks_is_refused(scene: Scene) -> None:
    karim, page = signed(scene, "karim"), f"{CHECK}/{scene.id('noemie')}"
    path = f"{page}/{scene.course}"
    send(karim, path, page, 409, step="practical")
    send(karim, path, page, 409, passed="true", step="quiz")
    send(karim, path, page, 409, passed="true", step="practical", met=["-1", "x", "²", "999"])
    assert standing(scene, "noemie") is Standing.NONE


def test_a_trainer_by_level_alone_trains(scene: Scene) -> None:
    """Who trains is said by the certification, not by the role."""
    zoe = scene.lab.person("zoe")
    with scene.lab.db.transaction() as db:
        certifications.certify(
            db, scene.lab.clock, person_id=zoe.id, resource_id="printer-a", level=Level.TRAINER
        )
    shown = text(signed(scene, "zoe"), f"{CHECK}/{scene.id('noemie')}")
    assert form_token(shown)
    assert "Only a trainer of this machine" in shown  # the course certifies on printer-b too
    assert "Zoe" not in text(signed(scene, "lea"), f"/training/{scene.course}")
