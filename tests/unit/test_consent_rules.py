"""Age on the day, and who signs: the birthday and the day before, a year only, nothing known."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.model.consent import (
    Birth,
    Consent,
    Signer,
    age_refusals,
    birth_refusals,
    consent_form_refusals,
    consent_refusals,
    guardian_end_refusals,
    local_day,
    under_age,
)

DAY = date(2026, 11, 23)


def born(text: str) -> Birth:
    day = date.fromisoformat(text)
    return Birth(day.year, day)


@pytest.mark.parametrize(
    ("birth", "on", "ages"),
    [
        (born("2011-11-23"), DAY, (15, 15)),
        (born("2011-11-24"), DAY, (14, 14)),
        (born("2011-11-22"), DAY, (15, 15)),
        (Birth(2011), DAY, (14, 15)),
        (Birth(2011), date(2026, 12, 31), (15, 15)),
        (Birth(2011), date(2026, 1, 1), (14, 15)),
        (born("2008-02-29"), date(2026, 2, 28), (17, 17)),
        (born("2008-02-29"), date(2026, 3, 1), (18, 18)),
        (born("2008-02-29"), date(2028, 2, 29), (20, 20)),
        (born("2026-11-23"), DAY, (0, 0)),
        (Birth(), DAY, None),
    ],
)
def test_ages_on_a_day(birth: Birth, on: date, ages: tuple[int, int] | None) -> None:
    assert birth.ages_on(on) == ages


@given(st.dates(date(1950, 1, 1), DAY), st.dates(DAY, date(2060, 1, 1)))
def test_the_true_age_is_one_of_those_that_the_year_allows(day: date, on: date) -> None:
    true = Birth(day.year, day).ages_on(on)
    possible = Birth(day.year).ages_on(on)
    assert true is not None
    assert possible is not None
    assert possible[0] <= true[0] <= possible[1]


@pytest.mark.parametrize(
    ("birth", "codes"),
    [
        (born("2011-11-23"), []),  # 15 today
        (born("2011-11-24"), ["not-in-age-range"]),  # 15 tomorrow
        (born("2000-11-24"), []),  # 25 to the end of today
        (born("2000-11-23"), ["not-in-age-range"]),  # 26 today
        (Birth(2011), []),  # 14 or 15
        (Birth(2012), ["not-in-age-range"]),  # 13 or 14
        (Birth(2000), []),  # 25 or 26
        (Birth(1999), ["not-in-age-range"]),
        (Birth(), ["birth-year-missing"]),
    ],
)
def test_the_range_15_to_25_with_both_ends_in_it(birth: Birth, codes: list[str]) -> None:
    assert [one.code for one in age_refusals(birth, DAY, 15, 25)] == codes


@pytest.mark.parametrize(
    ("least", "most", "codes", "says"),
    [
        (None, None, [], ""),
        (18, None, ["not-in-age-range"], "from 18"),
        (None, 12, ["not-in-age-range"], "up to 12"),
        (16, 20, ["not-in-age-range"], "16 to 20"),
        (15, None, [], ""),
        (None, 15, [], ""),
    ],
)
def test_open_ranges_and_their_words(
    least: int | None, most: int | None, codes: list[str], says: str
) -> None:
    found = age_refusals(born("2011-11-23"), DAY, least, most)
    assert [one.code for one in found] == codes
    assert all(says in str(one.message) for one in found)


def test_no_range_asks_for_no_year() -> None:
    assert age_refusals(Birth(), DAY, None, None) == []


@pytest.mark.parametrize(
    ("birth", "minor"),
    [
        (born("2008-11-23"), False),  # 18 today
        (born("2008-11-24"), True),
        (Birth(2008), True),  # 17 or 18
        (Birth(2007), False),
        (Birth(), None),
    ],
)
def test_under_18_and_a_doubt_asks_for_a_guardian(birth: Birth, minor: bool | None) -> None:
    assert under_age(birth, DAY) is minor


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 23, 22, 59, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 23, 23, 0, tzinfo=UTC), date(2026, 11, 24)),
        (datetime(2026, 7, 14, 21, 59, tzinfo=UTC), date(2026, 7, 14)),
        (datetime(2026, 7, 14, 22, 0, tzinfo=UTC), date(2026, 7, 15)),
    ],
)
def test_the_day_is_the_labs(moment: datetime, day: date) -> None:
    assert local_day(moment, ZoneInfo("Europe/Paris")) == day


@pytest.mark.parametrize(
    ("birth", "possible"),
    [
        (Birth(2026), True),
        (Birth(2027), False),
        (Birth(1906), True),
        (Birth(1905), False),
        (born("2026-11-23"), True),
        (born("2026-11-24"), False),
        (Birth(2011, date(2010, 1, 1)), False),
        (Birth(), True),
    ],
)
def test_a_birth_that_can_be(birth: Birth, possible: bool) -> None:
    assert ([one.code for one in birth_refusals(birth, DAY)] == []) is possible


# -- consent ----------------------------------------------------------------------------------

PARENT = Consent(
    Signer.GUARDIAN, takes_part=True, guardian_name="Awa D.", guardian_phone="+33 6 12 34 56 78"
)
OWN = Consent(Signer.SELF, takes_part=True)
NOT_ANY_MORE = Consent(Signer.SELF, takes_part=False)


@pytest.mark.parametrize(
    ("form", "minor", "codes"),
    [
        (PARENT, True, []),
        (OWN, False, []),
        (OWN, True, ["guardian-signs"]),
        (PARENT, False, ["person-signs"]),
        (Consent(Signer.GUARDIAN, True), True, ["guardian-name-missing", "guardian-phone-missing"]),
        (Consent(Signer.GUARDIAN, True, False, " ", "12345"), True,
         ["guardian-name-missing", "guardian-phone-missing"]),
        (Consent(Signer.GUARDIAN, True, False, "A", "123456"), True, []),
        (Consent(Signer.GUARDIAN, True, False, "A", "1" * 15), True, []),
        (Consent(Signer.GUARDIAN, True, False, "A", "1" * 16), True, ["guardian-phone-missing"]),
        (Consent(Signer.GUARDIAN, True, False, "A", "a telephone"), True,
         ["guardian-phone-missing"]),
        (NOT_ANY_MORE, True, []),
        (Consent(Signer.GUARDIAN, takes_part=False), False, []),
    ],
)  # fmt: skip
def test_what_a_form_lacks(form: Consent, minor: bool, codes: list[str]) -> None:
    assert [one.code for one in consent_form_refusals(form, minor=minor)] == codes


@pytest.mark.parametrize(
    ("forms", "minor", "given"),
    [
        ([], True, False),
        ([], False, False),
        ([], None, False),
        ([PARENT], True, True),
        ([PARENT], False, False),  # ended on the 18th birthday
        ([OWN], False, True),
        ([OWN], True, False),
        ([PARENT, OWN], True, True),
        ([OWN, PARENT], None, True),
        ([PARENT, NOT_ANY_MORE], True, False),
        ([OWN, NOT_ANY_MORE], False, False),
        ([NOT_ANY_MORE, OWN], False, True),
    ],
)
def test_the_last_form_of_the_right_signer_counts(
    forms: list[Consent], minor: bool | None, given: bool
) -> None:
    found = consent_refusals(forms, minor=minor)
    assert [one.code for one in found] == ([] if given else ["consent-missing"])
    assert all("18" in str(one.message) for one in found) or not minor


@pytest.mark.parametrize(
    ("forms", "minor", "last_one", "on_purpose", "codes"),
    [
        ([PARENT], True, True, False, ["only-guardian"]),
        ([PARENT], None, True, False, ["only-guardian"]),  # nobody knows the age
        ([PARENT], True, True, True, []),
        ([PARENT], True, False, False, []),
        ([PARENT], False, True, False, []),  # of age: the form ended by itself
        ([], True, True, False, []),
        ([PARENT, NOT_ANY_MORE], True, True, False, []),
        ([NOT_ANY_MORE, PARENT], True, True, False, ["only-guardian"]),
        ([OWN], None, True, False, []),
    ],
)  # fmt: skip
def test_the_last_guardian_behind_a_consent_stays(
    forms: list[Consent], minor: bool | None, last_one: bool, on_purpose: bool, codes: list[str]
) -> None:
    found = guardian_end_refusals(forms, minor=minor, last_one=last_one, on_purpose=on_purpose)
    assert [one.code for one in found] == codes
