"""Errors in plain words, with what to do: a page for people, one shape for the API."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, current_app, make_response, render_template, request, url_for
from flask_wtf.csrf import CSRFError  # type: ignore[import-untyped]  # it has no types
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from fabctl.errors import DiskFullError, FabError, UnknownIdError
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import Text, text
from fabctl_web import uploads
from fabctl_web.lab import current_lab

API_PREFIX = "/api/"


@dataclass(frozen=True)
class Explained:
    """An error for people. ``code`` is part of the API."""

    status: int
    code: str
    message: Text
    next_step: Text

    @property
    def refusal(self) -> Refusal:
        """The same as a refusal, the API's one error shape."""
        return Refusal(self.code, self.message, self.next_step)


FORM_TOO_OLD = Explained(
    400,
    "form-too-old",
    text("This page was open for too long."),
    text("Load it again, then try once more."),
)
KNOWN = {
    400: Explained(
        400,
        "malformed",
        text("This request is not complete."),
        text("Load the page again, then try once more."),
    ),
    401: Explained(
        401, "not-signed-in", text("You are not signed in."), text("Sign in, then try once more.")
    ),
    403: Explained(
        403, "not-allowed", text("You may not do this."), text("Ask the staff of the lab.")
    ),
    404: Explained(
        404, "not-found", text("This page does not exist."), text("Go back to the machines.")
    ),
    405: Explained(
        405,
        "wrong-method",
        text("This address does not take this kind of request."),
        text("Go back to the machines."),
    ),
    415: Explained(
        415,
        "wrong-type",
        text("This kind of content is not understood here."),
        text("Check the fields of the form and send it again."),
    ),
}
TYPE_OF_A_PROGRAM = Explained(
    415, "wrong-type", KNOWN[415].message, text("Look at the description of the API.")
)
FAILED = Explained(
    500,
    "failed",
    text("Something went wrong on our side."),
    text("Try again in a minute. If it stays, tell the staff."),
)

RIGHTS = frozenset(
    {
        "not-yours",
        "staff-only",
        "admin-only",
        "session-staff-only",
        "not-a-trainer",
        "trainer-by-staff",
        "not-your-job",
        "not-your-use",
    }
)
"""Codes of refusals that are about who asks, whatever is asked: the API answers 403."""


def no_room(disk: Path | None) -> Explained:
    """Return the sentence for a full disk: which one, and that nothing has changed.

    :param disk: where it is mounted; None: the database server's.
    """
    what = text("The database server has no room left on its disk. Nothing was changed.")
    if disk is not None:
        what = text(
            "The lab's computer has no room left on its disk {disk}. Nothing was changed.",
            disk=str(disk),
        )
    return Explained(
        507, "disk-full", what, text("Tell the staff; once they made room, try again.")
    )


def too_large() -> Explained:
    """Return the sentence for a file above the lab's limit."""
    most = current_lab().config.web.upload_max_mb
    return Explained(
        413,
        "too-large",
        text("This file is too large: {megabytes} MB at most.", megabytes=most),
        text("Slice it with fewer details, or ask the staff."),
    )


def init_app(app: Flask) -> None:
    """Answer every error with a page, or with the API's shape under ``/api/``."""
    app.register_error_handler(CSRFError, lambda _error: _show(FORM_TOO_OLD))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(UnknownIdError, lambda _error: _show(KNOWN[404]))
    app.register_error_handler(RefusedError, _refused)
    app.register_error_handler(DiskFullError, _full)
    app.register_error_handler(FabError, _fab)
    app.register_error_handler(SQLAlchemyError, _failed)
    app.register_error_handler(500, _failed)


def is_api() -> bool:
    """Say whether the request is a program's."""
    return request.path.startswith(API_PREFIX)


def refusals_page(refusals: tuple[Refusal, ...], status: int) -> Response:
    """Return a page with every reason and its next step."""
    page = render_template("shared/refused.html", refusals=refusals, back=_back())
    return make_response(page, status)


def _http(error: HTTPException) -> Response:
    if error.response is not None:  # abort(redirect(…)) and the like
        return make_response(error.get_response())
    if isinstance(error, RequestEntityTooLarge):
        uploads.drain()
        return _show(too_large())
    if error.code == 415 and is_api():
        return _show(TYPE_OF_A_PROGRAM)
    return _show(KNOWN.get(error.code or 500, FAILED))


def _refused(error: RefusedError) -> Response:
    if is_api():
        from fabctl_web.api.shape import refused  # noqa: PLC0415  # the API imports this module

        return refused(error.refusals, 403 if error.codes & RIGHTS else 409)
    return refusals_page(_for_people(error), 409)


def _for_people(error: RefusedError) -> tuple[Refusal, ...]:
    """Return what a page says: which field of a form was wrong is said in words of people."""
    from fabctl_web.api.reading import MalformedError  # noqa: PLC0415  # the same
    from fabctl_web.forms import NOT_READ  # noqa: PLC0415  # the same

    return (NOT_READ,) if isinstance(error, MalformedError) else error.refusals


def _full(error: DiskFullError) -> Response:
    """Say that the disk is full, after all that is still being sent was read."""
    current_app.logger.error("%s %s: %s", request.method, _asked(), error)
    if request.endpoint in uploads.UPLOAD_ENDPOINTS:
        uploads.drain()
    return _show_safely(no_room(error.disk))


def _fab(error: FabError) -> Response:
    current_app.logger.error("%s %s: %s", request.method, _asked(), error)
    return _show_safely(FAILED)


def _failed(error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        current_app.logger.error("%s %s", request.method, _asked(), exc_info=error)
    return _show_safely(FAILED)


def _show_safely(found: Explained) -> Response:
    """Return the page that says so, or its bare sentences where the page fails as well.

    It asks who is signed in, and the database may be what failed. An error that leaves the
    application would be logged by the server with the whole address: with what somebody searched.
    """
    try:
        return _show(found)
    except Exception as again:  # noqa: BLE001  # the last resort; it is logged, and the answer says 500
        current_app.logger.error("the page of an error failed: %s", type(again).__name__)  # noqa: TRY400  # its trace is logged above
        words = f"{found.refusal.message}\n{found.refusal.next_step}\n"
        return Response(words, found.status, content_type="text/plain; charset=utf-8")


def _asked() -> str:
    """Return the address for the log, without the secret that some addresses hold."""
    secret = (request.view_args or {}).get("secret")
    return request.path.replace(str(secret), "…") if secret else request.path


def _show(found: Explained) -> Response:
    if is_api():
        from fabctl_web.api.shape import refused  # noqa: PLC0415  # the API imports this module

        return refused([found.refusal], found.status)
    # Who sent a form goes back to it; whatever it was, what failed may be the way there too.
    back = _back() if request.method == "POST" and found.status < 500 else url_for("board.board")
    page = render_template("shared/error.html", found=found, back=back)
    return make_response(page, found.status)


def _back() -> str:
    from fabctl_web.people.signed_in import back_address  # noqa: PLC0415  # the same

    return back_address(request.referrer)
