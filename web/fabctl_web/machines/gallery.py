"""The pictures of a job's file, for its person and the staff alone: a path may show a name."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request
from werkzeug.wrappers import Response

from fabctl.messaging.lab_view import MachineView
from fabctl.model.access import WORKING
from fabctl.services import jobs, pictures
from fabctl.services.jobs import JobView
from fabctl.services.pictures import Picture, Shown
from fabctl_web.lab import Lab, current_lab
from fabctl_web.people.signed_in import signed_in

area = Blueprint("gallery", __name__, template_folder="templates")


@dataclass(frozen=True)
class Frame:
    """A job and what there is to see of it."""

    job: JobView
    shown: Shown
    running: bool
    share: float | None
    """The part of it that is done, 0 to 1, while it is on the machine."""

    @property
    def has_any(self) -> bool:
        """Whether there is any picture."""
        return bool(self.shown.thumbnail or self.shown.path)

    @property
    def wants_path(self) -> bool:
        """Whether the drawing is shown: where it tells how far, or where nothing else is."""
        return self.shown.path is not None and (self.running or not self.shown.thumbnail)


def frame_of(lab: Lab, job: JobView) -> Frame:
    """Return what there is to see of a job now."""
    view = lab.machine(job.resource_id)
    line = _line(view, job)
    kind = lab.config.machines[job.resource_id].kind
    shown = pictures.shown(lab.config.paths.previews, job.sha256, kind, line)
    running = view.job == job.id and view.state in WORKING
    return Frame(job, shown, running, view.progress if running else None)


def _line(view: MachineView, job: JobView) -> int | None:
    """Return the line that is done, for the job on the machine; None: it has not begun."""
    if view.job != job.id or view.state not in WORKING:
        return None
    return view.line or 0


@area.get("/m/<machine>/jobs/<job>/pictures")
def show(machine: str, job: str) -> str | Response:
    """Return the pictures' part of the page; 204 while it would look the same."""
    frame = frame_of(current_lab(), _visible(machine, job))
    if frame.running and request.args.get("step", type=int) == frame.shown.step:
        return Response(status=204)
    return render_template(
        "machines/pictures.html", frame=frame, machine=current_lab().profile(machine)
    )


@area.get("/m/<machine>/jobs/<job>/thumbnail")
def thumbnail(machine: str, job: str) -> Response:
    """Return the slicer's own picture."""
    found = _visible(machine, job)
    return _sent(pictures.thumbnail(current_lab().config.paths.previews, found.sha256))


@area.get("/m/<machine>/jobs/<job>/path")
def path(machine: str, job: str) -> Response:
    """Return the drawing; while the job runs, with the part done so far."""
    lab, found = current_lab(), _visible(machine, job)
    kind, line = lab.profile(machine).kind, _line(lab.machine(machine), found)
    return _sent(pictures.drawing(lab.config.paths.previews, found.sha256, kind, line))


def _visible(machine: str, job: str) -> JobView:
    """Return a job of this machine, to its person and the staff; to others there is none."""
    lab, person = current_lab(), signed_in()
    lab.profile(machine)
    if person is None:
        return abort(404)
    with lab.db.reading() as db:
        found = jobs.get_job(db, job)
    if found.resource_id != machine:
        return abort(404)
    if found.person_id != person.id and not person.role.acts_for_others:
        return abort(404)
    return found


def _sent(picture: Picture | None) -> Response:
    if picture is None:
        return abort(404)
    return Response(picture.data, content_type=picture.type)
