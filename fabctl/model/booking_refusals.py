"""Refusals of booking that other rules, services and the database say too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from fabctl.model.booking_slots import EPOCH, FAR, Slot
from fabctl.model.consent import Birth, Consent, consent_refusals, under_age
from fabctl.model.refusal import Refusal
from fabctl.model.texts import text


def out_of_range(wanted: Slot) -> Refusal | None:
    """Return why a slot cannot even be looked at: nobody who asks for it lives then."""
    both = (wanted.start, wanted.end)
    return None if all(EPOCH < one < FAR for one in both) else _NO_SUCH_TIME


def impossible(wanted: Slot) -> Refusal | None:
    """Return why no claim can be like this, whoever asks and whatever is set aside."""
    return out_of_range(wanted) if wanted.start < wanted.end else _NO_SUCH_TIME


def begun_refusal(
    was: Slot, wanted: Slot, now: datetime, *, elsewhere: bool = False
) -> Refusal | None:
    """Return why a reservation cannot be moved like this once it has begun: only its end can.

    Else time already used would be given back, and who did not come would never be missed.

    :param elsewhere: whether another resource is wanted.
    """
    if was.start > now:
        return None
    kept = wanted.start == was.start and not elsewhere
    return None if kept and wanted.end > now else _HAS_BEGUN


_HAS_BEGUN = Refusal(
    "has-begun",
    text("This reservation has begun: only its end can change, and not to the past."),
    text("Stop it, then book anew."),
)

_NO_SUCH_TIME = Refusal(
    "no-such-time",
    text("No reservation can begin and end like this."),
    text("Choose an end after the start."),
)


def overlap_refusal() -> Refusal:
    """Return the refusal for a slot that somebody else has; the database says it this way too."""
    return Refusal(
        "overlap",
        text("Somebody has already booked this time, or a part of it."),
        text("Choose another slot."),
    )


def account_refusal(*, group: bool = False) -> Refusal:
    """Return the refusal for an account that staff has suspended: one's own, or a group's."""
    return Refusal(
        "account-suspended",
        text("The group's account is suspended.") if group else text("Your account is suspended."),
        text("Talk to the staff of the lab."),
    )


def age_refusal(birth: Birth, day: date, least: int | None) -> Refusal | None:
    """Say why somebody is too young on a day; None: old enough, or no age is asked for.

    Where only the year of birth is known, only who surely has the age passes.
    """
    if least is None:
        return None
    younger = under_age(birth, day, least)
    if younger is None:
        return Refusal(
            "under-age",
            text("You must be {age} to use this, and your age is not known.", age=least),
            text("Tell the staff the year of your birth."),
        )
    if not younger:
        return None
    return Refusal(
        "under-age",
        text("You must be {age} to use this.", age=least),
        text("Choose something else, or ask the staff."),
    )


def minors_consent_refusal(birth: Birth, day: date, forms: Sequence[Consent]) -> Refusal | None:
    """Say that somebody who may be under 18 on a day has no guardian's consent on file."""
    if under_age(birth, day) is not True:
        return None
    return next(iter(consent_refusals(forms, minor=True)), None)
