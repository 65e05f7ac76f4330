"""Who calls the API: a personal token in the Authorization header, nothing else."""

from __future__ import annotations

from flask import abort, g, request

from fabctl.services import tokens
from fabctl.services.people import PersonView
from fabctl_web import uploads
from fabctl_web.lab import current_lab

OPEN_ENDPOINTS = frozenset({"api.openapi", "api.machines", "api.machine", "api.interlock"})
"""What the board shows to everybody in the room needs no token here either."""


def check_token() -> None:
    """Let nobody further in without a token; a file is read only once we know whose it is."""
    if request.endpoint in OPEN_ENDPOINTS:
        return
    if _find() is None:
        uploads.drain()
        abort(401)


def caller() -> PersonView:
    """Return whose token this is. Only for endpoints behind :func:`check_token`."""
    found = _find()
    if found is None:
        abort(401)
    return found


def _find() -> PersonView | None:
    if "caller" not in g:
        g.caller = _look_up()
    found: PersonView | None = g.caller
    return found


def _look_up() -> PersonView | None:
    credentials = request.authorization
    if credentials is None or credentials.type != "bearer" or not credentials.token:
        return None
    lab = current_lab()
    with lab.db.reading() as db:
        return tokens.find_token(db, lab.clock, credentials.token)
