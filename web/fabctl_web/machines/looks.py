"""The camera of a machine's page: for people who are signed in, and on the lab's own screens."""

from __future__ import annotations

from flask import Blueprint, abort
from werkzeug.wrappers import Response

from fabctl_web.lab import current_lab
from fabctl_web.machines.rooms import rooms
from fabctl_web.people.signed_in import is_kiosk, signed_in

area = Blueprint("looks", __name__)


def may_look(machine: str) -> bool:
    """Say whether this browser is shown the camera. It shows people, so not to everybody."""
    return machine in rooms().cameras and (is_kiosk() or signed_in() is not None)


@area.get("/m/<machine>/camera")
def camera(machine: str) -> Response:
    """Return a snapshot; its age (s) is in the header ``Age``. 503: there is no fresh one."""
    current_lab().profile(machine)
    if not may_look(machine):
        abort(404)
    found = rooms().cameras[machine].snapshot()
    if found is None:
        return Response(status=503, headers={"Retry-After": "1"})
    snapshot, age = found
    return Response(snapshot.data, content_type=snapshot.type, headers={"Age": str(int(age))})
