"""The demo's trainings: one for the printers, one for the laser, each with a quiz and a check."""

from __future__ import annotations

from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.certification import Level
from fabctl.model.training import Expiry
from fabctl.services.certifications import certify
from fabctl.services.courses import Wording, create_course
from fabctl.services.quiz_making import add_question
from fabctl.services.quizzes import QuestionWording

Asked = tuple[str, str, tuple[tuple[str, str], ...], tuple[int, ...], tuple[str, str]]
"""A question in French and English, its answers in both, the places of the right ones, and why
they are right, in both.
"""

_PRINTING = {
    "fr": Wording(
        "Imprimer en 3D sans aide",
        "Tu prépares la machine, tu lances, tu surveilles.\n"
        "Prévois une heure.\n"
        "- Vérifie que le plateau est vide et propre\n"
        "- Reste devant pendant la première couche\n"
        "- Montre comment mettre en pause et arrêter",
    ),
    "en": Wording(
        "3D printing on your own",
        "You prepare the machine, start it and watch it.\n"
        "It takes an hour.\n"
        "- Looks that the bed is empty and clean\n"
        "- Stays there during the first layer\n"
        "- Shows how to pause and to stop",
    ),
}
_PRINTING_ASKED: tuple[Asked, ...] = (
    (
        "La buse est à 210 °C et du plastique y pend. Que fais-tu ?",
        "The nozzle is at 210 °C and plastic hangs from it. What do you do?",
        (
            ("Je l’enlève avec les doigts.", "I take it off with my fingers."),
            ("Je prends la pince.", "I use the pliers."),
            ("Je demande si je ne sais pas.", "I ask if I do not know."),
        ),
        (1, 2),
        ("À 210 °C, la peau brûle aussitôt.", "At 210 °C skin burns at once."),
    ),
    (
        "Qui regarde la première couche ?",
        "Who watches the first layer?",
        (("Moi, devant la machine.", "I do, at the machine."), ("Personne.", "Nobody does.")),
        (0,),
        (
            "Une pièce qui se décolle se voit là, et s’arrête à temps.",
            "A part that comes loose shows there, and can be stopped in time.",
        ),
    ),
    (
        "Ça sent le brûlé. Que fais-tu d’abord ?",
        "It smells burnt. What do you do first?",
        (
            ("Je filme.", "I film it."),
            ("J’appuie sur le bouton rouge.", "I press the red button."),
            ("J’attends la fin.", "I wait for the end."),
        ),
        (1,),
        ("Il faut d’abord couper le courant.", "First the power must be cut."),
    ),
)
_LASER = {
    "fr": Wording(
        "Découper au laser sans aide",
        "Tu règles la machine et tu restes à côté.\n"
        "- Sait quels matériaux sont interdits\n"
        "- Met l’aspiration avant de lancer\n"
        "- Montre l’extincteur et le bouton rouge",
    ),
    "en": Wording(
        "Laser cutting on your own",
        "You set the machine and stay beside it.\n"
        "- Knows which materials are forbidden\n"
        "- Switches the extraction on before starting\n"
        "- Shows the extinguisher and the red button",
    ),
}
_LASER_ASKED: tuple[Asked, ...] = (
    (
        "Du PVC dans le laser ?",
        "PVC in the laser?",
        (("Jamais : le gaz est toxique.", "Never: its gas is toxic."), ("Oui, fin.", "Yes, thin.")),
        (0,),
        (
            "Le PVC brûlé donne du chlore. Il attaque les poumons et la machine.",
            "Burnt PVC gives off chlorine. It attacks lungs and the machine.",
        ),
    ),
    (
        "Le laser coupe. Où es-tu ?",
        "The laser cuts. Where are you?",
        (("À côté, je regarde.", "Beside it, watching."), ("En pause café.", "Having a coffee.")),
        (0,),
        ("Un feu commence en quelques secondes.", "A fire starts within seconds."),
    ),
)


def seed_courses(
    session: Session, clock: Clock, *, printers: tuple[str, ...], laser: str, trainer: str, by: str
) -> None:
    """Make the demo's trainings and somebody who trains on these machines.

    :param trainer: a person's id.
    :param by: of the staff.
    """
    for machine in (*printers, laser):
        certify(
            session,
            clock,
            person_id=trainer,
            resource_id=machine,
            level=Level.TRAINER,
            by=by,
        )
    _course(session, clock, _PRINTING, _PRINTING_ASKED, printers, by)
    _course(session, clock, _LASER, _LASER_ASKED, (laser,), by, expiry=Expiry(months=12))


def _course(  # what it says, what it asks, and of which machines
    session: Session,
    clock: Clock,
    wording: dict[str, Wording],
    asked: tuple[Asked, ...],
    machines: tuple[str, ...],
    by: str,
    expiry: Expiry | None = None,
) -> None:
    made = create_course(
        session, clock, wording=wording, resource_ids=machines, expiry=expiry, by=by
    )
    for french, english, answers, right, (why_fr, why_en) in asked:
        said = {
            "fr": QuestionWording(french, tuple(one for one, _ in answers), why_fr),
            "en": QuestionWording(english, tuple(one for _, one in answers), why_en),
        }
        add_question(session, clock, course_id=made.id, wording=said, right=right, by=by)
