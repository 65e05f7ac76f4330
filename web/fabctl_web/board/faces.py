"""What a machine looks like to everybody: a state's icon, word and pattern, and one end time.

Pure: a machine's view, its bookings and the time in, words out. No names of people.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from fabctl.interlock import InterlockState
from fabctl.messaging.interlocks import UNKNOWN, InterlockView
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
    "in-use": Look("busy", "user-round", _("In use")),
    "pausing": Look("paused", "pause", _("Pausing")),
    "paused": Look("paused", "pause", _("Paused")),
    "stopping": Look("busy", "octagon-x", _("Stopping")),
    "blocked": Look("blocked", "lock", _("Blocked")),
    "broken": Look("broken", "wrench", _("Broken")),
    "out-of-order": Look("broken", "wrench", _("Out of order")),
    "offline": Look("silent", "unplug", _("Offline")),
    "unknown": Look("silent", "circle-question-mark", _("Not known")),
}
LOCK_DETAILS = {
    InterlockState.BOOT: _("Interlock: starting up"),
    InterlockState.SELFTEST: _("Interlock: checks itself"),
    InterlockState.READY: _("Press the green button"),
    InterlockState.ARMED: _("Interlock: armed"),
    InterlockState.RUNNING: _("At work"),
    InterlockState.DRAIN: _("Finishes its work"),
    InterlockState.TRIPPED: _("Interlock: cut off"),
    InterlockState.FAULT: _("Interlock: fault"),
    UNKNOWN: _("Interlock: not known"),
}
"""What a card says of an interlock. LOCKED is how it rests: nothing needs to be said."""
OFF = frozenset({InterlockState.TRIPPED, InterlockState.FAULT})
HELD = frozenset({InterlockState.READY, InterlockState.ARMED})
"""Somebody has permission."""
RESTING = frozenset({"idle", "blocked"})
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


def face(
    name: str,
    view: MachineView,
    booked: Booked,
    now: datetime,
    speech: Speech,
    lock: InterlockView | None = None,
) -> Face:
    """Return the face of one machine at the moment ``now``.

    :param lock: its interlock; None for a machine without one.
    """
    look = LOOKS[look_key(view, booked, now, lock)]
    return Face(
        id=view.id,
        name=name,
        look=look,
        word=speech(look.word),
        detail=_lock_detail(view, lock, speech) or _detail(view, booked, now, speech),
        progress=view.progress if view.state in WORKING else None,
        ends_at=ends_at(view, now),
    )


def look_key(
    view: MachineView, booked: Booked, now: datetime, lock: InterlockView | None = None
) -> str:
    """Return which look a machine has; whatever is not a known state is unknown.

    What staff put out of order is shown as that, but for a job that is still on it. A machine
    that rests is never shown as free while nobody knows its interlock, or that is off, or while
    somebody has permission to use it.
    """
    if booked.out_of_order and view.state not in WORKING:
        return "out-of-order"
    if lock is not None and view.state in RESTING:
        if not lock.known:
            return "unknown"
        if lock.state in OFF:
            return "blocked"
        if lock.state in HELD:
            return "in-use"
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


def _lock_detail(view: MachineView, lock: InterlockView | None, speech: Speech) -> str:
    """Return a short word about the interlock; empty where the machine's own state says more."""
    if lock is None or view.state not in RESTING | {"running", "paused"}:
        return ""
    said = LOCK_DETAILS.get(lock.state)
    if said is None or (view.state == "running" and lock.state not in OFF and lock.known):
        return ""
    return speech(said)


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
