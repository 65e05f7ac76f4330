"""What the machines' pages keep beside the lab: last hours, trails, cameras."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app

from fabctl_web.lab import Lab
from fabctl_web.machines.camera import Camera
from fabctl_web.machines.history import History
from fabctl_web.machines.trails import Trails

KEY = "fabctl-machine-rooms"


@dataclass(frozen=True)
class Rooms:
    """Everything that :func:`init_app` wired together."""

    history: History
    trails: Trails
    cameras: dict[str, Camera]


def init_app(app: Flask, lab: Lab) -> None:
    """Begin to listen to the machines' telemetry; set the cameras up, without asking them."""
    history = History(lab.config.machines, lab.clock)
    history.follow(lab.view)
    trails = Trails(lab.config.machines, lab.clock)
    trails.follow(lab.view)
    cameras = {
        machine.id: Camera(machine.camera, lab.clock)
        for machine in lab.config.machines.values()
        if machine.camera
    }
    app.extensions[KEY] = Rooms(history, trails, cameras)


def rooms() -> Rooms:
    """Return them, in a request."""
    found = current_app.extensions[KEY]
    assert isinstance(found, Rooms)  # noqa: S101  # init_app put it there
    return found
