"""May this person use this machine now, from the record: hours, rights, company, age, closures."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from fabctl.model.access import unmet
from fabctl.model.booking_facts import ClaimKind
from fabctl.model.booking_policy import Reach, Scope
from fabctl.model.person_rights import PersonRight
from fabctl.model.refusal import RefusedError
from fabctl.services import opening, people, permits, person_rights, presence, sign_ins, using
from fabctl.services.access import may_go_on, may_use
from fabctl.services.audit import lines_about
from fabctl.services.certifications import certify
from fabctl.services.sign_in_ends import SignInKind
from fabctl.services.sign_ins import LASTS
from fabctl.services.uses import UseView
from tests.servers.store.booking_lab import (
    PARIS,
    PRINTER_A,
    book,
    cancel,
    close,
    moment,
    refusing,
    set_policy,
)
from tests.servers.store.conftest import Lab

MACHINE = "printer-a"
EVERY_DAY = dict.fromkeys(range(7), ((9 * 60, 18 * 60),))
TO_CLOSING = 8 * 60
"""Minutes from the lab's first moment (10:00 in Paris) to 18:00."""


def against(lab: Lab, person: str, machine: str = MACHINE) -> list[str]:
    """Return the codes; what may begin now is what may go on now."""
    with lab.database.reading() as session:
        found = may_use(
            session, lab.clock, PARIS, person_id=person, resource_id=machine, machine_state="idle"
        )
        going = may_go_on(session, lab.clock, PARIS, person_id=person, resource_id=machine)
    codes = [one.code for one in unmet(found)]
    assert [one.code for one in unmet(going)] == codes
    return codes


def begin(lab: Lab, person: str) -> UseView:
    with lab.database.transaction() as session:
        return using.begin_use(
            session, lab.clock, PARIS, person_id=person, resource_id=MACHINE, machine_state="idle"
        )


def permitted(lab: Lab) -> list[str]:
    with lab.database.reading() as session:
        (found,) = permits.permissions(session, lab.clock, PARIS, frozenset({MACHINE}))
    return [refusal.code for refusal in found.refusals]


def open_hours(lab: Lab) -> None:
    with lab.database.transaction() as session:
        opening.set_week(session, lab.clock, week=EVERY_DAY, by=lab.awa)


def give(lab: Lab, person: str, right: PersonRight, **more: Any) -> None:
    with lab.database.transaction() as session:
        person_rights.give(
            session, lab.clock, person_id=person, right=right, by=more.pop("by", lab.awa), **more
        )


def take(lab: Lab, person: str, right: PersonRight) -> None:
    with lab.database.transaction() as session:
        person_rights.take(session, lab.clock, person_id=person, right=right, by=lab.awa)


def here(lab: Lab, person: str, *, gone: bool = False) -> None:
    change = presence.check_out if gone else presence.check_in
    with lab.database.transaction() as session:
        change(session, lab.clock, person_id=person, by=person)


def test_the_lab_closes_on_the_minute_and_the_right_opens_it(lab: Lab) -> None:
    open_hours(lab)
    set_policy(lab, PRINTER_A, walk_up=True)
    assert against(lab, lab.lea) == []
    lab.clock.advance((TO_CLOSING - 1) * 60)
    assert against(lab, lab.lea) == []
    lab.clock.advance(60)
    assert against(lab, lab.lea) == ["closed"]
    until = moment(lab, 60)
    give(lab, lab.lea, PersonRight.AFTER_HOURS, until=until)
    assert against(lab, lab.lea) == []
    assert against(lab, lab.karim) == ["closed"]
    lab.clock.advance(59 * 60)
    assert against(lab, lab.lea) == []
    lab.clock.advance(60)
    assert against(lab, lab.lea) == ["closed"]


def test_a_policy_closes_a_machine_after_hours_whoever_holds_the_right(lab: Lab) -> None:
    open_hours(lab)
    set_policy(lab, Scope(), walk_up=True)
    set_policy(lab, PRINTER_A, after_hours=False)
    give(lab, lab.lea, PersonRight.AFTER_HOURS)
    lab.clock.advance(TO_CLOSING * 60)
    assert against(lab, lab.lea) == ["closed"]
    assert against(lab, lab.lea, "printer-b") == []


def test_a_right_for_one_machine_counts_there_only_and_can_be_taken(lab: Lab) -> None:
    scope = Scope(Reach.RESOURCE, MACHINE)
    give(lab, lab.lea, PersonRight.WALK_UP, scope=scope)
    assert against(lab, lab.lea) == []
    assert against(lab, lab.lea, "printer-b") == ["not-reserved"]
    give(lab, lab.lea, PersonRight.WALK_UP)
    assert against(lab, lab.lea, "printer-b") == []
    take(lab, lab.lea, PersonRight.WALK_UP)
    take(lab, lab.lea, PersonRight.WALK_UP)
    assert against(lab, lab.lea, "printer-b") == ["not-reserved"]
    with lab.database.reading() as session:
        lines = [line.what for line in lines_about(session, f"person:{lab.lea}")]
        held = person_rights.held_by(session, person_id=lab.lea)
    assert [line for line in lines if line.startswith("right.")] == [
        "right.given",
        "right.given",
        "right.taken",
    ]
    assert [one.scope for one in held] == [scope]


def test_only_the_staff_give_rights(lab: Lab) -> None:
    with refusing("staff-only"):
        give(lab, lab.lea, PersonRight.AFTER_HOURS, by=lab.lea)


