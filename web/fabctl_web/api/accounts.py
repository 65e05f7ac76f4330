"""Accounts and rights, for programs: groups, who acts for them, what single persons may do."""

from __future__ import annotations

from flask import jsonify, make_response
from werkzeug.wrappers import Response

from fabctl.model.accounts import GroupKind
from fabctl.model.booking_policy import Reach, Scope
from fabctl.model.person_rights import HeldRight, PersonRight
from fabctl.services import accounts, person_rights
from fabctl.services.accounts import AccountView, MemberView
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.reading import MalformedError, Sent, malformed
from fabctl_web.api.shape import Json, instant
from fabctl_web.lab import current_lab

area = api_area("accounts")


@area.get("/me/accounts")
def my_accounts() -> Response:
    """List the caller's own account and those of their groups."""
    who, asked = caller().id, reading.page()
    with current_lab().db.reading() as db:
        found = accounts.accounts_of(db, person_id=who)
    return reading.paged("accounts", sorted(found, key=_key), asked, _key, account_json)


@area.get("/accounts")
def groups() -> Response:
    """List the groups."""
    who, asked = caller().id, reading.page()
    after = asked.after[0] if asked.after else None
    with current_lab().db.reading() as db:
        found = accounts.groups(db, by=who, limit=asked.limit + 1, after=after)
    return reading.paged("accounts", found, asked, _key, account_json)


@area.post("/accounts")
def add_group() -> Response:
    """Open a group's account."""
    lab, who = current_lab(), caller().id
    with reading.body() as sent:
        name = sent.text("name")
        kind = sent.choice("kind", GroupKind, GroupKind.COLLECTIVE)
    with lab.db.transaction() as db:
        made = accounts.add_group(db, lab.clock, name=name, kind=kind, by=who)
    return make_response(jsonify(account_json(made)), 201)


@area.get("/accounts/<account>")
def account(account: str) -> Response:
    """Show an account: one's own, one's groups'; the staff any."""
    who = caller().id
    with current_lab().db.reading() as db:
        found = accounts.get_account(db, account_id=account, by=who)
    return jsonify(account_json(found))


@area.get("/accounts/<account>/members")
def members(account: str) -> Response:
    """List a group's members by name."""
    who, asked = caller().id, reading.page()
    with current_lab().db.reading() as db:
        found = accounts.members_of(db, account_id=account, by=who)
    return reading.paged("members", found, asked, lambda one: one.key, member_json)


@area.put("/accounts/<account>/members/<person>")
def set_member(account: str, person: str) -> Response:
    """Make a person a member, and say whether they act for the group."""
    lab, who = current_lab(), caller().id
    with reading.body() as sent:
        may_act = sent.said("may_act")
    with lab.db.transaction() as db:
        made = accounts.set_member(
            db, lab.clock, account_id=account, person_id=person, may_act=may_act, by=who
        )
    return jsonify(member_json(made))


@area.delete("/accounts/<account>/members/<person>")
def remove_member(account: str, person: str) -> Response:
    """End a membership; members leave themselves."""
    lab, who = current_lab(), caller().id
    with lab.db.transaction() as db:
        accounts.remove_member(db, lab.clock, account_id=account, person_id=person, by=who)
    return make_response("", 204)


@area.post("/accounts/<account>/suspend")
def suspend(account: str) -> Response:
    """Suspend a group's account, with a reason."""
    lab, who = current_lab(), caller().id
    with reading.body() as sent:
        reason = sent.text("reason")
    with lab.db.transaction() as db:
        found = accounts.suspend_group(db, lab.clock, account_id=account, reason=reason, by=who)
    return jsonify(account_json(found))


@area.post("/accounts/<account>/reinstate")
def reinstate(account: str) -> Response:
    """Put a group's account in order again."""
    lab, who = current_lab(), caller().id
    with lab.db.transaction() as db:
        found = accounts.restore_group(db, lab.clock, account_id=account, by=who)
    return jsonify(account_json(found))


# -- rights -----------------------------------------------------------------------------------


@area.get("/people/<person>/rights")
def rights(person: str) -> Response:
    """List the rights that a person was given."""
    who, asked = caller().id, reading.page()
    with current_lab().db.reading() as db:
        found = person_rights.shown_to(db, person_id=person, by=who)
    return reading.paged("rights", found, asked, _right_key, right_json)


@area.put("/people/<person>/rights")
def give_right(person: str) -> Response:
    """Give a person a right, or another end to it."""
    lab, who = current_lab(), caller().id
    with reading.body() as sent:
        right, scope = _right(sent), _scope(sent)
        until = sent.instant("until") if sent.has("until") else None
    with lab.db.transaction() as db:
        person_rights.give(
            db, lab.clock, person_id=person, right=right, scope=scope, until=until, by=who
        )
    return jsonify(right_json(HeldRight(right, scope, until)))


@area.delete("/people/<person>/rights")
def take_right(person: str) -> Response:
    """Take a right back."""
    lab, who = current_lab(), caller().id
    with reading.query() as sent:
        right, scope = _right(sent), _scope(sent)
    with lab.db.transaction() as db:
        person_rights.take(db, lab.clock, person_id=person, right=right, scope=scope, by=who)
    return make_response("", 204)


def _right(sent: Sent) -> PersonRight:
    return sent.choice("right", PersonRight, PersonRight.WALK_UP)


def _scope(sent: Sent) -> Scope:
    reach = sent.choice("reach", Reach, Reach.LAB) if sent.has("reach") else Reach.LAB
    subject = sent.maybe_text("subject") or ""
    if bool(subject) is (reach is Reach.LAB):
        raise MalformedError([*sent.refusals, malformed("subject")])
    return Scope(reach, subject)


def _key(found: AccountView) -> tuple[str, ...]:
    return (found.id,)


def _right_key(found: HeldRight) -> tuple[str, ...]:
    return (found.right.value, found.scope.reach.value, found.scope.subject)


# -- shapes -----------------------------------------------------------------------------------


def account_json(found: AccountView) -> Json:
    """Return an account."""
    return {
        "id": found.id,
        "name": found.name,
        "kind": found.kind.value if found.kind else None,
        "person": found.person_id,
        "created_at": instant(found.created_at),
        "suspended_at": instant(found.suspended_at),
        "suspended_reason": found.suspended_reason,
    }


def member_json(found: MemberView) -> Json:
    """Return a member of a group."""
    return {
        "person": found.person_id,
        "name": found.display_name,
        "may_act": found.may_act,
        "since": instant(found.since),
    }


def right_json(found: HeldRight) -> Json:
    """Return a right that somebody holds."""
    return {
        "right": found.right.value,
        "reach": found.scope.reach.value,
        "subject": found.scope.subject or None,
        "until": instant(found.until),
    }
