"""What comes after use, as the API describes it: uses and problems."""

from __future__ import annotations

from fabctl.model.upkeep import LONG, SHORT, ProblemKind
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
    FILLED,
    INSTANT,
    MAYBE_INSTANT,
    MAYBE_NUMBER,
    MAYBE_TEXT,
    TEXT,
    Json,
    record,
    ref,
)

USE = path_id("use", "The use's id.")
PROBLEM = path_id("problem", "The report's id.")
RESOURCE = path_id("resource", "The resource's id.")
BY_RESOURCE = query("resource", "Only those of this resource.", FILLED)
FLAG: Json = {"type": "boolean"}
MAYBE_FLAG: Json = {"type": ["boolean", "null"]}
SECONDS: Json = {"type": "number", "minimum": 0}

PATHS: Json = {
    "/uses": {
        "get": operation(
            "listUses",
            "The log of uses, the newest first: yours; for the staff somebody's, or everybody's.",
            {"200": answer("A page of them.", ref("Uses")), "422": MALFORMED},
            parameters=[
                *PAGING,
                BY_RESOURCE,
                query("person", "Whose, for the staff; yours when not said.", FILLED),
                query("everybody", "Everybody's, for the staff.", FLAG),
            ],
        )
    },
    "/uses/{use}": {
        "parameters": [USE],
        "get": operation(
            "getUse",
            "One use: who, what, when, how long, job, material, and how it was left.",
            {"200": answer("The use.", ref("Use")), "404": NOT_FOUND},
        ),
    },
    "/machines/{machine}/use": {
        "parameters": [path_id("machine", "The machine's id, as lab.toml has it.")],
        "post": operation(
            "beginUse",
            "Say that you use a machine with an interlock from now on. This permits: nothing "
            "moves until a person presses the green button there. Again: the same use.",
            {"200": answer("Your use.", ref("Use")), "404": NOT_FOUND, "409": REFUSED},
        ),
        "delete": operation(
            "finishUse",
            "Say that you have finished: the machine locks itself. Staff and animators finish "
            "for others. Doing it again changes nothing.",
            {"204": nothing("Finished."), "404": NOT_FOUND, "409": REFUSED},
        ),
    },
    "/uses/{use}/material": {
        "parameters": [USE],
        "put": operation(
            "noteMaterial",
            "Note what was worked with, within a day; null takes it back.",
            {
                "200": answer("Noted.", ref("Use")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent("UseMaterial"),
        ),
    },
    "/uses/{use}/answer": {
        "parameters": [USE],
        "put": operation(
            "answerAfterUse",
            "Is the machine clean and sound? Within a day; the last answer counts. A no is a "
            "problem report too.",
            {
                "200": answer("Noted.", ref("Use")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent("UseAnswer"),
        ),
    },
    "/problems": {
        "get": operation(
            "listProblems",
            "Problem reports, the newest first. They stay when a machine is repaired.",
            {"200": answer("A page of them.", ref("ReportedProblems")), "422": MALFORMED},
            parameters=[
                *PAGING,
                BY_RESOURCE,
                query("settled", "Also those that are settled.", FLAG),
            ],
        ),
        "post": operation(
            "reportProblem",
            "Report a problem. Who is certified on the machine, has just used it, or is of the "
            "staff can put it out of order with it.",
            {
                "201": answer("Reported.", ref("ReportedProblem")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent("ProblemReport"),
        ),
    },
    "/problems/{problem}": {
        "parameters": [PROBLEM],
        "get": operation(
            "getProblem",
            "One report; its details are for the staff and for who wrote it.",
            {"200": answer("The report.", ref("ReportedProblem")), "404": NOT_FOUND},
        ),
    },
    "/problems/{problem}/settle": {
        "parameters": [PROBLEM],
        "post": operation(
            "settleProblem",
            "Say what was done about a problem. What it put out of order is in order again, unless "
            "something else holds it. Staff.",
            {
                "200": answer("Settled.", ref("ReportedProblem")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent("ProblemOutcome"),
        ),
    },
    "/resources/{resource}/next-step": {
        "parameters": [RESOURCE],
        "put": operation(
            "sayNextStep",
            "Say what happens next with a resource that is out of order. Staff.",
            {
                "200": answer("As it is now.", ref("ResourceOrder")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent("NextStep"),
        ),
    },
}

LINE = FILLED | {"maxLength": SHORT}
MAYBE_LONG: Json = {"type": ["string", "null"], "maxLength": LONG}
MAYBE_LINE: Json = {"type": ["string", "null"], "maxLength": SHORT}
KIND: Json = {"enum": [kind.value for kind in ProblemKind]}

SCHEMAS: Json = {
    "UseMaterial": record({"material": MAYBE_LINE}),
    "UseAnswer": record({"clean": FLAG, "sound": FLAG}),
    "Use": record(
        {
            "id": TEXT,
            "resource": TEXT,
            "person": TEXT,
            "opened_at": INSTANT,
            "closed_at": MAYBE_INSTANT,
            "outcome": MAYBE_TEXT | {"description": "How it ended; null: it is open."},
            "lasted_s": SECONDS | {"description": "To its end, or to now."},
            "ran_s": MAYBE_NUMBER | {"description": "What the interlock counted as work, s."},
            "job": MAYBE_TEXT,
            "job_name": MAYBE_TEXT,
            "material": MAYBE_TEXT,
            "clean": MAYBE_FLAG | {"description": "As its person left it; null: nobody said."},
            "sound": MAYBE_FLAG,
        }
    ),
    "Uses": page_of("uses", "Use"),
    "ProblemReport": record(
        {
            "resource": FILLED,
            "summary": LINE | {"description": "What is wrong; everybody may read it: no names."},
            "details": MAYBE_LONG | {"description": "For the staff."},
            "kind": KIND,
            "stop_machine": FLAG | {"description": "Put it out of order."},
        },
        optional=("details", "kind", "stop_machine"),
    ),
    "ProblemOutcome": record({"outcome": FILLED}),
    "ReportedProblem": record(
        {
            "id": TEXT,
            "resource": TEXT,
            "kind": KIND,
            "summary": TEXT | {"description": "Empty: one tap after a use said it all."},
            "details": MAYBE_TEXT | {"description": "Null: not for you."},
            "person": MAYBE_TEXT | {"description": "Null: not for you, or nobody."},
            "use": MAYBE_TEXT,
            "at": INSTANT,
            "stops_machine": FLAG | {"description": "The machine is out of order for it now."},
            "in_hand": FLAG | {"description": "Somebody of the team has it as a task."},
            "settled_at": MAYBE_INSTANT,
            "outcome": MAYBE_TEXT | {"description": "What was done about it."},
        }
    ),
    "ReportedProblems": page_of("problems", "ReportedProblem"),
    "NextStep": record({"next_step": LINE}),
}
