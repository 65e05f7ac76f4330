"""Making courses and their quizzes, as the API describes it."""

from __future__ import annotations

from fabctl_web.api.described.training import COURSE, FLAG, LEVEL, MONTHS
from fabctl_web.api.operations import MALFORMED, NOT_FOUND, answer, operation, path_id, sent
from fabctl_web.api.schemas import COUNT, TEXT, Json, list_of, record, ref

QUESTION = path_id("question", "The question's id.")
MADE: Json = {"404": NOT_FOUND, "422": MALFORMED}

PATHS: Json = {
    "/courses": {
        "post": operation(
            "createCourse",
            "Make a course; its quiz is added question by question. Staff.",
            {"201": answer("Made.", ref("Course"))} | MADE,
            requestBody=sent("CourseRequest"),
        )
    },
    "/courses/{course}": {
        "parameters": [COURSE],
        "patch": operation(
            "changeCourse",
            "Change what a course asks for; what is left out stays, an end that is null is none "
            "any more. Certifications that were given stay as they are. Staff.",
            {"200": answer("Changed.", ref("Course"))} | MADE,
            requestBody=sent("CourseChange"),
        ),
        "delete": operation(
            "retireCourse",
            "Offer a course no more; its certifications stay. Staff.",
            {"200": answer("Retired.", ref("Course")), "404": NOT_FOUND},
        ),
    },
    "/courses/{course}/questions": {
        "parameters": [COURSE],
        "post": operation(
            "addQuestion",
            "Add a question at the end of a course's quiz. Staff.",
            {"201": answer("Added.", ref("QuestionReference"))} | MADE,
            requestBody=sent("QuestionRequest"),
        ),
    },
    "/questions/{question}": {
        "parameters": [QUESTION],
        "put": operation(
            "replaceQuestion",
            "Ask another question in the place of one; who has passed the quiz has passed it. "
            "Staff.",
            {"200": answer("The new question.", ref("QuestionReference"))} | MADE,
            requestBody=sent("QuestionRequest"),
        ),
        "delete": operation(
            "retireQuestion",
            "Ask a question no more. Staff.",
            {"200": answer("Retired.", ref("QuestionReference")), "404": NOT_FOUND},
        ),
    },
}
_OPTIONAL: Json = {
    "prerequisites": {"type": "array", "items": TEXT},
    "level": LEVEL | {"description": "autonomous when not said."},
    "pass_mark": COUNT | {"maximum": 100, "description": "Percent; 80 when not said."},
    "first_job": FLAG | {"description": "A supervised first job follows the practical check."},
    "expires_after_months": MONTHS,
    "expires_on": {"type": ["string", "null"], "format": "date"},
    "expires_after_months_unused": MONTHS,
}
_CHANGE: Json = {
    "machines": {"type": "array", "items": TEXT, "minItems": 1},
    "prerequisites": {"type": "array", "items": TEXT},
    "pass_mark": COUNT | {"maximum": 100, "description": "Percent."},
    **{name: _OPTIONAL[name] for name in _OPTIONAL if name.startswith(("first", "expires"))},
}
SCHEMAS: Json = {
    "CourseWording": record(
        {"language": TEXT, "title": TEXT, "description": TEXT}, optional=("description",)
    ),
    "CourseRequest": record(
        {
            "wordings": list_of("CourseWording") | {"minItems": 1},
            "machines": {"type": "array", "items": TEXT, "minItems": 1},
            **_OPTIONAL,
        },
        optional=tuple(_OPTIONAL),
    ),
    "CourseChange": record(_CHANGE, optional=tuple(_CHANGE)),
    "QuestionWording": record(
        {
            "language": TEXT,
            "question": TEXT,
            "answers": {"type": "array", "items": TEXT},
            "explanation": TEXT | {"description": "Told to whoever answered it wrong."},
        },
        optional=("explanation",),
    ),
    "QuestionRequest": record(
        {
            "wordings": list_of("QuestionWording")
            | {"minItems": 1, "description": "The answers in the same order in each language."},
            "right": {
                "type": "array",
                "items": COUNT,
                "minItems": 1,
                "description": "The places of the right answers, from 0.",
            },
        }
    ),
    "QuestionReference": record({"id": TEXT}),
}
