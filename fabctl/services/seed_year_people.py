"""The people of a seeded lab: ages, roles, guardians, consents, who is certified on what."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from fabctl.model.people import Role
from fabctl.services.seed_year_lab import PARTNERS, Place
from fabctl.services.seed_year_names import display_name
from fabctl.store.ids import ID_LENGTH

Row = dict[str, Any]

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_AGES = ((10, 14, 10), (15, 17, 11), (18, 25, 21), (26, 40, 28), (41, 60, 20), (61, 82, 10))
"""From, to, how many of a hundred."""
_UNKNOWN_YEAR = 0.04
_ROLES = ((Role.ADMIN, 1), (Role.STAFF, 7), (Role.ANIMATOR, 12), (Role.TRAINER, 10))
_REGULARS = 0.35
"""Of all people; the others come to workshops only, or came once."""


@dataclass(slots=True)
class Sown:
    """Somebody, with what the rest of the seed asks about them."""

    id: str
    account_id: str
    role: Role
    birth_year: int | None
    since: datetime
    weight: float
    """How often they book, beside others; 0: never."""
    guardian_id: str | None = None


@dataclass(slots=True)
class Crowd:
    """Everybody, and the rows that put them on record, by table."""

    people: list[Sown]
    partners: list[str]
    rows: dict[str, list[Row]] = field(default_factory=dict)
    skilled: dict[str, tuple[list[Sown], list[float]]] = field(default_factory=dict)
    """By category of machine, and ``""`` for what needs no certification: who may book it, and
    their weights, added up."""

    def staff(self) -> list[Sown]:
        """Return those who put workshops on."""
        return [one for one in self.people if one.role.acts_for_others]

    def somebody(self, rng: Random, category: str) -> Sown:
        """Draw somebody who may book a category; those who come often are drawn often."""
        people, weights = self.skilled[category]
        return people[min(bisect(weights, rng.random() * weights[-1]), len(people) - 1)]


def new_id(rng: Random) -> str:
    """Return an id like everybody's, drawn from the seed."""
    return "".join(rng.choices(_ALPHABET, k=ID_LENGTH))


def crowd(rng: Random, first: date, last: date, many: int, places: Sequence[Place]) -> Crowd:
    """Draw the people who came between two days, or were there before.

    :param many: how many, at least 100.
    """
    roles = [role for role, count in _ROLES for _ in range(count)]
    people = [
        _person(rng, first, last, roles[number] if number < len(roles) else Role.MEMBER)
        for number in range(many)
    ]
    found = Crowd(people, [new_id(rng) for _ in PARTNERS])
    _guard(rng, people)
    found.rows["person"] = [_person_row(rng, one) for one in people]
    found.rows["account"] = _account_rows(found, first)
    _certify(rng, found, places)
    _consents(rng, found, last.year)
    return found


def _person(rng: Random, first: date, last: date, role: Role) -> Sown:
    since = _since(rng, first, last) if role is Role.MEMBER else _moment(first - timedelta(days=90))
    low, high, _ = rng.choices(_AGES, [share for *_, share in _AGES])[0]
    age = rng.randint(low, high) if role is Role.MEMBER else rng.randint(22, 58)
    known = role is not Role.MEMBER or rng.random() > _UNKNOWN_YEAR
    return Sown(
        id=new_id(rng),
        account_id=new_id(rng),
        role=role,
        birth_year=last.year - age if known else None,
        since=since,
        weight=rng.paretovariate(1.3) if age >= 15 and rng.random() < _REGULARS else 0.0,
    )


def _since(rng: Random, first: date, last: date) -> datetime:
    """Four of ten were there before the first day; the others came bit by bit."""
    if rng.random() < 0.4:
        return _moment(first - timedelta(days=rng.randint(1, 400)))
    return _moment(first + timedelta(days=int((last - first).days * rng.random())))


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(9), UTC)


def _guard(rng: Random, people: Sequence[Sown]) -> None:
    """Give seven of ten who are under 18 a guardian among those of 30 to 55."""
    newest = max(one.birth_year or 0 for one in people) + 10
    grown = [one for one in people if one.birth_year and 30 <= newest - one.birth_year <= 55]
    for one in people:
        if one.birth_year and newest - one.birth_year < 18 and rng.random() < 0.7:
            one.guardian_id = rng.choice(grown).id


def _person_row(rng: Random, one: Sown) -> Row:
    return {
        "id": one.id,
        "display_name": display_name(rng, one.birth_year),
        "role": one.role.value,
        "language": "fr" if rng.random() < 0.93 else "en",
        "birth_year": one.birth_year,
        "created_at": one.since,
    }


def _account_rows(found: Crowd, first: date) -> list[Row]:
    own = [
        {"id": one.account_id, "person_id": one.id, "name": row["display_name"],
         "created_at": one.since}
        for one, row in zip(found.people, found.rows["person"], strict=True)
    ]  # fmt: skip
    partners = [
        {"id": account_id, "person_id": None, "name": name, "created_at": _moment(first)}
        for account_id, name in zip(found.partners, PARTNERS, strict=True)
    ]
    return [*own, *partners]


def _certify(rng: Random, found: Crowd, places: Sequence[Place]) -> None:
    """Let regulars be certified on one to all kinds of machines, on every machine of a kind."""
    kinds: dict[str, list[str]] = {}
    for place in places:
        if place.machine:
            kinds.setdefault(place.category, []).append(place.id)
    regulars = [one for one in found.people if one.weight]
    skilled: dict[str, list[Sown]] = {kind: [] for kind in kinds}
    rows = found.rows["certification"] = []
    for one in regulars:
        for kind in rng.sample(sorted(kinds), rng.randint(0, len(kinds))):
            skilled[kind].append(one)
            level = "trainer" if one.role is Role.TRAINER else "autonomous"
            rows += [_granted(one, machine, level) for machine in kinds[kind]]
    for kind, people in {**skilled, "": regulars}.items():
        found.skilled[kind] = (people, list(accumulate(one.weight for one in people)))


def _granted(one: Sown, machine: str, level: str) -> Row:
    return {
        "person_id": one.id,
        "resource_id": machine,
        "change": "granted",
        "level": level,
        "at": one.since,
        "expires_at": None,
        "by": None,
        "reason": None,
    }


def _consents(rng: Random, found: Crowd, year: int) -> None:
    """Put forms on file: a guardian's for all who are under 18, those of 18 to 25 sign."""
    clerk = found.people[0].id
    guardians, forms = [], []
    for one in found.people:
        age = year - one.birth_year if one.birth_year else 99
        if one.guardian_id:
            guardians.append(
                {"guardian_id": one.guardian_id, "child_id": one.id, "since": one.since}
            )
        if age <= 25:
            forms.append(_form(rng, one, clerk, minor=age <= 18))
    found.rows["guardianship"], found.rows["consent_form"] = guardians, forms


def _form(rng: Random, one: Sown, clerk: str, *, minor: bool) -> Row:
    return {
        "person_id": one.id,
        "signed_by": "guardian" if minor else "self",
        "takes_part": True,
        "image_rights": rng.random() < 0.6,
        "guardian_name": display_name(rng, 1982) if minor else "",
        "guardian_phone": f"06 39 98 {rng.randint(0, 99):02} {rng.randint(0, 99):02}"
        if minor
        else "",
        "given_at": one.since,
        "recorded_by": clerk,
    }
