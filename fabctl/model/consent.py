"""Age and consent: how old somebody is on a day, and who signs for them.

Of many people only the year of birth is known (no date where a year does). Then two ages are
possible. An age range lets somebody in when one of them fits; a consent asks for a guardian as
soon as one of them is under 18.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from fabctl.model.refusal import Refusal
from fabctl.model.texts import text

OF_AGE = 18
"""Years. In France majority is at 18 (Code civil, article 414)."""

MOST_CHILDREN = 12
"""For how many a guardian signs at most before the staff must add the next."""

OLDEST = 120
"""Years; a birth longer ago is a slip of the keys."""


@dataclass(frozen=True, slots=True)
class Birth:
    """What is known of somebody's birth: the day, the year only, or nothing."""

    year: int | None = None
    day: date | None = None

    def ages_on(self, on: date) -> tuple[int, int] | None:
        """Return the youngest and the oldest possible age in years; None: nothing is known.

        Somebody born on 29 February is a year older on 1 March of a common year.
        """
        if self.day is not None:
            had_it = (on.month, on.day) >= (self.day.month, self.day.day)
            age = on.year - self.day.year - (0 if had_it else 1)
            return age, age
        if self.year is None:
            return None
        turned = on.year - self.year
        return (turned if (on.month, on.day) == (12, 31) else turned - 1), turned


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """Return the day of a moment by the lab's clocks."""
    return moment.astimezone(zone).date()


def birth_refusals(birth: Birth, today: date) -> list[Refusal]:
    """Say what is wrong with a birth: not after today, at most 120 years ago, one year."""
    years = {year for year in (birth.year, birth.day.year if birth.day else None) if year}
    possible = all(today.year - OLDEST <= year <= today.year for year in years)
    if len(years) <= 1 and possible and (birth.day is None or birth.day <= today):
        return []
    return [
        Refusal(
            "birth-impossible",
            text("This cannot be a date or year of birth."),
            text("Type the year with four digits."),
        )
    ]


def under_age(birth: Birth, on: date, least: int = OF_AGE) -> bool | None:
    """Say whether somebody may be younger than ``least`` years on a day; None: nobody knows."""
    ages = birth.ages_on(on)
    return None if ages is None else ages[0] < least


def age_refusals(birth: Birth, on: date, least: int | None, most: int | None) -> list[Refusal]:
    """Say why somebody does not fit an age range (both ends belong to it) on a day.

    :return: ``birth-year-missing`` or ``not-in-age-range``; staff may override both.
    """
    if least is None and most is None:
        return []
    ages = birth.ages_on(on)
    if ages is None:
        return [_BIRTH_MISSING]
    youngest, oldest = ages
    too_young = least is not None and oldest < least
    too_old = most is not None and youngest > most
    return [_out_of_range(least, most)] if too_young or too_old else []


def _out_of_range(least: int | None, most: int | None) -> Refusal:
    if most is None:
        said = text("This workshop is for people from {least} years on.", least=least or 0)
    elif least is None:
        said = text("This workshop is for people up to {most} years.", most=most)
    else:
        said = text("This workshop is for {least} to {most} years.", least=least, most=most)
    return Refusal("not-in-age-range", said, text("Look for a workshop for this age."))


_BIRTH_MISSING = Refusal(
    "birth-year-missing",
    text("This workshop asks for an age, and the year of birth is not known."),
    text("Give the year of birth."),
)


# -- consent ----------------------------------------------------------------------------------


class Signer(StrEnum):
    """Who signed a consent."""

    GUARDIAN = "guardian"
    SELF = "self"


@dataclass(frozen=True, slots=True)
class Consent:
    """One signed form. A later one replaces it; ``takes_part`` False takes consent back."""

    signed_by: Signer
    takes_part: bool
    image_rights: bool = False
    guardian_name: str = ""
    guardian_phone: str = ""


def consent_form_refusals(form: Consent, *, minor: bool) -> list[Refusal]:
    """Say what a form lacks: under 18 a guardian signs, with a name and a telephone number.

    From 18 on the person signs. Taking consent back needs nothing.
    """
    if not form.takes_part:
        return []
    found = []
    if minor and form.signed_by is not Signer.GUARDIAN:
        found.append(_GUARDIAN_SIGNS)
    if not minor and form.signed_by is not Signer.SELF:
        found.append(_PERSON_SIGNS)
    if form.signed_by is Signer.GUARDIAN:
        digits = sum(character.isdigit() for character in form.guardian_phone)
        found += [] if form.guardian_name.strip() else [_GUARDIAN_NAME]
        found += [] if 6 <= digits <= 15 else [_GUARDIAN_PHONE]
    return found


