"""Machines and their interlocks, for programs."""

from __future__ import annotations

from typing import Any

from flask import abort, jsonify
from werkzeug.wrappers import Response

from fabctl_web.api.auth import api_area
from fabctl_web.api.shape import interlock_json, machine_json
from fabctl_web.lab import Lab, current_lab

area = api_area("machines")


@area.get("/machines")
def machines() -> Response:
    """List the lab's machines."""
    lab = current_lab()
    return jsonify({"machines": [_machine(lab, machine) for machine in lab.config.machines]})


@area.get("/machines/<machine>")
def machine(machine: str) -> Response:
    """Show one machine."""
    lab = current_lab()
    lab.profile(machine)
    return jsonify(_machine(lab, machine))


@area.get("/machines/<machine>/interlock")
def interlock(machine: str) -> Response:
    """Show a machine's interlock; there is no way to change it from here."""
    lab = current_lab()
    profile = lab.config.interlocks.get(machine)
    if profile is None:
        abort(404)
    return jsonify(interlock_json(profile, lab.view.interlock(machine)))


def _machine(lab: Lab, machine: str) -> dict[str, Any]:
    return machine_json(
        lab.config.machines[machine], lab.machine(machine), lab.bookings.of(machine)
    )
