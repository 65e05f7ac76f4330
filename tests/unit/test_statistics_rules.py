"""Groups under five: never shown, nor to be found by subtraction."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.model.statistics import LEAST, Fact, age_band, tables, to_hide

PARIS = ZoneInfo("Europe/Paris")


def group(prefix: str, many: int) -> frozenset[str]:
    return frozenset(f"{prefix}{number}" for number in range(many))


def facts(**months: int) -> list[Fact]:
    """Return visits of one hour; ``m03=4``: four different people in March."""
    return [
        Fact(f"{month}-{n}", datetime(2026, int(month[1:]), 3, tzinfo=PARIS), 1.0, "Bois", 1990)
        for month, many in months.items()
        for n in range(many)
    ]


@pytest.mark.parametrize(
    ("sizes", "hidden"),
    [
        ({"a": 5, "b": 9}, ""),
        ({"a": 4, "b": 9, "c": 7}, "ac"),  # alone, it were the total less the others
        ({"a": 4, "b": 4, "c": 7}, "ab"),
        ({"a": 1, "b": 1, "c": 7, "d": 20}, "abc"),  # two together would still be two people
        ({"a": 4}, "a"),
        ({"a": 1, "b": 5}, "ab"),
        ({}, ""),
    ],
)
def test_what_is_hidden(sizes: dict[str, int], hidden: str) -> None:
    assert to_hide({key: group(key, many) for key, many in sizes.items()}) == set(hidden)


def test_the_same_person_in_two_small_groups_is_one() -> None:
    same = group("p", 4)
    assert to_hide({"a": same, "b": same, "c": group("q", 8)}) == {"a", "b", "c"}


def test_a_small_total_is_not_shown() -> None:
    (table,) = tables(facts(m01=2, m02=2), ["month"])
    assert table.total is None
    assert [one.count for one in table.groups] == [None, None]


def test_nothing_at_all_is_nothing() -> None:
    for table in tables([]):
        assert table.total is not None
        assert table.total.visits == 0
        assert not table.groups


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.frozensets(st.integers(0, 30), min_size=1)))
def test_no_reader_can_work_out_a_small_group(groups: dict[str, frozenset[int]]) -> None:
    people = {key: frozenset(str(one) for one in some) for key, some in groups.items()}
    hidden = to_hide(people)
    assert all(len(people[key]) >= LEAST for key in people.keys() - hidden)
    together = frozenset().union(*(people[key] for key in hidden))
    everybody = frozenset().union(*people.values())
    # what the total less all that is shown amounts to: nobody, many, or all there are
    assert not hidden or len(together) >= LEAST or len(everybody) < LEAST or together == everybody
    assert len(hidden) != 1 or len(people) == 1


@pytest.mark.parametrize(
    ("born", "band"),
    [(2015, "0-11"), (2014, "12-14"), (2011, "15-17"), (2008, "18-25"), (2001, "18-25"),
     (2000, "26-40"), (1966, "41-60"), (1965, "61+"), (None, ""), (2030, "0-11")],
)  # fmt: skip
def test_age_bands(born: int | None, band: str) -> None:
    assert age_band(2026, born) == band


def test_the_whole_is_the_same_in_every_table() -> None:
    found = tables(facts(m01=7, m02=9, m03=3))
    assert {table.total for table in found} == {found[0].total}
    assert found[0].total is not None
    assert (found[0].total.visits, found[0].total.hours) == (19, 19.0)
    assert [one.count and one.count.people for one in found[0].groups] == [None, 9, None]
