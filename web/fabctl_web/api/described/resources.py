"""Resources, when they are free and open, and pools, as the API describes them."""

from __future__ import annotations

from fabctl.model.booking import ClaimKind
from fabctl.model.booking_facts import ResourceKind
from fabctl_web.api.described.machines import MACHINE
from fabctl_web.api.described.reservations import ACCOUNT, RESOURCE
from fabctl_web.api.operations import (
    MALFORMED,
    NOT_FOUND,
    PAGING,
    answer,
    operation,
    page_of,
    path_id,
    query,
    refusal,
    sent,
)
from fabctl_web.api.schemas import (
    COUNT,
    DAY,
    FILLED,
    INSTANT,
    MAYBE_TEXT,
    TEXT,
    Json,
    list_of,
    record,
    ref,
)

BOOLEAN: Json = {"type": "boolean"}


def _whole(least: int, most: int) -> Json:
    return {"type": "integer", "minimum": least, "maximum": most}


PATHS: Json = {
    "/resources": {
        "get": operation(
            "listResources",
            "What can be booked: machines, spaces, seats. By id.",
            {"200": answer("A page of them.", ref("Resources")), "422": MALFORMED},
            parameters=PAGING,
        )
    },
    "/resources/{resource}/slots": {
        "parameters": [RESOURCE],
        "get": operation(
            "proposeSlots",
            "The next free slots of a length.",
            {"200": answer("The soonest first.", ref("Slots")), "404": NOT_FOUND, "422": MALFORMED},
            parameters=[
                query("minutes", "How long; 60 when not said.", _whole(1, 10080)),
                query("count", "How many at most; 4 when not said.", _whole(1, 50)),
            ],
        ),
    },
    "/availability": {
        "get": operation(
            "listAvailability",
            "When resources are open, taken and free between two times. No names.",
            {
                "200": answer("A page of them, by id.", ref("Availabilities")),
                "404": NOT_FOUND,
                "422": MALFORMED,
            },
            parameters=[
                query("start", "From when on.", INSTANT, required=True),
                query("end", "Until when; at most 62 days later.", INSTANT, required=True),
                query(
                    "resource",
                    "Only these; it may be there several times.",
                    {"type": "array", "items": FILLED},
                ),
                *PAGING,
            ],
        )
    },
    "/machines/{machine}/access": {
        "parameters": [MACHINE],
        "get": operation(
            "mayUse",
            "May you use this machine now? Every condition, with what to do about each.",
            {"200": answer("The answer.", ref("Access")), "404": NOT_FOUND},
        ),
    },
    "/opening-hours": {
        "get": operation(
            "getOpeningHours",
            "The hours that the staff set, for the lab or one resource, with the days that differ.",
            {
                "200": answer("The hours.", ref("OpeningHours")),
                "422": refusal("The request is malformed, or names no resource of the lab."),
            },
            parameters=[
                query("resource", "Whose; the lab's when not said.", FILLED),
                query("first", "First day that may differ; today when not said.", DAY),
                query("last", "Last one, at most 400 days; the first when not said.", DAY),
            ],
        )
    },
    "/closures": {
        "get": operation(
            "listClosures",
            "Closures and planned maintenance that are not over, the soonest first.",
            {"200": answer("A page of them.", ref("Closures")), "422": MALFORMED},
            parameters=PAGING,
        )
    },
    "/pools": {
        "get": operation(
            "listPools",
            "Pools: resources of which any one will do.",
            {"200": answer("A page of them.", ref("Pools")), "422": MALFORMED},
            parameters=PAGING,
        )
    },
    "/pools/{pool}/reservations": {
        "parameters": [path_id("pool", "The pool's id.")],
        "post": operation(
            "reserveAny",
            "Book the first resource of a pool that can be booked.",
            {
                "201": answer("Booked; `resource` says which.", ref("Reservation")),
                "404": NOT_FOUND,
                "409": refusal("None can be booked. The reasons of the one with the fewest."),
                "422": MALFORMED,
            },
            requestBody=sent("PoolRequest"),
        ),
    },
}

PERIODS = list_of("Period")

SCHEMAS: Json = {
    "Resource": record(
        {
            "id": TEXT,
            "name": TEXT,
            "kind": {"enum": [kind.value for kind in ResourceKind]},
            "category": TEXT,
            "parent": MAYBE_TEXT | {"description": "What it is within: both are booked as one."},
        }
    ),
    "Resources": page_of("resources", "Resource"),
    "Slots": record({"slots": list_of("Slot")}),
    "TakenSlot": record(
        {
            "start": INSTANT,
            "end": INSTANT | {"description": "Cleaning up included."},
            "kind": {"enum": [kind.value for kind in ClaimKind]},
        }
    ),
    "Availability": record(
        {
            "resource": TEXT,
            "out_of_order": BOOLEAN | {"description": "True: nothing is free now."},
            "open": list_of("Slot"),
            "taken": list_of("TakenSlot"),
            "free": list_of("Slot"),
        }
    ),
    "Availabilities": page_of("availability", "Availability"),
    "Condition": record(
        {
            "code": TEXT | {"description": "The refusal's code when it is not met."},
            "met": {
                "type": ["boolean", "null"],
                "description": "Null: nobody knows, and that is in the way, too.",
            },
            "message": TEXT,
        }
    ),
    "Access": record(
        {
            "allowed": BOOLEAN,
            "conditions": list_of("Condition"),
            "refusals": list_of("Refusal") | {"description": "What is in the way, all of it."},
        }
    ),
    "Period": record(
        {
            "opens_min": COUNT | {"description": "Minutes after midnight."},
            "closes_min": COUNT | {"description": "Above 1440: on the next day."},
        }
    ),
    "Weekday": record(
        {"weekday": _whole(0, 6) | {"description": "Monday is 0."}, "periods": PERIODS}
    ),
    "SpecialDay": record(
        {
            "date": DAY,
            "periods": PERIODS | {"description": "Empty: closed."},
            "reason": MAYBE_TEXT,
        }
    ),
    "OpeningHours": record(
        {
            "resource": MAYBE_TEXT | {"description": "Null: the lab's."},
            "week": list_of("Weekday")
            | {
                "description": "A day that is missing is closed. None at all: the lab is always "
                "open; a resource has the hours of what is around it."
            },
            "exceptions": list_of("SpecialDay"),
            "closed_holidays": {"type": "array", "items": DAY},
        }
    ),
    "Closure": record(
        {
            "id": TEXT,
            "resource": TEXT,
            "kind": {"enum": [ClaimKind.CLOSURE.value, ClaimKind.MAINTENANCE.value]},
            "start": INSTANT,
            "end": INSTANT,
            "note": TEXT,
        }
    ),
    "Closures": page_of("closures", "Closure"),
    "Pool": record(
        {"id": TEXT, "name": TEXT, "members": {"type": "array", "items": TEXT}},
    ),
    "Pools": page_of("pools", "Pool"),
    "PoolRequest": record(
        {"start": INSTANT, "end": INSTANT, "account": ACCOUNT}, optional=("account",)
    ),
}
