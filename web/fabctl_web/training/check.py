"""The practical check at a machine: a trainer picks the person, ticks what they saw, decides."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, flash, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from fabctl.model.certification import Level, Standing
from fabctl.model.refusal import Refusal
from fabctl.model.training import CourseStep
from fabctl.services import certifications, courses, people, practical, resources, training
from fabctl.services.certifications import CertificationView
from fabctl.services.courses import CourseView
from fabctl.services.practical import Seen, Trainee
from fabctl.services.rights import is_staff
from fabctl_web import tables
from fabctl_web.forms import form
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import chosen_language, speech
from fabctl_web.pages import page
from fabctl_web.people.own import STANDING_WORDS
from fabctl_web.people.signed_in import go, is_kiosk, person_needed, signed_in
from fabctl_web.training.shown import LOOKS, STEP_WORDS, Shown, shown, standing_of

area = Blueprint("training_check", __name__, template_folder="templates")


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


CHECKED = {step.value: step for step in (CourseStep.PRACTICAL, CourseStep.FIRST_JOB)}
LEVEL_WORDS = {
    Level.AUTONOMOUS: _("Alone"),
    Level.SUPERVISED: _("With a trainer beside them"),
    Level.TRAINER: _("Trainer: certifies others"),
}
MOST_CRITERIA = 100
PLACES = frozenset(str(place) for place in range(MOST_CRITERIA))


@dataclass(frozen=True)
class ToCheck:
    """One course as a trainer checks it; ``refusals``: why that cannot be now."""

    one: Shown
    step: CourseStep
    word: str
    refusals: list[Refusal]


@dataclass(frozen=True)
class Held:
    """What somebody holds on the machine, ready to be shown."""

    view: CertificationView
    word: str
    icon: str
    css: str
    level: str
    until: str


@area.app_context_processor
def _for_machine_pages() -> dict[str, object]:
    return {"trains_here": trains_here}


def trains_here(machine: str) -> bool:
    """Say whether the one who is signed in may check people on a machine."""
    lab, person = current_lab(), signed_in()
    if person is None:
        return False
    with lab.db.reading() as db:
        return practical.trains_on(db, lab.clock, resource_id=machine, by=person.id)


@page(area, "/m/<machine>/check")
def waiting(machine: str) -> str:
    """List who has everything else done, and find anybody by name."""
    lab, me = current_lab(), person_needed()
    profile, words = lab.profile(machine), tables.words()
    with lab.db.reading() as db:
        practical.require_trains_on(db, lab.clock, resource_id=machine, by=me.id)
        found = practical.find(db, lab.clock, resource_id=machine, words=words, by=me.id)
        groups = [
            (one.title(chosen_language()), _awaiting(lab, db, one, machine, me.id))
            for one in courses.list_courses(db, resource_id=machine)
        ]
    return render_template(
        "training/check.html", machine=profile, groups=groups, found=found, words=words
    )


def _awaiting(
    lab: Lab, db: Session, found: CourseView, machine: str, by: str
) -> list[tuple[Trainee, str]]:
    """Return who waits for a check, with the word of their next step."""
    waits = practical.awaiting_check(db, lab.clock, course_id=found.id, resource_id=machine, by=by)
    return [
        (one, speech()(STEP_WORDS[one.progress.next]))
        for one in waits
        if one.progress and one.progress.next
    ]


@page(area, "/m/<machine>/check/<person>")
def person(machine: str, person: str) -> str:
    """Show what somebody holds on a machine, and each of its courses to check them in."""
    lab, me = current_lab(), person_needed()
    profile = lab.profile(machine)
    with lab.db.reading() as db:
        practical.require_trains_on(db, lab.clock, resource_id=machine, by=me.id)
        learner, names_trainers = people.get_person(db, person), is_staff(db, me.id)
        held = {
            one.resource_id: one
            for one in certifications.of_person(db, lab.clock, person_id=person)
        }
        names = {one.id: one.name for one in resources.list_all(db)}
        checks = [
            _to_check(lab, db, one, person, me.id, names, held)
            for one in courses.list_courses(db, resource_id=machine)
        ]
    return render_template(
        "training/check_person.html",
        machine=profile,
        learner=learner,
        checks=checks,
        held=_held(lab, held.get(machine)),
        levels=[
            (level.value, speech()(word))
            for level, word in LEVEL_WORDS.items()
            if names_trainers or level is not Level.TRAINER
        ],
        names_trainers=names_trainers,
        decides=not is_kiosk(),
        is_me=learner.id == me.id,
        today=lab.clock.now().astimezone(lab.config.time_zone).date(),
    )


def _to_check(  # a course, of whom, by whom, and what is known already
    lab: Lab,
    db: Session,
    found: CourseView,
    person: str,
    by: str,
    names: dict[str, str],
    held: dict[str, CertificationView],
) -> ToCheck:
    stands = training.progress(db, lab.clock, course_id=found.id, person_id=person)
    step = CourseStep.FIRST_JOB if stands.next is CourseStep.FIRST_JOB else CourseStep.PRACTICAL
    refusals = practical.check_refusals(
        db, lab.clock, course_id=found.id, person_id=person, step=step, by=by
    )
    stand = standing_of(lab, found, stands, held, speech())
    one = shown(found, names, speech(), stand=stand)
    return ToCheck(one, step, speech()(STEP_WORDS[step]), refusals)


def _held(lab: Lab, found: CertificationView | None) -> Held | None:
    if found is None:
        return None
    say = speech()
    until = say.day(found.expires_at, lab.clock.now()) if found.expires_at else ""
    return Held(
        found,
        say(STANDING_WORDS[found.standing]),
        *LOOKS[found.standing],
        say(LEVEL_WORDS[found.level]) if found.level else "",
        say("until {time}", time=until) if until else "",
    )


@area.post("/m/<machine>/check/<person>/<course>")
def record(machine: str, person: str, course: str) -> Response:
    """Put on record what the trainer saw; the last step of a course certifies."""
    lab, me = current_lab(), person_needed()
    lab.profile(machine)
    with form() as sent:
        passed = sent.said("passed")
        step = sent.choice("step", CHECKED.__getitem__, CourseStep.PRACTICAL)
        met = {int(one) for one in sent.several("met", MOST_CRITERIA) if one in PLACES}
        seen = Seen(passed, step, frozenset(met), chosen_language(), sent.maybe_text("words"))
    with lab.db.transaction() as db:
        if machine not in courses.get_course(db, course).resource_ids:
            abort(404)
        found = practical.record_seen(
            db,
            lab.clock,
            lab.config.time_zone,
            course_id=course,
            person_id=person,
            seen=seen,
            by=me.id,
        )
        name = people.get_person(db, person).display_name
    _tell(name, certified=passed and found.standing is Standing.VALID, passed=passed)
    return go(url_for("training_check.waiting", machine=machine))


def _tell(name: str, *, certified: bool, passed: bool) -> None:
    if certified:
        flash(speech()("{name} is certified now.", name=name), "good")
    elif passed:
        flash(speech()("Noted: {name} passed this step.", name=name), "good")
    else:
        flash(speech()("Noted: not yet. {name} can try again.", name=name), "good")
