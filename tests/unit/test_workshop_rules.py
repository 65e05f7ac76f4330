"""Workshop sessions: when, who gets a place, waiting lists, attendance; one minute either side."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.model.attendance import Mark, Presence, mark_refusals, presence_of
from fabctl.model.booking import Slot
from fabctl.model.consent import Birth, Consent, Signer
from fabctl.model.workshop_sessions import (
    SessionFacts,
    series_refusals,
    session_refusals,
    session_slot,
    weekly,
)
from fabctl.model.workshops import (
    EnrolmentFacts,
    EnrolmentState,
    Via,
    Waiting,
    accept_by,
    answer_refusals,
    cancel_refusals,
    enrolment_refusals,
    promoted,
    takes_places,
)

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SESSION = Slot(NOW + 24 * HOUR, NOW + 26 * HOUR)


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "starts", "ends", "expected"),
    [
        (date(2026, 11, 23), time(18), time(20), Slot(at(23, 17), at(23, 19))),
        (date(2026, 7, 14), time(18), time(20), Slot(at(14, 16, month=7), at(14, 18, month=7))),
        # across midnight
        (date(2026, 11, 23), time(22), time(1), Slot(at(23, 21), at(24, 0))),
        (date(2026, 11, 30), time(20), time(0), Slot(at(30, 19), at(30, 23))),
        # 29 March 2026, 2:00 becomes 3:00: three hours on the poster are two
        (date(2026, 3, 28), time(23), time(4), Slot(at(28, 22, month=3), at(29, 2, month=3))),
        (date(2026, 3, 29), time(1), time(4), Slot(at(29, 0, month=3), at(29, 2, month=3))),
        # 25 October 2026, 3:00 becomes 2:00: three hours on the poster are four
        (date(2026, 10, 24), time(23), time(4), Slot(at(24, 21, month=10), at(25, 3, month=10))),
        (date(2026, 10, 25), time(1), time(4), Slot(at(24, 23, month=10), at(25, 3, month=10))),
        # a time that the clocks show twice is the first
        (date(2026, 10, 25), time(2, 30), time(2, 50),
         Slot(at(25, 0, 30, month=10), at(25, 0, 50, month=10))),
        # a time that they skip is an hour later by them; here no time would be left
        (date(2026, 3, 29), time(2, 30), time(3, 10),
         Slot(at(29, 1, 30, month=3), at(29, 2, 10, month=3))),
        # the same time twice is a whole day
        (date(2026, 11, 23), time(9), time(9), Slot(at(23, 8), at(24, 8))),
    ],
)  # fmt: skip
def test_what_the_poster_says(day: date, starts: time, ends: time, expected: Slot) -> None:
    assert session_slot(day, starts, ends, PARIS) == expected


@given(
    st.dates(date(2024, 1, 1), date(2030, 12, 31)),
    st.times().map(lambda one: one.replace(microsecond=0)),
    st.times().map(lambda one: one.replace(microsecond=0)),
)
def test_every_poster_makes_a_stretch_of_a_day_at_most_and_an_hour(
    day: date, starts: time, ends: time
) -> None:
    slot = session_slot(day, starts, ends, PARIS)
    assert timedelta() < slot.end - slot.start <= 25 * HOUR


def test_a_weekly_series_keeps_its_hour_by_the_wall_over_both_changes() -> None:
    days = weekly(date(2026, 3, 16), date(2026, 4, 6))
    assert [day.isoformat() for day in days] == [
        "2026-03-16", "2026-03-23", "2026-03-30", "2026-04-06",
    ]  # fmt: skip
    starts = [session_slot(day, time(18), time(20), PARIS).start.hour for day in days]
    assert starts == [17, 17, 16, 16]
    autumn = weekly(date(2026, 10, 19), date(2026, 11, 1))
    assert [session_slot(day, time(18), time(20), PARIS).start.hour for day in autumn] == [16, 17]


@pytest.mark.parametrize(
    ("first", "until", "count"),
    [
        (date(2026, 11, 23), date(2026, 11, 23), 1),
        (date(2026, 11, 23), date(2026, 11, 29), 1),
        (date(2026, 11, 23), date(2026, 11, 30), 2),
        (date(2026, 11, 23), date(2026, 11, 22), 0),
        (date(2028, 2, 22), date(2028, 3, 7), 3),  # over a leap day
    ],
)
def test_the_last_day_belongs_to_a_series(first: date, until: date, count: int) -> None:
    assert len(weekly(first, until)) == count


@pytest.mark.parametrize(("dates", "fine"), [(0, False), (1, True), (60, True), (61, False)])
def test_the_length_of_a_series(dates: int, fine: bool) -> None:
    assert ([one.code for one in series_refusals(dates)] == []) is fine


FINE = SessionFacts(NOW, SESSION, 10)


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({}, []),
        ({"wanted": Slot(NOW - HOUR, NOW + MINUTE)}, []),
        ({"wanted": Slot(NOW - HOUR, NOW)}, ["session-over"]),
        ({"wanted": Slot(NOW + HOUR, NOW + 25 * HOUR)}, []),
        ({"wanted": Slot(NOW + HOUR, NOW + 25 * HOUR + MINUTE)}, ["session-length"]),
        ({"wanted": Slot(NOW + HOUR, NOW + HOUR)}, ["session-length"]),
        ({"wanted": Slot(NOW + 2 * HOUR, NOW + HOUR)}, ["session-length"]),
        ({"places": 0}, ["places-impossible"]),
        ({"places": 1}, []),
        ({"places": 500}, []),
        ({"places": 501}, ["places-impossible"]),
        ({"taken": [Slot(SESSION.end, SESSION.end + HOUR)]}, []),
        ({"taken": [Slot(SESSION.end - MINUTE, SESSION.end + HOUR)]}, ["overlap"]),
        ({"taken": [Slot(SESSION.start - HOUR, SESSION.start)]}, []),
        ({"taken": [Slot(SESSION.start - HOUR, SESSION.start + MINUTE)]}, ["overlap"]),
        (
            {"wanted": Slot(NOW, NOW), "places": 0, "taken": []},
            ["session-over", "session-length", "places-impossible"],
        ),
    ],
)
def test_putting_a_session_on(change: dict[str, Any], codes: list[str]) -> None:
    assert [one.code for one in session_refusals(replace(FINE, **change))] == codes


# -- enrolments -------------------------------------------------------------------------------

ADULT = Birth(1990, date(1990, 5, 1))
SIGNED = (Consent(Signer.SELF, takes_part=True),)
WELCOME = EnrolmentFacts(
    now=NOW, session=SESSION, on=date(2026, 11, 24), birth=ADULT, consents=SIGNED
)
CHILD = replace(WELCOME, birth=Birth(2015), consents=())


@pytest.mark.parametrize(
    ("facts", "codes"),
    [
        (WELCOME, []),
        (replace(WELCOME, may_act=False), ["not-yours"]),
        (replace(WELCOME, already=True), ["already-enrolled"]),
        (replace(WELCOME, cancelled=True), ["session-cancelled"]),
        (replace(WELCOME, now=SESSION.start - MINUTE), []),
        (replace(WELCOME, now=SESSION.start), ["session-begun"]),
        (replace(WELCOME, now=SESSION.start, via=Via.STAFF), []),
        (replace(WELCOME, now=SESSION.end - MINUTE, via=Via.STAFF), []),
        (replace(WELCOME, now=SESSION.end, via=Via.STAFF), ["session-over"]),
        (replace(WELCOME, age_least=15, age_most=25), ["not-in-age-range"]),
        (replace(WELCOME, age_least=15, age_most=25, override=True), []),
        (replace(WELCOME, consents=()), ["consent-missing"]),
        (replace(WELCOME, consents=(), consent_needed=False), []),
        (replace(WELCOME, consents=(), via=Via.STAFF), []),
        (replace(WELCOME, consents=(), via=Via.PARTNER), []),
        (replace(WELCOME, consents=(), via=Via.GUARDIAN), ["consent-missing"]),
        (replace(WELCOME, consents=(), override=True), ["consent-missing"]),
        (CHILD, ["consent-missing"]),
        (replace(CHILD, consents=SIGNED), ["consent-missing"]),
        (replace(CHILD, consents=(Consent(Signer.GUARDIAN, takes_part=True),)), []),
        (replace(WELCOME, prerequisites_met=False), ["prerequisite-missing"]),
        (replace(WELCOME, prerequisites_met=False, override=True), []),
        (
            replace(CHILD, may_act=False, already=True, age_least=18, prerequisites_met=False),
            ["not-yours", "already-enrolled", "not-in-age-range", "consent-missing",
             "prerequisite-missing"],
        ),
    ],
)  # fmt: skip
def test_every_reason_against_a_place_at_once(facts: EnrolmentFacts, codes: list[str]) -> None:
    refusals = enrolment_refusals(facts)
    assert [one.code for one in refusals] == codes
    assert all(str(one.next_step) for one in refusals)


@pytest.mark.parametrize(
    ("day", "codes"),
    [
        (date(2026, 11, 23), ["not-in-age-range", "consent-missing"]),
        (date(2026, 11, 24), []),  # the 18th birthday: in range, and their own signature counts
    ],
)
def test_the_18th_birthday_is_the_sessions_day(day: date, codes: list[str]) -> None:
    facts = replace(WELCOME, birth=Birth(2008, date(2008, 11, 24)), on=day, age_least=18)
    assert [one.code for one in enrolment_refusals(facts)] == codes


@pytest.mark.parametrize(
    ("size", "free", "fits"), [(1, 1, True), (1, 0, False), (2, 1, False), (2, 2, True)]
)
def test_together_or_not_at_all(size: int, free: int, fits: bool) -> None:
    assert takes_places(size, free) is fits


@pytest.mark.parametrize(
    ("sizes", "free", "chosen"),
    [
        ([], 5, []),
        ([1, 1], 0, []),
        ([1, 1], 1, [0]),
        ([1, 1], 2, [0, 1]),
        ([2, 1], 1, [1]),  # the two keep their rank, the place is not left empty
        ([2, 1], 2, [0]),
        ([2, 1], 3, [0, 1]),
        ([3, 2, 1], 2, [1]),
    ],
)
def test_who_is_promoted(sizes: list[int], free: int, chosen: list[int]) -> None:
    queue = [Waiting(str(number), size) for number, size in enumerate(sizes)]
    assert [one.id for one in promoted(queue, free)] == [str(number) for number in chosen]


@given(st.lists(st.integers(1, 5)), st.integers(0, 20))
def test_promotions_never_exceed_the_places_and_leave_none_that_somebody_could_use(
    sizes: list[int], free: int
) -> None:
    queue = [Waiting(str(number), size) for number, size in enumerate(sizes)]
    chosen = promoted(queue, free)
    left = free - sum(one.size for one in chosen)
    assert left >= 0
    assert all(one.size > left for one in queue if one not in chosen)
    assert [one for one in queue if one in chosen] == chosen


def test_an_offer_ends_at_the_sessions_start_at_the_latest() -> None:
    assert accept_by(NOW, SESSION, 12) == NOW + 12 * HOUR
    assert accept_by(NOW, SESSION, 24) == SESSION.start
    assert accept_by(NOW, SESSION, 48) == SESSION.start


@pytest.mark.parametrize(
    ("state", "ends", "codes"),
    [
        (EnrolmentState.OFFERED, NOW + MINUTE, []),
        (EnrolmentState.OFFERED, NOW, []),
        (EnrolmentState.OFFERED, NOW - MINUTE, ["offer-over"]),
        (EnrolmentState.WAITING, None, ["not-offered"]),
        (EnrolmentState.CONFIRMED, None, ["not-offered"]),
        (EnrolmentState.LAPSED, None, ["not-offered"]),
    ],
)
def test_accepting(state: EnrolmentState, ends: datetime | None, codes: list[str]) -> None:
    assert [one.code for one in answer_refusals(state, ends, NOW)] == codes


@pytest.mark.parametrize("state", list(EnrolmentState))
@pytest.mark.parametrize(("after_end", "over"), [(-MINUTE, False), (timedelta(), True)])
def test_giving_a_place_back(state: EnrolmentState, after_end: timedelta, over: bool) -> None:
    live = state in {
        EnrolmentState.CONFIRMED,
        EnrolmentState.OFFERED,
        EnrolmentState.WAITING,
    }
    expected = (["session-over"] if over else []) if live else ["already-cancelled"]
    codes = [one.code for one in cancel_refusals(state, SESSION, SESSION.end + after_end)]
    assert codes == expected


# -- attendance -------------------------------------------------------------------------------


def tap(number: int, minute: int, presence: Presence) -> Mark:
    return Mark(f"m{number}", SESSION.start + minute * MINUTE, presence)


def undo(number: int, of: int) -> Mark:
    return Mark(f"m{number}", SESSION.start, undoes=f"m{of}")


P, L, A = Presence.PRESENT, Presence.LATE, Presence.ABSENT


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ([], None),
        ([tap(1, 0, P)], P),
        ([tap(1, 0, A), tap(2, 20, L)], L),
        ([tap(2, 20, L), tap(1, 0, A)], L),  # the older one came later
        ([tap(1, 0, P), undo(2, 1)], None),
        ([undo(2, 1), tap(1, 0, P)], None),  # taken back before it arrived
        ([tap(1, 0, A), tap(2, 20, L), undo(3, 2)], A),
        ([tap(1, 0, P), tap(1, 0, P)], P),
        ([tap(1, 5, P), tap(2, 5, A)], A),  # the same moment: the ids decide, always alike
        ([undo(1, 9)], None),
    ],
)
def test_what_counts(marks: list[Mark], expected: Presence | None) -> None:
    assert presence_of(marks) is expected


MARKS = st.lists(
    st.builds(
        lambda number, minute, presence, undoes: Mark(
            f"m{number}",
            SESSION.start + minute * MINUTE,
            presence if undoes is None else None,
            None if undoes is None else f"m{undoes}",
        ),
        st.integers(0, 9),
        st.integers(0, 5),
        st.sampled_from(Presence),
        st.none() | st.integers(0, 9),
    ),
    unique_by=lambda mark: mark.id,
    max_size=6,
)


@given(MARKS, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(marks: list[Mark], random: Any) -> None:
    sent = list(itertools.chain(marks, marks))
    random.shuffle(sent)
    assert presence_of(sent) is presence_of(marks)


@pytest.mark.parametrize(
    ("mark_at", "now", "codes"),
    [
        (SESSION.start - 2 * HOUR, SESSION.start - 2 * HOUR, []),
        (SESSION.start - 2 * HOUR - MINUTE, SESSION.start, ["sheet-not-open"]),
        (SESSION.start, SESSION.start - 2 * HOUR - MINUTE, ["sheet-not-open"]),
        (SESSION.start, SESSION.end + timedelta(days=14), []),
        (SESSION.start, SESSION.end + timedelta(days=14) + MINUTE, ["sheet-closed"]),
    ],
)
def test_when_a_sheet_takes_marks(mark_at: datetime, now: datetime, codes: list[str]) -> None:
    mark = Mark("m", mark_at, P)
    assert [one.code for one in mark_refusals(mark, SESSION, now)] == codes


@pytest.mark.parametrize(
    ("mark", "fine"),
    [
        (Mark("m" * 64, SESSION.start, P), True),
        (Mark("m" * 65, SESSION.start, P), False),
        (Mark("", SESSION.start, P), False),
        (Mark("m", SESSION.start), False),
        (Mark("m", SESSION.start, P, undoes="n"), False),
        (Mark("m", SESSION.start, undoes="n"), True),
    ],
)
def test_a_mark_that_can_be_read(mark: Mark, fine: bool) -> None:
    found = [one.code for one in mark_refusals(mark, SESSION, SESSION.start)]
    assert found == ([] if fine else ["mark-malformed"])
