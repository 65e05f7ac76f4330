"""Policies: the numbers of booking's rules, set by the staff; every version stays in the audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.booking_policy import BookingRules, Reach, Scope, effective, policy_refusals
from fabctl.model.refusal import RefusedError
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.rights import require_staff
from fabctl.store.tables import Resource
from fabctl.store.tables_booking import Policy

Policies = Sequence[tuple[Scope, Mapping[str, Any]]]


def set_policy(
    session: Session, clock: Clock, *, scope: Scope, numbers: Mapping[str, Any], by: str | None
) -> None:
    """Set all numbers of one scope (see :data:`fabctl.model.booking_policy.NUMBERS`).

    A number that is left out inherits from the wider scope.

    :raises RefusedError: every number that cannot be; staff-only.
    :raises UnknownIdError: no such resource.
    """
    require_staff(session, by)
    if refusals := policy_refusals(numbers):
        raise RefusedError(refusals)
    if scope.reach is Reach.RESOURCE:
        lookups.resource(session, scope.subject)
    key = (scope.reach.value, scope.subject)
    row = session.get(Policy, key, with_for_update=True)
    before = dict(row.numbers) if row else {}
    if row is None:
        row = Policy(reach=key[0], subject=key[1], version=0)
        session.add(row)
    row.numbers, row.changed_at, row.version = dict(numbers), clock.now(), row.version + 1
    session.flush()
    details = {"version": row.version, "before": before, "after": dict(numbers)}
    audit(session, clock, by, "policy.changed", f"policy:{scope.reach}:{scope.subject}", details)


def all_policies(session: Session) -> Policies:
    """Return every policy with its scope."""
    return [
        (Scope(Reach(row.reach), row.subject), row.numbers)
        for row in session.scalars(select(Policy))
    ]


def rules_of(policies: Policies, resource: Resource) -> BookingRules:
    """Return the numbers that hold for a resource."""
    applying = [
        (scope, numbers)
        for scope, numbers in policies
        if scope.covers(resource.id, resource.category)
    ]
    return effective(applying)


def rules_for(session: Session, resource: Resource) -> BookingRules:
    """Return the numbers that hold for a resource, read now."""
    return rules_of(all_policies(session), resource)
