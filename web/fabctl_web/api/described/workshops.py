"""Workshops and their sessions, as the API describes them."""

from __future__ import annotations

from fabctl.model.workshop_sessions import MOST_PLACES
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
from fabctl_web.api.schemas import (
    COUNT,
    INSTANT,
    MAYBE_INSTANT,
    MAYBE_TEXT,
    TEXT,
    Json,
    list_of,
    record,
    ref,
)

WORKSHOP = path_id("workshop", "The workshop's id.")
SESSION = path_id("session", "The session's id.")
FLAG: Json = {"type": "boolean"}
IDS: Json = {"type": "array", "items": TEXT}
PLACES: Json = {"type": "integer", "minimum": 1, "maximum": MOST_PLACES}
AGE: Json = {"type": ["integer", "null"], "minimum": 0, "maximum": 120}
DAY: Json = {"type": "string", "format": "date"}
HOUR: Json = {
    "type": "string",
    "examples": ["18:30"],
    "description": "By the lab's clocks, also when they change meanwhile.",
}
REFUSABLE: Json = {"404": NOT_FOUND, "409": REFUSED, "422": MALFORMED}

PATHS: Json = {
    "/workshops": {
        "get": operation(
            "listWorkshops",
            "What is offered, by title.",
            {"200": answer("A page of workshops.", ref("Workshops")), "422": MALFORMED},
            parameters=PAGING,
        ),
        "post": operation(
            "createWorkshop",
            "Offer a workshop. Staff and animators.",
            {"201": answer("Made.", ref("Workshop"))} | REFUSABLE,
            requestBody=sent("WorkshopRequest"),
        ),
    },
    "/workshops/{workshop}": {
        "parameters": [WORKSHOP],
        "get": operation(
            "getWorkshop",
            "One workshop.",
            {"200": answer("The workshop.", ref("Workshop")), "404": NOT_FOUND},
        ),
        "patch": operation(
            "changeWorkshop",
            "Change what a workshop's poster says. What is left out stays; an age or a course "
            "that is null is none any more. Sessions keep their places. Staff and animators.",
            {"200": answer("Changed.", ref("Workshop"))} | REFUSABLE,
            requestBody=sent("WorkshopChange"),
        ),
        "delete": operation(
            "retireWorkshop",
            "Offer a workshop no more; its sessions stay. Staff and animators.",
            {"200": answer("Retired.", ref("Workshop")), "404": NOT_FOUND},
        ),
    },
    "/sessions": {
        "get": operation(
            "listSessions",
            "The sessions that share a moment with a stretch of time, the soonest first.",
            {"200": answer("A page of sessions.", ref("Sessions")), "422": MALFORMED},
            parameters=[
                *PAGING,
                query("from", "From when; now when not said.", INSTANT),
                query("until", "Until when, 400 days at most; 60 when not said.", INSTANT),
                query("workshop", "Only this workshop's.", TEXT),
            ],
        ),
        "post": operation(
            "scheduleSession",
            "Put a session on, with the machines and spaces it uses. Staff and animators.",
            {"201": answer("Put on.", ref("WorkshopSession"))} | REFUSABLE,
            requestBody=sent("SessionRequest"),
        ),
    },
    "/sessions/weekly": {
        "post": operation(
            "scheduleWeekly",
            "Put a session on every week. When some dates cannot be, the answer says which and "
            "why, and nothing is put on unless `skip_refused` says so. Staff and animators.",
            {
                "200": answer("Nothing was put on: these dates cannot be.", ref("SessionSeries")),
                "201": answer("What was put on, and what was left out.", ref("SessionSeries")),
            }
            | REFUSABLE,
            requestBody=sent("WeeklyRequest"),
        )
    },
    "/sessions/{session}": {
        "parameters": [SESSION],
        "get": operation(
            "getSession",
            "One session.",
            {"200": answer("The session.", ref("WorkshopSession")), "404": NOT_FOUND},
        ),
        "patch": operation(
            "changeSession",
            "Move a session with all that it claims; change what it uses, who leads it or its "
            "places. Refused, it stays as it was. Who has a place is told of another time and of "
            "another room. Staff and animators.",
            {"200": answer("Changed.", ref("WorkshopSession"))} | REFUSABLE,
            requestBody=sent("SessionChange"),
        ),
        "delete": operation(
            "cancelSession",
            "Cancel a session: its claims are free, its enrolments ended. Staff and animators.",
            {
                "200": answer("Cancelled.", ref("SessionCancelled")),
                "404": NOT_FOUND,
                "422": MALFORMED,
            },
            parameters=[query("reason", "Why; it is kept.", TEXT, required=True)],
        ),
    },
}
_POSTER: Json = {
    "title": TEXT,
    "places": PLACES | {"description": "Of a session, where it does not say otherwise."},
    "description": TEXT,
    "bring": TEXT | {"description": "What to bring."},
    "price_cents": COUNT | {"description": "0: free."},
    "age_least": AGE,
    "age_most": AGE,
    "accept_hours": {
        "type": "integer",
        "minimum": 1,
        "maximum": 720,
        "description": "So long somebody has to accept a place that became free.",
    },
    "consent_needed": FLAG,
    "course": MAYBE_TEXT | {"description": "Whoever passes is certified by this course."},
}
_USES: Json = {
    "resources": IDS | {"description": "The machines and spaces that it uses."},
    "animators": IDS | {"description": "Ids of the people who lead it."},
    "places": PLACES | {"description": "As many as the workshop has when not said."},
}
SCHEMAS: Json = {
    "Workshop": record({"id": TEXT, **_POSTER, "retired_at": MAYBE_INSTANT}),
    "Workshops": page_of("workshops", "Workshop"),
    "WorkshopRequest": record(
        _POSTER, optional=tuple(name for name in _POSTER if name not in {"title", "places"})
    ),
    "WorkshopChange": record(_POSTER, optional=tuple(_POSTER)),
    "WorkshopSession": record(
        {
            "id": TEXT,
            "workshop": TEXT,
            "title": TEXT,
            "start": INSTANT,
            "end": INSTANT,
            "places": COUNT,
            "free": COUNT | {"description": "Places that nobody holds."},
            "waiting": COUNT | {"description": "How many are on the waiting list."},
            "resources": IDS,
            "animators": {
                "type": ["array", "null"],
                "items": TEXT,
                "description": "Shown to staff and animators only.",
            },
            "series": MAYBE_TEXT | {"description": "The same for all of one series."},
            "cancelled_at": MAYBE_INSTANT,
        }
    ),
    "Sessions": page_of("sessions", "WorkshopSession"),
    "SessionRequest": record(
        {"workshop": TEXT, "start": INSTANT, "end": INSTANT, **_USES}, optional=tuple(_USES)
    ),
    "WeeklyRequest": record(
        {
            "workshop": TEXT,
            "first": DAY,
            "until": DAY | {"description": "The last day that may be in it."},
            "starts": HOUR,
            "ends": HOUR,
            "skip_refused": FLAG,
            **_USES,
        },
        optional=("skip_refused", *_USES),
    ),
    "RefusedSession": record({"day": DAY, "refusals": list_of("Refusal")}),
    "SessionSeries": record(
        {"sessions": list_of("WorkshopSession"), "refused": list_of("RefusedSession")}
    ),
    "SessionChange": record(
        {
            "start": INSTANT,
            "end": INSTANT,
            "resources": IDS | {"description": "All machines and spaces that it uses then."},
            "animators": IDS | {"description": "Ids of all the people who lead it then."},
            "places": PLACES,
        },
        optional=("start", "end", "resources", "animators", "places"),
    ),
    "SessionCancelled": record(
        {
            "session": ref("WorkshopSession"),
            "tell": IDS | {"description": "Ids of the people who had a place or waited for one."},
        }
    ),
}
