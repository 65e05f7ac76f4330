"""Who looked at a person's file, one page at a time: for the person, and for the staff."""

from __future__ import annotations

from sqlalchemy.orm import Session

from fabctl.services import personal_data
from fabctl.services.personal_data import Reading
from fabctl_web import tables


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


WORDS = {
    "attendance.read": _("Attendance sheet"),
    "needs.read": _("Special needs"),
    "consent.read": _("Consent form"),
    "person.exported": _("All data"),
}
MOST_DIGITS = 18
"""What every database keeps as a number."""


def page_of(db: Session, person_id: str) -> tuple[list[Reading], str | None]:
    """Return who looked, the latest first, and the address of the next page if there is one."""
    key = tables.after() or ("",)
    before = int(key[0]) if _is_number(key[0]) else None
    found, more = personal_data.read_lately(db, person_id=person_id, before=before)
    following = tables.next_address((str(found[-1].number),)) if more else None
    return found, f"{following}#readings" if following else None


def _is_number(said: str) -> bool:
    return said.isascii() and said.isdigit() and len(said) <= MOST_DIGITS
