"""Jobs on the machines, for programs."""

from __future__ import annotations

from typing import Any

from flask import jsonify, make_response
from werkzeug.wrappers import Response

from fabctl.errors import UnknownIdError
from fabctl.messaging.payloads import Answer
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.services import jobs
from fabctl.services.jobs import JobView
from fabctl.services.people import PersonView
from fabctl_web import uploads
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.shape import job_json, refused, report_json
from fabctl_web.lab import Lab, current_lab
from fabctl_web.machines import control, receiving

area = api_area("jobs")


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
