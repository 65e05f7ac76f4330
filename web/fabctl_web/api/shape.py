"""What the API says: one shape for every refusal, and resources as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from flask import Response, jsonify, make_response

from fabctl.gcode.report import Report
from fabctl.interlock import InterlockProfile
from fabctl.messaging.interlocks import InterlockView
from fabctl.messaging.lab_view import MachineView
from fabctl.model.booking_slots import Slot
from fabctl.model.refusal import Refusal
from fabctl.ports import MachineProfile
from fabctl.services.bookings import ReservationView
from fabctl.services.jobs import JobView
from fabctl_web.board.bookings import Booked
from fabctl_web.language import speech

Json = dict[str, Any]


def refused(refusals: Iterable[Refusal], status: int) -> Response:
    """Return the one error shape, with every reason at once."""
    found = [refusal_json(refusal) for refusal in refusals]
    answer = make_response(jsonify({"refusals": found}), status)
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="fabctl"'
    return answer


def refusal_json(refusal: Refusal) -> Json:
    """Return one reason in the language of the request."""
    return {
        "code": refusal.code,
        "message": speech().text(refusal.message),
        "next_step": speech().text(refusal.next_step),
    }


def machine_json(profile: MachineProfile, view: MachineView, booked: Booked) -> Json:
    """Return a machine: what it is, what it does, when it is booked. No names of people."""
    return {
        "id": profile.id,
        "name": profile.name,
        "kind": profile.kind.value,
        "state": view.state,
        "reason": view.reason,
        "trouble": view.trouble,
        "waiting": view.waiting,
        "age_s": None if view.age_s is None else round(view.age_s, 1),
        "job": view.job,
        "progress": view.progress,
        "line": view.line,
        "lines": view.lines,
        "eta_s": view.eta_s,
        "temperatures": dict(view.temperatures),
        "work_area": work_area_json(profile),
        "busy_until": instant(booked.busy_until),
        "next_start": instant(booked.next_start),
    }


def interlock_json(profile: InterlockProfile, view: InterlockView) -> Json:
    """Return an interlock's state; nothing but ``unknown`` once its last word is too old."""
    said = view.said
    return {
        "machine": profile.machine,
        "kind": profile.kind.value,
        "state": view.state,
        "age_s": None if view.age_s is None else round(view.age_s, 1),
        "since_s": said.since_s,
        "cause": said.cause,
        "first_cause": said.first_cause,
        "fault": said.fault,
        "advice": said.advice,
        "inputs": [
            {"role": role.value, "condition": word.condition.value, "age_s": word.age_s}
            for role, word in ((role, view.condition(role)) for role in profile.inputs)
        ],
        "permit_left_s": _left(view),
        "permits_refused": dict(said.permits_refused),
        "outputs_on": said.outputs_on,
        "active": said.active,
        "trips": said.trips if view.known else None,
    }


def _left(view: InterlockView) -> float | None:
    """Return how long the permit still holds; whose use it is for stays inside."""
    permit = view.said.permit
    return None if permit is None else max(0.0, round(permit.left_s - (view.age_s or 0.0), 1))


def work_area_json(profile: MachineProfile) -> Json | None:
    """Return the space a tool may reach, in mm."""
    area = profile.work_area
    return {"x": list(area.x), "y": list(area.y), "z": list(area.z)} if area else None


def reservation_json(found: ReservationView) -> Json:
    """Return a reservation."""
    return {
        "id": found.id,
        "resource": found.resource_id,
        "person": found.person_id,
        "account": found.account_id,
        "start": instant(found.start),
        "end": instant(found.end),
        "created_at": instant(found.created_at),
        "cancelled_at": instant(found.cancelled_at),
        "checked_in_at": instant(found.checked_in_at),
        "no_show_at": instant(found.no_show_at),
        "series": found.series_id,
    }


def slot_json(slot: Slot) -> Json:
    """Return a stretch of time."""
    return {"start": instant(slot.start), "end": instant(slot.end)}


def job_json(job: JobView, view: MachineView) -> Json:
    """Return a job with its preflight report, and its progress while it is on the machine."""
    live = view if view.job == job.id else None
    return {
        "id": job.id,
        "machine": job.resource_id,
        "person": job.person_id,
        "name": job.name,
        "state": job.state,
        "sha256": job.sha256,
        "size": job.size,
        "lines": job.lines,
        "commands": job.commands,
        "estimate_s": job.estimate_s,
        "progress": live.progress if live else None,
        "line": live.line if live and live.line is not None else job.line,
        "eta_s": live.eta_s if live else None,
        "trouble": job.trouble,
        "reason": job.reason,
        "created_at": instant(job.created_at),
        "started_at": instant(job.started_at),
        "ended_at": instant(job.ended_at),
        "report": report_json(Report.from_json(job.report)),
    }


def report_json(report: Report) -> Json:
    """Return a preflight report: figures and problems, without the picture."""
    plain: Mapping[str, Any] = json.loads(report.to_json())
    kept = ("nozzle_max_c", "bed_max_c", "feed_max_mm_per_min", "filament_mm", "layers", "bounds")
    return {
        "ok": report.ok,
        "problem_count": report.problem_count,
        "problems": [
            {
                "line": problem.line,
                "code": problem.code,
                "severity": problem.severity,
                "message": speech().text(problem.message),
            }
            for problem in report.problems
        ],
        "slicer_estimate_s": report.slicer_estimate_s,
        **{name: plain[name] for name in kept},
    }


def instant(moment: datetime | None) -> str | None:
    """Return an instant as ISO 8601 in UTC, with its offset."""
    return moment.isoformat(timespec="seconds") if moment else None
