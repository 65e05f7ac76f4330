"""One's own data, as the API describes them."""

from __future__ import annotations

from fabctl_web.api.operations import MALFORMED, NOT_FOUND, answer, operation, query
from fabctl_web.api.schemas import TEXT, Json, ref

PATHS: Json = {
    "/export": {
        "get": operation(
            "exportPerson",
            "All that is kept about you, and who has looked at it; it is put on record.",
            {
                "200": answer("The rows, by table.", ref("Export")),
                "404": NOT_FOUND,
                "422": MALFORMED,
            },
            parameters=[
                query("person", "Somebody else's id: for their guardian and the staff.", TEXT)
            ],
        )
    },
}
SCHEMAS: Json = {
    "Export": {
        "type": "object",
        "additionalProperties": {"type": "array", "items": {"type": "object"}},
    },
}
