"""Tasks of the team and planned maintenance, as the API describes them."""

from __future__ import annotations

from fabctl.model.maintenance import MOST_HOURS, MOST_OF, Unit
from fabctl_web.api.described.upkeep import (
    BY_RESOURCE,
    FLAG,
    LINE,
    MAYBE_LONG,
)
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
    FILLED,
    INSTANT,
    MAYBE_COUNT,
    MAYBE_INSTANT,
    MAYBE_TEXT,
    TEXT,
    Json,
    record,
    ref,
)

TASK = path_id("task", "The task's id.")
PLAN = path_id("plan", "The plan's id.")
ENDED = query("ended", "Also those that have ended.", FLAG)
UNIT: Json = {"enum": [unit.value for unit in Unit]}
HOURS: Json = {"type": "number", "minimum": 0}


def _act(name: str, summary: str, schema: str) -> Json:
    return {
        "parameters": [TASK],
        "post": operation(
            name,
            summary,
            {
                "200": answer("The task now.", ref("Task")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent(schema),
        ),
    }


PATHS: Json = {
    "/tasks": {
        "get": operation(
            "listTasks",
            "Tasks, the newest first: yours; for the staff somebody's, or everybody's.",
            {"200": answer("A page of them.", ref("Tasks")), "422": MALFORMED},
            parameters=[
                *PAGING,
                BY_RESOURCE,
                ENDED,
                query("owner", "Whose, for the staff; yours when not said.", FILLED),
                query("everybody", "Everybody's, for the staff.", FLAG),
            ],
        ),
        "post": operation(
            "addTask",
            "Give somebody of the team a task. Staff.",
            {
                "201": answer("Given.", ref("Task")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent("TaskRequest"),
        ),
    },
    "/tasks/{task}": {
        "parameters": [TASK],
        "get": operation(
            "getTask",
            "One task: its owner's; for the staff any.",
            {"200": answer("The task.", ref("Task")), "404": NOT_FOUND},
        ),
    },
    "/tasks/{task}/give": _act("giveTask", "Give it to somebody else. Staff.", "TaskOwner"),
    "/tasks/{task}/done": _act(
        "finishTask",
        "Note that it is done; that of planned maintenance begins its hours anew.",
        "TaskNote",
    ),
    "/tasks/{task}/drop": _act("dropTask", "End it undone, with a reason.", "TaskReason"),
    "/maintenance": {
        "get": operation(
            "listMaintenance",
            "Planned maintenance with its hours of use: yours; for the staff all.",
            {"200": answer("A page of it.", ref("MaintenancePlans")), "422": MALFORMED},
            parameters=[*PAGING, BY_RESOURCE, ENDED],
        ),
        "post": operation(
            "planMaintenance",
            "Plan maintenance by hours of use, counted from now. Staff.",
            {
                "201": answer("Planned.", ref("Maintenance")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent("MaintenanceRequest"),
        ),
    },
    "/maintenance/{plan}": {
        "parameters": [PLAN],
        "get": operation(
            "getMaintenance",
            "One plan, with its hours of use since the last time.",
            {"200": answer("The plan.", ref("Maintenance")), "404": NOT_FOUND},
        ),
        "delete": operation(
            "endMaintenance",
            "End a plan; its open task is dropped, its history stays. Staff.",
            {"200": answer("Ended.", ref("Maintenance")), "404": NOT_FOUND},
        ),
    },
    "/maintenance/{plan}/done": {
        "parameters": [PLAN],
        "post": operation(
            "noteMaintenanceDone",
            "Note that it was done, due or not: its hours count from then on, its task ends.",
            {
                "200": answer("The plan now.", ref("Maintenance")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent("MaintenanceDone"),
        ),
    },
    "/maintenance/{plan}/history": {
        "parameters": [PLAN],
        "get": operation(
            "listMaintenanceHistory",
            "Every time that it was done, the last first.",
            {
                "200": answer("A page of it.", ref("MaintenanceHistory")),
                "404": NOT_FOUND,
                "422": MALFORMED,
            },
            parameters=PAGING,
        ),
    },
}

SCHEMAS: Json = {
    "TaskRequest": record(
        {
            "title": LINE,
            "owner": FILLED | {"description": "A person's id; nobody who is a member only."},
            "details": MAYBE_LONG,
            "resource": MAYBE_TEXT,
            "problem": MAYBE_TEXT
            | {"description": "The report that it answers: one that is open and has no task yet."},
            "due_at": MAYBE_INSTANT,
        },
        optional=("details", "resource", "problem", "due_at"),
    ),
    "TaskOwner": record({"owner": FILLED}),
    "TaskNote": record({"note": MAYBE_LONG}, optional=("note",)),
    "TaskReason": record({"reason": FILLED}),
    "Task": record(
        {
            "id": TEXT,
            "resource": MAYBE_TEXT,
            "problem": MAYBE_TEXT,
            "maintenance": MAYBE_TEXT | {"description": "The plan that it comes from."},
            "title": TEXT,
            "details": TEXT,
            "owner": TEXT,
            "due_at": MAYBE_INSTANT,
            "created_at": INSTANT,
            "ended_at": MAYBE_INSTANT,
            "outcome": {"enum": ["done", "dropped", None]},
            "note": MAYBE_TEXT,
        }
    ),
    "Tasks": page_of("tasks", "Task"),
    "MaintenanceRequest": record(
        {
            "resource": FILLED,
            "title": LINE,
            "owner": FILLED | {"description": "Who of the team gets the task."},
            "every_hours": {
                "type": "integer",
                "minimum": 1,
                "maximum": MOST_HOURS,
                "description": "Hours of use. Needed unless `every` is said; with both, it is due "
                "by whichever comes first.",
            },
            "every": {
                "type": "integer",
                "minimum": 1,
                "maximum": MOST_OF[Unit.WEEK],
                "description": f"So many weeks, or months ({MOST_OF[Unit.MONTH]} at most).",
            },
            "unit": UNIT | {"description": "Comes with `every`."},
            "instructions": MAYBE_LONG,
        },
        optional=("every_hours", "every", "unit", "instructions"),
    ),
    "MaintenanceDone": record(
        {
            "times": COUNT
            | {
                "maximum": 2**31 - 1,
                "description": "As the plan says it, so that a second tap counts nothing.",
            },
            "done_at": MAYBE_INSTANT | {"description": "Now when not said."},
            "note": MAYBE_LONG,
        },
        optional=("done_at", "note"),
    ),
    "Maintenance": record(
        {
            "id": TEXT,
            "resource": TEXT,
            "title": TEXT,
            "instructions": TEXT,
            "every_hours": {"type": ["number", "null"], "description": "Null: by date only."},
            "every": MAYBE_COUNT | {"description": "Null: by hours only."},
            "unit": {"enum": [*UNIT["enum"], None]},
            "due_on": MAYBE_INSTANT | {"description": "When it comes back by date."},
            "owner": TEXT,
            "counted_from": INSTANT | {"description": "Done last, or planned."},
            "times": COUNT | {"description": "How often it was done."},
            "hours": HOURS | {"description": "Of use since then."},
            "due": FLAG,
            "ended_at": MAYBE_INSTANT,
        }
    ),
    "MaintenancePlans": page_of("maintenance", "Maintenance"),
    "MaintenanceTime": record(
        {
            "time": COUNT,
            "done_at": INSTANT,
            "noted_at": INSTANT,
            "person": MAYBE_TEXT,
            "hours": HOURS | {"description": "Of use since the time before."},
            "note": TEXT,
        }
    ),
    "MaintenanceHistory": page_of("history", "MaintenanceTime"),
}
