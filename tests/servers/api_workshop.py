"""A workshop to try things on through the API: one session, and people of every role."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from fabctl.clock import ManualClock
from tests.web_caller import Caller, caller
from tests.web_lab import WebLab, web_lab

HOUR = timedelta(hours=1)
SIGNED = {"signed_by": "self", "takes_part": True, "image_rights": True}
PARENT = {
    "signed_by": "guardian",
    "takes_part": True,
    "guardian_name": "Fatou N.",
    "guardian_phone": "06 12 34 56 78",
}
PEOPLE = {
    "member": "member",
    "other": "member",
    "parent": "member",
    "trainer": "trainer",
    "animator": "animator",
    "guest": "animator",
    "staff": "staff",
}
"""Logins and roles; ``animator`` leads the session, ``guest`` does not."""


@dataclass
class Scene:
    """A workshop of two places, tomorrow from 10 to 12 in Paris, on printer-a."""

    lab: WebLab
    clock: ManualClock
    workshop: str
    meeting: str
    tokens: dict[str, Caller]
    places: dict[str, str] = field(default_factory=dict)
    """Ids of places, by login, where a test took some."""

    def ask(self, by: str, method: str, path: str, **body: Any) -> TestResponse:
        """Call the API as somebody, with a body when there is one."""
        more = {"json": body} if body else {}
        return self.tokens[by].ask(method, path, **more)

    def got(self, by: str, method: str, path: str, **body: Any) -> Any:
        """Return what a call that must work answers."""
        answer = self.ask(by, method, path, **body)
        assert answer.status_code < 300, answer.get_json()
        return answer.get_json()

    def id(self, login: str) -> str:
        """Return a person's id."""
        return self.lab.id_of(login)

    def enrol(self, login: str) -> str:
        """Take a place for oneself; return its id."""
        made = self.got(
            login, "POST", f"/sessions/{self.meeting}/enrolments", people=[self.id(login)]
        )
        return str(made["enrolments"][0]["id"])

    def states(self) -> list[str]:
        """Return the states of the session's live places, in order."""
        found = self.got("staff", "GET", f"/sessions/{self.meeting}/enrolments")
        return [one["state"] for one in found["enrolments"]]


@contextmanager
def api_scene(folder: Path) -> Iterator[Scene]:
    """Yield the scene, all of it made through the API."""
    clock = ManualClock()
    with web_lab(folder, clock) as lab:
        for login, role in PEOPLE.items():
            lab.person(login, role=role, birth_year=1990)
        tokens = {login: caller(lab, login) for login in PEOPLE}
        scene = Scene(lab, clock, "", "", tokens | {"nobody": Caller(lab, None)})
        scene.workshop = scene.got("staff", "POST", "/workshops", title="Atelier", places=2)["id"]
        start = clock.now() + 24 * HOUR
        scene.meeting = scene.got(
            "animator",
            "POST",
            "/sessions",
            workshop=scene.workshop,
            start=start.isoformat(),
            end=(start + 2 * HOUR).isoformat(),
            resources=["printer-a"],
            animators=[scene.id("animator")],
        )["id"]
        for login in ("member", "other", "parent"):
            scene.got(login, "PUT", f"/people/{scene.id(login)}/consent", **SIGNED)
        yield scene
