"""People, as the API describes them."""

from __future__ import annotations

from fabctl.model.people import NAME_MAX, Role
from fabctl_web.api.operations import (
    MALFORMED,
    NOT_FOUND,
    PAGING,
    REFUSED,
    answer,
    nothing,
    operation,
    page_of,
    path_id,
    query,
    sent,
)
from fabctl_web.api.schemas import (
    INSTANT,
    MAYBE_COUNT,
    MAYBE_INSTANT,
    MAYBE_TEXT,
    TEXT,
    Json,
    record,
    ref,
)

PERSON = path_id("person", "The person's id.")
ROLE: Json = {"enum": [role.value for role in Role]}
_NAME = TEXT | {"maxLength": NAME_MAX}
_ONE = answer("The person as they are now.", ref("PersonEntry"))


def _act(name: str, summary: str, body: str | None = None) -> Json:
    answers: Json = {"200": _ONE, "404": NOT_FOUND, "409": REFUSED}
    if body is None:
        return operation(name, summary, answers)
    return operation(name, summary, answers | {"422": MALFORMED}, requestBody=sent(body))


PATHS: Json = {
    "/me": {
        "get": operation(
            "getMe", "Yourself, as the lab knows you.", {"200": answer("You.", ref("Person"))}
        ),
        "patch": operation(
            "changeMe",
            "Change your name or language. Your year of birth is the staff's to change.",
            {"200": answer("You.", ref("Person")), "409": REFUSED, "422": MALFORMED},
            requestBody=sent("PersonChange"),
        ),
    },
    "/people": {
        "get": operation(
            "listPeople",
            "People by name. Trainers and animators see names and roles, the staff all of it.",
            {
                "200": answer("A page of people.", page_of("people", "PersonEntry")),
                "422": MALFORMED,
            },
            parameters=[
                query("search", "Words that a name or login holds; no accents needed.", TEXT),
                query("role", "Only people of this role.", ROLE),
                *PAGING,
            ],
        ),
        "post": operation(
            "addPerson",
            "Add a person. The staff; another of the staff: an admin.",
            {"201": answer("Added.", ref("Person")), "409": REFUSED, "422": MALFORMED},
            requestBody=sent("NewPerson"),
        ),
    },
    "/people/{person}": {
        "parameters": [PERSON],
        "get": operation(
            "getPerson",
            "One person: yourself; trainers and animators see anybody's name and role.",
            {"200": _ONE, "404": NOT_FOUND},
        ),
        "patch": operation(
            "changePerson",
            "Change a person's name, language or year of birth.",
            {
                "200": answer("The person.", ref("Person")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent("PersonChange"),
        ),
        "delete": operation(
            "erasePerson",
            "Erase what tells who a person is, for good; their coming reservations and places "
            "are free again. Admins, and nobody their own.",
            {
                "204": nothing("Erased. There is no way back."),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            parameters=[
                query("reason", "Why; the audit trail keeps it. No names.", TEXT, required=True)
            ],
        ),
    },
    "/people/{person}/role": {
        "parameters": [PERSON],
        "put": _act(
            "setRole",
            "Give a person another role. Who is staff or admin is the admins' to say.",
            "RoleWanted",
        ),
    },
    "/people/{person}/suspend": {
        "parameters": [PERSON],
        "post": _act(
            "suspendPerson",
            "Suspend a person's account: they book and start nothing.",
            "ReasonGiven",
        ),
    },
    "/people/{person}/reinstate": {
        "parameters": [PERSON],
        "post": _act("reinstatePerson", "Put a person's account in order again."),
    },
    "/people/{person}/unlock": {
        "parameters": [PERSON],
        "post": _act("unlockPerson", "Let a person try their password again at once."),
    },
}
_SHORT: Json = {"id": TEXT, "name": TEXT, "role": ROLE}
SCHEMAS: Json = {
    "PersonShort": record(_SHORT),
    "Person": record(
        {
            **_SHORT,
            "login": MAYBE_TEXT,
            "language": MAYBE_TEXT | {"description": "Null: the lab's."},
            "birth_year": MAYBE_COUNT,
            "has_pin": {"type": "boolean"},
            "suspended_at": MAYBE_INSTANT,
            "suspended_reason": MAYBE_TEXT,
            "created_at": INSTANT,
        }
    ),
    "PersonEntry": {"anyOf": [ref("Person"), ref("PersonShort")]},
    "NewPerson": record(
        {
            "name": _NAME,
            "role": ROLE,
            "birth_year": MAYBE_COUNT,
            "language": MAYBE_TEXT,
            "login": MAYBE_TEXT | {"description": "Comes with a password."},
            "password": MAYBE_TEXT,
        },
        optional=("role", "birth_year", "language", "login", "password"),
    ),
    "PersonChange": record(
        {"name": _NAME, "language": TEXT, "birth_year": MAYBE_COUNT},
        optional=("name", "language", "birth_year"),
    ),
    "RoleWanted": record({"role": ROLE}),
    "ReasonGiven": record({"reason": TEXT | {"description": "The audit trail keeps it."}}),
}
