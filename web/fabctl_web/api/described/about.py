"""The document about itself, and the shape of every refusal."""

from __future__ import annotations

from fabctl_web.api.operations import OPEN, answer
from fabctl_web.api.schemas import TEXT, Json, list_of, record

PATHS: Json = {
    "/openapi.json": {
        "get": {
            "operationId": "getDescription",
            "summary": "This document. Needs no token.",
            "security": OPEN,
            "responses": {"200": answer("The document.", {"type": "object"})},
        }
    },
}
SCHEMAS: Json = {
    "Refusal": record(
        {
            "code": TEXT | {"description": "Never changes its meaning."},
            "message": TEXT | {"description": "What is in the way, for people."},
            "next_step": TEXT | {"description": "What to do about it, for people."},
        }
    ),
    "Refusals": record({"refusals": list_of("Refusal") | {"minItems": 1}}),
}
