"""Who may say that a broken machine may be used again, after looking at it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.certification import Standing
from fabctl.model.people import Role
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text
from fabctl.services import lookups
from fabctl.services.certifications import standing_at

_NOT_YOURS_TO_CLEAR = Refusal(
    "not-allowed-to-clear",
    text("Only certified people and the staff may release this machine."),
    text("Ask the staff to look at it with you."),
)


def may_clear(session: Session, clock: Clock, *, person_id: str, resource_id: str) -> list[Refusal]:
    """Return what speaks against it; an empty list is the only permission.

    Whoever is certified on the machine knows what to look at; so do the people who act for
    others in the lab. A suspended account may not.

    :raises UnknownIdError: no such person or machine.
    """
    person = lookups.person(session, person_id)
    lookups.resource(session, resource_id)
    in_order = lookups.own_account(session, person_id).suspended_at is None
    certified = standing_at(session, person_id, resource_id, clock.now()) is Standing.VALID
    if in_order and (certified or Role(person.role).acts_for_others):
        return []
    return [_NOT_YOURS_TO_CLEAR]
