"""Courses, quizzes and certifications as JSON."""

from __future__ import annotations

from fabctl.model.training import language_for
from fabctl.services.certifications import CertificationView
from fabctl.services.courses import CourseView
from fabctl.services.quizzes import Quiz
from fabctl.services.training import Progress
from fabctl_web.api.schemas import Json
from fabctl_web.api.shape import instant
from fabctl_web.language import chosen_language


def course_key(course: CourseView) -> tuple[str, ...]:
    """Return what orders courses: their title in the request's language."""
    return (course.title(chosen_language()), course.id)


def course_json(course: CourseView) -> Json:
    """Return a course in the request's language, or in one that there is."""
    language = language_for(chosen_language(), course.wording.keys())
    said = course.wording[language] if language else None
    return {
        "id": course.id,
        "language": language,
        "title": said.title if said else "",
        "description": said.description if said else "",
        "machines": list(course.resource_ids),
        "prerequisites": list(course.prerequisites),
        "level": course.rules.level.value,
        "steps": [step.value for step in course.rules.steps],
        "pass_mark": course.rules.pass_mark,
        "expires_after_months": course.expiry.months,
        "expires_on": course.expiry.on.isoformat() if course.expiry.on else None,
        "expires_after_months_unused": course.expiry.unused_months,
        "retired_at": instant(course.retired_at),
    }


def progress_json(found: Progress, person: str) -> Json:
    """Return where a person stands."""
    return {
        "course": found.course_id,
        "person": person,
        "done": [step.value for step in found.done],
        "next": found.next.value if found.next else None,
        "standing": found.standing.value,
        "renewable": found.renewable,
    }


def quiz_json(quiz: Quiz) -> Json:
    """Return the questions; which answers are right is not in it."""
    return {
        "course": quiz.course_id,
        "language": quiz.language,
        "questions": [
            {
                "id": one.id,
                "wording": one.wording,
                "several": one.several,
                "answers": [{"id": key, "wording": said} for key, said in one.answers.items()],
            }
            for one in quiz.questions
        ],
    }


def certification_json(found: CertificationView) -> Json:
    """Return what a person's history on one machine amounts to."""
    return {
        "machine": found.resource_id,
        "standing": found.standing.value,
        "level": found.level.value if found.level else None,
        "since": instant(found.since),
        "expires_at": instant(found.expires_at),
    }
