"""Courses, quizzes, practical checks and certifications, for programs."""

from __future__ import annotations

from flask import jsonify, make_response
from werkzeug.wrappers import Response

from fabctl.model.certification import Level
from fabctl.model.training import CourseStep
from fabctl.services import courses, quizzes, training
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.training_shape import (
    certification_json,
    course_json,
    course_key,
    progress_json,
    quiz_json,
)
from fabctl_web.lab import current_lab
from fabctl_web.language import chosen_language

area = api_area("training")

CHECKED = {step.value: step for step in (CourseStep.PRACTICAL, CourseStep.FIRST_JOB)}
"""The steps that a trainer sees."""


@area.get("/courses")
def course_list() -> Response:
    """List the courses that are offered; ``resource`` for one machine's only."""
    asked = reading.page()
    with reading.query() as sent:
        resource = sent.maybe_text("resource")
    with current_lab().db.reading() as db:
        found = courses.list_courses(db, resource_id=resource)
    return reading.paged("courses", sorted(found, key=course_key), asked, course_key, course_json)


@area.get("/courses/<course>")
def course(course: str) -> Response:
    """Show one course."""
    with current_lab().db.reading() as db:
        return jsonify(course_json(courses.get_course(db, course)))


@area.get("/courses/<course>/progress")
def progress(course: str) -> Response:
    """Show where the caller stands, or ``person`` to whoever trains them."""
    lab, me = current_lab(), caller()
    with reading.query() as sent:
        person = sent.maybe_text("person") or me.id
    with lab.db.reading() as db:
        found = training.progress_for(db, lab.clock, course_id=course, person_id=person, by=me.id)
    return jsonify(progress_json(found, person))


@area.get("/courses/<course>/quiz")
def quiz(course: str) -> Response:
    """Show the questions, without saying which answers are right."""
    with current_lab().db.reading() as db:
        return jsonify(
            quiz_json(quizzes.quiz_for(db, course_id=course, language=chosen_language()))
        )


@area.post("/courses/<course>/quiz")
def take_quiz(course: str) -> Response:
    """Mark the caller's answers."""
    lab, me = current_lab(), caller()
    with reading.body() as sent:
        chosen = {one.text("question"): one.texts("chosen") for one in sent.records("answers")}
    with lab.db.transaction() as db:
        result = quizzes.take_quiz(
            db,
            lab.clock,
            course_id=course,
            person_id=me.id,
            language=chosen_language(),
            chosen=chosen,
        )
    answer = {"right": result.right, "asked": result.asked, "passed": result.passed}
    return jsonify(answer)


@area.post("/courses/<course>/checks")
def check(course: str) -> Response:
    """Put on record what a trainer saw."""
    lab, me = current_lab(), caller()
    with reading.body() as sent:
        person, passed = sent.text("person"), sent.said("passed")
        step = CourseStep.PRACTICAL
        if sent.has("step"):
            step = sent.choice("step", CHECKED.__getitem__, step)
    with lab.db.transaction() as db:
        found = training.record_check(
            db,
            lab.clock,
            lab.config.time_zone,
            course_id=course,
            person_id=person,
            passed=passed,
            by=me.id,
            step=step,
        )
    return make_response(jsonify(progress_json(found, person)), 201)


@area.get("/certifications")
def own_certifications() -> Response:
    """List the caller's certifications."""
    return _certifications(caller().id)


@area.get("/people/<person>/certifications")
def certifications(person: str) -> Response:
    """List somebody's certifications, to whoever trains them."""
    return _certifications(person)


@area.put("/people/<person>/certifications/<machine>")
def grant(person: str, machine: str) -> Response:
    """Certify without a course, with a reason."""
    lab, me = current_lab(), caller()
    with reading.body() as sent:
        reason, level = sent.text("reason"), Level.AUTONOMOUS
        if sent.has("level"):
            level = sent.choice("level", Level, level)
        expires_at = sent.instant("expires_at") if sent.has("expires_at") else None
    with lab.db.transaction() as db:
        training.grant_directly(
            db,
            lab.clock,
            person_id=person,
            resource_id=machine,
            level=level,
            expires_at=expires_at,
            reason=reason,
            by=me.id,
        )
    return _certification(person, machine)


@area.post("/people/<person>/certifications/<machine>/suspend")
def suspend(person: str, machine: str) -> Response:
    """Suspend a certification, with a reason."""
    lab, me = current_lab(), caller()
    with reading.body() as sent:
        reason = sent.text("reason")
    with lab.db.transaction() as db:
        training.suspend(
            db, lab.clock, person_id=person, resource_id=machine, reason=reason, by=me.id
        )
    return _certification(person, machine)


@area.post("/people/<person>/certifications/<machine>/reinstate")
def reinstate(person: str, machine: str) -> Response:
    """End a suspension."""
    lab, me = current_lab(), caller()
    with lab.db.transaction() as db:
        training.reinstate(db, lab.clock, person_id=person, resource_id=machine, by=me.id)
    return _certification(person, machine)


def _certifications(person: str) -> Response:
    lab, me, asked = current_lab(), caller(), reading.page()
    with lab.db.reading() as db:
        found = training.certifications_for(db, lab.clock, person_id=person, by=me.id)
    return reading.paged(
        "certifications", found, asked, lambda one: (one.resource_id,), certification_json
    )


def _certification(person: str, machine: str) -> Response:
    lab, me = current_lab(), caller()
    with lab.db.reading() as db:
        found = training.certifications_for(db, lab.clock, person_id=person, by=me.id)
    return jsonify(next(certification_json(one) for one in found if one.resource_id == machine))
