"""The lists of a person's record, ready to be shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from fabctl.model.booking_policy import Reach
from fabctl.model.certification import Level, Standing
from fabctl.model.person_rights import HeldRight
from fabctl.services import person_file, reservation_lists, staff_day, training, use_log
from fabctl.services.booking_record import ReservationView
from fabctl.services.certifications import CertificationView
from fabctl.services.people import PersonView
from fabctl.services.personal_data import Reading
from fabctl_web.lab import Lab
from fabctl_web.language import speech
from fabctl_web.people import looked
from fabctl_web.people.own import STANDING_WORDS
from fabctl_web.staff.lines import Act, Line
from fabctl_web.staff.today_machines import page_if_any
from fabctl_web.staff.words import RIGHTS

LOOKS = {
    Standing.VALID: ("badge-check", "free"),
    Standing.SUPERVISED: ("users-round", "reserved"),
    Standing.NONE: ("graduation-cap", "silent"),
    Standing.EXPIRED: ("clock", "blocked"),
    Standing.SUSPENDED: ("ban", "broken"),
}
MOST = 20


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


LEVELS = {
    Level.SUPERVISED: _("With a trainer in the lab"),
    Level.AUTONOMOUS: _("Alone"),
    Level.TRAINER: _("Trains others"),
}


def certified(
    lab: Lab, db: Session, person: str, me: PersonView, places: Mapping[str, str]
) -> list[Line]:
    """Return somebody's certifications by machine, each with the way to its check."""
    found = training.certifications_for(db, lab.clock, person_id=person, by=me.id)
    reasons = person_file.suspension_reasons(db, person_id=person, by=me.id)
    lines = [_certification(lab, one, person, places, reasons) for one in found]
    return sorted(lines, key=lambda line: line.title.casefold())


def _certification(
    lab: Lab,
    found: CertificationView,
    person: str,
    places: Mapping[str, str],
    reasons: Mapping[str, str],
) -> Line:
    icon, css = LOOKS[found.standing]
    _, now = speech(), lab.clock.now()
    until = _("until {time}", time=_.day(found.expires_at, now)) if found.expires_at else ""
    since = _("since {time}", time=_.day(found.since, now))
    level = _(LEVELS[found.level]) if found.level else ""
    known = found.resource_id in lab.config.machines
    desk = check_page(found.resource_id, person) if known else ""
    acts = (Act(_("Change"), "pencil", desk, link=True),) if desk else ()
    return Line(
        id=found.resource_id,
        title=places.get(found.resource_id, found.resource_id),
        first=" · ".join(part for part in (level, since, until) if part),
        second=reasons.get(found.resource_id, "") if found.standing is Standing.SUSPENDED else "",
        state=_(STANDING_WORDS[found.standing]),
        css=css,
        icon=icon,
        acts=acts,
    )


def check_page(machine: str, person: str) -> str:
    """Return where somebody is certified and suspended on a machine; empty: nowhere."""
    return page_if_any("training_check.person", machine=machine, person=person)


def booked(  # whose, for whom, where, how far back
    lab: Lab,
    db: Session,
    person: str,
    me: PersonView,
    places: Mapping[str, str],
    back: timedelta,
) -> list[Line]:
    """Return somebody's reservations to come and of the last weeks, the latest first."""
    since = lab.clock.now() - back
    found = reservation_lists.of_person(db, person_id=person, by=me.id, since=since, limit=200)
    return [_reservation(lab, one, places) for one in reversed(found)][:MOST]


def _reservation(lab: Lab, found: ReservationView, places: Mapping[str, str]) -> Line:
    _, now = speech(), lab.clock.now()
    if found.no_show_at:
        state, css, icon = _("Did not come"), "blocked", "user-round"
    elif found.cancelled_at:
        state, css, icon = _("Cancelled"), "silent", "x"
    elif found.end <= now:
        state, css, icon = _("Over"), "silent", "check"
    else:
        state, css, icon = _("Reserved"), "reserved", "calendar-clock"
    return Line(
        id=found.id,
        title=places.get(found.resource_id, found.resource_id),
        first=_.slot(found.start, found.end, now),
        state=state,
        css=css,
        icon=icon,
    )


OUTCOMES = {
    "finished": _("Finished"),
    "stopped": _("Stopped"),
    "failed": _("Failed"),
    "interrupted": _("Interrupted"),
}


def used(
    lab: Lab, db: Session, person: str, me: PersonView, places: Mapping[str, str]
) -> list[Line]:
    """Return somebody's last uses of machines."""
    _, now = speech(), lab.clock.now()
    return [
        Line(
            id=one.id,
            title=places.get(one.resource_id, one.resource_id),
            first=_.moment(one.opened_at, now),
            second=_.lasting(one.lasted_s),
            state=_(OUTCOMES.get(one.outcome or "", "Over")) if one.closed_at else _("In use"),
            css="silent" if one.closed_at else "busy",
            icon="check" if one.closed_at else "user-round",
        )
        for one in use_log.log(db, lab.clock, by=me.id, person_id=person, limit=MOST)
    ]


@dataclass(frozen=True)
class Right:
    """A right that somebody holds, with what takes it back."""

    held: HeldRight
    word: str
    where: str
    until: str


def rights(lab: Lab, held: Iterable[HeldRight], places: Mapping[str, str]) -> list[Right]:
    """Return rights in words."""
    _, now = speech(), lab.clock.now()
    return [
        Right(
            one,
            _(RIGHTS[one.right]),
            _("Everywhere")
            if one.scope.reach is Reach.LAB
            else places.get(one.scope.subject, one.scope.subject),
            _("until {time}", time=_.moment(one.until, now)) if one.until else "",
        )
        for one in held
    ]


@dataclass(frozen=True)
class Looked:
    """Somebody looked at a person's file."""

    when: str
    who: str
    what: str


def readings(lab: Lab, db: Session, found: Iterable[Reading]) -> list[Looked]:
    """Return who looked at a file, the latest first."""
    rows = list(found)  # the latest first
    names = staff_day.names_of(db, [one.who for one in rows])
    _, now = speech(), lab.clock.now()
    return [
        Looked(
            _.moment(one.at, now),
            names.get(one.who or "", one.who or lab.config.name),
            _(looked.WORDS[one.what]),
        )
        for one in rows
    ]
