"""The API as pages: every operation and every form of data, from the document the app serves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fabctl_web.api.described import AREAS
from fabctl_web.api.openapi import ABOUT, document
from tools.reference.markdown import cell, code, plain, table

Json = dict[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")
OF_EVERY_CALL = frozenset({"401", "403", "500"})
"""Answers that every call may give; said once, at the top."""


def operations() -> str:
    """Return every operation by area: parameters, what is sent, answers."""
    whole = document()
    return "\n".join([ABOUT, *_areas(whole)])


def data() -> str:
    """Return every form of data, with its fields."""
    schemas: Json = document()["components"]["schemas"]
    return "\n".join(_schema(name, schemas[name]) for name in sorted(schemas))


def _areas(whole: Json) -> Iterator[str]:
    for area in AREAS:
        title = plain(area.__doc__).partition(", as the API")[0].removesuffix(".")
        yield f"## {title}\n"
        for path in area.PATHS:
            for method in METHODS:
                if method in area.PATHS[path]:
                    yield _operation(method, path, whole["paths"][path], whole["security"])


def _operation(method: str, path: str, there: Json, usual: list[Json]) -> str:
    called: Json = there[method]
    told = "token" in called["summary"] or called.get("security", usual)
    needs = "" if told else " No token needed."
    asked = [*there.get("parameters", []), *called.get("parameters", [])]
    parts = [
        f"### `{method.upper()} {path}`\n",
        f"{called['summary'].removesuffix('.')}.{needs}\n",
        table(
            ("parameter", "where", "what", "form"),
            (
                (
                    f"**{code(one['name'])}**" if one.get("required") else code(one["name"]),
                    one["in"],
                    one["description"],
                    form(one["schema"]),
                )
                for one in asked
            ),
        ),
        _sent(called),
        table(
            ("answer", "when", "data"),
            (
                (status, answer["description"], _content(answer))
                for status, answer in called["responses"].items()
                if status not in OF_EVERY_CALL
            ),
        ),
    ]
    return "\n".join(part for part in parts if part)


def _sent(called: Json) -> str:
    body = called.get("requestBody")
    return f"Sent: {_content(body)}\n" if body else ""


def _content(answer: Json) -> str:
    kinds = answer.get("content", {})
    said = (
        form(value["schema"]) if kind == "application/json" else f"{code(kind)} {_parts(value)}"
        for kind, value in kinds.items()
    )
    return " or ".join(said)


def _parts(value: Json) -> str:
    parts = value.get("schema", {}).get("properties", {})
    return f"({', '.join(code(name) for name in parts)})" if parts else ""


def _schema(name: str, schema: Json) -> str:
    """Return one form of data: its fields, or the forms that it may have."""
    needed = schema.get("required", ())
    fields = table(
        ("field", "form", "what"),
        (
            (
                f"**{code(key)}**" if key in needed else code(key),
                form(of),
                of.get("description", ""),
            )
            for key, of in schema.get("properties", {}).items()
        ),
    )
    said = fields or f"{form(schema)}\n"
    told = f"{schema['description']}\n" if "description" in schema else ""
    return f"(data-{name.lower()})=\n## {name}\n\n{told}{said}"


def form(schema: Json) -> str:
    """Return a schema in a few words, with links to the forms that it names."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#data-{name.lower()})"
    for key, joined in (("anyOf", " or "), ("oneOf", " or "), ("allOf", " and ")):
        if key in schema:
            return joined.join(form(one) for one in schema[key])
    if "enum" in schema:
        return ", ".join(code("null" if one is None else one) for one in schema["enum"])
    if "const" in schema:
        return code(schema["const"])
    return _typed(schema)


def _typed(schema: Json) -> str:
    types = schema.get("type", "anything")
    words = [_word(one, schema) for one in ([types] if isinstance(types, str) else types)]
    limits = [
        f"{sign} {schema[key]}"
        for key, sign in (
            ("minimum", "≥"), ("maximum", "≤"), ("exclusiveMinimum", ">"),
            ("minLength", "length ≥"), ("maxLength", "length ≤"),
            ("minItems", "items ≥"), ("maxItems", "items ≤"),
        )
        if key in schema
    ]  # fmt: skip
    within = f" ({', '.join(limits)})" if limits else ""
    return f"{' or '.join(words)}{within}"


def _word(kind: str, schema: Json) -> str:
    if kind == "array" and "items" in schema:
        return f"list of {form(schema['items'])}"
    if kind == "string" and "format" in schema:
        return str(schema["format"])
    if kind == "object" and schema.get("properties"):
        inner = ", ".join(f"{code(key)}: {form(of)}" for key, of in schema["properties"].items())
        return cell(f"object with {inner}")
    return {"string": "text", "integer": "whole number", "boolean": "true or false"}.get(kind, kind)
