"""Reservations, as the API describes them."""

from __future__ import annotations

from fabctl_web.api.operations import NOT_FOUND, REFUSED, answer, operation, path_id, refusal
from fabctl_web.api.schemas import INSTANT, MAYBE_INSTANT, TEXT, Json, record, ref

RESERVATION = path_id("reservation", "The reservation's id.")
REASON = {
    "name": "reason",
    "in": "query",
    "description": "Why; the staff cancel other people's reservations with a reason.",
    "schema": {"type": "string"},
}


PATHS: Json = {
    "/reservations": {
        "post": operation(
            "reserve",
            "Book a machine for yourself.",
            {
                "201": answer("Booked.", ref("Reservation")),
                "409": REFUSED,
                "422": refusal("The request is malformed, or names no machine of the lab."),
            },
            requestBody={
                "required": True,
                "content": {"application/json": {"schema": ref("ReservationRequest")}},
            },
        )
    },
    "/reservations/{reservation}": {
        "parameters": [RESERVATION],
        "delete": operation(
            "cancelReservation",
            "Cancel a reservation; one that runs is cut short now.",
            {
                "200": answer("Cancelled.", ref("Reservation")),
                "404": NOT_FOUND,
                "409": REFUSED,
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
}
SCHEMAS: Json = {
    "ReservationRequest": record(
        {
            "resource": TEXT | {"description": "A machine's id."},
            "start": INSTANT,
            "end": INSTANT,
        },
        examples=[
            {
                "resource": "printer-a",
                "start": "2026-11-24T14:00:00+01:00",
                "end": "2026-11-24T15:30:00+01:00",
            }
        ],
    ),
    "Reservation": record(
        {
            "id": TEXT,
            "resource": TEXT,
            "person": TEXT,
            "start": INSTANT,
            "end": INSTANT,
            "cancelled_at": MAYBE_INSTANT,
        }
    ),
}
