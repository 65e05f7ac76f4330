"""The simulated cabinet of an interlock: how it is started, what can be done to it, and where.

The simulator's package is found by name and only read: the core imports no stand-in.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from fabctl.config import LabConfig
from fabctl.interlock import InputRole, InterlockProfile, OutputRole

_PACKAGE = "fabctl_sim.interlock_box"


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that can be done to a cabinet, or go wrong in it."""

    name: str
    group: str
    sentence: str
    """What happens; at its end, in brackets, what can be said with it."""


def acts() -> dict[str, Act]:
    """Return every act by its name, in the order of the help page."""
    found: dict[str, Act] = {}
    group = ""
    for line in (files(_PACKAGE) / "acts.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            group = line.strip("[]")
        elif line and not line.startswith("#"):
            name, _, sentence = line.partition(": ")
            found[name] = Act(name, group, sentence)
    return found


def cabinet_socket(config: LabConfig, machine: str) -> Path:
    """Return where a machine's simulated cabinet listens."""
    return config.data_directory / "sim" / f"{machine}-cabinet.sock"


def cabinet_command(config: LabConfig, profile: InterlockProfile) -> tuple[str, ...]:
    """Return the command that runs the cabinet which a profile describes, wired as it says."""
    return (
        *(sys.executable, "-m", _PACKAGE),
        *("--file", str(profile.cabinet)),
        *("--control", str(cabinet_socket(config, profile.machine))),
        *("--profile", profile.kind.value),
        *(word for place in _places(profile) for word in ("--pin", place)),
    )


def _places(profile: InterlockProfile) -> list[str]:
    places = [f"{role}={profile.outputs[role]}" for role in OutputRole]
    for role in InputRole:
        wire = profile.inputs.get(role)
        if wire is None:
            places.append(f"{role}=none")
        else:
            places.append(f"{role}={wire.pin}:{'high' if wire.safe_high else 'low'}")
    return places
