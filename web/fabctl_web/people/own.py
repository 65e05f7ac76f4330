"""What is a person's own: reservations to come, what they wait for, certifications, jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fabctl.model.certification import Standing
from fabctl.model.job import JobState, trouble_text
from fabctl.services import bookings, certifications, jobs, reservation_lists, resources, waiting
from fabctl.services.bookings import ReservationView
from fabctl.services.jobs import JobView
from fabctl.services.people import PersonView
from fabctl.services.waiting import WaitingView
from fabctl_web.lab import Lab
from fabctl_web.speech import Speech
from fabctl_web.tables import SHOWN


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


JOB_WORDS = {
    "prepared": _("Ready to start"),
    "starting": _("Starting"),
    "running": _("Running"),
    "paused": _("Paused"),
    "finished": _("Finished"),
    "stopped": _("Stopped"),
    "failed": _("Failed"),
    "interrupted": _("Interrupted"),
    "withdrawn": _("Dropped"),
}
STANDING_WORDS = {
    Standing.VALID: _("Certified"),
    Standing.SUPERVISED: _("With a trainer beside you"),
    Standing.NONE: _("Not certified"),
    Standing.EXPIRED: _("Expired"),
    Standing.SUSPENDED: _("Suspended"),
}


UNDO = timedelta(minutes=10)
MOST_READ = 200


@dataclass(frozen=True)
class Row:
    """One line of the page, ready to be shown."""

    id: str
    machine: str
    """The machine's id; empty when lab.toml does not name it."""
    name: str
    first: str
    second: str
    good: bool = True
    resource: str = ""
    """The id of what is booked, a machine or not."""
    can_check_in: bool = False
    begun: bool = False
    series: str = ""
    """The weekly series that a reservation is of; empty: none."""
    answer_until: datetime | None = None
    """Until when an offer is kept."""
    can_drop: bool = False
    start: datetime | None = None
    """When what was cancelled would have begun: it can be booked again."""
    minutes: int = 0


@dataclass(frozen=True)
class Own:
    """The page /me."""

    reservations: list[Row]
    cancelled: list[Row]
    """Just now: whoever touched the wrong button books it again."""
    waiting: list[Row]
    certifications: list[Row]


def own_things(lab: Lab, person: PersonView, speech: Speech) -> Own:
    """Read everything that the page shows."""
    with lab.db.reading() as db:
        coming = bookings.coming_for_person(db, lab.clock, person_id=person.id)
        every = reservation_lists.of_person(
            db, person_id=person.id, by=person.id, since=lab.clock.now(), limit=MOST_READ
        )
        waits = waiting.of_person(db, person_id=person.id)
        held = certifications.of_person(db, lab.clock, person_id=person.id)
        names = {one.id: one.name for one in resources.list_all(db)}
    now = lab.clock.now()
    return Own(
        reservations=[_reservation_row(lab, names, found, speech) for found in coming],
        cancelled=[
            _cancelled_row(lab, names, one, speech)
            for one in every
            if _just_cancelled(one, now) and not any(_again(one, other) for other in coming)
        ],
        waiting=[_waiting_row(lab, names, one, speech) for one in waits if one.slot.end > now],
        certifications=[
            _row(
                lab,
                names,
                c.resource_id,
                c.resource_id,
                speech(STANDING_WORDS[c.standing]),
                speech("until {time}", time=speech.day(c.expires_at, now)) if c.expires_at else "",
                good=c.standing is Standing.VALID,
            )
            for c in held
        ],
    )


def own_jobs(
    lab: Lab, person: PersonView, speech: Speech, after: tuple[datetime, str] | None
) -> tuple[list[Row], tuple[str, str] | None]:
    """Read one page of a person's jobs, the newest first, and what the next page comes after."""
    with lab.db.reading() as db:
        found = jobs.jobs_of_person(db, person_id=person.id, limit=SHOWN + 1, after=after)
    shown = found[:SHOWN]
    more = (shown[-1].created_at.isoformat(), shown[-1].id) if len(found) > SHOWN else None
    return [_job_row(lab, job, speech) for job in shown], more


def _reservation_row(
    lab: Lab, names: Mapping[str, str], found: ReservationView, speech: Speech
) -> Row:
    now = lab.clock.now()
    said = speech.slot(found.start, found.end, now)
    return replace(
        _row(lab, names, found.id, found.resource_id, said, ""),
        can_check_in=bookings.awaits_check_in(found, now),
        begun=found.start < now,
        series=found.series_id or "",
    )


def _just_cancelled(found: ReservationView, now: datetime) -> bool:
    at = found.cancelled_at
    return at is not None and at > now - UNDO and found.start > now and found.series_id is None


def _again(gone: ReservationView, found: ReservationView) -> bool:
    """Say whether a part of what was cancelled is booked again."""
    same = gone.resource_id == found.resource_id
    return same and gone.start < found.end and found.start < gone.end


def _cancelled_row(
    lab: Lab, names: Mapping[str, str], found: ReservationView, speech: Speech
) -> Row:
    row = _reservation_row(lab, names, found, speech)
    minutes = int((found.end - found.start).total_seconds() // 60)
    return replace(row, start=found.start, minutes=minutes, resource=found.resource_id)


def _waiting_row(lab: Lab, names: Mapping[str, str], one: WaitingView, speech: Speech) -> Row:
    said = speech.slot(one.slot.start, one.slot.end, lab.clock.now())
    row = _row(lab, names, one.id, one.resource_id, said, "")
    return replace(row, answer_until=one.answer_until)


def _row(  # which, of what, and what is said of it
    lab: Lab,
    names: Mapping[str, str],
    id_: str,
    machine: str,
    first: str,
    second: str,
    *,
    good: bool = True,
) -> Row:
    profile = lab.config.machines.get(machine)
    name = profile.name if profile else names.get(machine, machine)
    return Row(id_, machine if profile else "", name, first, second, good)


def job_word(job: JobView, speech: Speech) -> str:
    """Return a job's state in one word."""
    return speech(JOB_WORDS.get(job.state, job.state))


def job_trouble(job: JobView, speech: Speech) -> str:
    """Return why a job failed, in plain words; empty when it did not."""
    if job.state not in {"failed", "interrupted"} or not job.trouble:
        return ""
    return speech.text(trouble_text(job.trouble))


def _job_row(lab: Lab, job: JobView, speech: Speech) -> Row:
    said = (
        job_word(job, speech),
        speech.moment(job.created_at, lab.clock.now()),
        job_trouble(job, speech),
    )
    second = " · ".join(part for part in said if part)
    good = job.state not in {"failed", "interrupted"}
    row = _row(lab, {}, job.id, job.resource_id, job.name, second, good=good)
    return replace(row, can_drop=job.state == JobState.PREPARED)
