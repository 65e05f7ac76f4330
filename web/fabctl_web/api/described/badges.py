"""Badges, as the API describes them."""

from __future__ import annotations

from fabctl.model.screens import BADGE_LEAST, BADGE_MOST
from fabctl_web.api.described.people import PERSON
from fabctl_web.api.operations import (
    MALFORMED,
    NOT_FOUND,
    REFUSED,
    answer,
    nothing,
    operation,
    path_id,
    sent,
)
from fabctl_web.api.schemas import INSTANT, TEXT, Json, record, ref

PATHS: Json = {
    "/people/{person}/badges": {
        "parameters": [PERSON],
        "get": operation(
            "listBadges",
            "A person's badges, without their numbers. The staff.",
            {"200": answer("The badges, the oldest first.", ref("Badges")), "404": NOT_FOUND},
        ),
        "post": operation(
            "addBadge",
            "Give a person a badge for the lab's screens. The staff; a colleague's: an admin.",
            {
                "201": answer("Given.", ref("Badge")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent("NewBadge"),
        ),
    },
    "/people/{person}/badges/{badge}": {
        "parameters": [PERSON, path_id("badge", "The badge's id, not its number.")],
        "delete": operation(
            "removeBadge",
            "Take a badge away; it opens nothing any more.",
            {"204": nothing("Taken away."), "404": NOT_FOUND, "409": REFUSED},
        ),
    },
}
SCHEMAS: Json = {
    "Badge": record({"id": TEXT, "person": TEXT, "added_at": INSTANT}),
    "Badges": record({"badges": {"type": "array", "items": ref("Badge")}}),
    "NewBadge": record(
        {
            "number": TEXT
            | {
                "description": f"As the reader types it: {BADGE_LEAST} to {BADGE_MOST} letters and "
                "digits. Only a keyed hash is kept."
            }
        }
    ),
}
