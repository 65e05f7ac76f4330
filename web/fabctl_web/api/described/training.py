"""Courses, quizzes and certifications, as the API describes them."""

from __future__ import annotations

from fabctl.model.certification import Level, Standing
from fabctl.model.training import CourseStep
from fabctl_web.api.operations import (
    MALFORMED,
    NOT_FOUND,
    PAGING,
    REFUSED,
    answer,
    operation,
    page_of,
    path_id,
    query,
    sent,
)
from fabctl_web.api.schemas import COUNT, INSTANT, MAYBE_INSTANT, TEXT, Json, list_of, record, ref

COURSE = path_id("course", "The course's id.")
PERSON = path_id("person", "The person's id.")
MACHINE = path_id("machine", "The machine's id, as lab.toml has it.")
LEVEL: Json = {"enum": [level.value for level in Level]}
STEP: Json = {"enum": [step.value for step in CourseStep]}
STANDING: Json = {
    "enum": [standing.value for standing in Standing],
    "description": "Only valid permits; supervised does while a trainer is checked in.",
}
FLAG: Json = {"type": "boolean"}
MONTHS: Json = {"type": ["integer", "null"], "minimum": 1}

PATHS: Json = {
    "/courses": {
        "get": operation(
            "listCourses",
            "The courses that are offered, by title.",
            {"200": answer("A page of courses.", ref("Courses")), "422": MALFORMED},
            parameters=[*PAGING, query("resource", "Only those that certify on it.", TEXT)],
        )
    },
    "/courses/{course}": {
        "parameters": [COURSE],
        "get": operation(
            "getCourse",
            "One course: its steps, machines and expiry.",
            {"200": answer("The course.", ref("Course")), "404": NOT_FOUND},
        ),
    },
    "/courses/{course}/progress": {
        "parameters": [COURSE],
        "get": operation(
            "getProgress",
            "Where you stand in a course; trainers and staff see where others stand.",
            {
                "200": answer("The progress.", ref("CourseProgress")),
                "404": NOT_FOUND,
                "422": MALFORMED,
            },
            parameters=[query("person", "Somebody else's id; yours when not said.", TEXT)],
        ),
    },
    "/courses/{course}/quiz": {
        "parameters": [COURSE],
        "get": operation(
            "getQuiz",
            "The questions, in the language asked for, or another in which all are written.",
            {"200": answer("The quiz.", ref("Quiz")), "404": NOT_FOUND},
        ),
        "post": operation(
            "takeQuiz",
            "Hand in your answers. What you chose is not kept, only how many were right.",
            {
                "200": answer("What they amount to.", ref("QuizResult")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent("QuizAnswers"),
        ),
    },
    "/courses/{course}/checks": {
        "parameters": [COURSE],
        "post": operation(
            "recordCheck",
            "Put a practical check on record; the last step certifies. Trainers of all the "
            "course's machines, and staff.",
            {
                "201": answer("Where the person stands now.", ref("CourseProgress")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent("CourseCheck"),
        ),
    },
    "/certifications": {
        "get": operation(
            "listOwnCertifications",
            "Your certifications, one for each machine with a history.",
            {"200": answer("A page of them.", ref("Certifications")), "422": MALFORMED},
            parameters=PAGING,
        )
    },
    "/people/{person}/certifications": {
        "parameters": [PERSON],
        "get": operation(
            "listCertifications",
            "Somebody's certifications: for themselves, guardians, trainers and staff.",
            {
                "200": answer("A page of them.", ref("Certifications")),
                "404": NOT_FOUND,
                "422": MALFORMED,
            },
            parameters=PAGING,
        ),
    },
    "/people/{person}/certifications/{machine}": {
        "parameters": [PERSON, MACHINE],
        "put": operation(
            "grantCertification",
            "Certify without a course, for instance somebody trained elsewhere. The machine's "
            "trainers, and staff.",
            {
                "200": answer("As it is now.", ref("Certification")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent("CertificationGrant"),
        ),
    },
    "/people/{person}/certifications/{machine}/suspend": {
        "parameters": [PERSON, MACHINE],
        "post": operation(
            "suspendCertification",
            "Suspend a certification until it is reinstated. The machine's trainers, and staff.",
            {
                "200": answer("As it is now.", ref("Certification")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent("Reason"),
        ),
    },
    "/people/{person}/certifications/{machine}/reinstate": {
        "parameters": [PERSON, MACHINE],
        "post": operation(
            "reinstateCertification",
            "End a suspension; the last grant holds again, with the expiry it had.",
            {
                "200": answer("As it is now.", ref("Certification")),
                "404": NOT_FOUND,
                "409": REFUSED,
            },
        ),
    },
}
SCHEMAS: Json = {
    "Course": record(
        {
            "id": TEXT,
            "language": {"type": ["string", "null"]},
            "title": TEXT,
            "description": TEXT,
            "machines": {"type": "array", "items": TEXT},
            "prerequisites": {
                "type": "array",
                "items": TEXT,
                "description": "Machines on which a certification comes before.",
            },
            "level": LEVEL,
            "steps": {"type": "array", "items": STEP, "description": "In order."},
            "pass_mark": COUNT | {"maximum": 100, "description": "Percent of the questions."},
            "expires_after_months": MONTHS,
            "expires_on": {"type": ["string", "null"], "format": "date"},
            "expires_after_months_unused": MONTHS,
            "retired_at": MAYBE_INSTANT,
        }
    ),
    "Courses": page_of("courses", "Course"),
    "CourseProgress": record(
        {
            "course": TEXT,
            "person": TEXT,
            "done": {"type": "array", "items": STEP},
            "next": {"enum": [*STEP["enum"], None], "description": "Null: all are done."},
            "standing": STANDING,
            "renewable": FLAG | {"description": "The practical check alone is enough."},
        }
    ),
    "QuizAnswer": record({"id": TEXT, "wording": TEXT}),
    "QuizQuestion": record(
        {
            "id": TEXT,
            "wording": TEXT,
            "several": FLAG | {"description": "More than one answer is right."},
            "answers": list_of("QuizAnswer"),
        }
    ),
    "Quiz": record({"course": TEXT, "language": TEXT, "questions": list_of("QuizQuestion")}),
    "QuizAnswers": record(
        {
            "answers": {
                "type": "array",
                "maxItems": 200,
                "items": record({"question": TEXT, "chosen": {"type": "array", "items": TEXT}}),
                "description": "Ids of the answers chosen; a question left out is wrong.",
            }
        }
    ),
    "QuizResult": record({"right": COUNT, "asked": COUNT, "passed": FLAG}),
    "CourseCheck": record(
        {
            "person": TEXT,
            "passed": FLAG,
            "step": {
                "enum": [CourseStep.PRACTICAL.value, CourseStep.FIRST_JOB.value],
                "description": "practical when not said.",
            },
        },
        optional=("step",),
    ),
    "Certification": record(
        {
            "machine": TEXT,
            "standing": STANDING,
            "level": {"enum": [*LEVEL["enum"], None], "description": "Of the last grant."},
            "since": INSTANT | {"description": "Of the last change."},
            "expires_at": MAYBE_INSTANT,
        }
    ),
    "Certifications": page_of("certifications", "Certification"),
    "CertificationGrant": record(
        {
            "reason": TEXT,
            "level": LEVEL | {"description": "autonomous when not said."},
            "expires_at": MAYBE_INSTANT | {"description": "Never when not said."},
        },
        optional=("level", "expires_at"),
    ),
    "Reason": record({"reason": TEXT | {"description": "Why; it is kept in the audit."}}),
}
