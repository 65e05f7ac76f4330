"""Policies, for programs: the numbers of booking's rules, and what they were before."""

from __future__ import annotations

from typing import Any

from flask import jsonify
from werkzeug.wrappers import Response

from fabctl.model.booking_policy import Reach, Scope
from fabctl.services import audit_trail, policies
from fabctl.services.audit_trail import TrailLine
from fabctl.services.policies import PolicyView
from fabctl_web.api import reading
from fabctl_web.api.audit import line_key, number_before
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.shape import Json, instant
from fabctl_web.lab import current_lab

area = api_area("policies")

_NOTHING: dict[str, Any] = {}


@area.get("/policies")
def all_policies() -> Response:
    """List what is set, the widest first."""
    caller()
    asked = reading.page()
    with current_lab().db.reading() as db:
        found = policies.list_policies(db)
    order = {one.scope: f"{number:06}" for number, one in enumerate(found)}
    return reading.paged("policies", found, asked, lambda one: (order[one.scope],), policy_json)


@area.put("/policies")
def set_policy() -> Response:
    """Set all numbers of one scope."""
    lab, who = current_lab(), caller().id
    with reading.body() as sent:
        scope = Scope(sent.choice("reach", Reach, Reach.LAB), sent.maybe_text("subject") or "")
        numbers = sent.choice("numbers", _numbers, _NOTHING)
    with lab.db.transaction() as db:
        made = policies.set_policy(db, lab.clock, scope=scope, numbers=numbers, by=who)
    return jsonify(policy_json(made))


@area.get("/policies/versions")
def versions() -> Response:
    """List what one scope's numbers were, the newest first."""
    who, asked = caller().id, reading.page()
    with reading.query() as sent:
        reach = sent.choice("reach", Reach, Reach.LAB)
        subject = sent.maybe_text("subject") or ""
    before = number_before(asked)
    with current_lab().db.reading() as db:
        found = audit_trail.trail(
            db, by=who, subject=f"policy:{reach}:{subject}", before=before, limit=asked.limit + 1
        )
    return reading.paged("versions", found, asked, line_key, version_json, newest_first=True)


def _numbers(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(value)
    return value


def policy_json(found: PolicyView) -> Json:
    """Return a policy."""
    return {
        "reach": found.scope.reach.value,
        "subject": found.scope.subject or None,
        "numbers": dict(found.numbers),
        "version": found.version,
        "changed_at": instant(found.changed_at),
    }


def version_json(line: TrailLine) -> Json:
    """Return one change of a policy."""
    return {
        "version": line.details["version"],
        "numbers": line.details["after"],
        "at": instant(line.at),
        "who": line.who,
    }
