"""Accounts of groups: their members, who acts for them, and whether they are in order.

Reservations may be charged to a group by a member who acts for it. Quotas and statistics count
by account; certifications and consents stay with the person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.model.accounts import GroupKind, name_refusals, not_a_group, not_acting
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.services import lookups
from fabctl.services.audit import audit
from fabctl.services.rights import (
    is_staff,
    require_reason,
    require_workshop_staff,
    runs_workshops,
)
from fabctl.store.ids import new_id
from fabctl.store.tables import Account, Person
from fabctl.store.tables_accounts import AccountMember


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member of a group. The name is for members and staff only."""

    person_id: str
    display_name: str
    may_act: bool
    since: datetime

    @property
    def key(self) -> tuple[str, str]:
        """What a group's members are ordered by."""
        return self.display_name, self.person_id


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account. ``suspended_reason`` is for its members and the staff."""

    id: str
    name: str
    kind: GroupKind | None
    """None: a person's own."""
    person_id: str | None
    created_at: datetime
    suspended_at: datetime | None
    suspended_reason: str | None


def add_group(
    session: Session, clock: Clock, *, name: str, kind: GroupKind, by: str | None
) -> AccountView:
    """Open a group's account. For staff and animators.

    :raises RefusedError: staff-only, group-name-malformed.
    """
    require_workshop_staff(session, by)
    name = name.strip()
    if refusals := name_refusals(name):
        raise RefusedError(refusals)
    row = Account(id=new_id(), name=name, group_kind=kind.value, created_at=clock.now())
    session.add(row)
    session.flush()
    audit(session, clock, by, "account.opened", f"account:{row.id}", {"kind": kind.value})
    return _view(row)


def set_member(
    session: Session,
    clock: Clock,
    *,
    account_id: str,
    person_id: str,
    may_act: bool,
    by: str | None,
) -> MemberView:
    """Make a person a member of a group, or change whether they act for it. For staff, animators.

    :raises RefusedError: staff-only, not-a-group.
    :raises UnknownIdError: no such account or person.
    """
    require_workshop_staff(session, by)
    account = _group(session, account_id)
    name = lookups.person(session, person_id).display_name
    row = session.get(AccountMember, (account.id, person_id), with_for_update=True)
    if row is not None and row.may_act is may_act:
        return MemberView(person_id, name, may_act, row.since)
    if row is None:
        row = AccountMember(account_id=account.id, person_id=person_id, since=clock.now())
        session.add(row)
    row.may_act = may_act
    session.flush()
    details = {"person": person_id, "may_act": may_act}
    audit(session, clock, by, "account.member-set", f"account:{account.id}", details)
    return MemberView(person_id, name, may_act, row.since)


def remove_member(
    session: Session, clock: Clock, *, account_id: str, person_id: str, by: str | None
) -> None:
    """End a membership; doing it again changes nothing. What was booked stays booked.

    :raises RefusedError: staff-only (members leave themselves), not-a-group.
    :raises UnknownIdError: no such account.
    """
    if by is None or by != person_id:
        require_workshop_staff(session, by)
    account = _group(session, account_id)
    row = session.get(AccountMember, (account.id, person_id), with_for_update=True)
    if row is not None:
        session.delete(row)
        session.flush()
        details = {"person": person_id}
        audit(session, clock, by, "account.member-removed", f"account:{account.id}", details)


def suspend_group(
    session: Session, clock: Clock, *, account_id: str, reason: str, by: str | None
) -> AccountView:
    """Suspend a group's account: nothing new is charged to it, and its slots cannot be used.

    :raises RefusedError: staff-only, not-a-group.
    :raises InputError: no reason.
    :raises UnknownIdError: no such account.
    """
    return _set_order(session, clock, account_id, require_reason(reason), by)


def restore_group(
    session: Session, clock: Clock, *, account_id: str, by: str | None
) -> AccountView:
    """Put a group's account in order again.

    :raises RefusedError: staff-only, not-a-group.
    :raises UnknownIdError: no such account.
    """
    return _set_order(session, clock, account_id, None, by)


