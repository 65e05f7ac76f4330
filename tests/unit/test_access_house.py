"""What the house asks of whoever uses a machine now, one minute either side of every edge."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fabctl.i18n import translate
from fabctl.model.access import Holder, UseFacts, conditions, conditions_to_go_on, unmet
from fabctl.model.access_house import HouseFacts
from fabctl.model.booking_facts import ClaimKind
from fabctl.model.booking_policy import BookingRules, Reach, Scope, effective, policy_refusals
from fabctl.model.booking_slots import Slot
from fabctl.model.certification import Standing
from fabctl.model.consent import Birth, Consent, Signer
from fabctl.model.group_use import GroupFacts
from fabctl.model.person_rights import HeldRight, PersonRight, rights_on

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # Monday, 18:00 in Paris
MINUTE = timedelta(minutes=1)
MOMENT = timedelta(microseconds=1)
DAY = Slot(NOW - timedelta(hours=8), NOW)
"""Open from 10:00 to 18:00."""
AFTER_HOURS = frozenset({PersonRight.AFTER_HOURS})
MINOR = Birth(2010)
AGREED = Consent(Signer.GUARDIAN, takes_part=True, guardian_name="M", guardian_phone="0612345678")


def use(holder: Holder = Holder.THIS_PERSON, **house: Any) -> UseFacts:
    facts = HouseFacts(**({"now": NOW} | house))
    return UseFacts(
        account_suspended=False,
        certification=Standing.VALID,
        holder=holder,
        out_of_order=False,
        open_use=False,
        machine_state="idle",
        house=facts,
    )


def refused(facts: UseFacts) -> list[str]:
    """Return the codes; what lets somebody begin and what lets them go on is the same here."""
    found = [one.code for one in unmet(conditions(facts))]
    assert [one.code for one in unmet(conditions_to_go_on(facts))] == found
    return found


def rules(**numbers: Any) -> BookingRules:
    assert policy_refusals(numbers) == []
    return effective([(Scope(), numbers)])


@pytest.mark.parametrize(
    ("now", "house", "expected"),
    [
        (DAY.start - MINUTE, {}, ["closed"]),
        (DAY.start - MOMENT, {}, ["closed"]),
        (DAY.start, {}, []),
        (DAY.start + MINUTE, {}, []),
        (DAY.end - MINUTE, {}, []),
        (DAY.end - MOMENT, {}, []),
        (DAY.end, {}, ["closed"]),
        (DAY.end + MINUTE, {}, ["closed"]),
        (DAY.end + MINUTE, {"open": None}, []),
        (DAY.end + MINUTE, {"open": ()}, ["closed"]),
        (DAY.end + MINUTE, {"rights": AFTER_HOURS}, []),
        (DAY.end + MINUTE, {"rights": frozenset({PersonRight.WALK_UP})}, ["closed"]),
        (DAY.end + MINUTE, {"rights": AFTER_HOURS, "rules": rules(after_hours=False)}, ["closed"]),
        (DAY.end + MINUTE, {"let_in": True, "rules": rules(after_hours=False)}, []),
        (DAY.start, {"claims": frozenset({ClaimKind.CLOSURE})}, ["closed"]),
        (
            DAY.start,
            {"claims": frozenset({ClaimKind.CLOSURE}), "rights": AFTER_HOURS, "let_in": True},
            ["closed"],
        ),
        (DAY.start, {"claims": frozenset({ClaimKind.MAINTENANCE})}, ["out-of-order"]),
    ],
)
def test_the_lab_is_open_or_the_person_may_be_here(
    now: datetime, house: dict[str, Any], expected: list[str]
) -> None:
    asked: dict[str, Any] = {"now": now, "open": [DAY]} | house
    assert refused(use(**asked)) == expected


@pytest.mark.parametrize(
    ("until", "at", "holds"),
    [
        (None, NOW, True),
        (NOW, NOW - MINUTE, True),
        (NOW, NOW - MOMENT, True),
        (NOW, NOW, False),
        (NOW, NOW + MINUTE, False),
    ],
)
def test_a_right_ends(until: datetime | None, at: datetime, holds: bool) -> None:
    held = [HeldRight(PersonRight.AFTER_HOURS, until=until)]
    assert (rights_on(held, at, "laser", "laser") == AFTER_HOURS) is holds


@pytest.mark.parametrize(
    ("scope", "holds"),
    [
        (Scope(), True),
        (Scope(Reach.CATEGORY, "laser"), True),
        (Scope(Reach.CATEGORY, "printer"), False),
        (Scope(Reach.RESOURCE, "laser-1"), True),
        (Scope(Reach.RESOURCE, "laser-2"), False),
    ],
)
def test_a_right_counts_where_it_was_given(scope: Scope, holds: bool) -> None:
    held = [HeldRight(PersonRight.WALK_UP, scope)]
    assert bool(rights_on(held, NOW, "laser-1", "laser")) is holds


@pytest.mark.parametrize(
    ("holder", "walk_up", "right", "expected"),
    [
        (Holder.NOBODY, False, False, ["not-reserved"]),
        (Holder.NOBODY, True, False, []),
        (Holder.NOBODY, False, True, []),
        (Holder.SOMEBODY_ELSE, True, True, ["someone-elses-slot"]),
        (Holder.THIS_PERSON, False, False, []),
    ],
)
def test_reserved_or_free_and_walk_up_allowed(
    holder: Holder, walk_up: bool, right: bool, expected: list[str]
) -> None:
    rights = frozenset({PersonRight.WALK_UP}) if right else frozenset[PersonRight]()
    assert refused(use(holder, rules=rules(walk_up=walk_up), rights=rights)) == expected


@pytest.mark.parametrize(
    ("least", "in_lab", "expected"),
    [
        (1, 1, []),
        (2, 1, ["company-missing"]),
        (2, 2, []),
        (3, 2, ["company-missing"]),
        (3, 3, []),
        (2, 9, []),
    ],
)
def test_minimum_company(least: int, in_lab: int, expected: list[str]) -> None:
    assert refused(use(rules=rules(company=least), in_lab=in_lab)) == expected


def test_company_exempts_nobody() -> None:
    alone = use(rules=rules(company=2), rights=frozenset(PersonRight), let_in=True)
    assert refused(alone) == ["company-missing"]


@pytest.mark.parametrize("company", [0, -1, 21, None, True])
def test_company_is_from_1_to_20(company: object) -> None:
    assert [one.code for one in policy_refusals({"company": company})] == [
        "policy-number-malformed"
    ]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        # 16 on 24 November by the clocks in Paris: an hour before midnight in UTC
        (datetime(2026, 11, 23, 22, 59, tzinfo=UTC), ["under-age"]),
        (datetime(2026, 11, 23, 23, 0, tzinfo=UTC), []),
        (datetime(2026, 11, 23, 23, 1, tzinfo=UTC), []),
    ],
)
def test_minimum_age_by_the_labs_clock(now: datetime, expected: list[str]) -> None:
    birth = Birth(2010, date(2010, 11, 24))
    number = rules(minimum_age=16, minors_consent=False)
    facts = use(now=now, zone=ZoneInfo("Europe/Paris"), rules=number, birth=birth)
    assert refused(facts) == expected


@pytest.mark.parametrize(
    ("birth", "forms", "expected"),
    [
        (MINOR, (), ["consent-missing"]),
        (MINOR, (AGREED,), []),
        (MINOR, (AGREED, replace(AGREED, takes_part=False)), ["consent-missing"]),
        (Birth(1990), (), []),
        (Birth(), (), []),
    ],
)
def test_minors_need_consent(birth: Birth, forms: tuple[Consent, ...], expected: list[str]) -> None:
    assert refused(use(birth=birth, consents=forms)) == expected
    assert refused(use(birth=birth, consents=forms, rules=rules(minors_consent=False))) == []


def test_a_consent_that_both_ask_for_is_said_once() -> None:
    group = GroupFacts(
        animator=False, enrolled=True, opened=True, animator_here=True, consent=False, minor=True
    )
    facts = replace(use(birth=MINOR), group=group, certification=Standing.NONE)
    assert refused(facts) == ["consent-missing"]


@pytest.mark.parametrize(
    ("asked", "standing", "expected"),
    [
        (None, Standing.NONE, ["not-certified"]),
        (True, Standing.NONE, ["not-certified"]),
        (False, Standing.NONE, []),
        (False, Standing.EXPIRED, []),
        (False, Standing.SUSPENDED, ["certification-suspended"]),
    ],
)
def test_a_machine_that_asks_for_no_certification(
    asked: bool | None, standing: Standing, expected: list[str]
) -> None:
    number = {} if asked is None else {"certification": asked}
    assert refused(replace(use(rules=rules(**number)), certification=standing)) == expected


@pytest.mark.parametrize(
    ("own", "group", "message"),
    [
        (True, False, "Your account is suspended."),
        (False, True, "The group's account is suspended."),
        (True, True, "Your account is suspended."),
    ],
)
def test_a_suspended_account(own: bool, group: bool, message: str) -> None:
    facts = replace(use(), account_suspended=own, group_suspended=group)
    (refusal,) = unmet(conditions(facts))
    assert (refusal.code, str(refusal.message)) == ("account-suspended", message)


def test_every_reason_comes_at_once_each_with_a_next_step_in_both_languages() -> None:
    worst = replace(
        use(
            Holder.NOBODY,
            now=DAY.end,
            open=[DAY],
            rules=rules(company=2, minimum_age=18),
            birth=MINOR,
        ),
        account_suspended=True,
        certification=Standing.NONE,
        out_of_order=True,
    )
    assert refused(worst) == [
        "account-suspended",
        "not-certified",
        "not-reserved",
        "out-of-order",
        "closed",
        "company-missing",
        "under-age",
        "consent-missing",
    ]
    for refusal in unmet(conditions(worst)):
        for said in (refusal.message, refusal.next_step):
            assert translate(said, "en")
            assert translate(said, "fr") != translate(said, "en")


def test_what_is_not_asked_for_is_not_among_the_answers() -> None:
    usual = {one.code for one in conditions(use())}
    assert usual.isdisjoint({"closed", "company-missing", "under-age", "consent-missing"})
    asked = use(open=[DAY], now=DAY.start, rules=rules(company=2, minimum_age=8), in_lab=2)
    found = {one.code: one.met for one in conditions(replace(asked, group=None))}
    assert found["closed"] is True
    assert found["company-missing"] is True
