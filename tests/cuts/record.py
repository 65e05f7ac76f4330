"""The record's writers: what the web and the steward write about bookings, files and jobs."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from fabctl.clock import ManualClock
from fabctl.config import LabConfig
from fabctl.model.event import EventKind, MachineEvent
from fabctl.model.refusal import RefusedError
from fabctl.services import bookings, jobs, people, recording
from fabctl.services.certifications import certify
from fabctl.services.machines import sync_resources
from fabctl.store.engine import Database
from fabctl_web.lab import Lab
from fabctl_web.machines import receiving
from fabctl_web.machines.tidying import Tidying
from fabctl_web.uploads import Upload
from tests.cuts.rounds import Said, Teller

PRINTER, MILL = "printer-a", "printer-b"
WHY = "the power goes"
"""The staff set quotas aside: the writers book more than any person may."""


@dataclass
class Scene:
    """A lab to write into."""

    config: LabConfig
    db: Database
    clock: ManualClock
    lea: str = ""
    awa: str = ""
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def files(self) -> Path:
        """Where job files lie."""
        return self.config.paths.files

    def people(self) -> None:
        """Add two people: Léa books and prints, Awa of the staff does it for her."""
        with self.db.transaction() as session:
            sync_resources(session, self.clock, self.config.machines.values())
            self.lea = people.add_person(session, self.clock, display_name="Léa").id
            self.awa = people.add_person(session, self.clock, display_name="Awa", role="staff").id
            for machine in (PRINTER, MILL):
                certify(session, self.clock, person_id=self.lea, resource_id=machine)
            now = self.clock.now()
            zone = self.config.time_zone
            bookings.book(
                session, self.clock, zone, person_id=self.lea, resource_id=PRINTER,
                start=now, end=now + timedelta(hours=2), by=self.lea,
            )  # fmt: skip


@dataclass
class Writer:
    """Does one thing after the other, as the pages, the API and the steward do."""

    scene: Scene
    teller: Teller
    chance: random.Random
    mine: list[str] = field(default_factory=list)
    """Reservations that this writer was given."""

    def write(self) -> None:
        """Write until it is killed."""
        scene = self.scene
        with scene.db.reading() as session:
            people.get_person(session, scene.lea)  # connected
        self.teller.say("ready")
        while True:
            if self.chance.random() < 0.2:
                self.print()
            else:
                self.chance.choice([self.book, self.book, self.move, self.cancel])()

    # -- bookings --------------------------------------------------------------------------------

    def book(self) -> None:
        """Book an hour of the mill for Léa."""
        at = self._some_hour()
        with self._asking("book", at=at) as (session, found):
            made = bookings.book(
                session, self.scene.clock, self.scene.config.time_zone,
                person_id=self.scene.lea, resource_id=MILL, by=self.scene.awa,
                start=self._from(at), end=self._from(at + 1), override_reason=WHY,
            )  # fmt: skip
            found["id"] = made.id
        if "id" in found:
            self.mine.append(found["id"])

    def move(self) -> None:
        """Move one of the reservations to another hour."""
        if not self.mine:
            return
        at, which = self._some_hour(), self.chance.choice(self.mine)
        with self._asking("move", id=which, at=at) as (session, _):
            bookings.move(
                session, self.scene.clock, self.scene.config.time_zone,
                reservation_id=which, by=self.scene.awa,
                start=self._from(at), end=self._from(at + 1), override_reason=WHY,
            )  # fmt: skip

    def cancel(self) -> None:
        """Cancel one of the reservations."""
        if not self.mine:
            return
        which = self.mine.pop()
        with self._asking("cancel", id=which) as (session, _):
            bookings.cancel(
                session, self.scene.clock, self.scene.config.time_zone,
                reservation_id=which, by=self.scene.awa, reason=WHY,
            )  # fmt: skip

    def _some_hour(self) -> int:
        return self.chance.randrange(24, 24 * 50)

    def _from(self, hours: int) -> Any:
        return self.scene.clock.now() + timedelta(hours=hours)

    # -- jobs ------------------------------------------------------------------------------------

    def print(self) -> None:
        """Send a file, start it, and let the machine tell its beginning and its end."""
        job = self._send()
        with self._asking("start", id=job) as (session, _):
            jobs.open_use(
                session, self.scene.clock, self.scene.config.time_zone,
                job_id=job, person_id=self.scene.lea, machine_state="idle",
            )  # fmt: skip
        for seq, kind in enumerate((EventKind.JOB_STARTED, EventKind.JOB_FINISHED)):
            event = MachineEvent(PRINTER, job, seq, kind, job=job, line=seq, seconds=1.0)
            with self._asking(kind, id=job) as (session, _):
                assert recording.record_event(session, self.scene.clock, event)

    def _send(self) -> str:
        scene = self.scene
        content = b"G28\nG1 X%d Y%d F1200\n" % (
            self.chance.randrange(200),
            self.chance.randrange(10_000_000) % 200,
        ) + b"; %d\n" % self.chance.getrandbits(60)
        with self.teller.deed("send", sha256=hashlib.sha256(content).hexdigest()) as found:
            upload = Upload(scene.config.paths.tmp)
            upload.write(content)
            lab = SimpleNamespace(
                config=scene.config, db=scene.db, clock=scene.clock, storing=_Nothing(),
                tidying=Tidying(),
            )  # fmt: skip
            person = SimpleNamespace(id=scene.lea)
            job = receiving.prepare(
                cast("Lab", lab), PRINTER, cast("Any", person), (upload, "part.gcode")
            )
            found["id"] = job.id
            upload.close()
        return job.id

    @contextmanager
    def _asking(self, what: str, **more: Any) -> Iterator[tuple[Any, Said]]:
        """Do something in one transaction; a refusal is an answer too: nothing was changed."""
        with self.teller.deed(what, **more) as found:
            try:
                with self.scene.db.transaction() as session:
                    yield session, found
            except RefusedError:
                found.clear()
                found["refused"] = True


class _Nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...
