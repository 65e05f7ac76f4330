"""One machine's page: what it does, what I can do, and why not."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, flash, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from fabctl.messaging.payloads import Answer
from fabctl_web import uploads
from fabctl_web.interlocks.shown import interlock_of
from fabctl_web.interlocks.views import reads_history
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.machines import control, qr, receiving
from fabctl_web.machines.gallery import frame_of
from fabctl_web.machines.looks import may_look
from fabctl_web.machines.now import now_of
from fabctl_web.machines.panel import USE_MINUTES, panel_of, takes_files
from fabctl_web.machines.plots import plot_of
from fabctl_web.machines.reports import kind_word
from fabctl_web.machines.top_view import in_words, top_view_of
from fabctl_web.machines.upkeep import upkeep_of
from fabctl_web.pages import page as opens
from fabctl_web.people.own import job_trouble, job_word
from fabctl_web.people.signed_in import go, is_kiosk, person_needed, signed_in

area = Blueprint("machines", __name__, template_folder="templates")


@opens(area, "/m/<machine>")
def page(machine: str) -> str:
    """Show one machine."""
    lab = current_lab()
    lab.profile(machine)
    since = lab.hub.mark
    top = top_view_of(lab, machine)
    address = qr.page_address(lab, url_for("machines.page", machine=machine))
    return render_template(
        "machines/page.html",
        shown=now_of(lab, machine, speech()),
        lock=interlock_of(lab, machine, speech()),
        reads_history=machine in lab.config.interlocks and reads_history(),
        since=since,
        address=address,
        qr=qr.svg(address) if address else None,
        max_bytes=uploads.max_bytes(),
        max_mb=lab.config.web.upload_max_mb,
        plot=plot_of(machine, speech()),
        top=top,
        top_words=in_words(top, speech()) if top else "",
        zone=lab.config.time_zone.key,
        camera=may_look(machine),
        **_panel(machine),
    )


@area.get("/m/<machine>/now")
def now(machine: str) -> str:
    """Return the state alone: for a page that polls because every stream is taken."""
    lab = current_lab()
    lab.profile(machine)
    return render_template("machines/now.html", shown=now_of(lab, machine, speech()))


@area.get("/m/<machine>/panel")
def panel(machine: str) -> str:
    """Return what this person can do now: asked for whenever that may have changed."""
    return render_template("machines/panel.html", **_panel(machine))


def _panel(machine: str) -> dict[str, Any]:
    lab, said = current_lab(), speech()
    return {
        "machine": lab.profile(machine),
        "takes_files": takes_files(lab, machine),
        "panel": panel_of(lab, machine, signed_in()),
        "upkeep": upkeep_of(lab, machine, signed_in()),
        "use_minutes": USE_MINUTES,
        "learn": url_for("training_path.mine", machine=machine),
        "frame_of": lambda job: frame_of(lab, job),
        "kind_word": lambda problem: kind_word(problem.kind, said),
        "job_word": lambda job: job_word(job, said),
        "job_trouble": lambda job: job_trouble(job, said),
    }


@area.post("/m/<machine>/pause")
def pause(machine: str) -> Response:
    """Pause: one tap, anyone, no sign-in."""
    current_lab().profile(machine)
    answer = control.pause(current_lab(), machine, signed_in())
    return _said(machine, answer, speech()("The machine pauses."))


@area.post("/m/<machine>/stop")
def stop(machine: str) -> Response:
    """Stop, after one second of holding; without scripts a page asks first."""
    profile = current_lab().profile(machine)
    if request.form.get("held") != "1":
        return make_response(render_template("machines/stop.html", machine=profile))
    answer = control.stop(current_lab(), machine, signed_in())
    return _said(machine, answer, speech()("The machine stops."))


@area.post("/m/<machine>/resume")
def resume(machine: str) -> Response:
    """Go on with one's own paused job."""
    verb = partial(control.resume, at_machine=is_kiosk())
    return _ask(machine, verb, speech()("The machine goes on."))


@area.post("/m/<machine>/clear")
def clear(machine: str) -> Response:
    """Release a broken machine: a person has looked at it."""
    return _ask(machine, control.clear, speech()("The machine is released."))


@area.post("/m/<machine>/begin")
def begin(machine: str) -> Response:
    """Say that one uses an interlocked machine from now on: permits are issued while it lasts."""
    person = person_needed()
    lab = current_lab()
    lab.profile(machine)
    control.begin(lab, machine, person)
    flash(speech()("Noted. Follow the steps of the interlock."), "good")
    return go(url_for("machines.page", machine=machine))


@area.post("/m/<machine>/done")
def done(machine: str) -> Response:
    """Say that one has finished: no permit is issued any more."""
    person = person_needed()
    lab = current_lab()
    lab.profile(machine)
    control.finish(lab, machine, person)
    flash(speech()("Thank you. The machine locks itself."), "good")
    return go(url_for("machines.page", machine=machine))


@area.post("/m/<machine>/start")
def start(machine: str) -> Response:
    """Start one of one's own prepared jobs."""
    person = person_needed()
    current_lab().profile(machine)
    answer = control.start(current_lab(), request.form.get("job", ""), person)
    return _said(machine, answer, speech()("Your job starts."))


@area.post("/m/<machine>/upload")
def upload(machine: str) -> Response:
    """Take a file, check it, and keep it as a job that is ready to start."""
    person = person_needed()
    profile = current_lab().profile(machine)
    try:
        job = receiving.prepare(current_lab(), machine, person, uploads.received("file"))
    except receiving.FileProblemsError as error:
        page = render_template("machines/problems.html", machine=profile, report=error.report)
        return make_response(page, 422)
    flash(speech()("{name} is ready to start.", name=job.name), "good")
    return go(url_for("machines.page", machine=machine))


def _ask(machine: str, verb: Callable[..., Answer], done: str) -> Response:
    person = person_needed()
    current_lab().profile(machine)
    return _said(machine, verb(current_lab(), machine, person), done)


def _said(machine: str, answer: Answer, done: str) -> Response:
    """Tell what the machine answered, and show its page."""
    if answer.accepted:
        flash(done, "good")
    else:
        flash(speech().text(control.answer_text(answer)), "bad")
    return go(url_for("machines.page", machine=machine))
