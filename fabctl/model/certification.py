"""Operator certification: what the rows of a person's history mean at a given moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fabctl.model.refusal import Refusal
from fabctl.model.texts import text


class Level(StrEnum):
    """How far a certification goes."""

    SUPERVISED = "supervised"
    """Only while a trainer for that machine is checked in."""
    AUTONOMOUS = "autonomous"
    TRAINER = "trainer"
    """Autonomous, and may certify others on it."""


class Change(StrEnum):
    """What a row of the history did. Rows are only ever added."""

    GRANTED = "granted"
    SUSPENDED = "suspended"
    REINSTATED = "reinstated"


@dataclass(frozen=True, slots=True)
class CertificationChange:
    """One row of the history of one person on one machine."""

    change: Change
    at: datetime
    level: Level | None = None
    """Of a grant; else None."""
    expires_at: datetime | None = None
    """Of a grant: the last moment it holds; None means never."""


class Standing(StrEnum):
    """What a history amounts to. Only VALID permits."""

    VALID = "valid"
    SUPERVISED = "supervised"
    NONE = "none"
    EXPIRED = "expired"
    SUSPENDED = "suspended"


def standing(history: Sequence[CertificationChange], at: datetime) -> Standing:
    """Return what a history (oldest row first) amounts to at the moment ``at``.

    A suspension lasts until a reinstatement or a new grant; a reinstatement brings back the
    last grant with its own expiry, it does not renew it.
    """
    grant: CertificationChange | None = None
    suspended = False
    for row in history:
        grant = row if row.change is Change.GRANTED else grant
        suspended = row.change is Change.SUSPENDED
    if grant is None:
        return Standing.NONE
    if suspended:
        return Standing.SUSPENDED
    if grant.expires_at is not None and grant.expires_at < at:
        return Standing.EXPIRED
    return Standing.SUPERVISED if grant.level is Level.SUPERVISED else Standing.VALID


_REFUSALS = {
    Standing.NONE: Refusal(
        "not-certified",
        text("You are not certified on this machine yet."),
        text("Ask for the training on this machine."),
    ),
    Standing.EXPIRED: Refusal(
        "certification-expired",
        text("Your certification on this machine has expired, or ends too early."),
        text("Ask a trainer to renew it."),
    ),
    Standing.SUSPENDED: Refusal(
        "certification-suspended",
        text("Your certification on this machine is suspended."),
        text("Talk to a trainer about it."),
    ),
    Standing.SUPERVISED: Refusal(
        "supervision-missing",
        text("Your certification asks for a trainer beside you."),
        text("Ask a trainer of this machine to check in."),
    ),
}


def refusal_for(found: Standing) -> Refusal | None:
    """Return why this standing does not permit; None for VALID, the only one that does."""
    return None if found is Standing.VALID else _REFUSALS[found]
