"""The API's description, OpenAPI 3.1. A test holds it against the routes, both ways."""

from __future__ import annotations

from typing import Any

import fabctl
from fabctl_web.api.schemas import SCHEMAS, ref

Json = dict[str, Any]

OPEN: list[Json] = []
"""Needs no token: what the board shows to everybody in the room."""
ABOUT = """What the screens of a lab can do, for programs.

Machines are open to everybody. The rest needs a personal token: `Authorization: Bearer fab_…`
(made with `fabctl token create`).
Times are ISO 8601 with an offset. Messages come in the language of `Accept-Language`, else in
the lab's. Every refusal has one shape, with every reason at once and what to do about each;
codes never change their meaning.
"""


def document() -> Json:
    """Return the whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "fabctl",
            "version": fabctl.__version__,
            "summary": "The API of a Fab Lab",
            "description": ABOUT,
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": PATHS,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": SCHEMAS,
        },
    }


def _answer(what: str, schema: Json) -> Json:
    return {"description": what, "content": {"application/json": {"schema": schema}}}


def _refusal(what: str) -> Json:
    return _answer(what, ref("Refusals"))


def _operation(name: str, summary: str, answers: Json, **more: Any) -> Json:
    common = {"500": _refusal("Something went wrong in the lab's program.")}
    if more.get("security") != OPEN:
        common["401"] = _refusal("No token, or not a valid one.")
    return {
        "operationId": name,
        "summary": summary,
        "responses": dict(sorted((answers | common).items())),
        **more,
    }


def _id(name: str, what: str) -> Json:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": what,
        "schema": {"type": "string"},
    }


MACHINE = _id("machine", "The machine's id, as lab.toml has it.")
RESERVATION = _id("reservation", "The reservation's id.")
JOB = _id("job", "The job's id.")
REASON = {
    "name": "reason",
    "in": "query",
    "description": "Why; the staff cancel other people's reservations with a reason.",
    "schema": {"type": "string"},
}
NOT_FOUND = _refusal("There is no such thing, or it is not yours to see.")
REFUSED = _refusal("Refused: every reason at once. Nothing was changed.")


def _control(verb: str, summary: str) -> Json:
    return {
        "parameters": [JOB],
        "post": _operation(
            f"{verb}Job",
            summary,
            {
                "202": _answer(
                    "The machine accepted. The job as it is now; for somebody else's job only "
                    "its id and machine.",
                    ref("JobOrReference"),
                ),
                "404": NOT_FOUND,
                "409": REFUSED,
            },
        ),
    }


FILE_BODY: Json = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {
                        "type": "string",
                        "contentMediaType": "application/octet-stream",
                        "description": "The G-code file. Its name is shown to its owner.",
                    }
                },
            }
        }
    },
}
PATHS: Json = {
    "/openapi.json": {
        "get": {
            "operationId": "getDescription",
            "summary": "This document. Needs no token.",
            "security": OPEN,
            "responses": {"200": _answer("The document.", {"type": "object"})},
        }
    },
    "/machines": {
        "get": _operation(
            "listMachines",
            "The lab's machines, in the order of lab.toml.",
            {"200": _answer("All machines.", ref("Machines"))},
            security=OPEN,
        )
    },
    "/machines/{machine}": {
        "parameters": [MACHINE],
        "get": _operation(
            "getMachine",
            "One machine: its state, its job, its bookings.",
            {"200": _answer("The machine.", ref("Machine")), "404": NOT_FOUND},
            security=OPEN,
        ),
    },
    "/machines/{machine}/interlock": {
        "parameters": [MACHINE],
        "get": _operation(
            "getInterlock",
            "One machine's interlock. It can only be read: arming, resetting and clearing a "
            "fault are done at the machine.",
            {"200": _answer("The interlock.", ref("Interlock")), "404": NOT_FOUND},
            security=OPEN,
        ),
    },
    "/machines/{machine}/jobs": {
        "parameters": [MACHINE],
        "post": _operation(
            "prepareJob",
            "Check a file for this machine and keep it, ready to start. Nothing is sent.",
            {
                "201": _answer("The job, with its preflight report.", ref("Job")),
                "404": NOT_FOUND,
                "409": _refusal("No file came with the request."),
                "413": _refusal("The file is larger than the lab allows."),
                "422": _answer(
                    "The file must not run on this machine; nothing was kept.",
                    ref("RefusedFile"),
                ),
                "507": _refusal("The lab's disk is full."),
            },
            requestBody=FILE_BODY,
        ),
    },
    "/reservations": {
        "post": _operation(
            "reserve",
            "Book a machine for yourself.",
            {
                "201": _answer("Booked.", ref("Reservation")),
                "409": REFUSED,
                "422": _refusal("The request is malformed, or names no machine of the lab."),
            },
            requestBody={
                "required": True,
                "content": {"application/json": {"schema": ref("ReservationRequest")}},
            },
        )
    },
    "/reservations/{reservation}": {
        "parameters": [RESERVATION],
        "delete": _operation(
            "cancelReservation",
            "Cancel a reservation; one that runs is cut short now.",
            {
                "200": _answer("Cancelled.", ref("Reservation")),
                "404": NOT_FOUND,
                "409": REFUSED,
            },
            parameters=[REASON],
        ),
    },
    "/reservations/{reservation}/check-in": {
        "parameters": [RESERVATION],
        "post": _operation(
            "checkIn",
            "Say that you are here; without it the slot is given back after some minutes.",
            {
                "200": _answer("Checked in.", ref("Reservation")),
                "404": NOT_FOUND,
                "409": REFUSED,
            },
        ),
    },
    "/jobs/{job}": {
        "parameters": [JOB],
        "get": _operation(
            "getJob",
            "One of your jobs, with its progress while it is on the machine.",
            {"200": _answer("The job.", ref("Job")), "404": NOT_FOUND},
        ),
    },
    "/jobs/{job}/start": _control("start", "Start a prepared job. Its owner, with a reservation."),
    "/jobs/{job}/pause": _control("pause", "Pause a running job. Anyone may."),
    "/jobs/{job}/resume": _control("resume", "Go on with a paused job. Its owner and the staff."),
    "/jobs/{job}/stop": _control("stop", "Stop a job, heaters off. Anyone may."),
}
