"""The top view of a machine's page: its head over the work area, and the same in words.

A path may show a name, as pictures of files do: that of a job is for its person and the staff.
Everybody sees where the head is now.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, jsonify
from werkzeug.wrappers import Response

from fabctl.errors import UnknownIdError
from fabctl.messaging.lab_view import MachineView
from fabctl.ports import MachineProfile
from fabctl.services import jobs
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import speech
from fabctl_web.machines.place import Head, head_of, millimetres
from fabctl_web.machines.rooms import rooms
from fabctl_web.machines.trails import Point
from fabctl_web.people.signed_in import signed_in
from fabctl_web.speech import Speech

area = Blueprint("top_view", __name__)
LEAST_MM = 20.0
"""The least that is drawn in each direction, for a machine without a known work area."""
Box = tuple[float, float, float, float]
"""Lowest and highest X, lowest and highest Y, in mm."""


@dataclass(frozen=True)
class TopView:
    """What is drawn."""

    head: Head
    path: list[Point]
    """Empty for those who may not see it."""
    shows_path: bool
    area: Box | None
    """What the machine reaches, where it is counted as the head is."""

    @property
    def box(self) -> Box:
        """What the drawing shows: the area, and all that lies beside it."""
        known = [point for point in self.path if not math.isnan(point.x)]
        xs, ys = [self.head.x, *(p.x for p in known)], [self.head.y, *(p.y for p in known)]
        if self.area is not None:
            return (
                min(self.area[0], *xs), max(self.area[1], *xs),
                min(self.area[2], *ys), max(self.area[3], *ys),
            )  # fmt: skip
        return (*_at_least(min(xs), max(xs)), *_at_least(min(ys), max(ys)))


def top_view_of(lab: Lab, machine: str) -> TopView | None:
    """Return what a machine's page draws; None while it does not say where its head is."""
    view, profile = lab.machine(machine), lab.profile(machine)
    head = head_of(view, profile.kind)
    if head is None:
        return None
    shows_path = _may_follow(lab, view)
    path = rooms().trails.of(machine, view.job) if shows_path else []
    return TopView(head, path, shows_path, _reach(profile, head))


@area.get("/m/<machine>/trail")
def trail(machine: str) -> Response:
    """Return what is drawn, in mm: ``path`` as X and Y (null in a gap), ``area``, ``box``."""
    current_lab().profile(machine)
    found = top_view_of(current_lab(), machine)
    if found is None:
        return jsonify({"box": None, "words": ""})
    drawn: dict[str, Any] = {
        "words": in_words(found, speech()),
        "path": [[_mm(p.x) for p in found.path], [_mm(p.y) for p in found.path]],
        "area": found.area,
        "box": found.box,
    }
    return jsonify(drawn)


def in_words(found: TopView, _: Speech) -> str:
    """Return what the drawing shows, in up to three sentences."""
    head = found.head
    x, y = millimetres(head.x, _), millimetres(head.y, _)
    if head.old:
        words = [
            _("The head was at X {x}, Y {y}, {seconds} s ago.", x=x, y=y, seconds=int(head.age_s))
        ]
    else:
        words = [_("The head is at X {x}, Y {y}.", x=x, y=y)]
    if found.area is not None:
        words.append(_("The machine reaches {span}.", span=_span(found.area, _)))
    known = [point for point in found.path if not math.isnan(point.x)]
    if len(known) > 1:
        xs, ys = [p.x for p in known], [p.y for p in known]
        span = _span((min(xs), max(xs), min(ys), max(ys)), _)
        lasting = _.lasting(max(60.0, known[-1].at - known[0].at))
        words.append(_("In the last {time} the head was in {span}.", time=lasting, span=span))
    return " ".join(words)


def _span(box: Box, _: Speech) -> str:
    a, b, c, d = (millimetres(value, _) for value in box)
    return _("X {a} to {b}, Y {c} to {d}", a=a, b=b, c=c, d=d)


def _may_follow(lab: Lab, view: MachineView) -> bool:
    """Say whether this browser is shown the path: of no job to all, else as its pictures."""
    if view.job is None:
        return True
    person = signed_in()
    if person is None or person.role.acts_for_others:
        return person is not None
    try:
        with lab.db.reading() as db:
            return jobs.get_job(db, view.job).person_id == person.id
    except UnknownIdError:
        return False  # started without the database: nobody's


def _reach(profile: MachineProfile, head: Head) -> Box | None:
    reach = profile.work_area
    return (*reach.x, *reach.y) if reach and head.by_machine else None


def _at_least(least: float, most: float) -> tuple[float, float]:
    more = max(LEAST_MM, (most - least) * 1.1) - (most - least)
    return least - more / 2, most + more / 2


def _mm(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 2)
