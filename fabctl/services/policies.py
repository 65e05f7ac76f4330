"""Policies: the numbers of booking's rules, set by the staff; every version stays in the audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import InputError
from fabctl.model.booking_policy import BookingRules, Reach, Scope, effective, policy_refusals
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import text
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.rights import require_staff
from fabctl.store.tables import Resource
from fabctl.store.tables_booking import Policy

Policies = Sequence[tuple[Scope, Mapping[str, Any]]]


_CHANGED = Refusal(
    "policy-changed",
    text("Somebody has changed these rules in the meantime."),
    text("Look at what holds now, then set them again."),
)


def set_policy(  # whose numbers, which, and what the caller saw before
    session: Session,
    clock: Clock,
    *,
    scope: Scope,
    numbers: Mapping[str, Any],
    by: str | None,
    seen: int | None = None,
) -> PolicyView:
    """Set all numbers of one scope (see :data:`fabctl.model.booking_policy.NUMBERS`).

    A number that is left out inherits from the wider scope.

    :param seen: the version that the caller saw, 0 for none; None: whichever there is.
    :raises RefusedError: every number that cannot be; staff-only; changed since it was seen.
    :raises InputError: a subject for the whole lab, or none for a category.
    :raises UnknownIdError: no such resource.
    """
    require_staff(session, by)
    if (scope.reach is Reach.LAB) != (scope.subject == ""):
        raise InputError("a policy of the lab has no subject, every other has one")
    if refusals := policy_refusals(numbers):
        raise RefusedError(refusals)
    if scope.reach is Reach.RESOURCE:
        lookups.resource(session, scope.subject)
    key = (scope.reach.value, scope.subject)
    row = session.get(Policy, key, with_for_update=True)
    if seen is not None and seen != (row.version if row else 0):
        raise RefusedError([_CHANGED])
    before = dict(row.numbers) if row else {}
    if row is None:
        row = Policy(reach=key[0], subject=key[1], version=0)
        session.add(row)
    row.numbers, row.changed_at, row.version = dict(numbers), clock.now(), row.version + 1
    session.flush()
    details = {"version": row.version, "before": before, "after": dict(numbers)}
    audit(session, clock, by, "policy.changed", f"policy:{scope.reach}:{scope.subject}", details)
    return _view(row)


@dataclass(frozen=True, slots=True)
class PolicyView:
    """What the staff set for one scope; its versions are in the audit trail."""

    scope: Scope
    numbers: Mapping[str, Any]
    version: int
    changed_at: datetime

    @property
    def audited_as(self) -> str:
        """Its subject in the audit trail."""
        return f"policy:{self.scope.reach}:{self.scope.subject}"


def list_policies(session: Session) -> list[PolicyView]:
    """Return every policy, the widest first."""
    reaches = list(Reach)
    found = [_view(row) for row in session.scalars(select(Policy))]
    return sorted(found, key=lambda one: (reaches.index(one.scope.reach), one.scope.subject))


def _view(row: Policy) -> PolicyView:
    scope = Scope(Reach(row.reach), row.subject)
    return PolicyView(scope, dict(row.numbers), row.version, row.changed_at)


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


def rules_of_resource(session: Session, resource_id: str) -> BookingRules:
    """Return the numbers that hold for a resource. :raises UnknownIdError: there is none."""
    return rules_for(session, lookups.resource(session, resource_id))


def rules_of_all(session: Session) -> dict[str, BookingRules]:
    """Return the numbers that hold for each resource of the lab, by two queries."""
    policies = all_policies(session)
    return {row.id: rules_of(policies, row) for row in session.scalars(select(Resource))}
