"""What the staff do from the page of today: every button leads back to it."""

from __future__ import annotations

from flask import Blueprint, flash, request, url_for
from werkzeug.wrappers import Response

from fabctl.errors import LocalError
from fabctl.services import (
    bookings,
    maintenance,
    noshows,
    presence,
    problems,
    releasing,
    repairs,
    resource_desk,
    unlocking,
    upkeep_tasks,
)
from fabctl_web.forms import form
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.machines import control
from fabctl_web.machines.reports import kind_word
from fabctl_web.people.signed_in import (
    go,
    not_on_a_shared_screen,
    person_needed,
    safe_next,
    staff_needed,
)

area = Blueprint("staff_acts", __name__)

MOST_TIMES = 1_000_000


@area.post("/staff/machines/<machine>/clear")
def clear(machine: str) -> Response:
    """Tell a broken machine that somebody has looked at it."""
    lab, me = current_lab(), staff_needed()
    lab.profile(machine)
    answer = control.clear(lab, machine, me)
    if answer.accepted:
        return _done(speech()("The machine is released."), "machines")
    flash(speech().text(control.answer_text(answer)), "bad")
    return go(url_for("staff_today.today", _anchor="machines"))


@area.post("/staff/jobs/<job>/release")
def release(job: str) -> Response:
    """Close the use of a machine that will never say how its job ended."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        reason = sent.text("words")
    try:
        with lab.db.transaction() as db:
            found = releasing.release(db, lab.clock, job_id=job, reason=reason, by=me.id)
    except LocalError:
        flash(speech()("This job has ended already."), "bad")
        return go(url_for("staff_today.today", _anchor="machines"))
    lab.booked_anew(found.resource_id)
    return _done(speech()("The machine is free of its job. Its job counts as failed."), "machines")


@area.post("/staff/resources/<resource>/in-order")
def in_order(resource: str) -> Response:
    """Let a resource be used again."""
    lab, me = current_lab(), staff_needed()
    with lab.db.transaction() as db:
        resource_desk.put_in_order(db, lab.clock, resource_id=resource, by=me.id)
    lab.booked_anew(resource)
    return _done(speech()("It is in order again."), "stopped")


@area.post("/staff/problems/<problem>/settle")
def settle(problem: str) -> Response:
    """Say what was done about a problem; whoever reported it reads it."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        outcome = sent.text("words")
    with lab.db.transaction() as db:
        found = problems.settle_problem(
            db, lab.clock, problem_id=problem, outcome=outcome, by=me.id
        )
    lab.booked_anew(found.resource_id)
    return _done(speech()("Settled. Whoever reported it is told."), "problems")


@area.post("/staff/problems/<problem>/task")
def take_on(problem: str) -> Response:
    """Make one's own task of a problem, in one tap."""
    lab, me = current_lab(), staff_needed()
    with lab.db.transaction() as db:
        found = problems.get_problem(db, problem_id=problem, by=me.id)
        words = kind_word(found.kind, lab.speech(lab.config.language))
        repairs.take_on(db, lab.clock, problem_id=problem, words=words, by=me.id)
    return _done(speech()("It is your task now."), "problems")


@area.post("/staff/maintenance/<plan>/done")
def maintained(plan: str) -> Response:
    """Note that maintenance was done: its hours begin anew."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        note, times = sent.maybe_text("words") or "", sent.number("times", 0, MOST_TIMES)
    with lab.db.transaction() as db:
        maintenance.note_done(db, lab.clock, plan_id=plan, by=me.id, note=note, cycle=times)
    return _done(speech()("Noted. Its hours begin anew."), "maintenance")


@area.post("/staff/tasks")
def add_task() -> Response:
    """Give somebody of the team a task."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        title, owner = sent.text("title"), sent.text("owner")
        due = sent.moment("day", "clock") if sent.has("day") else None
    with lab.db.transaction() as db:
        upkeep_tasks.add_task(db, lab.clock, title=title, owner_id=owner, due_at=due, by=me.id)
    return _done(speech()("The task is given."), "tasks")


@area.post("/staff/tasks/<task>/done")
def task_done(task: str) -> Response:
    """Note that a task is done: its owner, of the staff or not, and the staff."""
    lab, me = current_lab(), person_needed()
    not_on_a_shared_screen()
    with form() as sent:
        note = sent.maybe_text("words") or ""
    with lab.db.transaction() as db:
        upkeep_tasks.finish_task(db, lab.clock, task_id=task, note=note, by=me.id)
    return _done(speech()("Noted: the task is done."), "tasks")


@area.post("/staff/reservations/<reservation>/came")
def came_for(reservation: str) -> Response:
    """Note that somebody came for what they reserved."""
    lab, me = current_lab(), staff_needed()
    with lab.db.transaction() as db:
        found = bookings.check_in(db, lab.clock, reservation_id=reservation, by=me.id)
    lab.booked_anew(found.resource_id)
    return _done(speech()("Noted: this person is here."), "now")


@area.post("/staff/reservations/<reservation>/pardon")
def pardon(reservation: str) -> Response:
    """Take a no-show back."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        reason = sent.text("words")
    with lab.db.transaction() as db:
        noshows.pardon(db, lab.clock, reservation_id=reservation, by=me.id, reason=reason)
    return _done(speech()("Taken back: it counts as cancelled."), "absent")


@area.post("/staff/people/<person>/came")
def came(person: str) -> Response:
    """Check somebody in."""
    lab, me = current_lab(), staff_needed()
    with lab.db.transaction() as db:
        presence.come(db, lab.clock, person_id=person, by=me.id, at_screen=False)
    return _done(speech()("Noted: this person is here."), "here")


@area.post("/staff/people/<person>/left")
def left(person: str) -> Response:
    """Check somebody out."""
    lab, me = current_lab(), staff_needed()
    with lab.db.transaction() as db:
        presence.leave(db, lab.clock, person_id=person, by=me.id)
    return _done(speech()("Noted: this person has left."), "here")


@area.post("/staff/screens/unlock")
def unlock() -> Response:
    """Let people try their codes again on a screen."""
    lab, me = current_lab(), staff_needed()
    with form() as sent:
        device = sent.text("device")
    with lab.db.transaction() as db:
        if device in unlocking.locked_devices(db, lab.clock):
            unlocking.unlock_device(db, lab.clock, device=device, by=me.id)
    return _done(speech()("This screen takes codes and badges again."), "locked")


def _done(said: str, section: str) -> Response:
    """Say so, on the page that the form names; else on that of today."""
    flash(said, "good")
    wanted = request.form.get("back")
    page = safe_next(wanted) if wanted else url_for("staff_today.today")
    return go(f"{page}#{section}")
