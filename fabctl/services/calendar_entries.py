"""One reservation as a calendar entry (RFC 5545), to be put into a calendar by hand."""

from __future__ import annotations

from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.mail import one_line
from fabctl.services import lookups, reservation_lists

SEQUENCE_FROM = 1_700_000_000
"""A moment in 2023 (s since 1970): sequence numbers are 32 bits and begin small."""


def of_reservation(session: Session, clock: Clock, *, reservation_id: str, by: str) -> bytes:
    """Return a reservation as iCalendar text, as it is now; one that is off is cancelled.

    Its UID is the one that calendar feeds and mails have, so that programs see one entry. What
    was put there before gives way: a later word about a date has a greater number (RFC 5545,
    section 3.8.7.4).

    :raises UnknownIdError: there is no such reservation, or it is not theirs to see.
    """
    from icalendar import Calendar, Event  # noqa: PLC0415  # 55 ms that only this needs

    found = reservation_lists.readable(session, reservation_id=reservation_id, by=by)
    calendar, entry = Calendar(), Event()
    calendar.add("prodid", "-//fabctl//fabctl//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    entry.add("uid", f"{found.id}@fabctl")
    entry.add("dtstamp", clock.now())
    entry.add("sequence", int(clock.now().timestamp()) - SEQUENCE_FROM)
    entry.add("dtstart", found.start)
    entry.add("dtend", found.end)
    entry.add("summary", one_line(lookups.resource_of_old(session, found.resource_id).name))
    entry.add("status", "CANCELLED" if found.cancelled_at else "CONFIRMED")
    calendar.add_component(entry)
    return bytes(calendar.to_ical())
