"""Training: my path, the quiz and its result, the check at a machine, the desk."""

from __future__ import annotations

from fabctl.model.certification import Level
from fabctl.services import certifications, people, quiz_making
from tests.browser.conftest import Served
from tests.browser.shown import Area, Shown
from tests.training_scene import LONG, training_scene


def fill(served: Served) -> dict[str, str]:
    """Put people on their way, one of them with a long name, one suspended."""
    lab = served.lab
    scene = training_scene(lab)
    with lab.db.transaction() as db:
        long = people.add_person(
            db, lab.clock, display_name=LONG, login="long", password="long-password",
        )  # fmt: skip
        for login, level in (("camille", Level.TRAINER), ("alex", Level.AUTONOMOUS)):
            certifications.certify(
                db, lab.clock, person_id=lab.id_of(login), resource_id="printer-a", level=level
            )
        certifications.suspend(
            db, lab.clock, person_id=lab.id_of("alex"), resource_id="printer-a",
            reason="A laissé la machine sans surveillance.", by=lab.id_of("sasha"),
        )  # fmt: skip
    scene.take_quiz("long")
    with lab.db.reading() as db:
        asked = quiz_making.questions(db, course_id=scene.course, by=lab.id_of("sasha"))
    return {
        "question": asked[1].id,
        "course": scene.course,
        "trainers": scene.trainers,
        "noemie": scene.id("noemie"),
        "alex": scene.id("alex"),
        "omar": scene.id("omar"),
        "person": long.id,
    }


AREA = Area(
    "training",
    fill,
    (
        Shown("/training"),
        Shown("/training/{course}"),
        Shown("/training", "lea"),
        Shown("/training?machine=printer-a", "noemie"),
        Shown("/training?words=xyz", "noemie"),
        Shown("/training", "omar"),
        Shown("/training", "alex"),
        Shown("/training", "karim"),
        Shown("/training/{course}", "noemie"),
        Shown("/training/{trainers}", "omar"),
        Shown("/training/{course}/quiz", "lea"),
        Shown("/training/{course}/quiz?q=2", "noemie"),
        Shown("/training/{course}/result", "lea"),
        Shown("/m/printer-a/check", "karim"),
        Shown("/m/printer-a/check?words=ale", "karim"),
        Shown("/m/printer-a/check/{person}", "karim"),
        Shown("/m/printer-a/check/{omar}", "karim", desk=True),
        Shown("/m/printer-a/check/{alex}", "sasha", desk=True),
        Shown("/m/printer-a/check", "noemie"),
        Shown("/staff/courses", "sasha", desk=True),
        Shown("/staff/courses/{course}", "sasha", desk=True),
        Shown("/staff/courses/{trainers}", "sasha", desk=True),
        Shown("/staff/questions/{question}", "sasha", desk=True),
    ),
)
