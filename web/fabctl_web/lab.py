"""What every view works with: one lab, its database, its machines' last words, its clock."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from flask import abort, current_app

from fabctl.clock import Clock
from fabctl.config import LabConfig
from fabctl.messaging.interlocks import InterlockView
from fabctl.messaging.lab_view import LabView, MachineView
from fabctl.messaging.payloads import Answer
from fabctl.ports import MachineProfile
from fabctl.store.engine import Database
from fabctl_web.board.bookings import Bookings
from fabctl_web.kept_certificates import KeptCertificates
from fabctl_web.kept_findings import KeptFindings
from fabctl_web.live.hub import Hub
from fabctl_web.machines.tidying import Tidying
from fabctl_web.speech import Speech
from fabctl_web.static_files import StaticFiles


class AsksMachines(Protocol):
    """What pages need of :class:`fabctl.messaging.requests.MachineRequests`."""

    def send(self, machine: str, verb: str, body: Mapping[str, Any]) -> Answer:
        """Ask a machine for something, and wait a few seconds for its answer."""


@dataclass(frozen=True)
class Lab:
    """Everything that was wired together by :func:`fabctl_web.app.create_app`."""

    config: LabConfig
    db: Database
    view: LabView
    requests: AsksMachines
    clock: Clock
    secret: bytes
    bookings: Bookings
    files: StaticFiles
    hub: Hub = field(default_factory=Hub)
    findings: KeptFindings = field(default_factory=KeptFindings)
    certificates: KeptCertificates = field(default_factory=KeptCertificates)
    tidying: Tidying = field(default_factory=Tidying)
    storing: threading.Lock = field(default_factory=threading.Lock)
    """Held while an uploaded file and its job come into being together."""

    def speech(self, language: str) -> Speech:
        """Return how to say things in ``language``."""
        return Speech(language, self.config.time_zone)

    def profile(self, machine: str) -> MachineProfile:
        """Return a machine of this lab, or end the request with 404."""
        profile = self.config.machines.get(machine)
        if profile is None:
            abort(404)
        return profile

    def machine(self, machine: str) -> MachineView:
        """Return a machine's last words."""
        return self.view.machine(machine)

    def interlock(self, machine: str) -> InterlockView | None:
        """Return the last word of a machine's interlock; None for a machine without one."""
        return self.view.interlock(machine) if machine in self.config.interlocks else None

    def booked_anew(self, resource: str) -> None:
        """Tell every screen that a booking was made, moved or cancelled.

        What is no machine may have machines in it: all of them may have changed then.
        """
        self.bookings.forget()
        for machine in [resource] if resource in self.config.machines else self.config.machines:
            self.hub.note(machine)


def current_lab() -> Lab:
    """Return the lab of the request that is being answered."""
    lab = current_app.extensions["fabctl"]
    assert isinstance(lab, Lab)  # noqa: S101  # create_app put it there
    return lab
