"""The API, version 1: what screens can do, for programs. Described by :mod:`.openapi`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, jsonify, make_response, request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType
from werkzeug.wrappers import Response

from fabctl.errors import UnknownIdError
from fabctl.messaging.payloads import Answer
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import text
from fabctl.services import bookings, jobs
from fabctl.services.jobs import JobView
from fabctl.services.people import PersonView
from fabctl_web import uploads
from fabctl_web.api import openapi as document
from fabctl_web.api.auth import caller, check_token
from fabctl_web.api.shape import (
    interlock_json,
    job_json,
    machine_json,
    refused,
    report_json,
    reservation_json,
)
from fabctl_web.lab import Lab, current_lab
from fabctl_web.machines import control, receiving

area = Blueprint("api", __name__, url_prefix="/api/v1")
area.before_request(check_token)

FORM_OF_A_RESERVATION = text("Send resource, start and end; times as ISO 8601 with an offset.")
UNKNOWN_RESOURCE = Refusal(
    "unknown-resource",
    text("There is no such machine."),
    text("Ask for the list of machines, then use one of its ids."),
)


@area.get("/openapi.json")
def openapi() -> Response:
    """Describe this API (OpenAPI 3.1)."""
    return jsonify(document.document())


@area.get("/machines")
def machines() -> Response:
    """List the lab's machines."""
    lab = current_lab()
    return jsonify({"machines": [_machine(lab, machine) for machine in lab.config.machines]})


@area.get("/machines/<machine>")
def machine(machine: str) -> Response:
    """Show one machine."""
    lab = current_lab()
    lab.profile(machine)
    return jsonify(_machine(lab, machine))


@area.get("/machines/<machine>/interlock")
def interlock(machine: str) -> Response:
    """Show a machine's interlock; there is no way to change it from here."""
    lab = current_lab()
    profile = lab.config.interlocks.get(machine)
    if profile is None:
        abort(404)
    return jsonify(interlock_json(profile, lab.view.interlock(machine)))


@area.post("/reservations")
def reserve() -> Response:
    """Book a slot for the caller: 201, 409 with every reason, 422 for malformed input."""
    lab, person = current_lab(), caller()
    wanted = _reservation_wanted(lab)
    if isinstance(wanted, Refusal):
        return refused([wanted], 422)
    resource, start, end = wanted
    with lab.db.transaction() as db:
        made = bookings.book(
            db,
            lab.clock,
            lab.config.time_zone,
            person_id=person.id,
            resource_id=resource,
            start=start,
            end=end,
            by=person.id,
        )
    lab.booked_anew(resource)
    return make_response(jsonify(reservation_json(made)), 201)


@area.delete("/reservations/<reservation>")
def cancel(reservation: str) -> Response:
    """Cancel a reservation: one's own; the staff anybody's."""
    lab, person = current_lab(), caller()
    with lab.db.transaction() as db:
        gone = bookings.cancel(
            db,
            lab.clock,
            lab.config.time_zone,
            reservation_id=reservation,
            by=person.id,
            reason=request.args.get("reason"),
        )
    lab.booked_anew(gone.resource_id)
    return jsonify(reservation_json(gone))


@area.post("/reservations/<reservation>/check-in")
def check_in(reservation: str) -> Response:
    """Say that somebody is here for their reservation."""
    lab, person = current_lab(), caller()
    with lab.db.transaction() as db:
        found = bookings.check_in(db, lab.clock, reservation_id=reservation, by=person.id)
    return jsonify(reservation_json(found))


@area.post("/machines/<machine>/jobs")
def prepare_job(machine: str) -> Response:
    """Check and keep a file (multipart, field ``file``): 201, or 422 with its report."""
    lab, person = current_lab(), caller()
    lab.profile(machine)
    try:
        job = receiving.prepare(lab, machine, person, uploads.received("file"))
    except receiving.FileProblemsError as error:
        found = [
            Refusal(problem.code, problem.message, receiving.SLICE_AGAIN)
            for problem in error.report.errors
        ]
        answer = refused(found, 422)
        body = answer.get_json() | {"report": report_json(error.report)}
        return make_response(jsonify(body), 422)
    return make_response(jsonify(_job(lab, job)), 201)


