"""What the staff set up, as the API describes it: resources, opening hours, closures."""

from __future__ import annotations

from fabctl.model.booking import ClaimKind
from fabctl.model.booking_facts import ResourceKind
from fabctl_web.api.operations import (
    MALFORMED,
    NOT_FOUND,
    REFUSED,
    answer,
    operation,
    path_id,
    query,
    sent,
)
from fabctl_web.api.schemas import (
    DAY,
    INSTANT,
    MAYBE_INSTANT,
    MAYBE_TEXT,
    TEXT,
    Json,
    list_of,
    record,
    ref,
)

RESOURCE = path_id("resource", "The resource's id.")
POOL = path_id("pool", "The pool's id: a to z, 0 to 9, -.")
CLOSURE = path_id("closure", "The closure's id.")
_WRITTEN: Json = {"404": NOT_FOUND, "409": REFUSED, "422": MALFORMED}


PATHS: Json = {
    "/resources": {
        "post": operation(
            "addResource",
            "Add a space or a seat (machines are added in lab.toml). The staff.",
            {"201": answer("Added.", ref("Resource")), **_WRITTEN},
            requestBody=sent("NewResource"),
        )
    },
    "/resources/{resource}": {
        "parameters": [RESOURCE],
        "get": operation(
            "getResource",
            "One resource, and whether it (or what it is within) is out of order.",
            {"200": answer("The resource.", ref("ResourceOrder")), "404": NOT_FOUND},
        ),
    },
    "/resources/{resource}/parent": {
        "parameters": [RESOURCE],
        "put": operation(
            "putResourceInto",
            "Put a resource into another one, or out of any. The staff.",
            {"200": answer("As it is now.", ref("Resource")), **_WRITTEN},
            requestBody=sent("ParentWanted"),
        ),
    },
    "/resources/{resource}/out-of-order": {
        "parameters": [RESOURCE],
        "post": operation(
            "putOutOfOrder",
            "Let nobody start or book a resource. What runs goes on. The staff.",
            {"200": answer("As it is now.", ref("ResourceOrder")), **_WRITTEN},
            requestBody=sent("OutOfOrder"),
        ),
    },
    "/resources/{resource}/in-order": {
        "parameters": [RESOURCE],
        "post": operation(
            "putInOrder",
            "Let a resource be used again. The staff.",
            {"200": answer("As it is now.", ref("ResourceOrder")), "404": NOT_FOUND},
        ),
    },
    "/pools/{pool}": {
        "parameters": [POOL],
        "put": operation(
            "setPool",
            "Make or change a pool; its members are tried in this order. The staff.",
            {"200": answer("The pool.", ref("Pool")), **_WRITTEN},
            requestBody=sent("PoolWanted"),
        ),
    },
    "/opening-hours/week": {
        "put": operation(
            "setWeek",
            "Set the hours of a week; a day that is left out is closed. No day at all: the lab "
            "is always open, a resource has the hours of what is around it. The staff.",
            {"200": answer("As it is now.", ref("WeekHours")), **_WRITTEN},
            requestBody=sent("WeekHours"),
        )
    },
    "/opening-hours/exceptions": {
        "put": operation(
            "setExceptionalHours",
            "Let some days have hours of their own; no period: closed. The staff.",
            {"200": answer("As it is now.", ref("ExceptionalHours")), **_WRITTEN},
            requestBody=sent("ExceptionalHours"),
        ),
        "delete": operation(
            "forgetExceptionalHours",
            "Let a day be like its weekday again. The staff.",
            {"200": answer("The day.", ref("OrdinaryDay")), "409": REFUSED, "422": MALFORMED},
            parameters=[
                query("date", "The day.", DAY, required=True),
                query("resource", "Of this resource; nothing: of the lab.", TEXT),
            ],
        ),
    },
    "/closures": {
        "post": operation(
            "close",
            "Close a resource, with all in it. Reservations in the way are cancelled and their "
            "people told, or, without `cancel_reservations`, refuse it. The staff.",
            {"201": answer("Closed.", ref("ClosureMade")), "409": REFUSED, "422": MALFORMED},
            requestBody=sent("ClosureWanted"),
        )
    },
    "/closures/{closure}": {
        "parameters": [CLOSURE],
        "delete": operation(
            "reopen",
            "End a closure now, or before it begins. The staff.",
            {"200": answer("The closure, ended.", ref("Closure")), "404": NOT_FOUND,
             "409": REFUSED},
        ),
    },
}  # fmt: skip
_CLOSING: Json = {
    "resource": TEXT,
    "kind": {"enum": [ClaimKind.CLOSURE.value, ClaimKind.MAINTENANCE.value]},
    "start": INSTANT,
    "end": INSTANT,
    "note": TEXT | {"description": "Why; everybody may read it."},
}
SCHEMAS: Json = {
    "NewResource": record(
        {
            "id": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,63}$"},
            "name": TEXT,
            "kind": {"enum": [ResourceKind.SPACE.value, ResourceKind.SEAT.value]},
            "category": MAYBE_TEXT | {"description": "What policies go by; else its kind."},
            "parent": MAYBE_TEXT,
        },
        optional=("category", "parent"),
    ),
    "ResourceOrder": record(
        {
            "id": TEXT,
            "name": TEXT,
            "kind": {"enum": [kind.value for kind in ResourceKind]},
            "category": TEXT,
            "parent": MAYBE_TEXT,
            "out_of_order_at": MAYBE_INSTANT | {"description": "Null: it is in order."},
            "reason": MAYBE_TEXT,
            "next_step": MAYBE_TEXT | {"description": "What happens next, in the staff's words."},
        }
    ),
    "ParentWanted": record({"parent": MAYBE_TEXT}, optional=("parent",)),
    "OutOfOrder": record({"reason": TEXT, "next_step": MAYBE_TEXT}, optional=("next_step",)),
    "PoolWanted": record({"name": TEXT, "members": {"type": "array", "items": TEXT}}),
    "WeekHours": record(
        {"resource": MAYBE_TEXT, "week": list_of("Weekday")}, optional=("resource",)
    ),
    "ExceptionalHours": record(
        {
            "resource": MAYBE_TEXT,
            "first": DAY,
            "last": DAY,
            "periods": list_of("Period"),
            "reason": MAYBE_TEXT,
        },
        optional=("resource", "last", "reason"),
    ),
    "OrdinaryDay": record({"resource": MAYBE_TEXT, "date": DAY}),
    "ClosureWanted": record(
        _CLOSING | {"cancel_reservations": {"type": "boolean"}},
        optional=("kind", "cancel_reservations"),
    ),
    "ClosureMade": record({"id": TEXT, **_CLOSING, "cancelled": {"type": "array", "items": TEXT}}),
}
