"""A training to try the pages on: a quiz, a check with a list, trainers, people on their way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from fabctl.model.booking import Slot
from fabctl.model.certification import Level, Standing
from fabctl.model.people import Role
from fabctl.model.training import Expiry
from fabctl.services import (
    certifications,
    courses,
    presence,
    quiz_making,
    quizzes,
    sessions,
    training,
    workshops,
)
from fabctl.services.courses import Wording
from fabctl.services.quizzes import QuestionWording
from tests.kept_scenes import kept
from tests.web_lab import OUTSIDE, Browser, WebLab

KIOSK = "127.0.0.1"
LONG = "Maximiliane-Alexandrine de Montmorency-Châteauneuf"
CRITERIA = (
    "Vérifie que le plateau est vide et propre",
    "Règle la première couche et reste devant",
    "Sait où est le bouton rouge",
)
WORDING = {
    "fr": Wording(
        "Imprimer en 3D tout seul, du fichier à la pièce",
        "Tu apprends à préparer la machine et à la surveiller.\n"
        "Prévois une heure avec la personne qui te forme.\n"
        + "\n".join(f"- {one}" for one in CRITERIA),
    ),
    "en": Wording(
        "3D printing on your own", "One hour.\n- The bed is empty\n- Knows the red button"
    ),
}
QUESTIONS = (
    (
        {
            "fr": QuestionWording(
                "La buse est à 210 °C et du plastique y pend. Que fais-tu ?",
                (
                    "Je l’enlève avec les doigts, c’est rapide.",
                    "J’attends qu’elle refroidisse, ou je prends la pince.",
                    "J’appelle l’équipe si je ne sais pas.",
                ),
            ),
            "en": QuestionWording(
                "The nozzle is at 210 °C, plastic hangs from it. What do you do?",
                ("I use my fingers.", "I wait, or use the pliers.", "I ask if I do not know."),
            ),
        },
        {1, 2},
    ),
    (
        {
            "fr": QuestionWording(
                "Ça sent le brûlé. Quel bouton ?",
                ("Le rouge", "Le vert"),
                "Il faut couper le courant tout de suite.",
            ),
            "en": QuestionWording(
                "It smells burnt. Which button?",
                ("The red one", "The green one"),
                "The power must be cut at once.",
            ),
        },
        {0},
    ),
)


@dataclass
class Scene:
    """``karim`` trains on printer-a and printer-b, ``sasha`` is of the staff; ``noemie`` has passed
    the quiz, ``lea`` has nothing yet, ``omar`` is certified by the course.
    """

    lab: WebLab
    course: str
    trainers: str
    """A second course, after the first: it makes trainers on printer-a."""

    def id(self, login: str) -> str:
        """Return a person's id."""
        return self.lab.id_of(login)

    def take_quiz(self, login: str, *, well: bool = True) -> None:
        """Let somebody answer every question, all right or all wrong."""
        with self.lab.db.transaction() as db:
            asked = quiz_making.questions(db, course_id=self.course, by=self.id("sasha"))
            quiz = quizzes.quiz_for(db, course_id=self.course, language="fr")
            chosen = {
                one.id: [
                    key for place, key in enumerate(one.answers) if (place in record.right) is well
                ]
                for one, record in zip(quiz.questions, asked, strict=True)
            }
            quizzes.take_quiz(
                db, self.lab.clock, course_id=self.course, person_id=self.id(login),
                language="fr", chosen=chosen,
            )  # fmt: skip


@kept
def training_scene(lab: WebLab) -> Scene:
    """Fill the lab."""
    karim = lab.person("karim", pin="445566", role=Role.TRAINER)
    staff = lab.person("sasha", role=Role.STAFF)
    for login in ("noemie", "lea", "omar"):
        lab.person(login)
    with lab.db.transaction() as db:
        for machine in ("printer-a", "printer-b"):
            certifications.certify(
                db, lab.clock, person_id=karim.id, resource_id=machine, level=Level.TRAINER
            )
        presence.check_in(db, lab.clock, person_id=karim.id, by=karim.id)
        scene = _courses(lab, db, staff.id)
        _session(lab, db, staff.id, scene.course)
    scene.take_quiz("noemie")
    scene.take_quiz("omar")
    with lab.db.transaction() as db:
        training.record_check(
            db, lab.clock, lab.config.time_zone, course_id=scene.course,
            person_id=scene.id("omar"), passed=True, by=karim.id,
        )  # fmt: skip
    return scene


def _courses(lab: WebLab, db: Session, staff: str) -> Scene:
    first = courses.create_course(
        db, lab.clock, wording=WORDING, resource_ids=["printer-a", "printer-b"],
        pass_mark=75, expiry=Expiry(months=12), by=staff,
    )  # fmt: skip
    for wording, right in QUESTIONS:
        quiz_making.add_question(
            db, lab.clock, course_id=first.id, wording=wording, right=right, by=staff
        )
    second = courses.create_course(
        db, lab.clock, wording={"fr": Wording("Former les autres"), "en": Wording("Train others")},
        resource_ids=["printer-a"], prerequisites=["printer-a", "printer-b"],
        level=Level.TRAINER, first_job=True, by=staff,
    )  # fmt: skip
    return Scene(lab, first.id, second.id)


def _session(lab: WebLab, db: Session, staff: str, course: str) -> None:
    workshop = workshops.create_workshop(
        db, lab.clock, title="Première impression 3D", places=4, by=staff, course_id=course
    )
    start = lab.clock.now() + timedelta(days=3)
    sessions.schedule(
        db, lab.clock, workshop_id=workshop.id, slot=Slot(start, start + timedelta(hours=2)),
        resource_ids=[], animators=[staff], places=4, by=staff,
    )  # fmt: skip


# -- at a browser


def signed(scene: Scene, login: str, address: str = OUTSIDE) -> Browser:
    """Return a browser at which somebody is signed in and reads English."""
    browser = scene.lab.browser(address)
    browser.sign_in(login)
    browser.get("/?lang=en")  # a shared screen begins in the lab's first language
    return browser


def text(browser: Browser, path: str, status: int = 200) -> str:
    """Return a page that must answer so."""
    answer = browser.get(path)
    assert answer.status_code == status, path
    return answer.get_data(as_text=True)


def send(browser: Browser, path: str, page: str, status: int = 303, **fields: Any) -> str:
    """Send a form that must be answered so; return what came."""
    answer = browser.post(path, fields, page=page)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def standing(scene: Scene, login: str, machine: str = "printer-a") -> Standing:
    """Return what somebody's history on a machine amounts to."""
    lab = scene.lab
    with lab.db.reading() as db:
        return certifications.standing_at(db, scene.id(login), machine, lab.clock.now())


def marks(page: str) -> list[tuple[str, str]]:
    """Return the steps of a page and how each is marked."""
    return re.findall(r'data-step="([\w-]+)" data-mark="(\w*)"', page)
