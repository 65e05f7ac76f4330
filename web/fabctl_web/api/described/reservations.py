"""Reservations, as the API describes them."""

from __future__ import annotations

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
    refusal,
    sent,
)
from fabctl_web.api.schemas import (
    FILLED,
    INSTANT,
    MAYBE_INSTANT,
    MAYBE_TEXT,
    TEXT,
    Json,
    record,
    ref,
)

RESERVATION = path_id("reservation", "The reservation's id.")
RESOURCE = path_id("resource", "The id of a machine, a space or a seat.")
REASON = query("reason", "Why; the staff cancel other people's reservations with a reason.", TEXT)
OVERRIDE = FILLED | {
    "description": "For the staff: why the rules that may be are set aside. It is kept."
}
WHOSE = FILLED | {"description": "For the staff: whose; else your own."}
ACCOUNT = FILLED | {
    "description": "A group's account, for which the person acts; else their own is charged."
}

PATHS: Json = {
    "/reservations": {
        "get": operation(
            "listReservations",
            "Your reservations, the earliest first; cancelled ones too.",
            {"200": answer("A page of them.", ref("Reservations")), "422": MALFORMED},
            parameters=[
                query("since", "Those that end after this; now, when not said.", INSTANT),
                query("person", "For the staff: whose.", FILLED),
                *PAGING,
            ],
        ),
        "post": operation(
            "reserve",
            "Book a machine, a space or a seat.",
            {
                "201": answer("Booked.", ref("Reservation")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": refusal("The request is malformed, or names no resource of the lab."),
            },
            requestBody=sent("ReservationRequest"),
        ),
    },
    "/reservations/{reservation}": {
        "parameters": [RESERVATION],
        "get": operation(
            "getReservation",
            "One of your reservations.",
            {"200": answer("The reservation.", ref("Reservation")), "404": NOT_FOUND},
        ),
        "patch": operation(
            "moveReservation",
            "Give a reservation another time or another resource. Of one that has begun only the "
            "end changes. A new start asks for a new check-in. Refused: it stays as it was.",
            {
                "200": answer("Moved.", ref("Reservation")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": refusal("The request is malformed, or names no resource of the lab."),
            },
            requestBody=sent("MoveRequest"),
        ),
        "delete": operation(
            "cancelReservation",
            "Cancel a reservation; one that runs is cut short now.",
            {
                "200": answer("Cancelled.", ref("Reservation")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            parameters=[REASON],
        ),
    },
    "/reservations/{reservation}/check-in": {
        "parameters": [RESERVATION],
        "post": operation(
            "checkIn",
            "Say that you are here; without it the slot is given back after some minutes.",
            {
                "200": answer("Checked in.", ref("Reservation")),
                "404": NOT_FOUND,
                "409": REFUSED,
            },
        ),
    },
    "/reservations/{reservation}/pardon": {
        "parameters": [RESERVATION],
        "post": operation(
            "pardonNoShow",
            "Take a missed reservation back, with a reason: it counts as cancelled. For the staff.",
            {
                "200": answer("Pardoned.", ref("Reservation")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent("Reason"),
        ),
    },
    "/reservations/{reservation}/stop": {
        "parameters": [RESERVATION],
        "post": operation(
            "stopReservation",
            "End a running reservation now; the rest is free, and the next booker is told.",
            {
                "200": answer("Ended.", ref("Reservation")),
                "404": NOT_FOUND,
                "409": REFUSED,
            },
        ),
    },
    "/resources/{resource}/use-now": {
        "parameters": [RESOURCE],
        "post": operation(
            "useNow",
            "Book from now to the next reservation, closing, or the longest time allowed. You "
            "are checked in.",
            {
                "201": answer("Booked.", ref("Reservation")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent("UseNowRequest"),
        ),
    },
}

SCHEMAS: Json = {
    "ReservationRequest": record(
        {
            "resource": FILLED | {"description": "The id of a machine, a space or a seat."},
            "start": INSTANT,
            "end": INSTANT,
            "person": WHOSE,
            "account": ACCOUNT,
            "override_reason": OVERRIDE,
        },
        optional=("person", "account", "override_reason"),
        examples=[
            {
                "resource": "printer-a",
                "start": "2026-11-24T14:00:00+01:00",
                "end": "2026-11-24T15:30:00+01:00",
            }
        ],
    ),
    "MoveRequest": record(
        {
            "start": INSTANT,
            "end": INSTANT,
            "resource": FILLED | {"description": "The same, when not said."},
            "override_reason": OVERRIDE,
        },
        optional=("resource", "override_reason"),
    ),
    "UseNowRequest": record(
        {
            "minutes": {
                "type": "integer",
                "minimum": 1,
                "maximum": 10080,
                "description": "Not longer than this; as long as possible, when not said.",
            },
            "account": ACCOUNT,
        },
        optional=("minutes", "account"),
    ),
    "Reservation": record(
        {
            "id": TEXT,
            "resource": TEXT,
            "person": TEXT,
            "account": TEXT | {"description": "What it is charged to."},
            "start": INSTANT,
            "end": INSTANT,
            "created_at": INSTANT,
            "cancelled_at": MAYBE_INSTANT,
            "checked_in_at": MAYBE_INSTANT,
            "no_show_at": MAYBE_INSTANT
            | {"description": "Nobody came before it was given back: it counts as used."},
            "series": MAYBE_TEXT | {"description": "The weekly series that it is a date of."},
        }
    ),
    "Reservations": page_of("reservations", "Reservation"),
}