def test_what_the_staff_booked_outside_the_hours_is_open_for_its_person(lab: Lab) -> None:
    open_hours(lab)
    made = book(lab, TO_CLOSING, TO_CLOSING + 60, by=lab.awa, override="fair tomorrow")
    assert made.outside_hours
    lab.clock.advance(TO_CLOSING * 60)
    assert against(lab, lab.lea) == []
    assert against(lab, lab.karim) == ["someone-elses-slot", "closed"]
    lab.clock.advance(60 * 60)
    assert against(lab, lab.lea) == ["not-reserved", "closed"]


def test_a_day_that_was_closed_afterwards_is_closed_for_who_had_booked(lab: Lab) -> None:
    open_hours(lab)
    book(lab, 0, 60)
    assert against(lab, lab.lea) == []
    with lab.database.transaction() as session:
        day = lab.clock.now().date()
        opening.set_exception(session, lab.clock, first=day, by=lab.awa)
    assert against(lab, lab.lea) == ["closed"]


def test_closures_and_maintenance_have_words_of_their_own(lab: Lab) -> None:
    set_policy(lab, PRINTER_A, walk_up=True)
    close(lab, 0, 30)
    assert against(lab, lab.lea) == ["closed"]
    lab.clock.advance(29 * 60)
    assert against(lab, lab.lea) == ["closed"]
    lab.clock.advance(60)
    assert against(lab, lab.lea) == []
    close(lab, 0, 30, kind=ClaimKind.MAINTENANCE)
    assert against(lab, lab.lea) == ["out-of-order"]


def test_walk_up_lasts_until_somebodys_slot(lab: Lab) -> None:
    set_policy(lab, PRINTER_A, walk_up=True)
    use = begin(lab, lab.lea)
    assert use.reservation_id is None
    booked = book(lab, 30, 60, person=lab.karim)
    lab.clock.advance(29 * 60)
    assert permitted(lab) == []
    lab.clock.advance(60)
    assert permitted(lab) == ["someone-elses-slot"]
    cancel(lab, booked, by=lab.karim)
    assert permitted(lab) == []


def test_company_is_who_is_checked_in_and_the_permit_ends_without(lab: Lab) -> None:
    set_policy(lab, PRINTER_A, company=2)
    book(lab, 0, 120)
    here(lab, lab.lea)
    assert against(lab, lab.lea) == ["company-missing"]
    here(lab, lab.karim)
    begin(lab, lab.lea)
    assert permitted(lab) == []
    here(lab, lab.karim, gone=True)
    assert permitted(lab) == ["company-missing"]


def test_a_shared_screen_shows_presence_and_a_browser_does_not(lab: Lab) -> None:
    set_policy(lab, PRINTER_A, company=2)
    book(lab, 0, 120)
    with lab.database.transaction() as session:
        sign_ins.open_sign_in(session, lab.clock, lab.karim, kind=SignInKind.DESK)
        sign_ins.open_sign_in(session, lab.clock, lab.lea, kind=SignInKind.KIOSK)
    assert against(lab, lab.lea) == ["company-missing"]
    with lab.database.transaction() as session:
        sign_ins.open_sign_in(session, lab.clock, lab.karim, kind=SignInKind.KIOSK)
    lasts = LASTS[SignInKind.KIOSK].total_seconds()
    lab.clock.advance(lasts - 1)
    assert against(lab, lab.lea) == []
    lab.clock.advance(1)
    assert against(lab, lab.lea) == ["company-missing"]


def test_age_and_consent_are_asked_of_who_stands_there(lab: Lab) -> None:
    set_policy(lab, PRINTER_A, walk_up=True, minimum_age=16)
    with lab.database.transaction() as session:
        child = people.add_person(session, lab.clock, display_name="Ugo", birth_year=2012).id
        certify(session, lab.clock, person_id=child, resource_id=MACHINE)
    assert against(lab, child) == ["under-age", "consent-missing"]


@pytest.mark.parametrize("day", ["2027-03-28", "2026-10-25"])
def test_closing_is_right_across_both_clock_changes(lab: Lab, day: str) -> None:
    open_hours(lab)
    set_policy(lab, Scope(), walk_up=True, holidays=False)
    closing = datetime.fromisoformat(f"{day}T18:00").replace(tzinfo=PARIS)
    lab.clock.wall = closing - timedelta(minutes=1)
    assert against(lab, lab.lea) == []
    lab.clock.wall = closing
    assert against(lab, lab.lea) == ["closed"]
    lab.clock.wall = closing - timedelta(hours=9)
    assert against(lab, lab.lea) == []
    lab.clock.wall = closing - timedelta(hours=9, minutes=1)
    assert against(lab, lab.lea) == ["closed"]


def test_every_reason_at_once_and_nothing_is_opened(lab: Lab) -> None:
    open_hours(lab)
    set_policy(lab, PRINTER_A, company=3, minimum_age=18)
    with lab.database.transaction() as session:
        people.set_suspended(session, lab.clock, person_id=lab.noemie, reason="fees", by=lab.awa)
    lab.clock.advance(TO_CLOSING * 60)
    with pytest.raises(RefusedError) as error:
        begin(lab, lab.noemie)
    assert set(error.value.codes) == {
        "account-suspended",
        "not-certified",
        "not-reserved",
        "closed",
        "company-missing",
        "under-age",
    }
