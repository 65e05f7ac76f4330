"""Reservations and the question whether somebody may use a machine now, on real databases."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fabctl.errors import InputError, UnknownIdError
from fabctl.model.access import unmet
from fabctl.model.refusal import RefusedError
from fabctl.services import bookings, certifications, machines, people
from fabctl.services.access import may_use
from fabctl.services.audit import lines_about
from fabctl.services.bookings import ReservationView
from tests.servers.store.conftest import Lab, profile

PARIS = ZoneInfo("Europe/Paris")


def moment(lab: Lab, minutes: float) -> datetime:
    return lab.clock.now() + timedelta(minutes=minutes)


def book(
    lab: Lab,
    start: float,
    end: float,
    *,
    person: str | None = None,
    machine: str = "printer-a",
    by: str | None = None,
) -> ReservationView:
    """Book from ``start`` to ``end`` minutes from now, for Léa where nobody is named."""
    who = person or lab.lea
    with lab.database.transaction() as session:
        return bookings.book(
            session,
            lab.clock,
            PARIS,
            person_id=who,
            resource_id=machine,
            start=moment(lab, start),
            end=moment(lab, end),
            by=by or who,
        )


def refused(lab: Lab, start: float, end: float, **who: str) -> set[str]:
    with pytest.raises(RefusedError) as error:
        book(lab, start, end, **who)
    return set(error.value.codes)


def cancel(lab: Lab, reservation: ReservationView, by: str) -> ReservationView:
    with lab.database.transaction() as session:
        return bookings.cancel(
            session,
            lab.clock,
            PARIS,
            reservation_id=reservation.id,
            by=by,
            reason=None if by != lab.awa else "asked to",
        )


def coming(lab: Lab, person: str) -> list[ReservationView]:
    with lab.database.reading() as session:
        return bookings.coming_for_person(session, lab.clock, person_id=person)


def answers(lab: Lab, person: str, machine: str = "printer-a", state: str = "idle") -> list[str]:
    """Return the codes of the conditions that are not met."""
    with lab.database.reading() as session:
        found = may_use(
            session, lab.clock, PARIS, person_id=person, resource_id=machine, machine_state=state
        )
    return [refusal.code for refusal in unmet(found)]


def test_a_reservation_is_made_found_and_audited(lab: Lab) -> None:
    made = book(lab, 0, 60)
    assert (made.start, made.end) == (moment(lab, 0), moment(lab, 60))
    assert coming(lab, lab.lea) == [made]
    with lab.database.reading() as session:
        lines = lines_about(session, f"reservation:{made.id}")
    assert [(line.who, line.what) for line in lines] == [(lab.lea, "reservation.made")]


def test_the_same_time_is_refused_and_the_next_minute_is_not(lab: Lab) -> None:
    book(lab, 0, 60)
    assert refused(lab, 59, 119, person=lab.karim) == {"overlap"}
    book(lab, 60, 120, person=lab.karim)
    book(lab, 0, 60, person=lab.karim, machine="printer-b")


def test_all_reasons_come_at_once_and_nothing_is_changed(lab: Lab) -> None:
    book(lab, 0, 60)
    codes = {"not-certified", "overlap", "too-short", "in-the-past"}
    assert refused(lab, -2, 1, person=lab.noemie) == codes
    assert coming(lab, lab.noemie) == []


def test_certified_at_the_time_of_use_not_only_when_booking(lab: Lab) -> None:
    with lab.database.transaction() as session:
        certifications.certify(
            session,
            lab.clock,
            person_id=lab.noemie,
            resource_id="mill",
            expires_at=moment(lab, 120),
        )
    book(lab, 60, 120, person=lab.noemie, machine="mill")
    assert refused(lab, 121, 180, person=lab.noemie, machine="mill") == {"certification-expired"}
    assert refused(lab, 200, 260, person=lab.noemie, machine="mill") == {"certification-expired"}


def test_a_suspended_certification_blocks_booking_until_it_is_reinstated(lab: Lab) -> None:
    with lab.database.transaction() as session:
        certifications.suspend(
            session, lab.clock, person_id=lab.lea, resource_id="printer-a", reason="left a mess"
        )
    assert refused(lab, 0, 60) == {"certification-suspended"}
    assert "certification-suspended" in answers(lab, lab.lea)
    with lab.database.transaction() as session:
        certifications.reinstate(session, lab.clock, person_id=lab.lea, resource_id="printer-a")
        view = certifications.of_person(session, lab.clock, person_id=lab.lea)
    assert [(row.resource_id, row.standing) for row in view] == [
        ("printer-a", "valid"),
        ("printer-b", "valid"),
    ]
    book(lab, 0, 60)


def test_a_suspended_account_and_a_machine_out_of_order(lab: Lab) -> None:
    with lab.database.transaction() as session:
        people.set_suspended(session, lab.clock, person_id=lab.lea, reason="unpaid", by=lab.awa)
        machines.set_out_of_order(
            session, lab.clock, resource_id="printer-a", reason="belt", by=lab.awa
        )
    assert refused(lab, 0, 60) == {"account-suspended", "out-of-order"}
    with lab.database.transaction() as session:
        people.set_suspended(session, lab.clock, person_id=lab.lea, reason=None, by=lab.awa)
        machines.set_out_of_order(
            session, lab.clock, resource_id="printer-a", reason=None, by=lab.awa
        )
    book(lab, 0, 60)


def test_only_staff_books_and_cancels_for_others(lab: Lab) -> None:
    assert refused(lab, 0, 60, person=lab.lea, by=lab.karim) == {"not-yours"}
    made = book(lab, 0, 60, person=lab.lea, by=lab.awa)
    with pytest.raises(RefusedError) as error:
        cancel(lab, made, by=lab.karim)
    assert error.value.codes == {"not-yours"}
    assert cancel(lab, made, by=lab.awa).cancelled_at == lab.clock.now()


def test_a_cancelled_slot_is_free_at_once(lab: Lab) -> None:
    made = book(lab, 30, 90)
    cancel(lab, made, by=lab.lea)
    assert coming(lab, lab.lea) == []
    book(lab, 30, 90, person=lab.karim)
    with pytest.raises(RefusedError) as error:
        cancel(lab, made, by=lab.lea)
    assert error.value.codes == {"already-cancelled"}


def test_cancelling_what_runs_frees_the_rest_and_what_is_over_stays(lab: Lab) -> None:
    made = book(lab, 0, 60)
    with lab.database.transaction() as session:
        bookings.check_in(session, lab.clock, reservation_id=made.id, by=lab.lea)
    lab.clock.advance(20 * 60)
    assert cancel(lab, made, by=lab.lea).end == lab.clock.now()
    second = book(lab, 0, 10, person=lab.karim)
    lab.clock.advance(10 * 60)
    with pytest.raises(RefusedError) as error:
        cancel(lab, second, by=lab.karim)
    assert error.value.codes == {"already-over"}


def test_unknown_people_machines_and_reservations(lab: Lab) -> None:
    with pytest.raises(UnknownIdError, match="person 'nobody'"):
        book(lab, 0, 60, person="nobody", by=lab.awa)
    with pytest.raises(UnknownIdError, match="machine 'lathe'"):
        book(lab, 0, 60, machine="lathe")
    with lab.database.reading() as session, pytest.raises(UnknownIdError):
        bookings.get_reservation(session, "nonsense")


def test_proposals_are_now_and_the_next_that_fit(lab: Lab) -> None:
    book(lab, 90, 150)
    with lab.database.reading() as session:
        found = bookings.proposals(session, lab.clock, PARIS, "printer-a")
        short = bookings.proposals(session, lab.clock, PARIS, "printer-a", minutes=30, count=2)
        with pytest.raises(InputError):
            bookings.proposals(session, lab.clock, PARIS, "printer-a", minutes=4)
    starts = [(slot.start - lab.clock.now()).total_seconds() / 60 for slot in found]
    assert starts == [0, 150, 210, 270]
    assert [(slot.end - slot.start).total_seconds() / 60 for slot in short] == [30, 30]


def test_what_screens_may_show_of_bookings(lab: Lab) -> None:
    book(lab, 0, 60)
    book(lab, 60, 90, person=lab.karim)
    book(lab, 120, 180)
    book(lab, 30, 60, person=lab.karim, machine="printer-b")
    with lab.database.reading() as session:
        found = machines.bookings_projection(session, lab.clock)
    assert found == {
        "printer-a": (moment(lab, 90), moment(lab, 120)),
        "printer-b": (None, moment(lab, 30)),
        "mill": (None, None),
    }


def test_a_stretch_of_time_shows_what_touches_it(lab: Lab) -> None:
    made = [book(lab, 0, 60), book(lab, 60, 120), book(lab, 120, 180)]
    with lab.database.reading() as session:
        found = bookings.for_resource(
            session, resource_id="printer-a", start=moment(lab, 60), end=moment(lab, 120)
        )
    assert found == made[1:2]


def test_the_holder_may_use_the_machine_from_the_first_moment_to_the_last(lab: Lab) -> None:
    book(lab, 1, 61)
    assert answers(lab, lab.lea) == ["not-reserved"]
    lab.clock.advance(60)
    assert answers(lab, lab.lea) == []
    assert answers(lab, lab.karim) == ["someone-elses-slot"]
    assert answers(lab, lab.noemie) == ["not-certified", "someone-elses-slot"]
    lab.clock.advance(60 * 60 - 0.001)
    assert answers(lab, lab.lea) == []
    lab.clock.advance(0.001)
    assert answers(lab, lab.lea) == ["not-reserved"]


def test_all_conditions_come_back_with_their_next_steps(lab: Lab) -> None:
    with lab.database.reading() as session:
        found = may_use(
            session,
            lab.clock,
            PARIS,
            person_id=lab.noemie,
            resource_id="printer-a",
            machine_state="unknown",
        )
    assert [(condition.code, condition.met) for condition in found] == [
        ("account-suspended", True),
        ("not-certified", False),
        ("not-reserved", False),
        ("out-of-order", True),
        ("machine-unknown", None),
        ("machine-busy", True),
    ]
    assert all((condition.met is True) == (condition.next_step is None) for condition in found)


def test_machines_follow_lab_toml_and_keep_their_history(lab: Lab) -> None:
    made = book(lab, 0, 60)
    with lab.database.transaction() as session:
        machines.sync_resources(session, lab.clock, [profile("printer-b"), profile("lathe")])
        assert [row.id for row in machines.list_resources(session)] == ["printer-b", "lathe"]
    with pytest.raises(UnknownIdError, match="any more"):
        book(lab, 120, 180)
    with lab.database.transaction() as session:
        machines.sync_resources(session, lab.clock, [profile("printer-a")])
    assert coming(lab, lab.lea) == [made]
    assert refused(lab, 0, 60) == {"overlap"}
