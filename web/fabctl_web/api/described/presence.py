"""Who is in the lab, as the API describes it."""

from __future__ import annotations

from fabctl_web.api.operations import (
    MALFORMED,
    NOT_FOUND,
    PAGING,
    REFUSED,
    answer,
    nothing,
    operation,
    page_of,
    query,
    sent,
)
from fabctl_web.api.schemas import FILLED, INSTANT, TEXT, Json, record, ref

_WHOSE = "For the staff: who; else yourself."

PATHS: Json = {
    "/presence": {
        "get": operation(
            "listPresent",
            "Who is checked in, the first who came first. For the staff.",
            {"200": answer("A page of them.", ref("Presences")), "422": MALFORMED},
            parameters=PAGING,
        ),
        "post": operation(
            "comeToLab",
            "Check in to the lab. You: from a device at one of the lab's kiosk_addresses "
            "(else not-at-the-lab). The staff: anybody, from anywhere; the audit says which. "
            "A trainer who is here lets supervised people work. Again: nothing changes.",
            {
                "200": answer("Checked in.", ref("LabPresence")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent("PresenceRequest"),
        ),
        "delete": operation(
            "leaveLab",
            "Check out of the lab, from anywhere. Doing it again changes nothing.",
            {"204": nothing("Checked out."), "404": NOT_FOUND, "422": MALFORMED},
            parameters=[query("person", _WHOSE, FILLED)],
        ),
    }
}

SCHEMAS: Json = {
    "PresenceRequest": record({"person": FILLED | {"description": _WHOSE}}, optional=("person",)),
    "LabPresence": record(
        {
            "person": TEXT,
            "name": TEXT,
            "came_at": INSTANT,
            "until": INSTANT | {"description": "When it ends by itself."},
        }
    ),
    "Presences": page_of("present", "LabPresence"),
}
