"""The audit trail: who did what to what, when. Written in the transaction that did it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.store.tables import Audit

SHELL = "shell:"
"""Begins the name of somebody who gave a command in a shell; their Unix user follows."""


SAID_BY_MACHINES = "machine."
"""Begins the lines of what machines report, and no others."""
NAMED = "by_its_word"
"""In the details of such a line: who asked, as the machine says. Nobody checked it."""


def person_in(who: str | None) -> str | None:
    """Return the person that a line's ``who`` names by id; None for a shell, and for nobody."""
    return None if who is None or who.startswith(SHELL) else who


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line of the trail."""

    at: datetime
    who: str | None
    what: str
    subject: str
    details: Mapping[str, Any]


def audit(
    session: Session,
    clock: Clock,
    who: str | None,
    what: str,
    subject: str,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add one line.

    :param who: a person's id, ``shell:<Unix user>``; None for nobody signed in, the steward, or
        what a machine reports: whom it names stands in the details, as :data:`NAMED`.
    :param what: ``noun.participle``, for instance ``reservation.made``.
    :param subject: ``noun:id``, for instance ``reservation:k3j…``.
    :param details: JSON values; no names, no secrets: a line can never be deleted.
    """
    session.add(
        Audit(at=clock.now(), who=who, what=what, subject=subject, details=dict(details or {}))
    )


def lines_about(session: Session, subject: str) -> list[AuditLine]:
    """Return the lines about one subject, oldest first."""
    rows = session.scalars(select(Audit).where(Audit.subject == subject).order_by(Audit.id))
    return [AuditLine(row.at, row.who, row.what, row.subject, row.details) for row in rows]
