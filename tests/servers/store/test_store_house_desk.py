"""What the house's pages read before they write: closures' outlook, rules as seen, holidays."""

from __future__ import annotations

from datetime import date

import pytest

from fabctl.errors import UnknownIdError
from fabctl.model.booking_facts import ClaimKind
from fabctl.model.notice import Code
from fabctl.model.refusal import RefusedError
from fabctl.services import closure_outlook, notices, opening, opening_read, policies
from fabctl.services.closure_outlook import Met
from fabctl.services.notice_words import worded
from tests.servers.store.booking_lab import (
    LAB,
    PARIS,
    add_space,
    book,
    cancel,
    close,
    put_into,
    slot,
    told,
    wait_for,
    waits,
)
from tests.servers.store.conftest import Lab

BROKEN = "broken window"


def met(lab: Lab, resource: str, start: float, end: float, by: str = "") -> list[Met]:
    with lab.database.reading() as session:
        return closure_outlook.met_by(
            session, lab.clock, resource_id=resource, slot=slot(lab, start, end), by=by or lab.awa
        )


def test_a_closure_cancels_exactly_what_was_shown_before(lab: Lab) -> None:
    add_space(lab, "atelier")
    put_into(lab, "printer-a", "atelier")
    inside = book(lab, 60, 120)
    later = book(lab, 150, 180, person=lab.karim)
    gone = book(lab, 200, 220)
    cancel(lab, gone)
    book(lab, 60, 120, person=lab.karim, resource="printer-b")
    shown = met(lab, "atelier", 90, 170)
    assert [one.reservation_id for one in shown] == [inside.id, later.id]
    assert [one.who for one in shown] == ["lea", "karim"]
    assert met(lab, "atelier", 185, 400) == []
    close(lab, 90, 170, resource="atelier", cancel_reservations=True)
    (stays,) = met(lab, "printer-a", 0, 500)
    assert (stays.kind, stays.reservation_id, stays.who) == (ClaimKind.CLOSURE, None, BROKEN)


def test_who_only_waits_is_shown_before_and_told_after(lab: Lab) -> None:
    book(lab, 60, 120)
    freed = book(lab, 200, 260)
    book(lab, 300, 360)
    plain, kept = wait_for(lab, lab.karim, 90, 120), wait_for(lab, lab.karim, 200, 260)
    later = wait_for(lab, lab.karim, 300, 330)
    cancel(lab, freed)

    def shown(by: str) -> list[tuple[str, str, bool]]:
        with lab.database.reading() as session:
            found = closure_outlook.waiting_for(
                session, lab.clock, resource_id="printer-a", slot=slot(lab, 100, 230), by=by
            )
        return [(one.id, one.who, one.offered) for one in found]

    assert shown(lab.awa) == [(plain.id, "karim", False), (kept.id, "karim", True)]
    with pytest.raises(RefusedError, match="Only the staff"):
        shown(lab.karim)
    close(lab, 100, 230, cancel_reservations=True)
    assert sorted(told(lab, lab.karim)) == ["offered", "wait-ended", "wait-ended"]
    with lab.database.reading() as session:
        heard = notices.of_person(session, person_id=lab.karim)
    said = next(worded(one, "en", PARIS).body for one in heard if one.code is Code.WAIT_ENDED)
    assert "Printer-A" in said
    assert BROKEN in said
    assert [one.id for one in waits(lab, lab.karim)] == [later.id]


def test_a_wait_whose_time_is_over_ends_without_a_word(lab: Lab) -> None:
    freed = book(lab, 30, 60)
    wait_for(lab, lab.karim, 30, 60)
    cancel(lab, freed)
    lab.clock.advance(3700)
    close(lab, -60, 60, cancel_reservations=True)
    assert told(lab, lab.karim) == ["offered"]
    assert waits(lab, lab.karim) == []


def test_what_is_over_is_not_met(lab: Lab) -> None:
    book(lab, 10, 60)
    lab.clock.advance(3700)
    assert met(lab, "printer-a", -200, 500) == []


def test_only_the_staff_see_whose_reservations_these_are(lab: Lab) -> None:
    with pytest.raises(RefusedError) as refused:
        met(lab, "printer-a", 0, 60, by=lab.lea)
    assert refused.value.codes == {"staff-only"}
    with pytest.raises(UnknownIdError):
        met(lab, "nope", 0, 60)


def test_rules_that_somebody_changed_meanwhile_are_not_overwritten(lab: Lab) -> None:
    def change(longest: int, seen: int | None) -> int:
        with lab.database.transaction() as session:
            return policies.set_policy(
                session, lab.clock, scope=LAB, numbers={"longest_min": longest}, by=lab.awa,
                seen=seen,
            ).version  # fmt: skip

    assert change(60, 0) == 1
    for seen in (0, 2):
        with pytest.raises(RefusedError) as refused:
            change(70, seen)
        assert refused.value.codes == {"policy-changed"}
    assert change(80, 1) == 2
    assert change(90, None) == 3


def test_who_has_hours_of_their_own(lab: Lab) -> None:
    with lab.database.transaction() as session:
        for subject in ("", "printer-a"):
            week = {0: ((540, 1080),), 1: ((540, 1080),)}
            opening.set_week(session, lab.clock, subject=subject, week=week, by=lab.awa)
    with lab.database.reading() as session:
        assert opening_read.subjects_with_hours(session) == {"", "printer-a"}


def test_holidays_have_names_in_both_languages() -> None:
    french, english = (opening_read.holiday_names(2026, one) for one in ("fr", "en"))
    assert french[date(2026, 7, 14)] == "Fête nationale"
    assert english[date(2026, 12, 25)] == "Christmas Day"
    assert set(french) == set(english) == opening.french_holidays(2026)
    assert list(french) == sorted(french)
