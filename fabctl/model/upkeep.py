"""After use: who may say what about a machine, and who looks after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fabctl.model.people import Role
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text

ANSWER_WITHIN = timedelta(hours=24)
"""So long after a use its person may still say how they left the machine."""
SHORT = 120
"""Characters of a line: a summary, a title, a material, what happens next."""
LONG = 4000
"""Characters of details and instructions."""


class ProblemKind(StrEnum):
    """What a problem report is about."""

    DIRTY = "dirty"
    DAMAGED = "damaged"
    OTHER = "other"


# -- words ------------------------------------------------------------------------------------


def words_refusals(words: str, most: int, *, needed: bool = True) -> list[Refusal]:
    """Say what is wrong with somebody's words (blanks around them cut off)."""
    if needed and not words:
        return [
            Refusal(
                "words-missing",
                text("Some words are missing here."),
                text("Say in a few words what it is about."),
            )
        ]
    if len(words) > most:
        return [
            Refusal(
                "words-too-long",
                text("These words are too long: {most} characters at most.", most=most),
                text("Say it shorter."),
            )
        ]
    return []


# -- after a use ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AfterUseFacts:
    """Somebody says something about a use: how the machine was left, which material."""

    now: datetime
    own: bool
    """Whether it is their own use."""
    staff: bool
    closed_at: datetime | None
    """None: it has not ended."""


def after_use_refusals(facts: AfterUseFacts) -> list[Refusal]:
    """Say why somebody may not speak about a use; the staff may, at any time."""
    if facts.staff:
        return []
    if not facts.own:
        return [
            Refusal(
                "not-yours",
                text("Somebody else used this machine then."),
                text("Report a problem instead."),
            )
        ]
    if facts.closed_at is not None and facts.now - facts.closed_at > ANSWER_WITHIN:
        return [
            Refusal(
                "answer-too-late",
                text("This use ended too long ago."),
                text("Report a problem, or tell the staff."),
            )
        ]
    return []


# -- problems ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StopperFacts:
    """Somebody who reports a problem wants the machine out of order."""

    now: datetime
    staff: bool
    certified: bool
    """In whatever standing but none, expired or suspended."""
    last_used_at: datetime | None
    """When their last use of it ended; now while it is open; None: never."""


def stopper_refusals(facts: StopperFacts) -> list[Refusal]:
    """Say why somebody may not put a machine out of order: they do not know it."""
    lately = facts.last_used_at is not None and facts.now - facts.last_used_at <= ANSWER_WITHIN
    if facts.staff or facts.certified or lately:
        return []
    return [
        Refusal(
            "may-not-stop-machine",
            text("Only who knows this machine may put it out of order."),
            text("Report the problem without it: the staff decide."),
        )
    ]


def settled_refusal() -> Refusal:
    """Return the refusal for a report that is settled."""
    return Refusal(
        "already-settled",
        text("This problem is settled already."),
        text("Report a new problem if it is back."),
    )


def repair_refusals(*, settled: bool, in_hand: bool) -> list[Refusal]:
    """Say why no task can be made of a report: nothing is left to do, or somebody has it."""
    if settled:
        return [settled_refusal()]
    if not in_hand:
        return []
    return [
        Refusal(
            "has-a-task",
            text("Somebody of the team has this as a task already."),
            text("Look at the tasks of this machine."),
        )
    ]


# -- tasks ------------------------------------------------------------------------------------


def owner_refusals(role: Role) -> list[Refusal]:
    """Say why somebody cannot own a task: members do not."""
    if role is not Role.MEMBER:
        return []
    return [
        Refusal(
            "owner-not-staff",
            text("A task belongs to somebody of the team."),
            text("Choose somebody of the team."),
        )
    ]


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """Somebody ends a task."""

    staff: bool
    owner: bool
    ended: bool
    planned: bool
    """Made by the steward for planned maintenance."""
    dropping: bool
    """Ended without being done."""


def task_refusals(facts: TaskFacts) -> list[Refusal]:
    """Say everything against ending a task in this way."""
    found = []
    if not (facts.staff or facts.owner):
        found.append(
            Refusal(
                "not-yours",
                text("This task belongs to somebody else."),
                text("Ask who owns it, or the staff."),
            )
        )
    if facts.ended:
        found.append(
            Refusal(
                "task-ended",
                text("This task has ended already."),
                text("Make a new task if there is more to do."),
            )
        )
    if facts.planned and facts.dropping:
        found.append(
            Refusal(
                "task-is-planned",
                text("This maintenance is planned, and comes back."),
                text("Do it, or end its plan."),
            )
        )
    return found
