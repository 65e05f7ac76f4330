"""From the USB stick beside a screen to a machine: a list, one tap, and the file is a job."""

from __future__ import annotations

import math
from pathlib import Path

from flask import Blueprint, abort, flash, make_response, render_template, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import text
from fabctl_web import uploads
from fabctl_web.kiosks import sticks
from fabctl_web.kiosks.paired import own_address
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import speech
from fabctl_web.machines import receiving
from fabctl_web.machines.panel import takes_files
from fabctl_web.pages import page
from fabctl_web.people.signed_in import KIOSK_LONGEST_S, go, is_kiosk, person_needed
from fabctl_web.uploads import Upload, clean_name

area = Blueprint("sticks", __name__, template_folder="templates")
MEGABYTE = 1024 * 1024
COPIED_WITHIN_S = KIOSK_LONGEST_S - 60
"""What is left of the time that a shared screen waits is for checking the file."""
TOO_SLOW = Refusal(
    "stick-too-slow",
    text("The stick is too slow for this file."),
    text("Use another stick, or send the file from a phone."),
)
UNREADABLE = Refusal(
    "stick-unreadable",
    text("This file cannot be read from the stick."),
    text("Plug the stick in again, then look at the list once more."),
)


def stick_folder() -> Path | None:
    """Return where the stick beside this screen is; None for every other browser."""
    if not is_kiosk():
        return None
    return current_lab().config.web.stick_folders.get(own_address() or "")


@page(area, "/m/<machine>/stick")
def listed(machine: str) -> str:
    """List the G-code files of the stick beside this screen."""
    folder = _folder(machine)
    person_needed()
    try:
        found = sticks.files(folder)
    except FileNotFoundError:
        found = sticks.Listing([], whole=True)
    except OSError:
        found = sticks.Listing([], whole=False)
    return render_template(
        "kiosks/stick.html",
        machine=current_lab().profile(machine),
        files=[(one.name, _megabytes(one.size)) for one in found.files],
        whole=found.whole,
    )


def _megabytes(size: int) -> str:
    """Return a size with one decimal, rounded up: no file is empty only because it is small."""
    said = f"{math.ceil(size / MEGABYTE * 10) / 10:.1f}"
    return said.replace(".", ",") if speech().language == "fr" else said


@area.post("/m/<machine>/stick")
def take(machine: str) -> Response:
    """Take a file from the stick: checked and kept as if it had been sent."""
    folder, person, lab = _folder(machine), person_needed(), current_lab()
    received = _copied(lab, folder, request.form.get("name", ""))
    try:
        job = receiving.prepare(lab, machine, person, received)
    except receiving.FileProblemsError as error:
        shown = render_template(
            "machines/problems.html", machine=lab.profile(machine), report=error.report
        )
        return make_response(shown, 422)
    flash(speech()("{name} is ready to start.", name=job.name), "good")
    return go(url_for("machines.page", machine=machine))


def _folder(machine: str) -> Path:
    """Return the stick's folder, or end the request: only its own screen has it."""
    lab, folder = current_lab(), stick_folder()
    lab.profile(machine)
    if folder is None or not takes_files(lab, machine):
        abort(404)
    return folder


def _copied(lab: Lab, folder: Path, name: str) -> tuple[Upload, str]:
    """Copy a file to where uploads lie until they are kept; it goes with the request.

    :raises RefusedError: stick-unreadable, stick-too-slow.
    """
    upload, began = Upload(lab.config.paths.tmp), lab.clock.monotonic()
    uploads.goes_with_request(upload)
    try:
        with sticks.opened(folder, name) as file:
            while chunk := file.read(uploads.CHUNK):
                upload.write(chunk)
                if upload.size > uploads.max_bytes():
                    raise RequestEntityTooLarge
                if lab.clock.monotonic() - began > COPIED_WITHIN_S:
                    raise RefusedError([TOO_SLOW])
    except OSError as error:
        raise RefusedError([UNREADABLE]) from error
    return upload, clean_name(name)
