"""Guardians, as the API describes them."""

from __future__ import annotations

from fabctl_web.api.described.people import PERSON
from fabctl_web.api.described.workshops import FLAG
from fabctl_web.api.operations import (
    MALFORMED,
    NOT_FOUND,
    REFUSED,
    answer,
    nothing,
    operation,
    path_id,
    query,
)
from fabctl_web.api.schemas import TEXT, Json, list_of, record, ref

PATHS: Json = {
    "/people/{person}/guardians": {
        "parameters": [PERSON],
        "get": operation(
            "listGuardians",
            "Who enrols and signs for somebody. For the staff.",
            {"200": answer("All of them.", ref("Guardians")), "404": NOT_FOUND},
        ),
    },
    "/people/{person}/guardians/{guardian}": {
        "parameters": [PERSON, path_id("guardian", "The guardian's id.")],
        "put": operation(
            "noteGuardian",
            "Let somebody enrol and sign for a child. For staff and animators.",
            {"204": nothing("Noted."), "404": NOT_FOUND, "409": REFUSED, "422": MALFORMED},
        ),
        "delete": operation(
            "endGuardian",
            "End a guardian's link. What was signed stays on file until a new form replaces it. "
            "For the staff.",
            {"204": nothing("Ended."), "404": NOT_FOUND, "409": REFUSED, "422": MALFORMED},
            parameters=[
                query("reason", "Why; the audit trail keeps it. No names.", TEXT, required=True),
                query(
                    "none_left",
                    "True: nobody is to be left who signs, on purpose. Else the only guardian of "
                    "somebody under age whose consent is on file stays.",
                    FLAG,
                ),
            ],
        ),
    },
}
SCHEMAS: Json = {
    "Guardian": record({"id": TEXT, "name": TEXT}),
    "Guardians": record({"guardians": list_of("Guardian")}),
}
