"""For the lab's other computers: joining by a code, and the files of their machines' jobs.

No person's token counts here, and none of these counts anywhere else.
"""

from __future__ import annotations

import ipaddress
import re

from flask import Blueprint, Response, abort, make_response, request, send_file

from fabctl.errors import UnknownIdError
from fabctl.joining.parcel import pack
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text
from fabctl.services import hosts
from fabctl.services.people import TooManyTriesError
from fabctl_web.api.shape import refused
from fabctl_web.lab import Lab, current_lab
from fabctl_web.machines.handing_out import fetched

area = Blueprint("joining", __name__, url_prefix="/api/hosts")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST = 40
_NOT_ENCRYPTED = Refusal(
    "not-encrypted",
    text("This connection is not encrypted."),
    text(
        "Use the lab's https address. Was it that one? Then lab.toml has to name the proxy before"
        " it: [web] proxy_addresses."
    ),
)
_WRONG = Refusal(
    "host-code",
    text("This code is wrong, too old or used."),
    text("Ask for a new one: fabctl host invite, on the lab's computer."),
)


@area.post("/join")
def join() -> Response:
    """Hand a computer what is its own, once, for a code."""
    if not (request.is_secure or _is_from_here()):
        return refused([_NOT_ENCRYPTED], 403)
    lab, code = current_lab(), _code()
    try:
        with lab.db.transaction() as db:
            joined = hosts.join(
                db, lab.clock, lab.secret, code=code, address=request.remote_addr or ""
            )
            # inside: what cannot be handed over does not spend the code
            parcel = pack(lab.config, *joined) if joined else None
    except TooManyTriesError as error:
        return refused([_too_many(error.wait_s)], 429)
    if parcel is None:
        return refused([_WRONG], 404)
    answer = make_response(parcel.encode())
    answer.content_type = "application/json"
    return answer


@area.get("/files/<sha256>")
def job_file(sha256: str) -> Response:
    """Return a file that one of the computer's machines was asked to run."""
    lab = current_lab()
    if not _SHA256.fullmatch(sha256):
        abort(404)
    _need_file(lab, sha256)
    if not fetched(lab, sha256):
        abort(404)
    path = lab.config.paths.job_file(sha256)
    return send_file(path, mimetype="application/octet-stream", max_age=0)


def _need_file(lab: Lab, sha256: str) -> None:
    credentials = request.authorization
    if credentials is None or credentials.type != "bearer" or not credentials.token:
        abort(401)
    with lab.db.reading() as db:
        try:
            host = hosts.find_token(db, credentials.token)
        except UnknownIdError:
            abort(401)
        machines = [one.id for one in lab.config.machines.values() if one.host == host]
        if not hosts.needs_file(db, machines, sha256):
            abort(404)


def _code() -> str:
    try:
        sent = request.get_json(silent=True)
    except RecursionError:  # a body of brackets within brackets
        return ""
    code = sent.get("code") if isinstance(sent, dict) else None
    return code[:_LONGEST] if isinstance(code, str) else ""


def _is_from_here() -> bool:
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _too_many(wait_s: int) -> Refusal:
    return Refusal(
        "too-many-codes",
        text("Too many wrong codes came from there."),
        text("Wait {seconds} s, then try again.", seconds=wait_s),
    )
