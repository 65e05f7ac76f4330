"""What every table holds about a person, and what becomes of it when their data are erased.

A test holds this list against the tables: a new table with a person in it must be added here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Fate(StrEnum):
    """What erasure does with a person's rows of one table."""

    DELETE = "delete"
    BLANK = "blank"
    """What could tell who it was is overwritten; the row stays for statistics and history."""
    KEEP = "keep"
    """Nothing in it tells who it was, once the person's own row is blank."""


NOBODY = "–"
"""Stands where a name was."""


@dataclass(frozen=True, slots=True)
class Held:
    """One table's rows about a person."""

    table: str
    column: str
    """Whose value is the person's id; or, with ``through``, that of a row of another table."""
    fate: Fate
    blank: Mapping[str, Any] = field(default_factory=dict)
    secret: Sequence[str] = ()
    """Never handed out, not even to the person."""
    through: str | None = None
    """The table that is the person's, whose ``id`` the column names."""
    through_key: str = "id"
    """The column of ``through`` that this one's ``column`` is compared with."""


HELD: Sequence[Held] = (
    Held(
        "person",
        "id",
        Fate.BLANK,
        {"display_name": NOBODY, "search_name": NOBODY, "language": None, "role": "member"},
    ),
    Held("account", "person_id", Fate.BLANK, {"name": NOBODY, "suspended_reason": None}),
    Held("credential", "person_id", Fate.DELETE, secret=("password_hash", "pin_hash")),
    Held("badge", "person_id", Fate.DELETE, secret=("badge_hash",)),
    Held("sign_in", "person_id", Fate.DELETE, secret=("token_hash",)),
    Held("api_token", "person_id", Fate.DELETE, secret=("token_hash",)),
    Held("feed", "person_id", Fate.DELETE, secret=("token_hash",)),
    Held("birth_date", "person_id", Fate.DELETE),
    Held("consent_form", "person_id", Fate.DELETE),
    Held("guardianship", "child_id", Fate.DELETE),
    Held("guardianship", "guardian_id", Fate.DELETE),
    Held("account_member", "person_id", Fate.DELETE),
    Held("given_right", "person_id", Fate.DELETE),
    Held("lab_presence", "person_id", Fate.DELETE),
    Held("mail_address", "person_id", Fate.DELETE),
    Held("mail", "notice_id", Fate.DELETE, through="notice"),
    Held("notice", "person_id", Fate.DELETE),
    Held("quiz_attempt", "person_id", Fate.DELETE),
    Held("waiting", "person_id", Fate.DELETE),
    Held("certification", "person_id", Fate.BLANK, {"reason": None}),
    Held("course_check", "person_id", Fate.KEEP),
    Held("session_note", "written_by", Fate.DELETE),
    Held("enrolment_needs", "enrolment_id", Fate.DELETE, through="enrolment"),
    Held("attendance_mark", "enrolment_id", Fate.KEEP, through="enrolment"),
    Held("enrolment", "person_id", Fate.KEEP),
    Held("certificate", "person_id", Fate.KEEP),
    Held("session_animator", "person_id", Fate.KEEP),
    Held("claim", "id", Fate.BLANK, {"note": None}, through="reservation", through_key="claim_id"),
    Held("reservation", "person_id", Fate.KEEP),
    Held("job", "person_id", Fate.BLANK, {"name": NOBODY, "report": "", "reason": None}),
    Held("use_material", "use_id", Fate.DELETE, through="use"),
    Held("use_answer", "person_id", Fate.KEEP),
    Held("use", "person_id", Fate.KEEP),
    Held("problem_report", "person_id", Fate.KEEP),  # the database keeps it as it was written
    Held("maintenance_done", "person_id", Fate.KEEP),  # the same
    Held("maintenance_plan", "owner_id", Fate.KEEP),
    Held("upkeep_task", "owner_id", Fate.KEEP),
    Held("interlock_event", "person_id", Fate.KEEP),  # the same
)

ACTED: Mapping[str, Sequence[str]] = {
    # who did something to somebody else's rows: an id of theirs, which names nobody afterwards
    "audit": ("who",),
    "certification": ("by",),
    "consent_form": ("recorded_by",),
    "course_check": ("by",),
    "reservation": ("made_by", "cancelled_by"),
    "enrolment": ("made_by", "ended_by", "passed_by"),
    "attendance_mark": ("by",),
    "certificate": ("issued_by",),
    "session_opening": ("opened_by", "closed_by"),
    "notice": ("about_id",),
    "problem_report": ("settled_by",),
    "upkeep_task": ("ended_by",),
}
