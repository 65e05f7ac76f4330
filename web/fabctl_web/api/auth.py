"""Who calls the API: a personal token in the Authorization header, nothing else."""

from __future__ import annotations

from flask import Blueprint, Response, abort, g, request

from fabctl.errors import InputError, UnknownIdError
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text
from fabctl.services import tokens
from fabctl.services.people import PersonView
from fabctl_web import uploads
from fabctl_web.api.reading import MalformedError
from fabctl_web.api.shape import refused
from fabctl_web.errors import KNOWN
from fabctl_web.lab import current_lab

OPEN_ENDPOINTS = frozenset(
    {
        "api_about.openapi",
        "api_machines.machines",
        "api_machines.machine",
        "api_machines.interlock",
        "api_calendars.feed",  # its address is the secret
    }
)
"""What the board shows to everybody in the room needs no token here either."""

NOT_POSSIBLE = Refusal(
    "malformed",
    text("What this request asks for cannot be."),
    text("Look at the description of the API."),
)


def api_area(name: str) -> Blueprint:
    """Return a part of the API: behind tokens, and with the API's answers to bad input."""
    area = Blueprint(f"api_{name}", __name__, url_prefix="/api/v1")
    area.before_request(check_token)
    area.register_error_handler(MalformedError, _malformed)
    area.register_error_handler(InputError, _not_possible)
    area.register_error_handler(UnknownIdError, _not_found)
    return area


def check_token() -> None:
    """Let nobody further in without a token; a file is read only once we know whose it is."""
    if request.endpoint not in OPEN_ENDPOINTS and _find() is None:
        uploads.drain()
        abort(401)
    if "\0" in request.path:  # PostgreSQL knows no such text, so there is no such thing
        abort(404)


def caller() -> PersonView:
    """Return whose token this is. Only for endpoints behind :func:`check_token`."""
    found = _find()
    if found is None:
        abort(401)
    return found


def _malformed(error: MalformedError) -> Response:
    return refused(error.refusals, 422)


def _not_possible(_error: InputError) -> Response:
    return refused([NOT_POSSIBLE], 422)


def _not_found(_error: UnknownIdError) -> Response:
    return refused([KNOWN[404].refusal], 404)


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
