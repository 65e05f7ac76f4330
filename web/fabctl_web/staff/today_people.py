"""Today, the people: who has what now, who comes next, who did not come, who waits, who is here."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from flask import url_for
from sqlalchemy.orm import Session

from fabctl.model.mail import Outcome
from fabctl.model.training import CourseStep
from fabctl.services import mail_queue, presence, staff_day, unlocking, workshops
from fabctl.services.mail_queue import MailTrouble
from fabctl.services.people import PersonView
from fabctl.services.staff_day import Expected, InUse
from fabctl.services.workshops import SessionView
from fabctl_web.lab import Lab
from fabctl_web.language import speech
from fabctl_web.staff.lines import Act, Line, Section
from fabctl_web.staff.today_machines import page_if_any
from fabctl_web.staff.upkeep_lines import MOST, Desk, lab_names, task_lines

FORGIVEN_WITHIN = timedelta(days=7)
"""No-shows older than this are found on the person's page."""
MAIL_LOOKS_BACK = timedelta(days=14)


def person_page(person: str) -> str:
    """Return the address of somebody's record."""
    return url_for("staff_person.record", person=person)


def end_of_day(lab: Lab) -> datetime:
    """Return when today ends on the lab's clocks."""
    today = lab.clock.now().astimezone(lab.config.time_zone).date()
    return datetime.combine(today + timedelta(days=1), time(), lab.config.time_zone)


def now_section(lab: Lab, db: Session, me: PersonView) -> Section:
    """Return who has a machine, whose time has begun, which session runs."""
    _ = speech()
    now = lab.clock.now()
    held = staff_day.in_use(db, by=me.id)
    begun = staff_day.expected(db, start=now, end=now + timedelta(microseconds=1), by=me.id)
    using = {one.use.reservation_id for one in held} | {
        (one.use.person_id, one.use.resource_id) for one in held
    }
    places = lab_names(lab, db)
    lines = [_used(lab, one, places) for one in held]
    lines += [_session(lab, one) for one in _sessions(db, now, now + timedelta(seconds=1))]
    lines += [
        _booked(lab, one)
        for one in begun
        if one.reservation.id not in using
        and (one.reservation.person_id, one.reservation.resource_id) not in using
    ]
    return Section(
        "now", _("Now"), "activity", _("Nobody uses a machine."), tuple(lines), always=True
    )


def next_section(lab: Lab, db: Session, me: PersonView) -> Section:
    """Return what begins later today."""
    _ = speech()
    now, end = lab.clock.now(), end_of_day(lab)
    coming = staff_day.expected(db, start=now, end=end, by=me.id)
    sessions = [one for one in _sessions(db, now, end) if one.start > now]
    lines = [(one.start, _session(lab, one)) for one in sessions]
    lines += [
        (one.reservation.start, _booked(lab, one)) for one in coming if one.reservation.start > now
    ]
    lines.sort(key=lambda found: (found[0], found[1].title))
    return Section(
        "next",
        _("Later today"),
        "clock",
        _("Nothing is planned for the rest of the day."),
        tuple(line for _start, line in lines),
        always=True,
    )


def _sessions(db: Session, start: datetime, end: datetime) -> list[SessionView]:
    found = workshops.sessions_between(db, start=start, end=end)
    return [one for one in found if one.cancelled_at is None]


def _used(lab: Lab, found: InUse, places: dict[str, str]) -> Line:
    _ = speech()
    since = speech().moment(found.use.opened_at, lab.clock.now())
    machine = found.use.resource_id
    return Line(
        id=found.use.id,
        title=places.get(machine, machine),
        first=found.person,
        state=_("In use since {time}", time=since),
        css="busy",
        icon="user-round",
        address=url_for("machines.page", machine=machine) if machine in lab.config.machines else "",
        acts=(Act(_("Record"), "id-card", person_page(found.use.person_id), link=True),),
    )


def _booked(lab: Lab, found: Expected) -> Line:
    _ = speech()
    row, now = found.reservation, lab.clock.now()
    here = row.checked_in_at is not None
    late = not here and row.start <= now
    acts = [Act(_("Record"), "id-card", person_page(row.person_id), link=True)]
    if late:
        came = url_for("staff_acts.came_for", reservation=row.id)
        acts.insert(0, Act(_("Is here"), "user-check", came))
    state = _("Is here") if here else _("Not here yet") if late else ""
    return Line(
        id=row.id,
        title=found.resource,
        first=found.person,
        second=f"{speech().clock(row.start)} – {speech().clock(row.end)}",
        state=state,
        css="reserved" if not late else "blocked",
        icon="user-check" if here else "clock",
        acts=tuple(acts),
    )


def _session(lab: Lab, found: SessionView) -> Line:
    _ = speech()
    page = page_if_any("session_desk.page", session=found.id)
    console = page_if_any("console.page", session=found.id)
    acts = (Act(_("Open the console"), "clipboard-list", console, link=True),) if console else ()
    return Line(
        id=found.id,
        title=found.title,
        first=_("{held} of {places} places", held=found.held, places=found.places),
        second=f"{speech().clock(found.start)} – {speech().clock(found.end)}",
        state=_("Workshop"),
        css="reserved",
        icon="users-round",
        address=page,
        acts=acts if found.start - lab.clock.now() < timedelta(hours=2) else (),
    )


