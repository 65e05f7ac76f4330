"""The board: every machine at a glance, for everybody in the room. No sign-in, no names."""

from __future__ import annotations

from flask import Blueprint, render_template

from fabctl_web.board.faces import Face, face
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.speech import Speech

area = Blueprint("board", __name__, template_folder="templates")


@page(area, "/")
def board() -> str:
    """Show all machines."""
    lab = current_lab()
    since = lab.hub.mark
    return render_template("board/board.html", faces=all_faces(lab, speech()), since=since)


@area.get("/board/cards")
def cards() -> str:
    """Return the cards alone: for a page that polls because every stream is taken."""
    return render_template("board/cards.html", faces=all_faces(current_lab(), speech()))


def all_faces(lab: Lab, speech: Speech) -> list[Face]:
    """Return every machine's face, in the order of lab.toml."""
    return [face_of(lab, machine, speech) for machine in lab.config.machines]


def face_of(lab: Lab, machine: str, speech: Speech) -> Face:
    """Return one machine's face."""
    return face(
        lab.config.machines[machine].name,
        lab.machine(machine),
        lab.bookings.of(machine),
        lab.clock.now(),
        speech,
        lab.interlock(machine),
    )
