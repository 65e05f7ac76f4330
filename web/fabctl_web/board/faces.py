"""What a machine looks like to everybody: a state's icon, word and pattern, and one end time.

Pure: a machine's view, its bookings and the time in, words out. No names of people.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from fabctl.messaging.lab_view import MachineView
from fabctl.model.access import WORKING
from fabctl_web.board.bookings import Booked
from fabctl_web.speech import Speech


@dataclass(frozen=True)
class Look:
    """How a state looks; ``css`` names its pattern and colour."""

    css: str
    icon: str
    word: str
    """English; the catalogue has the others."""


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


LOOKS = {
    "free": Look("free", "check", _("Free")),
    "reserved": Look("reserved", "calendar-clock", _("Reserved")),
    "preparing": Look("busy", "hourglass", _("Preparing")),
    "running": Look("busy", "clock", _("Busy")),
    "pausing": Look("paused", "pause", _("Pausing")),
    "paused": Look("paused", "pause", _("Paused")),
    "stopping": Look("busy", "octagon-x", _("Stopping")),
    "blocked": Look("blocked", "lock", _("Blocked")),
    "broken": Look("broken", "wrench", _("Broken")),
    "out-of-order": Look("broken", "wrench", _("Out of order")),
    "offline": Look("silent", "unplug", _("Offline")),
    "unknown": Look("silent", "circle-question-mark", _("Not known")),
}
DETAILS = {
    "pausing": _("Comes to rest"),
    "paused": _("Waits for somebody"),
    "broken": _("Somebody must check it"),
}


@dataclass(frozen=True)
class Face:
    """One machine as the board shows it; every string is ready to be shown."""

    id: str
    name: str
    look: Look
    word: str
    detail: str
    progress: float | None
    """0 to 1, while a job is on the machine."""
    ends_at: datetime | None


def face(name: str, view: MachineView, booked: Booked, now: datetime, speech: Speech) -> Face:
    """Return the face of one machine at the moment ``now``."""
    look = LOOKS[look_key(view, booked, now)]
    return Face(
        id=view.id,
        name=name,
        look=look,
        word=speech(look.word),
        detail=_detail(view, booked, now, speech),
        progress=view.progress if view.state in WORKING else None,
        ends_at=ends_at(view, now),
    )


def look_key(view: MachineView, booked: Booked, now: datetime) -> str:
    """Return which look a machine has; whatever is not a known state is unknown.

    What staff put out of order is shown as that, but for a job that is still on it.
    """
    if booked.out_of_order and view.state not in WORKING:
        return "out-of-order"
    if view.state == "idle":
        return "reserved" if booked.now(now) else "free"
    return view.state if view.state in LOOKS else "unknown"


def ends_at(view: MachineView, now: datetime) -> datetime | None:
    """Return when the running job is expected to end; None when nobody can say."""
    if view.state != "running" or view.eta_s is None:
        return None
    return now + timedelta(seconds=view.eta_s)


def _detail(view: MachineView, booked: Booked, now: datetime, speech: Speech) -> str:
    ends = ends_at(view, now)
    if ends is not None:
        return speech("Ends around {time}", time=speech.moment(ends, now))
    if booked.out_of_order and view.state not in WORKING:
        return booked.out_of_order.reason
    if view.state == "idle":
        return _booking_detail(booked, now, speech)
    if view.state == "unknown":
        return _silence(view, speech)
    return speech(DETAILS[view.state]) if view.state in DETAILS else ""


def _booking_detail(booked: Booked, now: datetime, speech: Speech) -> str:
    limit = booked.busy_until if booked.now(now) else booked.next_start
    if limit is None:
        return ""
    if limit - now > timedelta(hours=24):
        return speech("until {time}", time=speech.day(limit, now))
    return speech("until {time}", time=speech.moment(limit, now))


def _silence(view: MachineView, speech: Speech) -> str:
    if view.age_s is None:
        return speech("No news yet")
    return speech("No news for {time}", time=speech.lasting(view.age_s))
