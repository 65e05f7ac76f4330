"""What all areas describe their data with, as JSON Schema (2020-12)."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

INSTANT: Json = {"type": "string", "format": "date-time"}
MAYBE_INSTANT: Json = {"type": ["string", "null"], "format": "date-time"}
TEXT: Json = {"type": "string"}
FILLED: Json = {"type": "string", "minLength": 1, "maxLength": 4000, "pattern": "[^\\s]"}
"""A text that is sent and is not blank."""
DAY: Json = {"type": "string", "format": "date"}
MAYBE_TEXT: Json = {"type": ["string", "null"]}
MAYBE_NUMBER: Json = {"type": ["number", "null"]}
MAYBE_COUNT: Json = {"type": ["integer", "null"], "minimum": 0}
COUNT: Json = {"type": "integer", "minimum": 0}
SHARE: Json = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
SPAN: Json = {
    "type": ["array", "null"],
    "items": {"type": "number"},
    "minItems": 2,
    "maxItems": 2,
    "description": "Lowest and highest, mm.",
}
BOX: Json = {"type": ["object", "null"], "properties": {"x": SPAN, "y": SPAN, "z": SPAN}}


def ref(name: str) -> Json:
    """Return a reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(properties: Json, optional: tuple[str, ...] = (), **more: Any) -> Json:
    """Return an object; its fields are there in every answer, but for the optional ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, **more}


def list_of(of: str) -> Json:
    """Return a list of what ``of`` names."""
    return {"type": "array", "items": ref(of)}
