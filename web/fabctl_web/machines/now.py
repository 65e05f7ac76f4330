"""The top of a machine's page, for everybody: its state, when it ends, its figures."""

from __future__ import annotations

from dataclasses import dataclass

from fabctl.messaging.lab_view import MachineView
from fabctl.model.access import WORKING
from fabctl.model.job import trouble_text
from fabctl_web.board.faces import Face
from fabctl_web.board.views import face_of
from fabctl_web.lab import Lab
from fabctl_web.machines.place import Figure, Place, place_of
from fabctl_web.speech import Speech


@dataclass(frozen=True)
class Now:
    """A machine at this moment."""

    face: Face
    state: str
    """As the machine says it; the page's pause button looks at it."""
    estimated: bool
    """Whether the end time is a guess."""
    why: str
    """Why it is broken or blocked; what it waits for; else empty."""
    out_of_order: str
    """Since when staff says that it is not to be used, and why; empty when it is in order."""
    figures: list[Figure]
    place: Place | None

    @property
    def working(self) -> bool:
        """Whether a job is on it."""
        return self.state in WORKING


def now_of(lab: Lab, machine: str, speech: Speech) -> Now:
    """Return what everybody may see of a machine now."""
    view = lab.machine(machine)
    face = face_of(lab, machine, speech)
    return Now(
        face=face,
        state=view.state,
        estimated=face.ends_at is not None,
        why=_why(view, speech),
        out_of_order=_out_of_order(lab, machine, speech),
        figures=_figures(view, speech),
        place=place_of(view, lab.profile(machine), speech),
    )


def _why(view: MachineView, speech: Speech) -> str:
    if view.state == "paused" and view.waiting:
        return speech("The machine says: {text}", text=view.waiting)
    if view.state == "broken" and view.trouble:
        return speech.text(trouble_text(view.trouble))
    if view.state == "blocked" and view.reason:
        return speech("The machine says: {text}", text=view.reason)
    return ""


def _out_of_order(lab: Lab, machine: str, speech: Speech) -> str:
    order = lab.bookings.of(machine).out_of_order
    if order is None:
        return ""
    since = speech.moment(order.since, lab.clock.now())
    return speech("Out of order since {time}: {reason}", time=since, reason=order.reason)


def _figures(view: MachineView, speech: Speech) -> list[Figure]:
    if view.state in {"unknown", "offline"}:
        return []
    pairs = (
        (speech("Nozzle"), "nozzle_c", "nozzle_target_c"),
        (speech("Bed"), "bed_c", "bed_target_c"),
    )
    found = []
    for name, actual_key, target_key in pairs:
        actual = view.temperatures.get(actual_key)
        if actual is None:
            continue
        target = view.temperatures.get(target_key)
        value = speech.celsius(actual)
        if target:
            value = speech("{actual} of {target}", actual=value, target=speech.celsius(target))
        found.append(Figure(name, value))
    return found
