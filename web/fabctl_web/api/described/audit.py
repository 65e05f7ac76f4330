"""The audit trail, as the API describes it."""

from __future__ import annotations

from fabctl_web.api.operations import MALFORMED, PAGING, answer, operation, page_of, query
from fabctl_web.api.schemas import INSTANT, MAYBE_TEXT, TEXT, Json, record

PATHS: Json = {
    "/audit": {
        "get": operation(
            "listAudit",
            "What was done, by whom, to what; the newest first. The staff.",
            {"200": answer("A page of the trail.", page_of("lines", "AuditLine")),
             "422": MALFORMED},
            parameters=[
                query("subject", "Only about this, as `person:k3j…`, `policy:lab:`.", TEXT),
                query("who", "Only what this person did: their id, or `shell:` and a name.", TEXT),
                *PAGING,
            ],
        )
    },
}  # fmt: skip
SCHEMAS: Json = {
    "AuditLine": record(
        {
            "at": INSTANT,
            "who": MAYBE_TEXT | {"description": "Null: the clock's work, or nobody signed in."},
            "what": TEXT | {"description": "noun.participle, as `reservation.made`."},
            "subject": TEXT | {"description": "noun:id"},
            "details": {"type": "object"},
        }
    ),
}
