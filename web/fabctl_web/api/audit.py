"""The audit trail, for programs of the staff."""

from __future__ import annotations

from werkzeug.wrappers import Response

from fabctl.services import audit_trail
from fabctl.services.audit_trail import TrailLine
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.reading import MalformedError, Page, malformed
from fabctl_web.api.shape import Json, instant
from fabctl_web.lab import current_lab

area = api_area("audit")

_DIGITS = 15


@area.get("/audit")
def trail() -> Response:
    """List what was done, the newest first."""
    who, asked = caller().id, reading.page()
    before = number_before(asked)
    with reading.query() as sent:
        subject, done_by = sent.maybe_text("subject"), sent.maybe_text("who")
    with current_lab().db.reading() as db:
        found = audit_trail.trail(
            db, by=who, subject=subject, who=done_by, before=before, limit=asked.limit + 1
        )
    return reading.paged("lines", found, asked, line_key, line_json, newest_first=True)


def line_key(line: TrailLine) -> tuple[str, ...]:
    """Return a line's place in a list; texts of one length order as their numbers do."""
    return (f"{line.number:0{_DIGITS}}",)


def number_before(asked: Page) -> int | None:
    """Return the number of the last line that was shown; None: from the newest.

    :raises MalformedError: this is no cursor of such a list.
    """
    if asked.after is None:
        return None
    number = asked.after[0] if len(asked.after) == 1 else ""
    if len(number) != _DIGITS or not (number.isascii() and number.isdigit()):
        raise MalformedError([malformed("cursor")])
    return int(number)


def line_json(line: TrailLine) -> Json:
    """Return a line of the trail."""
    return {
        "at": instant(line.at),
        "who": line.who,
        "what": line.what,
        "subject": line.subject,
        "details": dict(line.details),
    }
