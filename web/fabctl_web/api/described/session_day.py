"""The day of a session, as the API describes it: attendance, machines, certificates."""

from __future__ import annotations

from fabctl.model.attendance import MOST_CHARACTERS, Presence
from fabctl_web.api.described.enrolments import ENROLMENT
from fabctl_web.api.described.workshops import DAY, FLAG, SESSION
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
from fabctl_web.api.schemas import INSTANT, MAYBE_TEXT, TEXT, Json, list_of, record, ref

MACHINE = path_id("machine", "The machine's id, as lab.toml has it.")
CERTIFICATE = path_id("certificate", "The certificate's id; it is printed on it.")
PRESENCE: Json = {"enum": [presence.value for presence in Presence]}
MARK_ID: Json = {"type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS}
PDF: Json = {
    "description": "To print.",
    "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
}
CSV: Json = {
    "description": "UTF-8 with a mark at its begin, semicolons, one line each.",
    "content": {"text/csv": {"schema": TEXT}},
}


def _machine(verb: str, summary: str) -> Json:
    return {
        "parameters": [SESSION, MACHINE],
        "post": operation(
            f"{verb}ForGroup",
            summary,
            {
                "200": answer("As it is now.", ref("GroupMachine")),
                "404": NOT_FOUND,
                "409": REFUSED,
            },
        ),
    }


PATHS: Json = {
    "/sessions/{session}/attendance": {
        "parameters": [SESSION],
        "get": operation(
            "getAttendance",
            "The attendance sheet, by name. Those who lead the session, and staff; it is kept "
            "who looked.",
            {
                "200": answer("A page of the sheet.", ref("Sheet")),
                "404": NOT_FOUND,
                "422": MALFORMED,
            },
            parameters=PAGING,
        ),
        "post": operation(
            "takeMarks",
            "Put marks of attendance on record. Each has an id and a time of the sender's, so "
            "that a phone that was offline sends what it has, also twice. A mark that is refused "
            "keeps none of the others from being recorded.",
            {
                "200": answer("What became of each; none needs to be sent again.", ref("Marked")),
                "404": NOT_FOUND,
                "422": MALFORMED,
            },
            requestBody=sent("Marks"),
        ),
    },
    "/sessions/{session}/attendance/pdf": {
        "parameters": [SESSION],
        "get": operation(
            "getAttendancePdf",
            "The sheet to print and to sign with a pen.",
            {"200": PDF, "404": NOT_FOUND},
        ),
    },
    "/sessions/{session}/attendance/csv": {
        "parameters": [SESSION],
        "get": operation(
            "getAttendanceCsv",
            "The sheet for a spreadsheet.",
            {"200": CSV, "404": NOT_FOUND},
        ),
    },
    "/enrolments/{enrolment}/passed": {
        "parameters": [ENROLMENT],
        "put": operation(
            "setPassed",
            "Note that somebody passed, or take it back. Those who lead the session, and staff.",
            {
                "200": answer("As it is now.", ref("Enrolment")),
                "404": NOT_FOUND,
                "422": MALFORMED,
            },
            requestBody=sent("Passed"),
        ),
    },
    "/sessions/{session}/machines/{machine}/open": _machine(
        "open",
        "Open a machine for the participants, until it is closed or the session ends. Those who "
        "lead the session, and staff.",
    ),
    "/sessions/{session}/machines/{machine}/close": _machine(
        "close", "Close a machine for the group again; doing it again changes nothing."
    ),
    "/sessions/{session}/certificates": {
        "parameters": [SESSION],
        "post": operation(
            "award",
            "Give a certificate to everybody who was there and passed; a training certifies them "
            "too. Doing it again adds only who was missing.",
            {"200": answer("What was done.", ref("Award")), "404": NOT_FOUND, "409": REFUSED},
        ),
    },
    "/certificates": {
        "get": operation(
            "listCertificates",
            "Your certificates, or those of somebody for whom you decide.",
            {
                "200": answer("A page of certificates.", ref("Certificates")),
                "404": NOT_FOUND,
                "422": MALFORMED,
            },
            parameters=[*PAGING, query("person", "Somebody else's id; yours when not said.", TEXT)],
        )
    },
    "/certificates/{certificate}": {
        "parameters": [CERTIFICATE],
        "get": operation(
            "getCertificate",
            "What stands on a certificate: for its person, a guardian, staff and animators.",
            {"200": answer("The certificate.", ref("Certificate")), "404": NOT_FOUND},
        ),
    },
    "/certificates/{certificate}/pdf": {
        "parameters": [CERTIFICATE],
        "get": operation(
            "getCertificatePdf", "The certificate to print.", {"200": PDF, "404": NOT_FOUND}
        ),
    },
}
SCHEMAS: Json = {
    "SheetRow": record(
        {
            "enrolment": TEXT,
            "person": MAYBE_TEXT,
            "name": TEXT | {"description": "Empty: a partner has not given it yet."},
            "partner": TEXT,
            "birth_year": {"type": ["integer", "null"]},
            "presence": {"enum": [*PRESENCE["enum"], None], "description": "Null: no mark yet."},
            "consent": FLAG | {"description": "The consent that their age asks for is on file."},
            "image_rights": FLAG,
            "guardian_name": TEXT,
            "guardian_phone": TEXT,
            "passed": FLAG,
        }
    ),
    "Sheet": page_of("rows", "SheetRow"),
    "Mark": record(
        {
            "id": MARK_ID | {"description": "Made by the sender, for ever this mark's."},
            "enrolment": TEXT,
            "at": INSTANT | {"description": "By the sender's clock."},
            "presence": PRESENCE | {"description": "Either this or `undoes`."},
            "undoes": MARK_ID | {"description": "The id of the mark that is taken back."},
        },
        optional=("presence", "undoes"),
    ),
    "Marks": record({"marks": list_of("Mark") | {"maxItems": 1000}}),
    "MarkAnswer": record(
        {
            "id": TEXT,
            "new": FLAG | {"description": "False: it was on record already, or refused."},
            "refusals": list_of("Refusal"),
        }
    ),
    "Marked": record({"marks": list_of("MarkAnswer")}),
    "Passed": record({"passed": FLAG}),
    "GroupMachine": record({"session": TEXT, "machine": TEXT, "open": FLAG}),
    "Certificate": record(
        {
            "id": TEXT,
            "person": TEXT,
            "name": TEXT,
            "title": TEXT,
            "held_on": DAY,
            "hours": {"type": "number"},
            "issued_at": INSTANT,
        }
    ),
    "Certificates": page_of("certificates", "Certificate"),
    "NotCertified": record({"person": TEXT, "refusals": list_of("Refusal")}),
    "Award": record(
        {
            "certificates": list_of("Certificate") | {"description": "New ones only."},
            "certified": {
                "type": "array",
                "items": TEXT,
                "description": "Ids of the people whom the course certified.",
            },
            "refused": list_of("NotCertified"),
        }
    ),
}
