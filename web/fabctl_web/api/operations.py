"""What all areas describe their calls with: operations, answers, parameters."""

from __future__ import annotations

from typing import Any

from fabctl_web.api.schemas import TEXT, Json, list_of, record, ref

LIMIT_DEFAULT, LIMIT_MOST = 50, 200
"""Items of one page of a list."""
OPEN: list[Json] = []
"""Needs no token: what the board shows to everybody in the room."""


def answer(what: str, schema: Json) -> Json:
    """Return an answer in JSON."""
    return {"description": what, "content": {"application/json": {"schema": schema}}}


def refusal(what: str) -> Json:
    """Return an answer that says why not."""
    return answer(what, ref("Refusals"))


def nothing(what: str) -> Json:
    """Return an answer without a body."""
    return {"description": what}


NOT_FOUND = refusal("There is no such thing, or it is not yours to see.")
REFUSED = refusal("Refused: every reason at once. Nothing was changed.")
MALFORMED = refusal("The request is malformed: every field that cannot be read.")


def operation(name: str, summary: str, answers: Json, **more: Any) -> Json:
    """Return a call. What every call may answer (401, 403, 500, 507) is added."""
    common = {
        "500": refusal("Something went wrong in the lab's program."),
        "507": refusal("The disk of the lab, or of its database, is full. Nothing was changed."),
    }
    if more.get("security") != OPEN:
        common["401"] = refusal("No token, or not a valid one.")
        common["403"] = refusal("This is not your right. Nothing was changed.")
    return {
        "operationId": name,
        "summary": summary,
        "responses": dict(sorted((answers | common).items())),
        **more,
    }


def path_id(name: str, what: str) -> Json:
    """Return a parameter of the path."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": what,
        "schema": TEXT,
    }


def query(name: str, what: str, schema: Json, *, required: bool = False) -> Json:
    """Return a parameter after the question mark."""
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": what,
        "schema": schema,
    }


def sent(schema: str) -> Json:
    """Return a request's body in JSON, of the form that ``schema`` names."""
    return {"required": True, "content": {"application/json": {"schema": ref(schema)}}}


PAGING = [
    query(
        "limit",
        f"How many at most; {LIMIT_DEFAULT} when not said.",
        {"type": "integer", "minimum": 1, "maximum": LIMIT_MOST},
    ),
    query("cursor", "Where the last page ended: its `next`.", TEXT),
]
"""The parameters of every list; :mod:`fabctl_web.api.reading` reads them."""


def page_of(name: str, of: str) -> Json:
    """Return a page of a list."""
    more = {"type": ["string", "null"], "description": "The next page's cursor; null: no more."}
    return record({name: list_of(of), "next": more})
