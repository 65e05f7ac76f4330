"""My path: what I am certified on, what is missing, who does it with me, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from flask import Blueprint, render_template, request
from sqlalchemy.orm import Session

from fabctl.model.certification import Level, Standing
from fabctl.model.people import search_name
from fabctl.model.training import CourseStep
from fabctl.services import certifications, courses, practical, resources, workshops
from fabctl.services.course_progress import progress_in
from fabctl.services.courses import CourseView
from fabctl.services.people import PersonView
from fabctl.services.practical import BY_A_TRAINER
from fabctl.services.workshops import SessionView
from fabctl_web import tables
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import signed_in
from fabctl_web.training.shown import Shown, Stand, shown, standing_of
from fabctl_web.workshops.shown import card

area = Blueprint("training_path", __name__, template_folder="templates")


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


AHEAD = timedelta(days=180)
SESSIONS_SHOWN = 5
ON_MY_WAY, TO_BEGIN, MINE = _("On my way"), _("To begin"), _("I am certified")
ALL = _("Trainings")


@page(area, "/training")
def mine() -> str:
    """List the trainings: those somebody is in the middle of first. Anybody may look."""
    lab, person, words = current_lab(), signed_in(), tables.words()
    machine = request.args.get("machine", "")
    with lab.db.reading() as db:
        found = [
            one
            for one in courses.list_courses(db, resource_id=machine or None)
            if _fits(one, words)
        ]
        names = {one.id: one.name for one in resources.list_all(db)}
        stands = _stands(lab, db, found, person) if person else {}
        trained = _trained(lab, db, person, names) if person else []
        offered = _offered(lab, db, found, names, stands)
    return render_template(
        "training/mine.html",
        groups=_grouped(offered, person),
        trained=[] if machine or words else trained,
        words=words,
        machine=machine,
        machine_name=names.get(machine, ""),
    )


@page(area, "/training/<course>")
def course(course: str) -> str:
    """Show one training: its steps, what the check looks at, who does it, sessions to join."""
    lab, person = current_lab(), signed_in()
    with lab.db.reading() as db:
        found = courses.get_course(db, course)
        names = {one.id: one.name for one in resources.list_all(db)}
        stands = _stands(lab, db, [found], person) if person else {}
        trainers = practical.trainers(db, lab.clock, course=found) if person else []
        sessions = _sessions(lab, db, found)
        cards = [
            card(lab, one, workshops.get_workshop(db, one.workshop_id), speech())
            for one in sessions
        ]
    return render_template(
        "training/course.html",
        one=shown(found, names, speech(), stand=stands.get(found.id), trainers=tuple(trainers)),
        cards=cards,
    )


def _offered(
    lab: Lab,
    db: Session,
    found: Sequence[CourseView],
    names: Mapping[str, str],
    stands: Mapping[str, Stand],
) -> list[Shown]:
    """Return the lines of the list; whoever waits for a trainer reads who they are."""
    waits = [one for one in found if one.id in stands and _waits(stands[one.id])]
    trainers = practical.trainers_of(db, lab.clock, courses=waits)
    return [
        shown(
            one,
            names,
            speech(),
            stand=stands.get(one.id),
            trainers=tuple(trainers.get(one.id, ())),
        )
        for one in found
    ]


def _waits(stand: Stand) -> bool:
    return stand.ends_soon or stand.progress.next in BY_A_TRAINER


def _trained(
    lab: Lab, db: Session, person: PersonView, names: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Return the machines on which somebody trains others: id and name."""
    held = certifications.of_person(db, lab.clock, person_id=person.id)
    return [
        (one.resource_id, names.get(one.resource_id, one.resource_id))
        for one in held
        if one.level is Level.TRAINER
        and one.standing is Standing.VALID
        and one.resource_id in lab.config.machines
    ]


def _fits(found: CourseView, words: str) -> bool:
    said = search_name(" ".join(f"{one.title} {one.description}" for one in found.wording.values()))
    return all(word in said for word in search_name(words).split())


def _stands(
    lab: Lab, db: Session, found: Sequence[CourseView], person: PersonView
) -> dict[str, Stand]:
    """Return where somebody stands in each of these courses."""
    held = {
        one.resource_id: one for one in certifications.of_person(db, lab.clock, person_id=person.id)
    }
    stands = progress_in(db, lab.clock, courses=found, person_ids=[person.id])
    return {
        one.id: standing_of(lab, one, stands[one.id, person.id], held, speech()) for one in found
    }


def _grouped(offered: list[Shown], person: PersonView | None) -> list[tuple[str, list[Shown]]]:
    """Return the courses under their headings; for a visitor, under one."""
    if person is None:
        return [(speech()(ALL), offered)] if offered else []
    groups: dict[str, list[Shown]] = {ON_MY_WAY: [], TO_BEGIN: [], MINE: []}
    for one in sorted(offered, key=_ready_first):
        groups[_group(one)].append(one)
    return [(speech()(title), found) for title, found in groups.items() if found]


def _ready_first(one: Shown) -> tuple[bool, str]:
    return one.next is CourseStep.PREREQUISITES, search_name(one.title)


def _group(one: Shown) -> str:
    if one.stand is None:
        return TO_BEGIN
    if one.next is None:
        return MINE
    begun = set(one.stand.progress.done) - {CourseStep.PREREQUISITES}
    troubled = one.stand.progress.standing in {Standing.EXPIRED, Standing.SUSPENDED}
    return ON_MY_WAY if begun or troubled else TO_BEGIN


def _sessions(lab: Lab, db: Session, found: CourseView) -> list[SessionView]:
    """Return the sessions of workshops that lead to a course's certification, the soonest first."""
    leading = {one.id for one in workshops.list_workshops(db) if one.course_id == found.id}
    now = lab.clock.now()
    coming = workshops.sessions_between(db, start=now, end=now + AHEAD) if leading else []
    kept = [
        one
        for one in coming
        if one.workshop_id in leading and one.cancelled_at is None and one.start > now
    ]
    return kept[:SESSIONS_SHOWN]
