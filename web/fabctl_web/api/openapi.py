"""The API's description, OpenAPI 3.1. A test holds it against the routes, both ways."""

from __future__ import annotations

from typing import Any

import fabctl
from fabctl_web.api.described import AREAS

Json = dict[str, Any]

ABOUT = """What the screens of a lab can do, for programs.

Machines are open to everybody. The rest needs a personal token: `Authorization: Bearer fab_…`
(made with `fabctl token create`).
Times are ISO 8601 with an offset. Messages come in the language of `Accept-Language`, else in
the lab's. Lists come in pages: `limit` says how many; `next` is the cursor of the page after,
null at the end. Every refusal has one shape, with every reason at once and what to do about
each; codes never change their meaning.
"""


def document() -> Json:
    """Return the whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "fabctl",
            "version": fabctl.__version__,
            "summary": "The API of a Fab Lab",
            "description": ABOUT,
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(),
        },
    }


def _paths() -> Json:
    """Return all areas' paths; two areas may share one, each with methods of its own.

    :raises ValueError: two areas describe the same call.
    """
    whole: Json = {}
    for area in AREAS:
        for path, found in area.PATHS.items():
            there = whole.get(path, {})
            if twice := (there.keys() & found.keys()) - {"parameters"}:
                raise ValueError(f"{area.__name__} describes again: {path} {sorted(twice)}")
            whole[path] = there | found
    return whole


def _schemas() -> Json:
    """Return all areas' schemas.

    :raises ValueError: two areas name the same one.
    """
    whole: Json = {}
    for area in AREAS:
        if twice := whole.keys() & area.SCHEMAS.keys():
            raise ValueError(f"{area.__name__} describes again: {sorted(twice)}")
        whole |= area.SCHEMAS
    return whole