def consent_refusals(forms: Sequence[Consent], *, minor: bool | None) -> list[Refusal]:
    """Say whether a consent is missing, given the forms on file (oldest first).

    The last form of the right signer counts, so a guardian's ends on the 18th birthday. Either
    may take consent back.

    :param minor: on the day it is about; None: nobody knows, so a guardian's or one's own will do.
    """
    right = {True: {Signer.GUARDIAN}, False: {Signer.SELF}, None: set(Signer)}[minor]
    last = next(
        (form for form in reversed(forms) if form.signed_by in right or not form.takes_part), None
    )
    if last is not None and last.takes_part:
        return []
    return [consent_missing_of_guardian() if minor else consent_missing_of_person()]


def guardian_end_refusals(
    forms: Sequence[Consent], *, minor: bool | None, last_one: bool, on_purpose: bool
) -> list[Refusal]:
    """Say why a guardian of somebody may not be ended: nobody would stand behind the consent.

    The forms on file stay as they were signed. Without a guardian nobody but the staff could take
    such a consent back, so the last one stays unless it is said on purpose that nobody is left.

    :param forms: those on file, oldest first.
    :param minor: today; None: nobody knows, which counts as under age.
    """
    needed = minor is not False and not consent_refusals(forms, minor=True)
    return [_ONLY_GUARDIAN] if last_one and needed and not on_purpose else []


_ONLY_GUARDIAN = Refusal(
    "only-guardian",
    text("Nobody else would be left who signs for this person."),
    text("Note another guardian first, or say that nobody is to be left."),
)


def birth_known() -> Refusal:
    """Return the refusal for a year of birth that is on record already."""
    return Refusal(
        "birth-known",
        text("The year of birth is known already. Only the staff change it."),
        text("If it is wrong, tell the staff."),
    )


def guardian_refusals(birth: Birth, today: date) -> list[Refusal]:
    """Say why somebody of this birth signs for nobody else: they may be under 18 themselves.

    Of whom nobody knows the birth, nothing is said: most parents never gave theirs.
    """
    return [_GUARDIAN_UNDER_AGE] if under_age(birth, today) else []


def too_many_children() -> Refusal:
    """Return the refusal for one child more than a guardian adds alone."""
    return Refusal(
        "too-many-children",
        text("You sign for {count} children already.", count=MOST_CHILDREN),
        text("Ask the staff to add this child."),
    )


def consent_missing_of_guardian() -> Refusal:
    """Return the refusal for somebody under 18 without a guardian's consent."""
    return Refusal(
        "consent-missing",
        text("Under 18, a parent or guardian must agree in writing."),
        text("Give the guardian's name, telephone and consent."),
    )


def consent_missing_of_person() -> Refusal:
    """Return the refusal for somebody of age who has not signed."""
    return Refusal(
        "consent-missing",
        text("The consent form is not signed yet."),
        text("Sign the consent form."),
    )


_GUARDIAN_SIGNS = Refusal(
    "guardian-signs",
    text("Under 18, a parent or guardian signs the consent."),
    text("Ask a parent or guardian to sign."),
)
_PERSON_SIGNS = Refusal(
    "person-signs",
    text("From 18 on, people sign for themselves."),
    text("Ask the person to sign."),
)
_GUARDIAN_NAME = Refusal(
    "guardian-name-missing",
    text("The name of the parent or guardian is missing."),
    text("Give the name of the parent or guardian."),
)
_GUARDIAN_PHONE = Refusal(
    "guardian-phone-missing",
    text("The telephone number of the parent or guardian is missing, or is not one."),
    text("Give a number of 6 to 15 digits."),
)
_GUARDIAN_UNDER_AGE = Refusal(
    "guardian-under-age",
    text("Whoever signs for somebody else must be 18 or older."),
    text("Ask an adult who is responsible. If the year of birth is wrong, tell the staff."),
)
