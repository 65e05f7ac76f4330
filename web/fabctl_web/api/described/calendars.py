"""Calendars for other programs, as the API describes them."""

from __future__ import annotations

from fabctl.services.feeds import KINDS
from fabctl_web.api.operations import (
    MALFORMED,
    NOT_FOUND,
    OPEN,
    PAGING,
    answer,
    nothing,
    operation,
    page_of,
    path_id,
    refusal,
    sent,
)
from fabctl_web.api.schemas import FILLED, INSTANT, MAYBE_TEXT, TEXT, Json, record, ref

PATHS: Json = {
    "/calendars": {
        "get": operation(
            "listCalendars",
            "The calendars that you made, without their addresses.",
            {"200": answer("A page of them.", ref("Calendars")), "422": MALFORMED},
            parameters=PAGING,
        ),
        "post": operation(
            "makeCalendar",
            "Make a calendar (iCalendar) at a secret address: of your reservations and the "
            "sessions that you lead or where you or your children have a place; of a resource "
            "without names; or of all coming workshops without names, to hang up anywhere.",
            {
                "201": answer("Made. Its address is said now and never again.", ref("NewCalendar")),
                "422": refusal("The request is malformed, or names no resource of the lab."),
            },
            requestBody=sent("CalendarRequest"),
        ),
    },
    "/calendars/{calendar}": {
        "parameters": [path_id("calendar", "The calendar's id.")],
        "delete": operation(
            "revokeCalendar",
            "Let its address answer no more. Doing it again changes nothing.",
            {"204": nothing("Revoked."), "404": NOT_FOUND},
        ),
    },
    "/calendars/{secret}/calendar.ics": {
        "parameters": [path_id("secret", "The secret part of the address.")],
        "get": operation(
            "readCalendar",
            "The calendar: a month back (workshops: nothing past), and all that is to come. Its "
            "address needs no token.",
            {
                "200": {
                    "description": "RFC 5545.",
                    "content": {"text/calendar": {"schema": TEXT}},
                },
                "404": NOT_FOUND,
            },
            security=OPEN,
        ),
    },
}

SCHEMAS: Json = {
    "CalendarRequest": record(
        {
            "kind": {
                "enum": list(KINDS),
                "description": "`resource` when one is named, otherwise `person`: you.",
            },
            "resource": FILLED | {"description": "Whose; only for this kind."},
        },
        optional=("kind", "resource"),
    ),
    "Calendar": record(
        {
            "id": TEXT,
            "kind": {"enum": list(KINDS)},
            "resource": MAYBE_TEXT,
            "created_at": INSTANT,
        }
    ),
    "NewCalendar": {
        "allOf": [ref("Calendar"), record({"address": TEXT | {"format": "uri"}})],
    },
    "Calendars": page_of("calendars", "Calendar"),
}