def absent(lab: Lab, db: Session, me: PersonView) -> Section:
    """Return the reservations of the last days to which nobody came."""
    _ = speech()
    found = staff_day.no_shows(db, since=lab.clock.now() - FORGIVEN_WITHIN, by=me.id)
    lines = tuple(_no_show(lab, one) for one in found)
    return Section("absent", _("Did not come"), "user-round", _("No-shows"), lines)


def _no_show(lab: Lab, found: Expected) -> Line:
    _ = speech()
    row = found.reservation
    pardon = url_for("staff_acts.pardon", reservation=row.id)
    return Line(
        id=row.id,
        title=found.person,
        first=found.resource,
        second=speech().slot(row.start, row.end, lab.clock.now()),
        css="silent",
        icon="user-round",
        address=person_page(row.person_id),
        acts=(Act(_("Pardon"), "undo-2", pardon, ask=_("Why do you take it back?")),),
    )


def checks(lab: Lab, db: Session, me: PersonView) -> Section:
    """Return who waits for a practical check."""
    _ = speech()
    found = staff_day.checks_waiting(db, lab.clock, by=me.id)
    places = lab_names(lab, db)
    lines = []
    for one in found:
        first_job = (
            one.trainee.progress is not None and one.trainee.progress.next is CourseStep.FIRST_JOB
        )
        machines = [places.get(machine, machine) for machine in one.course.resource_ids]
        lines.append(
            Line(
                id=f"{one.course.id}-{one.trainee.id}",
                title=one.trainee.name,
                first=one.course.title(speech().language),
                second=", ".join(machines),
                state=_("First job with a trainer") if first_job else _("Practical check"),
                css="reserved",
                icon="graduation-cap",
                address=person_page(one.trainee.id),
                acts=_check_acts(one.course.resource_ids[0], one.trainee.id),
            )
        )
    return Section("checks", _("Checks to do"), "graduation-cap", _("Checks"), tuple(lines))


def _check_acts(machine: str, person: str) -> tuple[Act, ...]:
    address = page_if_any("training_check.person", machine=machine, person=person)
    return (Act(speech()("Do the check"), "arrow-right", address, link=True),) if address else ()


def tasks(lab: Lab, db: Session, me: PersonView) -> Section:
    """Return the team's tasks, one's own first; planned maintenance has a list of its own."""
    _ = speech()
    lines = task_lines(Desk(lab, db, me))
    return Section("tasks", _("Tasks"), "list-checks", _("Tasks"), lines)


def here(lab: Lab, db: Session, me: PersonView) -> Section:
    """Return who is checked in."""
    _ = speech()
    lines = tuple(
        Line(
            id=one.person_id,
            title=one.name,
            first=_("Since {time}", time=speech().moment(one.came_at, lab.clock.now())),
            address=person_page(one.person_id),
            acts=(Act(_("Has left"), "log-out", url_for("staff_acts.left", person=one.person_id)),),
        )
        for one in presence.list_here(db, lab.clock, by=me.id, limit=MOST)
    )
    none = _("Nobody is checked in.")
    return Section("here", _("Who is here"), "user-check", none, lines, always=True)


def mail_troubles(lab: Lab, db: Session, me: PersonView) -> Section:
    """Return the mails that did not arrive lately: whom to telephone."""
    _ = speech()
    since = lab.clock.now() - MAIL_LOOKS_BACK
    found = [one for one in mail_queue.troubles(db, by=me.id, limit=MOST) if one.ended_at > since]
    lines = tuple(_mail(lab, one) for one in found)
    return Section("mail", _("Mail that did not arrive"), "mail", _("Mail"), lines)


def _mail(lab: Lab, found: MailTrouble) -> Line:
    _ = speech()
    refused = found.outcome is Outcome.REFUSED
    why = _("The address was refused.") if refused else _("The mail server did not answer.")
    return Line(
        id=found.id,
        title=found.name,
        first=why,
        second=speech().moment(found.ended_at, lab.clock.now()),
        css="blocked",
        icon="mail",
        address=person_page(found.person_id),
    )


def locked_screens(lab: Lab, db: Session) -> Section:
    """Return the screens on which nobody may try a code, after too many wrong ones."""
    _ = speech()
    lines = tuple(
        Line(
            id=device,
            title=device,
            first=_("Too many wrong codes were tried here."),
            css="blocked",
            icon="lock",
            acts=(
                Act(
                    _("Unlock"), "key-round", url_for("staff_acts.unlock"),
                    fields=(("device", device),),
                ),
            ),
        )
        for device in unlocking.locked_devices(db, lab.clock)
    )  # fmt: skip
    return Section("locked", _("Locked screens"), "lock", _("Locked screens"), lines)
