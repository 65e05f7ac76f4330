"""Opening hours in forms: each period a time from and a time to; both blank: none.

An end that is not after its begin belongs to the next day. Times after 24:00 may also be written
on: 26:00 is two in the morning after.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time

from flask import request

from fabctl.model.booking_hours import DAY_MIN, LATEST_MIN, Periods
from fabctl_web.api.reading import malformed
from fabctl_web.forms import Form
from fabctl_web.speech import Speech

LEAST, SPARE = 2, 1
"""Pairs of fields for a day, and blank ones after those that are filled."""


def _(template: str) -> str:
    """Mark a sentence for the catalogue; it is translated where it is shown."""
    return template


MOST = 12
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")


@dataclass(frozen=True)
class Pair:
    """Two fields of a form."""

    opens: str
    closes: str
    """As it stands in the field."""
    long: bool
    """Longer than a day: its end does not fit a clock's field."""


def pairs(name: str, periods: Periods) -> list[Pair]:
    """Return the fields for a day's periods, some blank: what was typed goes first."""
    if request.method == "POST" and f"{name}-opens" in request.form:
        begins, ends = (request.form.getlist(f"{name}-{one}") for one in ("opens", "closes"))
        return [Pair(a, b, _needs_room(b)) for a, b in zip(begins, ends, strict=False)]
    found = [
        Pair(_field(opens), _field(closes, after=opens), closes - opens > DAY_MIN)
        for opens, closes in periods
    ]
    blank = max(LEAST - len(found), SPARE)
    return found + [Pair("", "", long=False)] * blank


def read(sent: Form, name: str) -> Periods:
    """Return the periods of one day; what cannot be read is noted in the form."""
    begins, ends = sent.several(f"{name}-opens", MOST), sent.several(f"{name}-closes", MOST)
    found = []
    for opens, closes in zip(begins, ends, strict=False):
        if not opens.strip() and not closes.strip():
            continue
        begin, end = _minutes(opens), _minutes(closes)
        if begin is None or end is None or begin >= DAY_MIN:
            sent.refusals.append(malformed(name))
            return ()
        found.append((begin, end + DAY_MIN if end <= begin else end))
    return tuple(sorted(found))


def in_words(periods: Periods, say: Speech) -> str:
    """Return a day's hours as people say them."""
    if not periods:
        return say(_("closed"))
    return ", ".join(
        say(_("{start} to {end}"), start=_spoken(opens, say), end=_spoken(closes, say))
        for opens, closes in periods
    )


def week_in_words(week: Mapping[int, Periods], say: Speech) -> list[str]:
    """Return the hours of Monday to Sunday."""
    return [in_words(week.get(day, ()), say) for day in range(7)]


def _spoken(minutes: int, say: Speech) -> str:
    if minutes == DAY_MIN:
        return say(_("midnight"))
    clock = say.wall(time(*divmod(minutes % DAY_MIN, 60)))
    return say(_("{time} the day after"), time=clock) if minutes > DAY_MIN else clock


def _needs_room(closes: str) -> bool:
    """Say whether what was typed is no time that a clock's field could show."""
    minutes = _minutes(closes)
    return bool(closes.strip()) and (minutes is None or minutes >= DAY_MIN)


def _field(minutes: int, after: int | None = None) -> str:
    """Return a time as its field has it; within a day of ``after`` as a clock shows it."""
    if after is not None and minutes - after <= DAY_MIN:
        minutes %= DAY_MIN
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _minutes(written: str) -> int | None:
    found = _CLOCK.fullmatch(written.strip())
    if found is None or int(found[2]) > 59:
        return None
    minutes = int(found[1]) * 60 + int(found[2])
    return minutes if minutes <= LATEST_MIN else None
