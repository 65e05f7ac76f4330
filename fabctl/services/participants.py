"""Those who take part: their age, who signs for them, their consent.

A first name and a year of birth make a full participant; nothing needs a mail address.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import InputError, UnknownIdError
from fabctl.model.consent import (
    MOST_CHILDREN,
    Birth,
    Consent,
    Signer,
    birth_known,
    birth_refusals,
    consent_form_refusals,
    guardian_refusals,
    local_day,
    too_many_children,
    under_age,
)
from fabctl.model.refusal import RefusedError
from fabctl.model.workshops import not_yours
from fabctl.services import lookups, people
from fabctl.services.accounts import groups_acted_for
from fabctl.services.audit import audit
from fabctl.services.births import birth_of
from fabctl.services.rights import children_of, is_guardian, is_staff, runs_workshops
from fabctl.store.engine import zone_of
from fabctl.store.tables import Person
from fabctl.store.tables_workshops import (
    BirthDate,
    ConsentForm,
    Enrolment,
    Guardianship,
    SessionAnimator,
)


def set_birth(
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    person_id: str,
    year: int,
    day: date | None = None,
    by: str | None,
) -> None:
    """Note a year of birth, and the day only where the year does not do.

    A year that is known is the staff's to change: minimum ages and consents hang on it.

    :raises RefusedError: birth-impossible, birth-known, not-yours.
    """
    person = session.get(Person, lookups.person(session, person_id).id, with_for_update=True)
    assert person is not None  # noqa: S101  # it was found a moment ago, in this transaction
    refusals = [] if _may_note_birth(session, clock, person_id, by) else [not_yours()]
    if person.birth_year is not None and not is_staff(session, by):
        refusals.append(birth_known())
    refusals += birth_refusals(Birth(year, day), local_day(clock.now(), zone))
    if refusals:
        raise RefusedError(refusals)
    person.birth_year = year
    row = session.get(BirthDate, person_id)
    if day is None and row is not None:
        session.delete(row)
    elif day is not None:
        session.merge(BirthDate(person_id=person_id, born_on=day))
    audit(session, clock, by, "person.birth-noted", f"person:{person_id}", {"day": day is not None})
    session.flush()


def _may_note_birth(session: Session, clock: Clock, person_id: str, by: str | None) -> bool:
    """Themselves, a guardian, staff; animators for those who take part in what they lead."""
    if by == person_id or is_guardian(session, clock, by, person_id) or is_staff(session, by):
        return True
    led = (
        select(Enrolment.id)
        .join(SessionAnimator, SessionAnimator.session_id == Enrolment.session_id)
        .where(Enrolment.person_id == person_id, SessionAnimator.person_id == by)
    )
    return runs_workshops(session, by) and session.scalars(led.limit(1)).first() is not None


def may_act_for(session: Session, clock: Clock, person_id: str, by: str | None) -> bool:
    """Say whether somebody may decide for a person: themselves, a guardian, staff, animators."""
    return (
        by == person_id or is_guardian(session, clock, by, person_id) or runs_workshops(session, by)
    )


def add_participant(
    session: Session,
    clock: Clock,
    zone: ZoneInfo,
    *,
    first_name: str,
    birth_year: int,
    by: str,
    guardian_id: str | None = None,
) -> str:
    """Add somebody with a first name and a year of birth; return their id.

    :param guardian_id: who signs for them; a parent who adds a child is its guardian.
    :raises RefusedError: name-missing, birth-impossible, not-yours; guardian-under-age;
        too-many-children: more than twelve, and not added by the staff.
    """
    refusals = birth_refusals(Birth(birth_year), local_day(clock.now(), zone))
    if guardian_id != by and not runs_workshops(session, by) and not groups_acted_for(session, by):
        refusals.append(not_yours())
    if refusals:
        raise RefusedError(refusals)
    added = people.add_person(session, clock, display_name=first_name, birth_year=birth_year, by=by)
    if guardian_id is not None:
        _add_guardian(session, clock, zone, guardian_id, added.id, by)
    return added.id


@dataclass(frozen=True, slots=True)
class ChildView:
    """Somebody for whom a guardian enrols and signs."""

    id: str
    first_name: str
    birth_year: int | None


def children(session: Session, clock: Clock, *, by: str) -> list[ChildView]:
    """Return those for whom somebody signs, in the order in which they were added."""
    found = [lookups.person(session, one) for one in children_of(session, clock, by)]
    return [ChildView(one.id, one.display_name, one.birth_year) for one in found]


def add_guardian(
    session: Session, clock: Clock, *, guardian_id: str, child_id: str, by: str
) -> None:
    """Let a person enrol and sign for a child; staff and animators say so.

    :raises RefusedError: not-yours; guardian-under-age; too-many-children: more than twelve, and
        not added by the staff.
    :raises InputError: nobody is their own guardian.
    """
    if not runs_workshops(session, by):
        raise RefusedError([not_yours()])
    _add_guardian(session, clock, zone_of(session), guardian_id, child_id, by)


def _add_guardian(  # who, of whom, on which day, and who says so
    session: Session, clock: Clock, zone: ZoneInfo, guardian_id: str, child_id: str, by: str
) -> None:
    if guardian_id == child_id:
        raise InputError("nobody is their own guardian")
    for person_id in (guardian_id, child_id):
        lookups.person(session, person_id)
    session.get(Person, guardian_id, with_for_update=True)  # two at once would be counted once
    refusals = guardian_refusals(birth_of(session, guardian_id), local_day(clock.now(), zone))
    if len(children_of(session, clock, guardian_id)) >= MOST_CHILDREN and not is_staff(session, by):
        refusals.append(too_many_children())
    if refusals:
        raise RefusedError(refusals)
    if session.get(Guardianship, (guardian_id, child_id)) is None:
        session.add(Guardianship(guardian_id=guardian_id, child_id=child_id, since=clock.now()))
        audit(session, clock, by, "guardian.added", f"person:{child_id}", {"guardian": guardian_id})
        session.flush()


# -- consent ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConsentView:
    """The last form on file."""

    person_id: str
    form: Consent
    given_at: datetime


def sign_consent(
    session: Session, clock: Clock, zone: ZoneInfo, *, person_id: str, form: Consent, by: str
) -> ConsentView:
    """Put a signed form on record; the last one counts. Taking consent back is a form as well.

    :param by: who typed it: the signer, or staff from a paper.
    :raises RefusedError: guardian-signs, person-signs, guardian-name-missing,
        guardian-phone-missing, guardian-under-age, not-yours.
    """
    today = local_day(clock.now(), zone)
    minor = under_age(birth_of(session, person_id), today)
    refusals = consent_form_refusals(form, minor=signs_as_minor(form, minor=minor))
    if not may_act_for(session, clock, person_id, by):
        refusals.append(not_yours())
    elif minor and by == person_id and form.takes_part:
        refusals.append(not_yours())  # a guardian's words, typed by the child
    elif by != person_id and form.takes_part and not runs_workshops(session, by):
        refusals += guardian_refusals(birth_of(session, by), today)
    if refusals:
        raise RefusedError(refusals)
    kept = replace(
        form,
        image_rights=form.image_rights and form.takes_part,
        guardian_name=form.guardian_name.strip(),
        guardian_phone=form.guardian_phone.strip(),
    )
    session.add(
        ConsentForm(
            person_id=person_id,
            signed_by=kept.signed_by.value,
            takes_part=kept.takes_part,
            image_rights=kept.image_rights,
            guardian_name=kept.guardian_name,
            guardian_phone=kept.guardian_phone,
            given_at=clock.now(),
            recorded_by=by,
        )
    )
    details = {"takes_part": form.takes_part, "signed_by": form.signed_by.value}
    audit(session, clock, by, "consent.recorded", f"person:{person_id}", details)
    session.flush()
    return ConsentView(person_id, kept, clock.now())


def signs_as_minor(form: Consent, *, minor: bool | None) -> bool:
    """Say who must sign. Of somebody whose age nobody knows, the form itself says it."""
    return form.signed_by is Signer.GUARDIAN if minor is None else minor


def consents_of(session: Session, person_id: str) -> list[Consent]:
    """Return the forms on file, oldest first."""
    query = select(ConsentForm).where(ConsentForm.person_id == person_id).order_by(ConsentForm.id)
    return [
        Consent(
            Signer(row.signed_by),
            takes_part=row.takes_part,
            image_rights=row.image_rights,
            guardian_name=row.guardian_name,
            guardian_phone=row.guardian_phone,
        )
        for row in session.scalars(query)
    ]


def consent_for(session: Session, clock: Clock, *, person_id: str, by: str) -> ConsentView:
    """Return a person's last form, to whoever decides for them; of others, who looked is kept.

    :raises UnknownIdError: no such person, none on file, or not theirs to see.
    """
    lookups.person(session, person_id)
    if not may_act_for(session, clock, person_id, by):
        raise UnknownIdError(f"there is no person {person_id!r} for whom they sign")
    last = last_consent(session, person_id)
    if last is None:
        raise UnknownIdError(f"there is no consent of {person_id!r} on file")
    if by != person_id and not is_guardian(session, clock, by, person_id):
        audit(session, clock, by, "consent.read", f"person:{person_id}")
    return ConsentView(person_id, *last)


def last_consent(session: Session, person_id: str) -> tuple[Consent, datetime] | None:
    """Return the last form on file and when it was given; None: there is none."""
    query = select(ConsentForm).where(ConsentForm.person_id == person_id).order_by(ConsentForm.id)
    rows = session.scalars(query).all()
    return (consents_of(session, person_id)[-1], rows[-1].given_at) if rows else None
