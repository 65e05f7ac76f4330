"""What is a person's own: reservations to come, certifications, jobs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fabctl.model.certification import Standing
from fabctl.model.job import trouble_text
from fabctl.services import bookings, certifications, jobs
from fabctl.services.bookings import ReservationView
from fabctl.services.jobs import JobView
from fabctl.services.people import PersonView
from fabctl_web.lab import Lab
from fabctl_web.speech import Speech


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


@dataclass(frozen=True)
class Row:
    """One line of the page, ready to be shown."""

    id: str
    machine: str
    """The machine's id; empty when lab.toml does not name it any more."""
    name: str
    first: str
    second: str
    good: bool = True
    can_check_in: bool = False


@dataclass(frozen=True)
class Own:
    """The page /me."""

    reservations: list[Row]
    certifications: list[Row]
    jobs: list[Row]


def own_things(lab: Lab, person: PersonView, speech: Speech) -> Own:
    """Read everything that the page shows."""
    with lab.db.reading() as db:
        coming = bookings.coming_for_person(db, lab.clock, person_id=person.id)
        held = certifications.of_person(db, lab.clock, person_id=person.id)
        done = jobs.jobs_of_person(db, person_id=person.id)
    now = lab.clock.now()
    return Own(
        reservations=[_reservation_row(lab, found, speech) for found in coming],
        certifications=[
            _row(
                lab,
                c.resource_id,
                c.resource_id,
                speech(STANDING_WORDS[c.standing]),
                speech("until {time}", time=speech.day(c.expires_at, now)) if c.expires_at else "",
                good=c.standing is Standing.VALID,
            )
            for c in held
        ],
        jobs=[_job_row(lab, job, speech) for job in done],
    )


def _reservation_row(lab: Lab, found: ReservationView, speech: Speech) -> Row:
    now = lab.clock.now()
    row = _row(lab, found.id, found.resource_id, speech.slot(found.start, found.end, now), "")
    return replace(row, can_check_in=bookings.awaits_check_in(found, now))


def _row(lab: Lab, id_: str, machine: str, first: str, second: str, *, good: bool = True) -> Row:
    profile = lab.config.machines.get(machine)
    known = machine if profile else ""
    return Row(id_, known, profile.name if profile else machine, first, second, good)


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
    return _row(lab, job.id, job.resource_id, job.name, second, good=good)
