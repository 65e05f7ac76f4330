"""Waiting lists, as the API describes them."""

from __future__ import annotations

from fabctl_web.api.described.reservations import ACCOUNT
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
    refusal,
    sent,
)
from fabctl_web.api.schemas import FILLED, INSTANT, MAYBE_INSTANT, TEXT, Json, record, ref

ENTRY = path_id("entry", "The entry's id on the waiting list.")

PATHS: Json = {
    "/waiting": {
        "get": operation(
            "listWaiting",
            "What you wait for, and what is kept for you, the soonest first.",
            {"200": answer("A page of them.", ref("WaitingList")), "422": MALFORMED},
            parameters=PAGING,
        ),
        "post": operation(
            "wait",
            "Wait for a slot that somebody else has. Once it is free, it is kept for the first "
            "who waits.",
            {
                "201": answer("You wait.", ref("Waiting")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": refusal("The request is malformed, or names no resource of the lab."),
            },
            requestBody=sent("WaitingRequest"),
        ),
    },
    "/waiting/{entry}/accept": {
        "parameters": [ENTRY],
        "post": operation(
            "acceptOffer",
            "Take the slot that is kept for you.",
            {
                "201": answer("Booked.", ref("Reservation")),
                "404": NOT_FOUND,
                "409": REFUSED,
            },
        ),
    },
    "/waiting/{entry}": {
        "parameters": [ENTRY],
        "delete": operation(
            "leaveWaiting",
            "Wait no more, or decline what is kept for you. Doing it again changes nothing.",
            {"204": nothing("You do not wait."), "404": NOT_FOUND},
        ),
    },
}

SCHEMAS: Json = {
    "WaitingRequest": record(
        {"resource": FILLED, "start": INSTANT, "end": INSTANT, "account": ACCOUNT},
        optional=("account",),
    ),
    "Waiting": record(
        {
            "id": TEXT,
            "resource": TEXT,
            "person": TEXT,
            "start": INSTANT,
            "end": INSTANT,
            "created_at": INSTANT,
            "answer_until": MAYBE_INSTANT
            | {"description": "Until when the slot is kept for you; null: you wait."},
        }
    ),
    "WaitingList": page_of("waiting", "Waiting"),
}
