"""Reporting a problem in two taps: this page, then what it is. Words are welcome, not needed."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, render_template, url_for
from werkzeug.wrappers import Response

from fabctl.model.upkeep import LONG, ProblemKind
from fabctl.services import problems
from fabctl.services.people import PersonView
from fabctl_web.forms import form
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, is_kiosk, person_needed, signed_in
from fabctl_web.speech import Speech

area = Blueprint("reports", __name__, template_folder="templates")


@dataclass(frozen=True)
class Kind:
    """One large button."""

    value: str
    icon: str
    word: str
    hint: str


def kinds(_: Speech) -> list[Kind]:
    """Return what a problem may be about, in words."""
    return [
        Kind("damaged", "wrench", _("Damaged or not working"), _("Broken, noisy, stuck")),
        Kind("dirty", "trash-2", _("Dirty or untidy"), _("Scraps, dust, something missing")),
        Kind("other", "info", _("Something else"), _("Say it in the words above")),
    ]


def kind_word(kind: ProblemKind, _: Speech) -> str:
    """Return what a problem is about, in two or three words."""
    return next(one.word for one in kinds(_) if one.value == kind)


def _reporter() -> PersonView | None:
    """Return who reports. At the lab's own screens nobody has to say who they are."""
    return signed_in() if is_kiosk() else person_needed()


@page(area, "/m/<machine>/problem")
def ask(machine: str) -> str:
    """Ask what is wrong."""
    lab = current_lab()
    profile, person = lab.profile(machine), _reporter()
    by = person.id if person else None
    with lab.db.reading() as db:
        may_stop = problems.may_stop(db, lab.clock, resource_id=machine, by=by)
    return render_template(
        "machines/report.html",
        machine=profile,
        kinds=kinds(speech()),
        may_stop=may_stop,
        longest=LONG,
        needs_token=True,
    )


@area.post("/m/<machine>/problem")
def report(machine: str) -> Response:
    """Note the problem; with the tick, the machine is out of order from now on."""
    lab = current_lab()
    lab.profile(machine)
    person = _reporter()
    with form() as sent:
        kind = sent.choice("kind", ProblemKind, ProblemKind.OTHER)
        details, stop = sent.maybe_text("details") or "", sent.ticked("stop")
    words = kind_word(kind, lab.speech(lab.config.language))
    with lab.db.transaction() as db:
        if person is None:
            problems.report_once(
                db, lab.clock, resource_id=machine, summary=words, details=details, kind=kind
            )
        else:
            problems.report_problem(
                db,
                lab.clock,
                resource_id=machine,
                summary=words,
                details=details,
                kind=kind,
                stop_machine=stop,
                by=person.id,
            )
    lab.booked_anew(machine)
    flash(speech()("Thank you. The staff can see it now."), "good")
    return go(url_for("machines.page", machine=machine))
