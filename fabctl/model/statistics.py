"""Funders' statistics: counts by groups, none of which can be traced to fewer than five people.

Each table divides the same whole into groups, so whoever knows the total and all groups but one
knows that one too. A group under five is therefore never hidden alone: others are hidden with it
until the people in all that is hidden are at least five.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

LEAST = 5
"""Fewer people than this are not shown."""

AGE_BANDS: Sequence[tuple[int, int]] = (
    (0, 11), (12, 14), (15, 17), (18, 25), (26, 40), (41, 60), (61, 200),
)  # fmt: skip
"""From, to (inclusive), in years."""
UNKNOWN = ""
"""The group of those of whom it is not known, or who have none."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Somebody was there once."""

    who: str
    """The same for the same person; shown to nobody."""
    start: datetime
    """By the lab's clocks."""
    hours: float
    what: str
    """The workshop's title, or the kind of what was booked."""
    birth_year: int | None
    partner: str = UNKNOWN
    first_time: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """A group: how often people were there, how many people, how many hours in all."""

    visits: int
    people: int
    hours: float


@dataclass(frozen=True, slots=True)
class Group:
    """One line of a table."""

    key: str
    count: Count | None
    """None: not shown."""


@dataclass(frozen=True, slots=True)
class Table:
    """All that happened, divided into groups."""

    name: str
    groups: Sequence[Group]
    total: Count | None


def age_band(year: int, birth_year: int | None) -> str:
    """Return the band of who is so old in a year, as ``15-17``; the last one as ``61+``."""
    if birth_year is None:
        return UNKNOWN
    age = max(0, year - birth_year)
    low, high = next(((a, b) for a, b in AGE_BANDS if a <= age <= b), AGE_BANDS[-1])
    return f"{low}+" if (low, high) == AGE_BANDS[-1] else f"{low}-{high}"


DIVISIONS: dict[str, Callable[[Fact], str]] = {
    "month": lambda fact: f"{fact.start:%Y-%m}",
    "what": lambda fact: fact.what,
    "age": lambda fact: age_band(fact.start.year, fact.birth_year),
    "partner": lambda fact: fact.partner,
    "first-time": lambda fact: "yes" if fact.first_time else "no",
}
"""By what the whole is divided; each fact is in exactly one group of each."""


def tables(facts: Sequence[Fact], divisions: Iterable[str] = DIVISIONS) -> list[Table]:
    """Return one table for each division, its groups in the order of their keys."""
    return [_table(name, facts) for name in divisions]


def _table(name: str, facts: Sequence[Fact]) -> Table:
    groups: dict[str, list[Fact]] = {}
    for fact in facts:
        groups.setdefault(DIVISIONS[name](fact), []).append(fact)
    people = {key: frozenset(fact.who for fact in some) for key, some in groups.items()}
    hidden = to_hide(people)
    shown = [Group(key, None if key in hidden else _count(groups[key])) for key in sorted(groups)]
    total = _count(facts)
    return Table(name, shown, total if total.people >= LEAST or not facts else None)


def to_hide(people: dict[str, frozenset[str]]) -> frozenset[str]:
    """Return the groups not to show: those under five, and what would give them away.

    :param people: who is in which group; nobody's group is empty.
    """
    hidden = {key for key, some in people.items() if len(some) < LEAST}
    rest = sorted(people.keys() - hidden, key=lambda key: (len(people[key]), key))
    while hidden and rest and not _hides(hidden, people):
        hidden.add(rest.pop(0))
    return frozenset(hidden)


def _hides(hidden: set[str], people: dict[str, frozenset[str]]) -> bool:
    """Say whether what is hidden, taken together, names no group under five."""
    together = frozenset().union(*(people[key] for key in hidden))
    return len(hidden) > 1 and len(together) >= LEAST


def _count(facts: Sequence[Fact]) -> Count:
    hours = round(sum(fact.hours for fact in facts), 1)
    return Count(len(facts), len({fact.who for fact in facts}), hours)
