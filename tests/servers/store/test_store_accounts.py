"""Groups' accounts: who acts for them, what is charged to them, what their suspension does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from fabctl.errors import InputError, UnknownIdError
from fabctl.model.access import unmet
from fabctl.model.accounts import GroupKind
from fabctl.services import accounts, bookings, people, using, waiting
from fabctl.services.access import may_use
from fabctl.services.accounts import AccountView
from fabctl.services.audit import lines_about
from fabctl.services.bookings import ReservationView
from fabctl.store.tables import Use
from tests.servers.store.booking_lab import (
    PARIS,
    PRINTER_A,
    cancel,
    catch_up,
    check_in,
    coming,
    moment,
    move,
    refusing,
    set_policy,
    stop,
    told,
)
from tests.servers.store.booking_lab import book as book_own
from tests.servers.store.conftest import Lab


@dataclass(frozen=True)
class Collective:
    """Léa and Karim act for it; Noémie is a member without that right."""

    lab: Lab
    id: str


@pytest.fixture
def group(lab: Lab) -> Collective:
    with lab.database.transaction() as session:
        made = accounts.add_group(
            session, lab.clock, name=" Les Copeaux ", kind=GroupKind.COLLECTIVE, by=lab.awa
        )
        for person, acts in ((lab.lea, True), (lab.karim, True), (lab.noemie, False)):
            member(session, lab, made.id, person, acts)
    return Collective(lab, made.id)


def member(session: Any, lab: Lab, account: str, person: str, acts: bool) -> None:
    accounts.set_member(
        session, lab.clock, account_id=account, person_id=person, may_act=acts, by=lab.awa
    )


def book(
    group: Collective, start: float, end: float, *, person: str | None = None, **more: Any
) -> ReservationView:
    lab, who = group.lab, person or group.lab.lea
    with lab.database.transaction() as session:
        return bookings.book(
            session,
            lab.clock,
            PARIS,
            person_id=who,
            resource_id=more.pop("resource", "printer-a"),
            start=moment(lab, start),
            end=moment(lab, end),
            by=more.pop("by", who),
            account_id=group.id,
        )


def suspend(group: Collective) -> None:
    with group.lab.database.transaction() as session:
        accounts.suspend_group(
            session, group.lab.clock, account_id=group.id, reason="unpaid", by=group.lab.awa
        )


def restore(group: Collective) -> AccountView:
    with group.lab.database.transaction() as session:
        return accounts.restore_group(
            session, group.lab.clock, account_id=group.id, by=group.lab.awa
        )


def against(lab: Lab, person: str) -> list[str]:
    with lab.database.reading() as session:
        found = may_use(
            session,
            lab.clock,
            PARIS,
            person_id=person,
            resource_id="printer-a",
            machine_state="idle",
        )
    return [one.code for one in unmet(found)]


def test_a_group_has_a_name_members_and_lines_in_the_audit(group: Collective) -> None:
    lab = group.lab
    with lab.database.reading() as session:
        found = accounts.get_account(session, account_id=group.id, by=lab.noemie)
        members = accounts.members_of(session, account_id=group.id, by=lab.lea)
        lines = lines_about(session, f"account:{group.id}")
    assert (found.name, found.kind, found.person_id) == (
        "Les Copeaux",
        GroupKind.COLLECTIVE,
        None,
    )
    assert [(one.person_id, one.may_act) for one in members] == [
        (lab.karim, True),
        (lab.lea, True),
        (lab.noemie, False),
    ]
    assert [line.what for line in lines] == ["account.opened", *["account.member-set"] * 3]
    assert all("Copeaux" not in str(line.details) for line in lines)


def test_who_sees_an_account(group: Collective) -> None:
    lab = group.lab
    with lab.database.transaction() as session:
        stranger = people.add_person(session, lab.clock, display_name="Tom").id
    with lab.database.reading() as session:
        for one in (stranger, None):
            with pytest.raises(UnknownIdError):
                accounts.get_account(session, account_id=group.id, by=one)
        own, groups_of = accounts.accounts_of(session, person_id=lab.noemie)
        assert (own.person_id, groups_of.id) == (lab.noemie, group.id)
        with pytest.raises(UnknownIdError):
            accounts.get_account(session, account_id=own.id, by=lab.lea)
        assert accounts.get_account(session, account_id=own.id, by=lab.noemie) == own
        assert accounts.members_of(session, account_id=own.id, by=lab.noemie) == []
        with refusing("staff-only"):
            accounts.groups(session, by=lab.lea, limit=10)
        assert [one.id for one in accounts.groups(session, by=lab.awa, limit=10)] == [group.id]
        assert accounts.groups(session, by=lab.awa, limit=10, after=group.id) == []


def test_only_the_staff_change_a_group_and_a_member_may_leave(group: Collective) -> None:
    lab = group.lab
    with lab.database.transaction() as session:
        with refusing("staff-only"):
            accounts.add_group(session, lab.clock, name="x", kind=GroupKind.PARTNER, by=lab.lea)
        with refusing("staff-only"):
            accounts.remove_member(
                session, lab.clock, account_id=group.id, person_id=lab.karim, by=lab.lea
            )
        with refusing("staff-only"):
            accounts.suspend_group(session, lab.clock, account_id=group.id, reason="x", by=lab.lea)
        for _ in range(2):
            accounts.remove_member(
                session, lab.clock, account_id=group.id, person_id=lab.lea, by=lab.lea
            )
        assert not accounts.acts_for(session, group.id, lab.lea)


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "a\nb"])
def test_names_that_are_none(lab: Lab, name: str) -> None:
    with lab.database.transaction() as session, refusing("group-name-malformed"):
        accounts.add_group(session, lab.clock, name=name, kind=GroupKind.ASSOCIATION, by=lab.awa)


def test_a_persons_own_account_has_no_members_and_a_reason_is_needed(group: Collective) -> None:
    lab = group.lab
    with lab.database.transaction() as session:
        own = accounts.accounts_of(session, person_id=lab.lea)[0].id
        with refusing("not-a-group"):
            member(session, lab, own, lab.karim, acts=True)
        with pytest.raises(UnknownIdError):
            member(session, lab, "nothing", lab.karim, acts=True)
        with pytest.raises(InputError):
            accounts.suspend_group(session, lab.clock, account_id=group.id, reason=" ", by=lab.awa)


def test_only_who_acts_for_it_charges_it(group: Collective) -> None:
    lab = group.lab
    made = book(group, 0, 60)
    assert (made.person_id, made.account_id) == (lab.lea, group.id)
    with refusing("not-acting-for-account", "not-certified"):
        book(group, 60, 120, person=lab.noemie)
    with refusing("not-acting-for-account", "not-certified"):
        book(group, 60, 120, person=lab.noemie, by=lab.awa)
    theirs = book_own(lab, 120, 180)
    assert theirs.account_id != group.id
    with pytest.raises(UnknownIdError):
        book(Collective(lab, "nothing"), 60, 120)


def test_quotas_count_by_account(group: Collective) -> None:
    lab = group.lab
    set_policy(lab, per_day_min=60)
    book(group, 0, 60)
    with refusing("quota-day"):
        book(group, 60, 120, person=lab.karim)
    book_own(lab, 60, 120)
    book_own(lab, 60, 120, person=lab.karim, resource="printer-b")
    with refusing("quota-day"):
        book_own(lab, 120, 180)


def test_a_moved_reservation_stays_charged_to_the_group(group: Collective) -> None:
    lab = group.lab
    set_policy(lab, per_day_min=60)
    book_own(lab, 0, 60)
    made = book(group, 60, 120)
    assert move(lab, made, 120, 180).account_id == group.id
    with refusing("quota-day"):
        move(lab, made, 120, 190)
    with lab.database.transaction() as session:
        member(session, lab, group.id, lab.lea, acts=False)
    with refusing("not-acting-for-account"):
        move(lab, made, 180, 240)


def test_a_suspended_group_books_and_uses_nothing_and_its_members_do(group: Collective) -> None:
    lab = group.lab
    book(group, 0, 60)
    suspend(group)
    assert against(lab, lab.lea) == ["account-suspended"]
    with refusing("account-suspended"):
        book(group, 60, 120)
    book_own(lab, 60, 120)
    lab.clock.advance(60 * 60)
    assert against(lab, lab.lea) == []
    assert restore(group).suspended_at is None
    book(group, 60, 120)


def test_a_suspended_person_does_nothing_for_the_group_either(group: Collective) -> None:
    lab = group.lab
    with lab.database.transaction() as session:
        people.set_suspended(session, lab.clock, person_id=lab.lea, reason="x", by=lab.awa)
    with refusing("account-suspended"):
        book(group, 0, 60)


def test_who_acts_for_the_group_uses_its_slot_and_the_group_is_counted(
    group: Collective,
) -> None:
    lab = group.lab
    made = book(group, 0, 60)
    assert against(lab, lab.karim) == []
    assert against(lab, lab.noemie) == ["not-certified", "someone-elses-slot"]
    with lab.database.transaction() as session:
        use = using.begin_use(
            session,
            lab.clock,
            PARIS,
            person_id=lab.karim,
            resource_id="printer-a",
            machine_state="idle",
        )
        row = session.scalars(select(Use).where(Use.id == use.id)).one()
        assert (row.person_id, row.account_id, row.reservation_id) == (
            lab.karim,
            group.id,
            made.id,
        )
    lab.clock.advance(30 * 60)
    assert catch_up(lab).no_shows == []  # Karim's use is the group's check-in
    with refusing("still-in-use"):
        stop(lab, made)


def test_a_member_without_the_right_touches_nothing_of_it(group: Collective) -> None:
    lab = group.lab
    made = book(group, 5, 60)
    with refusing("not-yours"):
        cancel(lab, made, by=lab.noemie)
    with refusing("not-yours"):
        check_in(lab, made, by=lab.noemie)
    assert check_in(lab, made, by=lab.karim).checked_in_at is not None
    cancel(lab, made, by=lab.karim)
    assert coming(lab, lab.lea) == []
    assert told(lab, lab.lea) == []  # it was not the staff


def test_what_somebody_waits_for_is_charged_to_the_group_they_named(group: Collective) -> None:
    lab = group.lab
    set_policy(lab, PRINTER_A, per_day_min=60)
    book_own(lab, 120, 180)
    taken = book_own(lab, 0, 60, person=lab.karim)

    def join(account: str | None) -> str:
        with lab.database.transaction() as session:
            return waiting.join(
                session,
                lab.clock,
                PARIS,
                person_id=lab.lea,
                resource_id="printer-a",
                start=moment(lab, 0),
                end=moment(lab, 60),
                by=lab.lea,
                account_id=account,
            ).id

    with refusing("quota-day"):
        join(None)
    entry = join(group.id)
    cancel(lab, taken, by=lab.karim)

    def accept() -> ReservationView:
        with lab.database.transaction() as session:
            return waiting.accept(session, lab.clock, PARIS, waiting_id=entry, by=lab.lea)

    suspend(group)
    with refusing("account-suspended"):
        accept()
    restore(group)
    assert accept().account_id == group.id
