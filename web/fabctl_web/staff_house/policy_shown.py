"""What the rules' pages show: what is set, what holds otherwise, and who changed it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from sqlalchemy.orm import Session

from fabctl.model.booking_policy import NUMBERS, Kind, Number, Reach, Scope, effective
from fabctl.services import audit_trail, policies
from fabctl.services.policies import PolicyView
from fabctl.services.resources import PlaceView
from fabctl_web.lab import Lab
from fabctl_web.language import speech
from fabctl_web.staff_house import names
from fabctl_web.staff_house.kept import typed
from fabctl_web.staff_house.policy_words import UNITS, WORDS, of_rules, said


def _(template: str) -> str:
    """Mark a sentence for the catalogue; it is translated where it is shown."""
    return template


VERSIONS = 20
"""Of a policy's history, on its page."""


@dataclass(frozen=True)
class Shown:
    """A policy in the list."""

    scope: Scope
    title: str
    address: str
    rules: list[tuple[str, str]]
    """Label and value, in the order of the form."""
    version: int
    when: str
    who: str


@dataclass(frozen=True)
class Row:
    """One rule in the form."""

    name: str
    label: str
    meaning: str
    unit: str
    number: Number
    value: str
    """As the form has it; empty: as around."""
    unlimited: bool
    inherited: str
    source: str

    @property
    def yes_no(self) -> bool:
        """Whether it is either yes or no."""
        return self.number.kind is Kind.YES_NO


def shown(lab: Lab, db: Session, by: str) -> list[Shown]:
    """Return the policies that match the search, the most specific first."""
    places, say = names.places(db), speech()
    found = []
    for one in reversed(policies.list_policies(db)):
        called = title(one.scope, places)
        rules = [
            (say(WORDS[name][0]), said(name, one.numbers[name], say))
            for name in WORDS
            if name in one.numbers
        ]
        if names.matches(called, *(label for label, _value in rules)):
            line = audit_trail.trail(db, by=by, subject=one.audited_as, limit=1)
            changed_by = names.who(db, line[0].who) if line else ""
            when = say.moment(one.changed_at, lab.clock.now())
            found.append(
                Shown(one.scope, called, address(one.scope), rules, one.version, when, changed_by)
            )
    return found


def rows(
    everything: list[PolicyView], scope: Scope, place: PlaceView | None, numbers: Mapping[str, Any]
) -> Iterator[Row]:
    """Yield the form's rows, with what was typed."""
    say = speech()
    around = effective((one.scope, one.numbers) for one in _around(everything, scope, place))
    for name, (label, meaning) in WORDS.items():
        number = NUMBERS[name]
        value = numbers.get(name)
        written = "" if value is None else str(value).lower()
        unlimited = name in numbers and value is None
        if request.method == "POST":
            unlimited = request.form.get(f"{name}-none") == "1"
        yield Row(
            name=name,
            label=say(label),
            meaning=say(meaning),
            unit=say(UNITS[number.kind]) if UNITS[number.kind] else "",
            number=number,
            value=typed(name, written),
            unlimited=unlimited,
            inherited=said(name, of_rules(around, name), say),
            source=_source(around.scopes.get(number.field), say(_("built in"))),
        )


def _around(
    everything: list[PolicyView], scope: Scope, place: PlaceView | None
) -> Iterator[PolicyView]:
    """Yield the policies that hold where this one says nothing."""
    for one in everything:
        if one.scope.reach is Reach.LAB and scope.reach is not Reach.LAB:
            yield one
        same = place is not None and one.scope.subject == place.category
        if one.scope.reach is Reach.CATEGORY and scope.reach is Reach.RESOURCE and same:
            yield one


def holding(db: Session, resource: str) -> Iterator[tuple[str, str, str]]:
    """Yield each rule that holds for a place: label, value, where it was set."""
    say, rules = speech(), policies.rules_of_resource(db, resource)
    for name, (label, _meaning) in WORDS.items():
        source = rules.scopes.get(NUMBERS[name].field)
        yield (
            say(label),
            said(name, of_rules(rules, name), say),
            _source(source, say(_("built in"))),
        )


def _source(scope: Scope | None, otherwise: str) -> str:
    say = speech()
    if scope is None:
        return otherwise
    if scope.reach is Reach.LAB:
        return say(_("the whole lab"))
    if scope.reach is Reach.CATEGORY:
        return say(_("the kind “{kind}”"), kind=names.category(scope.subject))
    return say(_("this place"))


def history(lab: Lab, db: Session, scope: Scope, by: str) -> list[tuple[str, str, list[str]]]:
    """Return when, who, and what they changed, the newest first."""
    subject, say = f"policy:{scope.reach}:{scope.subject}", speech()
    return [
        (
            say.moment(line.at, lab.clock.now()),
            names.who(db, line.who),
            list(_differences(line.details["before"], line.details["after"])),
        )
        for line in audit_trail.trail(db, by=by, subject=subject, limit=VERSIONS)
    ]


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    say = speech()
    for name in WORDS:
        old = said(name, before[name], say) if name in before else say(_("as around"))
        new = said(name, after[name], say) if name in after else say(_("as around"))
        if old != new:
            yield say(_("{rule}: {old} → {new}"), rule=say(WORDS[name][0]), old=old, new=new)


def title(scope: Scope, places: Mapping[str, str]) -> str:
    """Return what a scope is called."""
    say = speech()
    if scope.reach is Reach.LAB:
        return say(_("The whole lab"))
    if scope.reach is Reach.CATEGORY:
        return say(_("Every place of the kind “{kind}”"), kind=names.category(scope.subject))
    return places.get(scope.subject, scope.subject)


def address(scope: Scope) -> str:
    """Return where a scope's rules are."""
    if scope.reach is Reach.LAB:
        return url_for("house_policies.of_lab")
    return url_for("house_policies.of_one", reach=scope.reach.value, subject=scope.subject)
