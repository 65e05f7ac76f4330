"""What people can be told, and in which words. Who reads it chooses the language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fabctl.model.texts import Text, text


class Code(StrEnum):
    """What a notice says. Codes are part of the API and never change meaning."""

    NO_SHOW = "no-show"
    OFFERED = "offered"
    OFFER_LAPSED = "offer-lapsed"
    WAIT_ENDED = "wait-ended"
    FREED_BEFORE = "freed-before"
    CANCELLED_BY_STAFF = "cancelled-by-staff"
    MOVED_BY_STAFF = "moved-by-staff"
    REMINDER = "reminder"
    EXPIRY_WARNED = "expiry-warned"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    SESSION_CANCELLED = "session-cancelled"
    SESSION_MOVED = "session-moved"
    SESSION_ELSEWHERE = "session-elsewhere"
    SESSION_REMINDER = "session-reminder"
    PLACE_OFFERED = "place-offered"
    PLACE_LAPSED = "place-lapsed"
    CERTIFICATE_READY = "certificate-ready"
    REPORT_ANSWERED = "report-answered"
    MAINTENANCE_DUE = "maintenance-due"
    TASK_GIVEN = "task-given"
    CHECK_PASSED = "check-passed"
    CHECK_NOT_PASSED = "check-not-passed"


@dataclass(frozen=True, slots=True)
class Wording:
    """A heading (the subject of a mail) and what there is to say.

    ``{what}`` is the name of the machine or the title of the workshop, ``{when}`` the slot,
    ``{until}`` the deadline.
    """

    heading: Text
    body: Text


WORDINGS: Mapping[Code, Wording] = {
    Code.NO_SHOW: Wording(
        text("Missed: {what}"),
        text("You did not check in for {what} ({when}). Your slot was given back."),
    ),
    Code.OFFERED: Wording(
        text("A slot is free: {what}"),
        text("The slot that you wait for is free: {what}, {when}. Take it before {until}."),
    ),
    Code.OFFER_LAPSED: Wording(
        text("The slot is gone: {what}"),
        text("You did not answer in time. {what}, {when}, went to somebody else."),
    ),
    Code.WAIT_ENDED: Wording(
        text("You wait no more: {what}"),
        text("It is closed then, so you wait no more: {what}, {when}."),
    ),
    Code.FREED_BEFORE: Wording(
        text("Free earlier: {what}"),
        text("{what} is free already. Your reservation: {when}."),
    ),
    Code.CANCELLED_BY_STAFF: Wording(
        text("Cancelled: {what}"),
        text("The staff cancelled your reservation: {what}, {when}."),
    ),
    Code.MOVED_BY_STAFF: Wording(
        text("Moved: {what}"),
        text("The staff moved your reservation. It is now: {what}, {when}."),
    ),
    Code.REMINDER: Wording(
        text("Soon: {what}"),
        text("You have a reservation: {what}, {when}. Cancel it if you cannot come."),
    ),
    Code.EXPIRY_WARNED: Wording(
        text("Your certification ends soon: {what}"),
        text("Your certification for {what} ends: {until}. Have it renewed before."),
    ),
    Code.EXPIRED: Wording(
        text("Your certification has ended: {what}"),
        text("Your certification for {what} has ended: {until}. Have it renewed."),
    ),
    Code.SUSPENDED: Wording(
        text("Your certification is suspended: {what}"),
        text("You may not use {what} for now. Talk to the staff."),
    ),
    Code.SESSION_CANCELLED: Wording(
        text("Cancelled: {what}"),
        text("This session does not take place: {what}, {when}."),
    ),
    Code.SESSION_MOVED: Wording(
        text("Moved: {what}"),
        text("This session has another time. It is now: {what}, {when}."),
    ),
    Code.SESSION_ELSEWHERE: Wording(
        text("Another place: {what}"),
        text("This session takes place elsewhere: {what}, {when}. Its page says where."),
    ),
    Code.SESSION_REMINDER: Wording(
        text("Soon: {what}"),
        text("You have a place in a session: {what}, {when}. Cancel it if you cannot come."),
    ),
    Code.PLACE_OFFERED: Wording(
        text("A place is free: {what}"),
        text("A place is free for you: {what}, {when}. Accept it before {until}."),
    ),
    Code.PLACE_LAPSED: Wording(
        text("No place any more: {what}"),
        text("Your wait for a place has ended: {what}, {when}."),
    ),
    Code.CERTIFICATE_READY: Wording(
        text("Your certificate is ready: {what}"),
        text("Your certificate for {what} is ready. You find it on your page."),
    ),
    Code.REPORT_ANSWERED: Wording(
        text("An answer to your report: {what}"),
        text("The staff answered the problem that you reported: {what}."),
    ),
    Code.MAINTENANCE_DUE: Wording(
        text("Maintenance: {what}"),
        text("A machine that you look after is due for maintenance: {what}."),
    ),
    Code.CHECK_PASSED: Wording(
        text("Passed: your check on {what}"),
        text("A trainer saw you work on {what}: well done."),
    ),
    Code.CHECK_NOT_PASSED: Wording(
        text("Not passed yet: your check on {what}"),
        text("Your check on {what} is not passed yet. Practise, then ask again."),
    ),
    Code.TASK_GIVEN: Wording(text("A new task for you"), text("You have a new task.")),
}
"""The sentences; a guardian's begin with whom they are about."""

ABOUT = text("For {name}: {said}")
STAFF_WROTE = text("The staff wrote: {words}")

CANCELLATIONS = frozenset({Code.CANCELLED_BY_STAFF, Code.SESSION_CANCELLED, Code.NO_SHOW})
"""After these a calendar's entry is to be taken out."""
CALENDAR_ENTRIES = frozenset(
    {Code.MOVED_BY_STAFF, Code.REMINDER, Code.SESSION_MOVED, Code.SESSION_REMINDER}
)
"""With these somebody has a date that belongs in their calendar."""


def useless_from(code: Code, start: datetime | None, until: datetime | None) -> datetime | None:
    """Return from when on a notice needs no mail any more; None: it stays worth reading."""
    if code in {Code.OFFERED, Code.PLACE_OFFERED}:
        return until
    if code in {Code.REMINDER, Code.SESSION_REMINDER, Code.FREED_BEFORE}:
        return start
    return None