def _set_order(
    session: Session, clock: Clock, account_id: str, reason: str | None, by: str | None
) -> AccountView:
    require_workshop_staff(session, by)
    row = _group(session, account_id, lock=True)
    row.suspended_at = clock.now() if reason else None
    row.suspended_reason = reason
    session.flush()
    what = "account.suspended" if reason else "account.restored"
    audit(session, clock, by, what, f"account:{row.id}", {"reason": reason})
    return _view(row)


# -- who acts ---------------------------------------------------------------------------------


def acts_for(session: Session, account_id: str, person_id: str | None) -> bool:
    """Say whether a person may charge an account: their own, or a group that they act for."""
    account = session.get(Account, account_id)
    if account is None or person_id is None:
        return False
    if account.person_id is not None:
        return account.person_id == person_id
    row = session.get(AccountMember, (account_id, person_id))
    return row is not None and row.may_act


def acting_refusals(session: Session, account: Account, person_id: str) -> list[Refusal]:
    """Say why nothing of a person may be charged to an account."""
    return [] if acts_for(session, account.id, person_id) else [not_acting()]


def groups_acted_for(session: Session, person_id: str | None) -> list[str]:
    """Return the ids of the groups that a person acts for."""
    query = select(AccountMember.account_id).where(
        AccountMember.person_id == person_id, AccountMember.may_act.is_(True)
    )
    return list(session.scalars(query.order_by(AccountMember.account_id)))


# -- looking ----------------------------------------------------------------------------------


def get_account(session: Session, *, account_id: str, by: str | None) -> AccountView:
    """Return an account. For its person, its members, the staff, and a group's for animators too.

    :raises UnknownIdError: there is none, or it is not theirs to see.
    """
    row = session.get(Account, account_id)
    if row is None or not _may_see(session, row, by):
        raise UnknownIdError(f"there is no account {account_id!r}")
    return _view(row)


def members_of(session: Session, *, account_id: str, by: str | None) -> list[MemberView]:
    """Return a group's members, by name; a person's own account has none.

    :raises UnknownIdError: there is none, or it is not theirs to see.
    """
    account = get_account(session, account_id=account_id, by=by)
    query = (
        select(AccountMember, Person.display_name)
        .join(Person, Person.id == AccountMember.person_id)
        .where(AccountMember.account_id == account.id)
    )
    found = (
        MemberView(row.person_id, name, row.may_act, row.since)
        for row, name in session.execute(query)
    )
    return sorted(found, key=lambda one: one.key)


def accounts_of(session: Session, *, person_id: str) -> list[AccountView]:
    """Return a person's own account, then those of the groups that they belong to, by id."""
    own = lookups.own_account(session, lookups.person(session, person_id).id)
    query = (
        select(Account)
        .join(AccountMember, AccountMember.account_id == Account.id)
        .where(AccountMember.person_id == person_id)
        .order_by(Account.id)
    )
    return [_view(own), *(_view(row) for row in session.scalars(query))]


def groups(
    session: Session, *, by: str | None, limit: int, after: str | None = None
) -> list[AccountView]:
    """Return groups' accounts by id, those after one id. For staff and animators.

    :raises RefusedError: staff-only.
    """
    require_workshop_staff(session, by)
    query = select(Account).where(Account.group_kind.is_not(None))
    if after is not None:
        query = query.where(Account.id > after)
    return [_view(row) for row in session.scalars(query.order_by(Account.id).limit(limit))]


def _may_see(session: Session, row: Account, by: str | None) -> bool:
    member = by is not None and session.get(AccountMember, (row.id, by)) is not None
    if member or (by is not None and row.person_id == by):
        return True
    return is_staff(session, by) or (row.group_kind is not None and runs_workshops(session, by))


def _group(session: Session, account_id: str, *, lock: bool = False) -> Account:
    row = session.get(Account, account_id, with_for_update=True if lock else None)
    if row is None:
        raise UnknownIdError(f"there is no account {account_id!r}")
    if row.group_kind is None:
        raise RefusedError([not_a_group()])
    return row


def _view(row: Account) -> AccountView:
    return AccountView(
        id=row.id,
        name=row.name,
        kind=GroupKind(row.group_kind) if row.group_kind else None,
        person_id=row.person_id,
        created_at=row.created_at,
        suspended_at=row.suspended_at,
        suspended_reason=row.suspended_reason,
    )
