"""What happens to reservations: moved, cancelled, checked in, missed, stopped, waited for."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from fabctl.errors import UnknownIdError
from fabctl.model.booking_facts import ClaimKind
from fabctl.model.booking_policy import Reach, Scope
from fabctl.services import (
    closures,
    machines,
    noshows,
    opening,
    people,
    resources,
    series,
    using,
    waiting,
)
from fabctl.services.audit import lines_about
from fabctl.services.certifications import certify
from fabctl.services.series import SeriesReport
from tests.servers.store.booking_lab import (
    PARIS,
    PRINTER_A,
    accept,
    add_space,
    book,
    cancel,
    catch_up,
    check_in,
    close,
    coming,
    moment,
    move,
    refusing,
    set_policy,
    slot,
    stop,
    told,
    use_now,
    wait_for,
    waits,
)
from tests.servers.store.conftest import Lab

MINUTE = 60.0


# -- moving ---------------------------------------------------------------------------------------


def test_moving_keeps_the_reservation_and_frees_its_old_time(lab: Lab) -> None:
    made = book(lab, 60, 120)
    moved = move(lab, made, 120, 180)
    assert (moved.id, moved.start) == (made.id, moment(lab, 120))
    book(lab, 60, 120, person=lab.karim)
    assert coming(lab, lab.lea) == [moved]


def test_moving_within_its_own_time_and_to_another_machine(lab: Lab) -> None:
    made = book(lab, 60, 120)
    assert move(lab, made, 90, 150).end == moment(lab, 150)
    assert move(lab, made, 90, 150, resource="printer-b").resource_id == "printer-b"


def test_a_refused_move_changes_nothing(lab: Lab) -> None:
    made = book(lab, 60, 120)
    book(lab, 120, 180, person=lab.karim)
    with refusing("overlap", "too-long"):
        move(lab, made, 119, 119 + 481)
    assert coming(lab, lab.lea) == [made]
    with refusing("not-yours"):
        move(lab, made, 300, 360, by=lab.karim)
    with refusing("not-certified"):
        move(lab, made, 60, 120, resource="mill")
    assert coming(lab, lab.lea) == [made]


def test_what_runs_can_be_made_longer_and_not_earlier(lab: Lab) -> None:
    made = book(lab, 0, 60)
    lab.clock.advance(30 * MINUTE)
    assert move(lab, made, -30, 45).end == moment(lab, 45)
    assert move(lab, made, -30, 90).end == moment(lab, 90)
    with refusing("has-begun", "in-the-past"):
        move(lab, made, -31, 45)
    with refusing("has-begun", "in-the-past"):
        move(lab, made, -30, 0)


def test_what_runs_gets_another_end_by_the_same_rules(lab: Lab) -> None:
    set_policy(lab, per_day_min=90)
    made = book(lab, 0, 60)
    book(lab, 80, 140, person=lab.karim)
    lab.clock.advance(30 * MINUTE)
    with refusing("overlap"):
        move(lab, made, -30, 51)
    with refusing("quota-day", "overlap"):
        move(lab, made, -30, 61)
    assert move(lab, made, -30, 50).end == moment(lab, 50)


@pytest.mark.parametrize(("minutes", "past"), [(0, []), (1, []), (30, ["in-the-past"])])
def test_what_has_begun_keeps_its_start_and_its_machine_whoever_asks(
    lab: Lab, minutes: int, past: list[str]
) -> None:
    made = book(lab, 0, 60)
    check_in(lab, made)
    lab.clock.advance(minutes * MINUTE)
    for by, reason in ((lab.lea, None), (lab.awa, None), (lab.awa, "please")):
        with refusing("has-begun"):
            move(lab, made, 120, 180, by=by, override=reason)
        with refusing("has-begun", *past):
            move(lab, made, -minutes, 60 - minutes, resource="printer-b", by=by, override=reason)
    assert [(one.start, one.resource_id) for one in coming(lab, lab.lea)] == [
        (made.start, "printer-a")
    ]


def test_nobody_moves_away_from_a_missed_start(lab: Lab) -> None:
    made = book(lab, 0, 60)
    lab.clock.advance(MINUTE)
    with refusing("has-begun"):
        move(lab, made, 24 * 60, 25 * 60)
    lab.clock.advance(14 * MINUTE)
    assert [one.id for one in catch_up(lab).no_shows] == [made.id]
    with refusing("no-show"):
        move(lab, made, 24 * 60, 25 * 60)


def test_use_now_has_begun_and_gives_back_no_used_time(lab: Lab) -> None:
    set_policy(lab, per_day_min=60)
    made = use_now(lab, lab.lea, 60)
    with refusing("has-begun"):
        move(lab, made, 24 * 60, 25 * 60)
    lab.clock.advance(30 * MINUTE)
    with refusing("has-begun"):
        move(lab, made, 24 * 60, 25 * 60)
    with refusing("quota-day"):
        book(lab, 60, 91)


def test_a_new_start_asks_for_a_new_check_in(lab: Lab) -> None:
    made = book(lab, 15, 75)
    here = check_in(lab, made).checked_in_at
    assert here is not None
    assert move(lab, made, 15, 90).checked_in_at == here  # the same start
    moved = move(lab, made, 60, 120)
    assert moved.checked_in_at is None
    assert coming(lab, lab.lea) == [moved]
    lab.clock.advance(75 * MINUTE)
    assert [one.id for one in catch_up(lab).no_shows] == [made.id]


def test_a_move_does_not_count_itself_in_a_quota(lab: Lab) -> None:
    set_policy(lab, coming_most=1, per_day_min=60)
    made = book(lab, 60, 120)
    assert move(lab, made, 90, 150).start == moment(lab, 90)
    with refusing("quota-day"):
        move(lab, made, 90, 151)
    with refusing("too-many-ahead", "quota-day"):
        book(lab, 300, 310)


# -- cancelling -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "late"), [(61, False), (60, False), (59, True)])
def test_the_deadline_of_cancelling(lab: Lab, before: int, late: bool) -> None:
    set_policy(lab, cancel_until_min=60)
    made = book(lab, 120, 180)
    lab.clock.advance((120 - before) * MINUTE)
    if late:
        with refusing("past-cancellation-deadline"):
            cancel(lab, made)
        with refusing("past-cancellation-deadline"):
            move(lab, made, 300, 360)
        assert move(lab, made, before, before + 61).end == moment(lab, before + 61)
        assert cancel(lab, made, by=lab.awa, reason="ill").cancelled_at
    else:
        assert cancel(lab, made).cancelled_at


def test_the_staff_cancel_with_a_reason_and_the_person_is_told(lab: Lab) -> None:
    made = book(lab, 60, 120)
    with refusing("reason-missing"):
        cancel(lab, made, by=lab.awa)
    cancel(lab, made, by=lab.awa, reason="the ceiling leaks")
    assert told(lab, lab.lea) == ["cancelled-by-staff"]
    with lab.database.reading() as session:
        last = lines_about(session, f"reservation:{made.id}")[-1]
    assert (last.what, last.details) == (
        "reservation.cancelled",
        {"reason": "the ceiling leaks"},
    )


# -- what the staff set aside ---------------------------------------------------------------------


def test_the_staff_set_a_rule_aside_with_a_reason_that_is_audited(lab: Lab) -> None:
    set_policy(lab, notice_min=60)
    with refusing("too-short-notice"):
        book(lab, 10, 70, by=lab.awa)
    with refusing("too-short-notice", "override-not-allowed"):
        book(lab, 10, 70, override="please")
    with refusing("reason-missing"):
        book(lab, 10, 70, by=lab.awa, override=" ")
    made = book(lab, 10, 70, by=lab.awa, override="a visitor from far away")
    with lab.database.reading() as session:
        line = lines_about(session, f"reservation:{made.id}")[0]
    assert line.details["overrode"] == ["too-short-notice"]
    assert line.details["reason"] == "a visitor from far away"


def test_nobody_sets_the_others_aside(lab: Lab) -> None:
    book(lab, 10, 70)
    with refusing("overlap", "not-certified"):
        book(lab, 20, 60, person=lab.noemie, by=lab.awa, override="please")
    with refusing("no-such-time"):
        book(lab, 100, 90, by=lab.awa, override="please")


# -- checking in, missing, stopping ---------------------------------------------------------------


def test_check_in_opens_a_quarter_of_an_hour_before(lab: Lab) -> None:
    made = book(lab, 30, 90)
    lab.clock.advance(14 * MINUTE)
    with refusing("check-in-too-early"):
        check_in(lab, made)
    lab.clock.advance(MINUTE)
    with refusing("not-yours"):
        check_in(lab, made, by=lab.karim)
    first = check_in(lab, made).checked_in_at
    lab.clock.advance(MINUTE)
    assert check_in(lab, made).checked_in_at == first


def test_nobody_came_for_a_quarter_of_an_hour(lab: Lab) -> None:
    made = book(lab, 0, 60)
    lab.clock.advance(15 * MINUTE - 1)
    assert catch_up(lab).no_shows == []
    lab.clock.advance(1)
    assert [one.id for one in catch_up(lab).no_shows] == [made.id]
    assert catch_up(lab).no_shows == []
    assert told(lab, lab.lea) == ["no-show"]
    assert coming(lab, lab.lea) == []
    book(lab, 0, 30, person=lab.karim)
    for act in (check_in, cancel):
        with refusing("no-show"):
            act(lab, made)


def test_a_no_show_counts_as_used_until_it_is_pardoned(lab: Lab) -> None:
    set_policy(lab, per_day_min=60)
    made = book(lab, 0, 60)
    lab.clock.advance(16 * MINUTE)
    catch_up(lab)
    with refusing("quota-day"):
        book(lab, 60, 66)
    with lab.database.transaction() as session:
        noshows.pardon(session, lab.clock, reservation_id=made.id, by=lab.awa, reason="train")
    book(lab, 60, 120)


@pytest.mark.parametrize(("minutes", "missed"), [(-1, False), (0, False), (1, True), (14, True)])
def test_cancelling_what_has_begun_is_a_no_show(lab: Lab, minutes: int, missed: bool) -> None:
    """Else whoever does not come would cancel after the start, and never be missed."""
    set_policy(lab, per_day_min=60)
    made = book(lab, 15, 75)
    lab.clock.advance((15 + minutes) * MINUTE)
    gone = cancel(lab, made)
    assert (gone.no_show_at, gone.cancelled_at).index(None) == int(missed)
    assert told(lab, lab.lea) == (["no-show"] if missed else [])
    assert catch_up(lab).no_shows == []
    book(lab, 5, 65, person=lab.karim)
    if missed:
        with refusing("quota-day"):
            book(lab, 70, 80)
    else:
        book(lab, 70, 80)


def test_cancelling_is_no_no_show_after_coming_or_by_the_staff(lab: Lab) -> None:
    checked, used = book(lab, 0, 60), book(lab, 0, 60, person=lab.karim, resource="printer-b")
    check_in(lab, checked)
    with lab.database.transaction() as session:
        using.begin_use(
            session,
            lab.clock,
            PARIS,
            person_id=lab.karim,
            resource_id="printer-b",
            machine_state="idle",
        )
    lab.clock.advance(MINUTE)
    for made, by, reason in ((checked, lab.lea, None), (used, lab.karim, None)):
        gone = cancel(lab, made, by=by, reason=reason)
        assert (gone.no_show_at, gone.cancelled_at) == (None, lab.clock.now())
    late = book(lab, 5, 65)
    lab.clock.advance(6 * MINUTE)
    assert cancel(lab, late, by=lab.awa, reason="the ceiling leaks").no_show_at is None


def test_whoever_checked_in_or_uses_the_machine_came(lab: Lab) -> None:
    checked, used = book(lab, 0, 60), book(lab, 0, 60, person=lab.karim, resource="printer-b")
    check_in(lab, checked)
    with lab.database.transaction() as session:
        using.begin_use(
            session,
            lab.clock,
            PARIS,
            person_id=lab.karim,
            resource_id="printer-b",
            machine_state="idle",
        )
    lab.clock.advance(30 * MINUTE)
    assert catch_up(lab).no_shows == []
    assert coming(lab, lab.karim)[0].checked_in_at == used.start


def test_a_reservation_made_late_has_its_quarter_of_an_hour_too(lab: Lab) -> None:
    made = book(lab, -1, 60)
    lab.clock.advance(15 * MINUTE - 1)
    assert catch_up(lab).no_shows == []
    lab.clock.advance(1)
    assert [one.id for one in catch_up(lab).no_shows] == [made.id]


def test_a_policy_may_wait_longer_or_for_ever(lab: Lab) -> None:
    set_policy(lab, PRINTER_A, release_after_min=None)
    set_policy(lab, release_after_min=30)
    book(lab, 0, 60)
    book(lab, 0, 60, person=lab.karim, resource="printer-b")
    lab.clock.advance(29 * MINUTE)
    assert catch_up(lab).no_shows == []
    lab.clock.advance(MINUTE)
    assert [one.resource_id for one in catch_up(lab).no_shows] == ["printer-b"]


def test_after_a_day_away_every_due_thing_happens_once(lab: Lab) -> None:
    missed = [book(lab, 60 * hour, 60 * hour + 30) for hour in range(3)]
    held = book(lab, 300, 360)
    waiter = wait_for(lab, lab.karim, 300, 360)
    offered = book(lab, 400, 460)
    second = wait_for(lab, lab.karim, 400, 460)
    cancel(lab, offered)
    assert waits(lab, lab.karim)[1].answer_until == moment(lab, 60)
    lab.clock.advance(24 * 3600)
    done = catch_up(lab)
    assert {one.id for one in done.no_shows} == {*(one.id for one in missed), held.id}
    assert (done.lapsed, done.missed, done.offers) == ([second.id], [waiter.id], [])
    again = catch_up(lab)
    assert (again.no_shows, again.lapsed, again.missed, again.offers) == ([], [], [], [])
    assert sorted(told(lab, lab.lea)) == ["no-show"] * 4
    assert sorted(told(lab, lab.karim)) == ["offer-lapsed", "offered"]


def test_stopping_early_frees_the_rest_and_tells_the_next(lab: Lab) -> None:
    made = book(lab, 0, 60)
    book(lab, 60, 120, person=lab.karim)
    with refusing("not-begun"):
        stop(lab, made)
    lab.clock.advance(20 * MINUTE)
    assert stop(lab, made).end == lab.clock.now()
    assert told(lab, lab.karim) == ["freed-before"]
    with refusing("already-over"):
        stop(lab, made)
    book(lab, 0, 40)


def test_whoever_still_uses_the_machine_does_not_stop(lab: Lab) -> None:
    made = book(lab, 0, 60)
    with lab.database.transaction() as session:
        use = using.begin_use(
            session,
            lab.clock,
            PARIS,
            person_id=lab.lea,
            resource_id="printer-a",
            machine_state="idle",
        )
    lab.clock.advance(MINUTE)
    with refusing("still-in-use"):
        stop(lab, made)
    with lab.database.transaction() as session:
        using.finish_use(session, lab.clock, use_id=use.id, by=lab.lea)
    stop(lab, made)


def test_stopping_keeps_the_time_to_clean_up(lab: Lab) -> None:
    set_policy(lab, clean_up_min=10)
    made = book(lab, 0, 60)
    lab.clock.advance(20 * MINUTE)
    stop(lab, made)
    with refusing("overlap"):
        book(lab, 9, 40, person=lab.karim)
    book(lab, 10, 40, person=lab.karim)


# -- using now ------------------------------------------------------------------------------------


def test_using_now_lasts_to_the_next_claim_and_is_a_check_in(lab: Lab) -> None:
    set_policy(lab, clean_up_min=5, notice_min=60, step_min=30)
    book(lab, 90, 150, person=lab.karim)
    made = use_now(lab, lab.lea)
    assert (made.start, made.end) == (lab.clock.now(), moment(lab, 85))
    assert made.checked_in_at == lab.clock.now()


def test_using_now_lasts_to_closing(lab: Lab) -> None:
    with lab.database.transaction() as session:
        opening.set_week(session, lab.clock, week={0: ((480, 660),)}, by=lab.awa)  # 8:00 to 11:00
    assert use_now(lab, lab.lea).end == moment(lab, 60)  # it is 10:00 in Paris


def test_using_now_as_long_as_asked_and_at_most_as_allowed(lab: Lab) -> None:
    assert use_now(lab, lab.lea, minutes=20).end == moment(lab, 20)
    lab.clock.advance(60 * MINUTE)
    set_policy(lab, longest_min=45)
    assert use_now(lab, lab.karim).end == moment(lab, 45)


def test_using_now_says_why_not(lab: Lab) -> None:
    book(lab, 4, 60, person=lab.karim)
    with refusing("overlap"):
        use_now(lab, lab.lea)
    lab.clock.advance(10 * MINUTE)
    with refusing("overlap", "not-certified"):
        use_now(lab, lab.noemie)


# -- opening hours --------------------------------------------------------------------------------


def test_hours_of_the_lab_a_room_and_a_machine(lab: Lab) -> None:
    with lab.database.transaction() as session:
        opening.set_week(session, lab.clock, week={0: ((600, 720),)}, by=lab.awa)
        opening.set_week(
            session, lab.clock, subject="printer-b", week={0: ((600, 840),)}, by=lab.awa
        )
    book(lab, 60, 120)
    with refusing("closed", "own-overlap"):
        book(lab, 118, 241, resource="printer-b")
    book(lab, 120, 240, resource="printer-b")
    with refusing("closed"):
        book(lab, 120, 180, person=lab.karim)
    with lab.database.transaction() as session:
        opening.set_exception(
            session, lab.clock, first=date(2026, 11, 23), periods=((600, 780),), by=lab.awa
        )
    book(lab, 120, 180, person=lab.karim)
    with lab.database.transaction() as session:
        opening.forget_exception(session, lab.clock, day=date(2026, 11, 23), by=lab.awa)
    with refusing("closed"):
        book(lab, 180, 240, person=lab.karim)


def test_a_public_holiday_is_closed_unless_the_policy_says_no(lab: Lab) -> None:
    everyday = dict.fromkeys(range(7), ((0, 1440),))
    with lab.database.transaction() as session:
        opening.set_week(session, lab.clock, week=everyday, by=lab.awa)
    christmas = 32 * 24 * 60
    with refusing("closed"):
        book(lab, christmas, christmas + 60)
    set_policy(lab, holidays=False)
    book(lab, christmas, christmas + 60)


def test_hours_that_cannot_be_and_who_sets_them(lab: Lab) -> None:
    with refusing("hours-malformed"), lab.database.transaction() as session:
        opening.set_week(session, lab.clock, week={0: ((600, 600),)}, by=lab.awa)
    with refusing("staff-only"), lab.database.transaction() as session:
        opening.set_week(session, lab.clock, week={}, by=lab.lea)
    with pytest.raises(UnknownIdError), lab.database.transaction() as session:
        opening.set_week(session, lab.clock, subject="lathe", week={}, by=lab.awa)


# -- closures and maintenance ---------------------------------------------------------------------


def test_a_closure_closes_and_maintenance_is_out_of_order(lab: Lab) -> None:
    first = close(lab, 60, 120)
    close(lab, 120, 180, kind=ClaimKind.MAINTENANCE)
    with refusing("closed", "overlap"):
        book(lab, 90, 110)
    with refusing("overlap"):
        book(lab, 90, 110, by=lab.awa, override="please")
    with refusing("out-of-order"):
        book(lab, 130, 150)
    with lab.database.transaction() as session:
        closures.reopen(session, lab.clock, PARIS, closure_id=first, by=lab.awa)
        assert len(closures.coming(session, since=lab.clock.now())) == 1
    book(lab, 90, 110)


def test_closing_refuses_or_cancels_what_is_booked(lab: Lab) -> None:
    made = book(lab, 60, 120)
    wait_for(lab, lab.karim, 60, 120)
    with refusing("overlap"):
        close(lab, 90, 180)
    close(lab, 90, 180, cancel_reservations=True)
    assert coming(lab, lab.lea) == []
    assert told(lab, lab.lea) == ["cancelled-by-staff"]
    assert (waits(lab, lab.karim), told(lab, lab.karim)) == ([], ["wait-ended"])
    with refusing("already-cancelled"):
        cancel(lab, made)


def test_a_room_out_of_order_takes_its_machines_along(lab: Lab) -> None:
    add_space(lab, "workshop")
    with lab.database.transaction() as session:
        machines.set_out_of_order(
            session, lab.clock, resource_id="workshop", reason="flooded", by=lab.awa
        )
    book(lab, 0, 30)
    with lab.database.transaction() as session:
        resources.put_into(
            session, lab.clock, resource_id="printer-a", parent_id="workshop", by=lab.awa
        )
    with refusing("out-of-order"):
        book(lab, 60, 90)


# -- waiting lists --------------------------------------------------------------------------------


def test_the_first_of_the_list_gets_the_slot_and_time_to_answer(lab: Lab) -> None:
    made = book(lab, 120, 180)
    first = wait_for(lab, lab.karim, 120, 180)
    with refusing("slot-free"):
        wait_for(lab, lab.lea, 60, 120)
    with refusing("already-waiting"):
        wait_for(lab, lab.karim, 130, 180)
    with refusing("not-certified"):
        wait_for(lab, lab.noemie, 120, 180)
    cancel(lab, made)
    offer = waits(lab, lab.karim)[0]
    assert (offer.id, offer.answer_until) == (first.id, moment(lab, 60))
    assert told(lab, lab.karim) == ["offered"]
    with refusing("overlap"):
        book(lab, 120, 180)  # kept
    taken = accept(lab, offer)
    assert (taken.start, taken.person_id) == (moment(lab, 120), lab.karim)
    with refusing("offer-over"):
        accept(lab, offer)


def another_maker(lab: Lab) -> str:
    with lab.database.transaction() as session:
        person = people.add_person(session, lab.clock, display_name="Tom").id
        for machine in ("printer-a", "printer-b"):
            certify(session, lab.clock, person_id=person, resource_id=machine)
    return person


def test_no_answer_passes_the_slot_on_and_so_does_a_no(lab: Lab) -> None:
    tom = another_maker(lab)
    made = book(lab, 120, 180)
    first, second = wait_for(lab, lab.karim, 120, 180), wait_for(lab, tom, 120, 180)
    cancel(lab, made)
    lab.clock.advance(60 * MINUTE - 1)
    assert catch_up(lab).lapsed == []
    lab.clock.advance(1)
    done = catch_up(lab)
    assert (done.lapsed, [one.id for one in done.offers]) == ([first.id], [second.id])
    with refusing("offer-over"):
        accept(lab, first)
    with lab.database.transaction() as session:
        waiting.leave(session, lab.clock, PARIS, waiting_id=second.id, by=tom)
    book(lab, 60, 120)


def test_whoever_cannot_have_it_is_passed_over_and_stays(lab: Lab) -> None:
    tom = another_maker(lab)
    made = book(lab, 120, 180)
    first, second = wait_for(lab, lab.karim, 120, 180), wait_for(lab, tom, 120, 180)
    book(lab, 150, 210, person=lab.karim, resource="printer-b")  # own-overlap by now
    cancel(lab, made)
    assert [one.id for one in waits(lab, tom)] == [second.id]
    assert waits(lab, tom)[0].answer_until is not None
    assert waits(lab, lab.karim)[0].id == first.id
    assert waits(lab, lab.karim)[0].answer_until is None


def test_a_no_show_offers_the_rest_of_the_slot(lab: Lab) -> None:
    book(lab, 0, 60)
    wait_for(lab, lab.karim, 0, 60)
    lab.clock.advance(15 * MINUTE)
    done = catch_up(lab)
    assert len(done.offers) == 1
    assert done.offers[0].answer_until == moment(lab, 15)
    lab.clock.advance(5 * MINUTE)
    taken = accept(lab, done.offers[0])
    assert (taken.start, taken.end) == (lab.clock.now(), moment(lab, 40))
    lab.clock.advance(14 * MINUTE)
    assert catch_up(lab).no_shows == []


def test_accepting_asks_the_rules_again(lab: Lab) -> None:
    made = book(lab, 120, 180)
    wait_for(lab, lab.karim, 120, 180)
    cancel(lab, made)
    with lab.database.transaction() as session:
        people.set_suspended(session, lab.clock, person_id=lab.karim, reason="x", by=lab.awa)
    with refusing("account-suspended"):
        accept(lab, waits(lab, lab.karim)[0])


# -- series ---------------------------------------------------------------------------------------


def book_series(lab: Lab, by: str, weeks: int = 4, *, rest: bool = False) -> SeriesReport:
    wanted = slot(lab, 60, 120)
    with lab.database.transaction() as session:
        return series.book_series(
            session,
            lab.clock,
            PARIS,
            person_id=lab.lea,
            resource_id="printer-a",
            start=wanted.start,
            end=wanted.end,
            weeks=weeks,
            by=by,
            book_the_rest=rest,
        )


def test_a_series_reports_what_is_refused_and_books_the_rest_when_told(lab: Lab) -> None:
    week = 7 * 24 * 60
    book(lab, 2 * week + 90, 2 * week + 150, person=lab.karim)
    report = book_series(lab, lab.awa)
    assert (report.series_id, report.booked) == (None, [])
    assert [(one.day, [r.code for r in one.refusals]) for one in report.refused] == [
        (date(2026, 12, 7), ["overlap"])
    ]
    assert coming(lab, lab.lea) == []
    report = book_series(lab, lab.awa, rest=True)
    assert [f"{one.start:%d.%m}" for one in report.booked] == ["23.11", "30.11", "14.12"]
    assert {one.series_id for one in report.booked} == {report.series_id}


def test_a_series_counts_its_own_dates(lab: Lab) -> None:
    set_policy(lab, coming_most=2)
    report = book_series(lab, lab.awa, rest=True)
    assert len(report.booked) == 2
    assert [one.refusals[0].code for one in report.refused] == ["too-many-ahead"] * 2


def test_members_book_a_series_where_the_policy_says_so(lab: Lab) -> None:
    with refusing("series-not-allowed", "series-length"):
        book_series(lab, lab.lea, weeks=61)
    set_policy(lab, Scope(Reach.CATEGORY, "printer"), members_series=True)
    assert len(book_series(lab, lab.lea).booked) == 4


def test_a_series_is_cancelled_from_now_on(lab: Lab) -> None:
    report = book_series(lab, lab.awa)
    lab.clock.advance(timedelta(days=8).total_seconds())
    with lab.database.transaction() as session:
        gone = series.cancel_series(
            session, lab.clock, PARIS, series_id=report.series_id or "", by=lab.lea
        )
    assert len(gone) == 2
