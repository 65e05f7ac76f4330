"""After use, for programs: the log of uses, how machines were left, problems."""

from __future__ import annotations

from typing import Any

from flask import jsonify, make_response
from werkzeug.wrappers import Response

from fabctl.model.upkeep import ProblemKind
from fabctl.services import problems, resource_desk, stops, use_log
from fabctl.services.problems import ProblemView
from fabctl.services.use_log import LogEntry
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.house import order_json
from fabctl_web.api.shape import instant
from fabctl_web.lab import current_lab
from fabctl_web.machines import control

area = api_area("upkeep")


@area.get("/uses")
def uses() -> Response:
    """List the caller's uses; for the staff, somebody's or everybody's."""
    lab, person, page = current_lab(), caller(), reading.page()
    with reading.query() as sent:
        resource = sent.maybe_text("resource")
        whose = sent.maybe_text("person")
        everybody = sent.flag("everybody")
    after = reading.instant_and_id(page)
    with lab.db.reading() as db:
        found = use_log.log(
            db,
            lab.clock,
            by=person.id,
            resource_id=resource,
            person_id=None if everybody else whose or person.id,
            limit=page.limit + 1,
            after=after,
        )
    return reading.paged("uses", found, page, _use_key, _use, newest_first=True)


@area.get("/uses/<use>")
def use(use: str) -> Response:
    """Show one use: one's own; the staff anybody's."""
    lab, person = current_lab(), caller()
    with lab.db.reading() as db:
        found = use_log.entry(db, lab.clock, use_id=use, by=person.id)
    return jsonify(_use(found))


@area.post("/machines/<machine>/use")
def begin(machine: str) -> Response:
    """Say that one uses an interlocked machine from now on; its own button arms it."""
    lab, person = current_lab(), caller()
    lab.profile(machine)
    use = control.begin(lab, machine, person)
    with lab.db.reading() as db:
        found = use_log.entry(db, lab.clock, use_id=use.id, by=person.id)
    return jsonify(_use(found))


@area.delete("/machines/<machine>/use")
def finish(machine: str) -> Response:
    """Say that one has finished; the permit is taken back."""
    lab, person = current_lab(), caller()
    lab.profile(machine)
    control.finish(lab, machine, person)
    return Response(status=204)


@area.put("/uses/<use>/material")
def material(use: str) -> Response:
    """Note what was worked with."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        words = sent.maybe_text("material") or ""
    with lab.db.transaction() as db:
        found = use_log.note_material(db, lab.clock, use_id=use, material=words, by=person.id)
    return jsonify(_use(found))


@area.put("/uses/<use>/answer")
def answer(use: str) -> Response:
    """Note whether the machine is clean and sound."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        clean, sound = sent.said("clean"), sent.said("sound")
    with lab.db.transaction() as db:
        found = use_log.answer_after_use(
            db, lab.clock, use_id=use, clean=clean, sound=sound, by=person.id
        )
    return jsonify(_use(found))


@area.get("/problems")
def list_problems() -> Response:
    """List problem reports, the newest first."""
    lab, person, page = current_lab(), caller(), reading.page()
    with reading.query() as sent:
        resource, settled = sent.maybe_text("resource"), sent.flag("settled")
    after = reading.instant_and_id(page)
    with lab.db.reading() as db:
        found = problems.list_problems(
            db,
            by=person.id,
            resource_id=resource,
            open_only=not settled,
            limit=page.limit + 1,
            after=after,
        )
    return reading.paged("problems", found, page, _problem_key, _problem, newest_first=True)


@area.post("/problems")
def report() -> Response:
    """Report a problem; who knows the machine can put it out of order with it."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        resource, summary = sent.resource(), sent.text("summary")
        details = sent.maybe_text("details") or ""
        stop = sent.flag("stop_machine")
        kind = ProblemKind.OTHER
        if sent.has("kind"):
            kind = sent.choice("kind", ProblemKind, kind)
    with lab.db.transaction() as db:
        made = problems.report_problem(
            db,
            lab.clock,
            resource_id=resource,
            summary=summary,
            details=details,
            kind=kind,
            stop_machine=stop,
            by=person.id,
        )
    lab.booked_anew(resource)
    return make_response(jsonify(_problem(made)), 201)


@area.get("/problems/<problem>")
def problem(problem: str) -> Response:
    """Show one report; its details to the staff and to who wrote it."""
    lab, person = current_lab(), caller()
    with lab.db.reading() as db:
        found = problems.get_problem(db, problem_id=problem, by=person.id)
    return jsonify(_problem(found))


@area.post("/problems/<problem>/settle")
def settle(problem: str) -> Response:
    """Say what was done about a problem."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        outcome = sent.text("outcome")
    with lab.db.transaction() as db:
        found = problems.settle_problem(
            db, lab.clock, problem_id=problem, outcome=outcome, by=person.id
        )
    lab.booked_anew(found.resource_id)
    return jsonify(_problem(found))


@area.put("/resources/<resource>/next-step")
def next_step(resource: str) -> Response:
    """Say what happens next with a resource that is out of order."""
    lab, person = current_lab(), caller()
    with reading.body() as sent:
        words = sent.text("next_step")
    with lab.db.transaction() as db:
        stops.say_next_step(db, lab.clock, resource_id=resource, next_step=words, by=person.id)
        found = resource_desk.order_of(db, resource_id=resource)
    return jsonify(order_json(found))


def _use_key(found: LogEntry) -> tuple[str, ...]:
    return (found.opened_at.isoformat(), found.id)


def _use(found: LogEntry) -> dict[str, Any]:
    return {
        "id": found.id,
        "resource": found.resource_id,
        "person": found.person_id,
        "opened_at": instant(found.opened_at),
        "closed_at": instant(found.closed_at),
        "outcome": found.outcome,
        "lasted_s": found.lasted_s,
        "ran_s": found.ran_s,
        "job": found.job_id,
        "job_name": found.job_name,
        "material": found.material,
        "clean": found.clean,
        "sound": found.sound,
    }


def _problem_key(found: ProblemView) -> tuple[str, ...]:
    return (found.at.isoformat(), found.id)


def _problem(found: ProblemView) -> dict[str, Any]:
    return {
        "id": found.id,
        "resource": found.resource_id,
        "kind": found.kind.value,
        "summary": found.summary,
        "details": found.details,
        "person": found.person_id,
        "use": found.use_id,
        "at": instant(found.at),
        "stops_machine": found.stops_machine,
        "in_hand": found.in_hand,
        "settled_at": instant(found.settled_at),
        "outcome": found.outcome,
    }
