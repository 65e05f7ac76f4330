"""What people send in forms: fields as in the API, and moments on the lab's clocks.

Everything that cannot be read is reported at once; nothing of it is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from flask import request

from fabctl.model.refusal import Refusal
from fabctl.model.texts import text
from fabctl_web.api.reading import MalformedError, Sent, malformed
from fabctl_web.lab import current_lab

NOT_READ = Refusal(
    "malformed",
    text("Something in this form is missing or cannot be read."),
    text("Check the fields of the form and send it again."),
)
"""What people read of a form that a program would be told field by field."""


class Form(Sent):
    """The fields of a form. A blank field is one that was left out."""

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__({name: value for name, value in request.form.items() if value.strip()})
        self._zone = zone

    def ticked(self, name: str) -> bool:
        """Say whether a box is ticked."""
        return request.form.get(name) == "1"

    def several(self, name: str, most: int = 200) -> list[str]:
        """Return the values of all ticked boxes of one name."""
        found = request.form.getlist(name)
        if len(found) > most or any(len(one) > 200 or "\0" in one for one in found):
            self.refusals.append(malformed(name))
            return []
        return found

    def moment(self, day: str, clock: str) -> datetime:
        """Return the instant of a day and a time on the lab's clocks, in UTC.

        One that a clock change skips is malformed; of one that comes twice, the first.
        """
        try:
            return instant(request.form[day], request.form[clock], self._zone)
        except (LookupError, ValueError, OverflowError):
            self.refusals.append(malformed(f"{day} {clock}"))
            return datetime.min.replace(tzinfo=UTC)


def instant(day: str, clock: str, zone: ZoneInfo) -> datetime:
    """Return the instant of a wall clock time, in UTC.

    :raises ValueError: it is none, or one that a clock change skips.
    """
    wall = datetime.combine(date.fromisoformat(day), time.fromisoformat(clock))
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    if wall.tzinfo or found.astimezone(zone).replace(tzinfo=None) != wall:
        raise ValueError(clock)
    return found


@contextmanager
def form() -> Iterator[Form]:
    """Yield the fields of the form that was sent.

    :raises MalformedError: at the end, for wrong fields: all of them.
    """
    sent = Form(current_lab().config.time_zone)
    yield sent
    if sent.refusals:
        raise MalformedError(sent.refusals)
