"""Attendance: one tap per person. Marks may come twice, late and in any order.

A console notes marks while the network is away and sends them later, each with an id that it made
itself. What counts depends only on the set of marks, not on when or how often they arrived.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fabctl.model.booking import Slot
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text

OPENS_BEFORE = timedelta(hours=2)
"""So long before a session its sheet can be filled in."""

CLOSES_AFTER = timedelta(days=14)
"""So long after a session a console may still send what it noted."""

MOST_CHARACTERS = 64
"""Of a mark's id; a UUID has 36."""


class Presence(StrEnum):
    """What a tap says."""

    PRESENT = "present"
    LATE = "late"
    ABSENT = "absent"

    @property
    def was_there(self) -> bool:
        """Whether the person took part."""
        return self is not Presence.ABSENT


@dataclass(frozen=True, slots=True)
class Mark:
    """One tap on one person: a presence, or the undoing of an earlier mark."""

    id: str
    """Made by the console, for ever this mark's."""
    at: datetime
    """By the console's clock."""
    presence: Presence | None = None
    undoes: str | None = None
    """The id of the mark that is taken back; it need not have arrived yet."""


def mark_that_counts(marks: Iterable[Mark]) -> Mark | None:
    """Return the latest mark that was not undone; None: nobody has tapped."""
    known = list(marks)
    undone = {mark.undoes for mark in known if mark.undoes is not None}
    standing = [mark for mark in known if mark.presence is not None and mark.id not in undone]
    return max(standing, key=lambda mark: (mark.at, mark.id)) if standing else None


def presence_of(marks: Iterable[Mark]) -> Presence | None:
    """Return what counts; None: nobody has tapped."""
    found = mark_that_counts(marks)
    return found.presence if found else None


def mark_refusals(mark: Mark, session: Slot, now: datetime) -> list[Refusal]:
    """Say what is wrong with a mark: its id, what it says, or a sheet that is closed.

    The hour that counts is the console's; a sheet that was filled in on the day may come later.
    """
    found = []
    if not 1 <= len(mark.id) <= MOST_CHARACTERS or (mark.presence is None) == (mark.undoes is None):
        found.append(mark_malformed())
    if mark.at < session.start - OPENS_BEFORE or now < session.start - OPENS_BEFORE:
        found.append(
            Refusal(
                "sheet-not-open",
                text("The attendance sheet opens two hours before the session."),
                text("Come back later."),
            )
        )
    if now > session.end + CLOSES_AFTER:
        found.append(
            Refusal(
                "sheet-closed",
                text("The attendance sheet closed two weeks after the session."),
                text("Tell the staff, who can write it down elsewhere."),
            )
        )
    return found


def mark_malformed() -> Refusal:
    """Return the refusal for a mark that says nothing, or of a place in another session."""
    return Refusal(
        "mark-malformed",
        text("This mark of attendance cannot be read."),
        text("Reload the sheet and tap again."),
    )


def mark_reused() -> Refusal:
    """Return the refusal for a mark that bears another mark's id."""
    return Refusal(
        "mark-id-reused",
        text("Another mark of attendance has this id."),
        text("Reload the sheet and tap again."),
    )
