"""Every rule of booking with policies, one case per edge: one minute either side."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fabctl.i18n import translate
from fabctl.model.booking import (
    OVERRIDABLE,
    Booked,
    BookingFacts,
    BookingRules,
    ClaimKind,
    Held,
    ResourceKind,
    Slot,
    Taken,
    refusals,
    still_refused,
)
from fabctl.model.booking_free import free_slots
from fabctl.model.booking_policy import Reach, Scope
from fabctl.model.booking_refusals import begun_refusal, impossible, out_of_range
from fabctl.model.certification import Standing
from fabctl.model.consent import Birth, Consent, Signer

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # Monday, 10:00 in Paris
MINUTE = timedelta(minutes=1)
MOMENT = timedelta(microseconds=1)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def at(start: float, lasts: float = 60) -> Slot:
    return Slot(NOW + minutes(start), NOW + minutes(start + lasts))


def held(start: float, lasts: float, resource: str = "printer-a", **more: Any) -> Held:
    return Held(at(start, lasts), resource, more.pop("category", "printer"), **more)


def codes(wanted: Slot, rules: BookingRules | None = None, **facts: Any) -> list[str]:
    found = refusals(BookingFacts(NOW, wanted, rules=rules or BookingRules(), **facts))
    return [refusal.code for refusal in found]


HOUR_OF_NOTICE = BookingRules(notice=minutes(60))


@pytest.mark.parametrize(
    ("start", "using_now", "expected"),
    [
        (60, False, []),
        (61, False, []),
        (59, False, ["too-short-notice"]),
        (0, True, []),
        (0, False, ["too-short-notice"]),
    ],
)
def test_notice(start: float, using_now: bool, expected: list[str]) -> None:
    assert codes(at(start), HOUR_OF_NOTICE, using_now=using_now) == expected


@pytest.mark.parametrize(
    ("start", "now", "expected"),
    [
        (-1, timedelta(0), []),
        (-1, timedelta(minutes=1) - MOMENT, []),  # chosen in the last minute, answered in this one
        (-1, timedelta(minutes=1), ["in-the-past"]),
        (-2, timedelta(0), ["in-the-past"]),
    ],
)
def test_now_is_the_minute_that_runs_and_the_one_before_it(
    start: float, now: timedelta, expected: list[str]
) -> None:
    found = refusals(BookingFacts(NOW + now, at(start, 60), rules=BookingRules()))
    assert [refusal.code for refusal in found] == expected


HALF_HOURS = BookingRules(step=minutes(30))


@pytest.mark.parametrize(
    ("slot", "expected"),
    [
        (at(30, 60), []),
        (at(30, 61), ["off-grid"]),
        (at(30, 59), ["off-grid"]),
        (at(29, 61), ["off-grid"]),
        (at(31, 59), ["off-grid"]),
        (Slot(NOW + minutes(30) + MOMENT, NOW + minutes(90)), ["off-grid"]),
    ],
)
def test_the_grid(slot: Slot, expected: list[str]) -> None:
    assert codes(slot, HALF_HOURS) == expected


def test_whoever_uses_it_now_is_not_asked_for_the_grid() -> None:
    assert codes(at(7, 20), HALF_HOURS, using_now=True) == []


def test_the_grid_is_on_the_wall_clock_on_both_sides_of_a_change() -> None:
    two_hours = BookingRules(step=minutes(120), horizon=timedelta(days=400))
    # Paris: 10:00 is 09:00 UTC in winter and 08:00 UTC in summer
    summer = datetime(2027, 3, 28, 8, 0, tzinfo=UTC)
    assert codes(Slot(summer, summer + minutes(120)), two_hours) == []
    winter = datetime(2027, 3, 27, 8, 0, tzinfo=UTC)
    assert codes(Slot(winter, winter + minutes(120)), two_hours) == ["off-grid"]


TEN_MINUTES_CLEAN = BookingRules(clean_up=minutes(10))


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        (at(70, 60), []),
        (at(69, 60), ["overlap"]),
        (at(60, 60), ["overlap"]),
        (at(-60, 60), []),
        (at(-60, 61), ["overlap"]),
    ],
)
def test_the_clean_up_after_the_wanted_slot_counts(taken: Slot, expected: list[str]) -> None:
    assert codes(at(0), TEN_MINUTES_CLEAN, taken=[taken]) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (ClaimKind.RESERVATION, ["overlap"]),
        (ClaimKind.WORKSHOP, ["overlap"]),
        (ClaimKind.OFFER, ["overlap"]),
        (ClaimKind.CLOSURE, ["closed", "overlap"]),
        (ClaimKind.MAINTENANCE, ["out-of-order"]),
    ],
)
def test_what_takes_the_slot_says_why(kind: ClaimKind, expected: list[str]) -> None:
    assert codes(at(0), taken=[Taken(at(59), kind)]) == expected
    assert codes(at(0), taken=[Taken(at(60), kind)]) == []


@pytest.mark.parametrize(
    ("slot", "expected"),
    [
        (at(0, 60), []),
        (at(0, 120), []),
        (at(0, 121), ["closed"]),
        (at(60, 60), []),
        (at(180, 60), []),
        (at(179, 60), ["closed"]),
        (at(60, 180), ["closed"]),
    ],
)
def test_open_all_the_time_of_the_slot(slot: Slot, expected: list[str]) -> None:
    assert codes(slot, open=[at(0, 120), at(180, 120)]) == expected


def test_closed_when_nothing_is_open() -> None:
    assert codes(at(0), open=[]) == ["closed"]


DAY = BookingRules(per_day=minutes(120))
WEEK = BookingRules(per_week=minutes(120))
EVENING = 14 * 60  # 10:00 in Paris and 14 hours: midnight


@pytest.mark.parametrize(
    ("before", "wanted", "expected"),
    [
        ([held(-60, 60)], at(0, 60), []),
        ([held(-60, 60)], at(0, 61), ["quota-day"]),
        ([held(-61, 61)], at(0, 60), ["quota-day"]),
        ([held(-60, 60, no_show=True)], at(0, 61), ["quota-day"]),
        ([held(EVENING, 120)], at(0, 120), []),  # tomorrow's
        ([held(EVENING - 60, 120)], at(0, 60), []),  # one hour of it is today's
        ([held(EVENING - 60, 120)], at(0, 61), ["quota-day"]),
        ([held(EVENING + 60, 60)], at(EVENING - 60, 120), []),  # across midnight: an hour each
        ([held(EVENING + 60, 61)], at(EVENING - 60, 120), ["quota-day"]),
        ([], at(0, 121), ["quota-day"]),
    ],
)
def test_minutes_a_day(before: list[Held], wanted: Slot, expected: list[str]) -> None:
    assert codes(wanted, DAY, of_account=before) == expected


SUNDAY_NIGHT = (7 * 24 - 10) * 60  # the next Monday, 0:00 in Paris


@pytest.mark.parametrize(
    ("before", "wanted", "expected"),
    [
        ([held(-60, 60)], at(SUNDAY_NIGHT - 60, 60), []),
        ([held(-61, 61)], at(SUNDAY_NIGHT - 60, 60), ["quota-week"]),
        ([held(-120, 120)], at(SUNDAY_NIGHT, 120), []),
        ([held(-120, 120)], at(SUNDAY_NIGHT - 1, 120), ["quota-week"]),
        ([held(-11 * 60, 120)], at(0, 60), []),  # from 23:00 on Sunday: one hour is this week's
        ([held(-11 * 60, 120)], at(0, 61), ["quota-week"]),
    ],
)
def test_minutes_a_week(before: list[Held], wanted: Slot, expected: list[str]) -> None:
    assert codes(wanted, WEEK, of_account=before) == expected


def test_a_day_of_23_hours_is_a_day() -> None:
    start = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)  # 23:00 in Paris, the clocks change that night
    before = Held(Slot(start + minutes(60), start + minutes(120)), "printer-a", "printer")
    facts = BookingFacts(
        start - minutes(60), Slot(start, start + minutes(60)), rules=DAY, of_account=[before]
    )
    assert refusals(facts) == []
    longer = replace(facts, wanted=Slot(start, start + minutes(122)), of_account=[])
    assert refusals(longer) == []  # 60 minutes on Saturday, 62 on Sunday


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(), ["quota-day"]),
        (Scope(Reach.CATEGORY, "printer"), ["quota-day"]),
        (Scope(Reach.RESOURCE, "printer-a"), []),
    ],
)
def test_a_quota_counts_what_lies_in_its_scope(scope: Scope, expected: list[str]) -> None:
    rules = replace(DAY, scopes={"per_day": scope})
    assert codes(at(0, 60), rules, of_account=[held(120, 61, "printer-b")]) == expected


def test_another_category_counts_for_the_lab_only() -> None:
    mill = held(120, 61, "mill", category="mill")
    printers = replace(DAY, scopes={"per_day": Scope(Reach.CATEGORY, "printer")})
    assert codes(at(0, 60), printers, of_account=[mill]) == []
    assert codes(at(0, 60), DAY, of_account=[mill]) == ["quota-day"]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ([held(300, 60)], []),
        ([held(300, 60), held(400, 60)], ["too-many-ahead"]),
        ([held(300, 60), held(-60, 600)], []),  # one has begun
        ([held(300, 60), held(0, 30)], []),  # begins this moment
        ([held(300, 60), held(400, 60, no_show=True)], []),
    ],
)
def test_reservations_ahead(before: list[Held], expected: list[str]) -> None:
    rules = BookingRules(coming_most=2, several_at_once=True)
    assert codes(at(1000), rules, of_account=before) == expected


@pytest.mark.parametrize(
    ("before", "lasts", "expected"),
    [
        ([held(300, 60)], 60, []),
        ([held(300, 60)], 61, ["too-much-ahead"]),
        ([held(300, 61)], 60, ["too-much-ahead"]),
        ([held(-10, 600)], 120, []),
    ],
)
def test_minutes_ahead(before: list[Held], lasts: float, expected: list[str]) -> None:
    rules = BookingRules(coming_time=minutes(120))
    assert codes(at(1000, lasts), rules, of_account=before) == expected


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (held(90, 60), []),
        (held(89, 60), ["gap-too-small"]),
        (held(60, 60), ["gap-too-small"]),
        (held(-90, 60), []),
        (held(-89, 60), ["gap-too-small"]),
        (held(60, 60, "printer-b"), []),
        (held(60, 60, no_show=True), []),
    ],
)
def test_the_gap_between_ones_own(other: Held, expected: list[str]) -> None:
    assert codes(at(0), BookingRules(gap=minutes(30)), of_person=[other]) == expected


SPACE = ResourceKind.SPACE


@pytest.mark.parametrize(
    ("other", "several", "expected"),
    [
        (held(59, 60, "mill"), False, ["own-overlap"]),
        (held(60, 60, "mill"), False, []),
        (held(-60, 61, "mill"), False, ["own-overlap"]),
        (held(59, 60, "mill"), True, []),
        (held(59, 60, "kitchen", kind=SPACE), False, []),
        (held(59, 60, "mill", no_show=True), False, []),
    ],
)
def test_one_machine_at_a_time(other: Held, several: bool, expected: list[str]) -> None:
    assert codes(at(0), BookingRules(several_at_once=several), of_person=[other]) == expected


def test_a_space_and_a_machine_at_once_are_fine() -> None:
    kitchen = Booked("kitchen", "space", SPACE)
    assert codes(at(0), what=kitchen, of_person=[held(0, 60)]) == []


@pytest.mark.parametrize(
    ("kind", "needed", "expected"),
    [
        (ResourceKind.MACHINE, None, ["not-certified"]),
        (ResourceKind.SPACE, None, []),
        (ResourceKind.SEAT, None, []),
        (ResourceKind.SEAT, True, ["not-certified"]),
        (ResourceKind.MACHINE, False, []),
    ],
)
def test_machines_ask_for_a_certification(
    kind: ResourceKind,
    needed: bool | None,  # a table
    expected: list[str],
) -> None:
    rules = BookingRules(certification=needed)
    what = Booked("x", "x", kind)
    assert codes(at(0), rules, what=what, certification=Standing.NONE) == expected


@pytest.mark.parametrize(
    ("birth", "expected"),
    [
        (Birth(), ["under-age"]),
        (Birth(2010), ["under-age"]),  # 15 or 16
        (Birth(2009), []),
        (Birth(2010, date(2010, 11, 23)), []),  # 16 today
        (Birth(2010, date(2010, 11, 24)), ["under-age"]),
        (Birth(2008, date(2008, 2, 29)), []),
    ],
)
def test_minimum_age(birth: Birth, expected: list[str]) -> None:
    rules = BookingRules(minimum_age=16, minors_consent=False)
    assert codes(at(0), rules, birth=birth) == expected


def test_the_age_is_that_of_the_day_of_use() -> None:
    rules = BookingRules(minimum_age=16, minors_consent=False)
    born = Birth(2010, date(2010, 11, 24))
    midnight = 14 * 60
    assert codes(at(midnight), rules, birth=born) == []
    assert codes(at(midnight - 1), rules, birth=born) == ["under-age"]


GUARDIAN = Consent(Signer.GUARDIAN, takes_part=True)
TAKEN_BACK = Consent(Signer.GUARDIAN, takes_part=False)


@pytest.mark.parametrize(
    ("birth", "forms", "expected"),
    [
        (Birth(), [], []),
        (Birth(2007), [], []),
        (Birth(2008), [], ["consent-missing"]),  # 17 or 18
        (Birth(2008, date(2008, 11, 23)), [], []),  # 18 today
        (Birth(2008, date(2008, 11, 24)), [], ["consent-missing"]),
        (Birth(2012), [GUARDIAN], []),
        (Birth(2012), [Consent(Signer.SELF, takes_part=True)], ["consent-missing"]),
        (Birth(2012), [GUARDIAN, TAKEN_BACK], ["consent-missing"]),
        (Birth(2012), [TAKEN_BACK, GUARDIAN], []),
    ],
)
def test_consent(birth: Birth, forms: list[Consent], expected: list[str]) -> None:
    assert codes(at(0), birth=birth, consents=forms) == expected


@pytest.mark.parametrize(
    ("was", "wanted", "expected"),
    [
        (at(-30, 60), at(-30, 90), []),  # runs, and is made longer
        (at(-30, 60), at(-30, 20), ["in-the-past"]),  # would have ended
        (at(-30, 60), at(-29, 60), ["in-the-past"]),
        (at(30, 60), at(-2, 60), ["in-the-past"]),
        (at(30, 60), at(90, 60), []),
    ],
)
def test_moving(was: Slot, wanted: Slot, expected: list[str]) -> None:
    assert codes(wanted, was=was) == expected


@pytest.mark.parametrize(
    ("was", "wanted", "elsewhere", "refused"),
    [
        (Slot(NOW + MOMENT, NOW + minutes(60)), at(300), True, False),  # still to come
        (at(0), at(0, 61), False, False),  # longer
        (at(-30), Slot(NOW - minutes(30), NOW + MOMENT), False, False),  # shorter
        (at(-30), Slot(NOW - minutes(30), NOW), False, True),  # to be stopped
        (at(-1), Slot(NOW - minutes(1), NOW - MOMENT), False, True),  # within the grace
        (at(0), at(0), True, True),
        (at(0), Slot(NOW + MOMENT, NOW + minutes(60)), False, True),
        (at(-1), at(-2), False, True),
    ],
)
def test_of_what_has_begun_only_the_end_moves(
    was: Slot, wanted: Slot, elsewhere: bool, refused: bool
) -> None:  # a table
    assert (begun_refusal(was, wanted, NOW, elsewhere=elsewhere) is not None) is refused


def test_a_moved_end_asks_no_notice_for_the_start_that_stays() -> None:
    assert codes(at(10, 90), HOUR_OF_NOTICE, was=at(10, 60)) == []
    assert codes(at(11, 90), HOUR_OF_NOTICE, was=at(10, 60)) == ["too-short-notice"]


def everything_wrong() -> BookingFacts:
    rules = BookingRules(
        notice=minutes(60),
        step=minutes(30),
        shortest=minutes(120),
        per_day=minutes(30),
        per_week=minutes(30),
        coming_most=0,
        coming_time=minutes(30),
        gap=minutes(30),
        minimum_age=16,
    )
    return BookingFacts(
        NOW,
        at(7, 60),
        taken=[Taken(at(0), ClaimKind.MAINTENANCE), at(0)],
        certification=Standing.EXPIRED,
        account_suspended=True,
        rules=rules,
        open=[],
        of_account=[],
        of_person=[held(0, 60), held(0, 60, "mill")],
        birth=Birth(2015),
    )


ALL_AT_ONCE = [
    "account-suspended",
    "certification-expired",
    "under-age",
    "consent-missing",
    "out-of-order",
    "too-short-notice",
    "off-grid",
    "too-short",
    "closed",
    "quota-day",
    "quota-week",
    "too-many-ahead",
    "too-much-ahead",
    "gap-too-small",
    "own-overlap",
    "overlap",
]


def test_every_reason_comes_at_once_in_both_languages() -> None:
    found = refusals(everything_wrong())
    assert [refusal.code for refusal in found] == ALL_AT_ONCE
    for refusal in found:
        for said in (refusal.message, refusal.next_step):
            assert translate(said, "fr") != translate(said, "en")


def test_the_staff_set_aside_only_what_may_be() -> None:
    left = [refusal.code for refusal in still_refused(refusals(everything_wrong()))]
    assert left == [
        "account-suspended", "certification-expired", "under-age", "consent-missing",
        "out-of-order", "overlap",
    ]  # fmt: skip
    assert set(ALL_AT_ONCE) - set(left) <= OVERRIDABLE


@pytest.mark.parametrize(
    ("slot", "possible"),
    [
        (at(0), True),
        (at(0, 0), False),
        (at(0, -1), False),
        (Slot(NOW, datetime(9999, 12, 31, 23, 59, tzinfo=UTC)), False),
        (Slot(datetime(1, 1, 1, tzinfo=UTC), NOW), False),
    ],
)
def test_times_that_cannot_be(slot: Slot, possible: bool) -> None:  # a table
    assert (impossible(slot) is None) is possible


@pytest.mark.parametrize(
    "far", [datetime(9999, 12, 31, 23, 59, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)]
)
def test_neither_end_may_be_out_of_the_calendar(far: datetime) -> None:
    """Else no rule could even say on which day of the wall clock that is."""
    for slot in (Slot(far, NOW), Slot(NOW, far)):
        assert out_of_range(slot) is not None


def test_200_years_are_too_long_and_nothing_breaks() -> None:
    rules = replace(everything_wrong().rules, clean_up=minutes(30), shortest=minutes(5))
    long = Slot(NOW, NOW.replace(year=2226))
    assert "too-long" in codes(long, rules)


def test_proposals_keep_to_grid_hours_notice_and_clean_up() -> None:
    rules = BookingRules(step=minutes(30), notice=minutes(20), clean_up=minutes(10))
    opens = [at(0, 200), at(400, 200)]
    found = list(
        free_slots(NOW, [at(95, 5)], minutes(60), rules=rules, spans=opens, zone=PARIS)
    )  # fmt: skip
    starts = [(slot.start - NOW) / MINUTE for slot in found]
    assert starts == [120, 420, 510]
    facts = BookingFacts(NOW, found[0], [at(95, 5)], rules=rules, open=opens)
    assert all(refusals(replace(facts, wanted=slot)) == [] for slot in found)


@pytest.mark.parametrize("turned", [False, True])
def test_no_end_of_a_slot_lies_where_nobody_lives(turned: bool) -> None:
    far, now = datetime.max.replace(tzinfo=UTC), datetime(2026, 11, 23, 9, tzinfo=UTC)
    refusal = out_of_range(Slot(far, now) if turned else Slot(now, far))
    assert refusal is not None
    assert refusal.code == "no-such-time"
    assert out_of_range(Slot(now, now)) is None