@area.get("/jobs/<job>")
def job(job: str) -> Response:
    """Show a job: one's own; the staff anybody's."""
    lab = current_lab()
    return jsonify(_job(lab, _readable_job(lab, job, caller())))


@area.post("/jobs/<job>/start")
def start(job: str) -> Response:
    """Start a prepared job."""
    lab, person = current_lab(), caller()
    return _controlled(lab, job, person, control.start(lab, job, person))


@area.post("/jobs/<job>/pause")
def pause(job: str) -> Response:
    """Pause a running job: anyone may."""
    lab, person = current_lab(), caller()
    return _controlled(lab, job, person, control.pause(lab, _its_machine(lab, job), person, job))


@area.post("/jobs/<job>/resume")
def resume(job: str) -> Response:
    """Go on with a paused job: its owner and the staff."""
    lab, person = current_lab(), caller()
    return _controlled(lab, job, person, control.resume(lab, _its_machine(lab, job), person))


@area.post("/jobs/<job>/stop")
def stop(job: str) -> Response:
    """Stop a job: anyone may."""
    lab, person = current_lab(), caller()
    return _controlled(lab, job, person, control.stop(lab, _its_machine(lab, job), person, job))


def _machine(lab: Lab, machine: str) -> dict[str, Any]:
    return machine_json(
        lab.config.machines[machine], lab.machine(machine), lab.bookings.of(machine)
    )


def _job(lab: Lab, found: JobView) -> dict[str, Any]:
    return job_json(found, lab.machine(found.resource_id))


def _readable_job(lab: Lab, job_id: str, person: PersonView) -> JobView:
    with lab.db.reading() as db:
        found = jobs.get_job(db, job_id)
    if found.person_id != person.id and not person.role.acts_for_others:
        raise UnknownIdError(f"there is no job {job_id!r} of this person")
    return found


def _its_machine(lab: Lab, job_id: str) -> str:
    """Return the machine that the job is on.

    :raises RefusedError: it is on none: another job there must not be touched.
    """
    with lab.db.reading() as db:
        found = jobs.get_job(db, job_id)
    if lab.machine(found.resource_id).job != job_id:
        raise RefusedError([control.NOT_ON_MACHINE])
    return found.resource_id


def _controlled(lab: Lab, job_id: str, person: PersonView, answer: Answer) -> Response:
    if not answer.accepted:
        return refused([control.answer_refusal(answer)], 409)
    with lab.db.reading() as db:
        found = jobs.get_job(db, job_id)
    mine = found.person_id == person.id or person.role.acts_for_others
    body = _job(lab, found) if mine else {"id": job_id, "machine": found.resource_id}
    return make_response(jsonify(body), 202)


UNREADABLE = (
    BadRequest,
    UnsupportedMediaType,
    RecursionError,  # a body of brackets within brackets
    LookupError,
    TypeError,
    ValueError,
    ArithmeticError,
)


def _reservation_wanted(lab: Lab) -> tuple[str, datetime, datetime] | Refusal:
    try:
        body = request.get_json()
        resource, start, end = str(body["resource"]), _instant(body["start"]), _instant(body["end"])
    except UNREADABLE:
        return Refusal("malformed", text("This request cannot be read."), FORM_OF_A_RESERVATION)
    return (resource, start, end) if resource in lab.config.machines else UNKNOWN_RESOURCE


def _instant(written: str) -> datetime:
    """Return an ISO 8601 time with an offset, in UTC.

    :raises ValueError: it is none, or has no offset.
    """
    found = datetime.fromisoformat(written)
    if found.tzinfo is None:
        raise ValueError(written)
    return found.astimezone(UTC)
