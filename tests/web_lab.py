"""A lab for tests of the web: a real database, a real view of the machines, and a machine that
answers as one would. No broker: messages are put into the view as the link would put them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from fabctl.clock import Clock, ManualClock
from fabctl.config import BrokerConfig, Host, LabConfig, WebConfig
from fabctl.messaging.lab_view import LabView
from fabctl.messaging.link import Received
from fabctl.messaging.payloads import (
    STATE_MAX_AGE_S,
    Answer,
    JobPayload,
    MachineState,
    Stamp,
    StatePayload,
    encode,
)
from fabctl.messaging.topics import LabTopics
from fabctl.ports import Limits, MachineKind, MachineProfile, WorkArea
from fabctl.services import bookings, certifications, machines, password_sign_in, people
from fabctl.services.passwords import hash_password, password_fits
from fabctl.services.people import PersonView
from fabctl.store.engine import Database, open_database
from fabctl.units import Celsius, MmPerMin
from fabctl_web.app import create_app
from tests.databases import migrated_copy

SECRET = b"a secret for tests, 32 bytes long"
STAMP = Stamp(datetime(2026, 11, 23, 9, 0, tzinfo=UTC), synced=True, boot="boot", seq=1)
OUTSIDE = "192.168.1.20"
"""A phone's address: not a shared screen."""
TWELVE = (
    "Imprimante 3D A", "Imprimante 3D B", "Découpe laser", "Fraiseuse CNC", "Découpe vinyle",
    "Brodeuse", "Imprimante résine", "Thermopresse", "Fer à souder 1", "Fer à souder 2", "Scie",
    "Tour",
)  # fmt: skip


class KeptTemplates(BytecodeCache):
    """Templates compiled once in a process, not once for each lab; the key holds their text."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what another lab compiled."""
        if code := self._code.get((bucket.key, bucket.checksum)):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what this lab compiled."""
        self._code[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


COMPILED = KeptTemplates()


def _kept_builders() -> None:
    """Let werkzeug compile what builds an address once in a process, not once for each lab.

    It depends on the rule alone and takes two thirds of the time in which a lab begins. The
    rules themselves, and what finds them, are each lab's own.
    """
    compiled: dict[tuple[Any, ...], Any] = {}
    compile_builder = Rule._compile_builder  # there is no public way

    def once(self: Rule, append_unknown: bool = True) -> Any:  # as it is
        key = (repr(self._trace), repr(self.defaults), append_unknown)  # the same
        if self.defaults or key not in compiled:
            compiled[key] = compile_builder(self, append_unknown)
        return compiled[key]

    Rule._compile_builder = once  # type: ignore[method-assign]  # the same


_kept_builders()
vars(people)["hash_password"] = cache(hash_password)
vars(password_sign_in)["password_fits"] = cache(password_fits)
"""The same password is hashed once in a process, and compared once with the same hash: each takes
20 ms, labs have several people, and scenes are copies of each other."""
GOOD_FILE = b"G28\nM104 S200\nG1 X10 Y10 Z0.2 F1200\nG1 X50 E2\nM104 S0\n"


def profile(machine: str, name: str) -> MachineProfile:
    """Return a printer of 250 x 210 x 210 mm, 280 °C at most."""
    return MachineProfile(
        id=machine,
        name=name,
        kind=MachineKind.PRINTER,
        driver="marlin",
        host="pi1",
        port=None,
        baud=250000,
        work_area=WorkArea((0, 250), (0, 210), (0, 210)),
        limits=Limits(Celsius(280), Celsius(110), MmPerMin(12000)),
    )


def lab_config(
    folder: Path,
    *,
    names: tuple[str, ...] = TWELVE[:2],
    max_mb: int = 1,
    web: WebConfig | None = None,
) -> LabConfig:
    """Return a lab of printers ``printer-a``, ``printer-b``, … below ``folder``."""
    ids = [f"printer-{chr(ord('a') + n)}" for n in range(len(names))]
    return LabConfig(
        file=folder / "lab.toml",
        id="test",
        name="Fab Lab La Casemate",
        time_zone=ZoneInfo("Europe/Paris"),
        languages=("fr", "en"),
        simulated=True,
        data_directory=folder / "data",
        database_url=f"sqlite:///{folder}/lab.db",
        web=web or WebConfig(upload_max_mb=max_mb, kiosk_addresses=("127.0.0.1", "::1")),
        broker=BrokerConfig(),
        hosts={"pi1": Host("pi1", "Pi")},
        machines={i: profile(i, name) for i, name in zip(ids, names, strict=True)},
    )


@dataclass
class Workshop:
    """The machines' side: what they say reaches the view, what they are asked is kept."""

    view: LabView
    topics: LabTopics
    promise_s: int = STATE_MAX_AGE_S
    """How long what a machine says is to be believed."""
    asked: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    answer: Answer = field(default_factory=lambda: Answer(True, "ok"))

    def send(self, machine: str, verb: str, body: Mapping[str, Any]) -> Answer:
        """Answer a request as a machine that is ready would, and say what changed."""
        self.asked.append((machine, verb, body))
        if self.answer.accepted:
            self._react(machine, verb, body)
        return self.answer

    def _react(self, machine: str, verb: str, body: Mapping[str, Any]) -> None:
        job = str(body["job"]) if verb == "start" else self.view.machine(machine).job
        after = {"start": "running", "resume": "running", "pause": "paused"}.get(verb, "idle")
        self.say(machine, after, job=job if after != "idle" else None)

    def say(self, machine: str, state: str, **more: Any) -> None:
        """Let a machine say its state."""
        said = StatePayload(MachineState(state), **{"max_age_s": self.promise_s, **more})
        payload = said.encode(STAMP)
        self._publish(self.topics.state(machine), payload)
        if more.get("job") is None:
            self._publish(self.topics.job(machine), JobPayload(None).encode(STAMP))

    def progress(
        self, machine: str, job: str, share: float, eta_s: int | None = None, lines: int = 1000
    ) -> None:
        """Let a machine say how far its job is."""
        payload = JobPayload(job, share, int(share * lines), lines, eta_s).encode(STAMP)
        self._publish(self.topics.job(machine), payload)

    def temperatures(self, machine: str, **values: float | None) -> None:
        """Let a machine say its temperatures."""
        self.telemetry(machine, "temperatures", **values)

    def telemetry(self, machine: str, group: str, **values: float | None) -> None:
        """Let a machine say a group of readings."""
        self._publish(self.topics.telemetry(machine, group), encode(values, STAMP))

    def _publish(self, topic: str, payload: bytes) -> None:
        self.view.take(Received(topic, payload, qos=1, retain=False))


@dataclass
class WebLab:
    """The whole: the application, its clock, its people, its machines."""

    app: Flask
    config: LabConfig
    db: Database
    clock: Clock
    workshop: Workshop

    def person(self, login: str, **more: Any) -> PersonView:
        """Add somebody with the password ``<login>-password``; ``pin=``, ``role=``."""
        with self.db.transaction() as db:
            return people.add_person(
                db,
                self.clock,
                display_name=login.title(),
                login=login,
                password=f"{login}-password",
                secret=SECRET,
                **more,
            )

    def id_of(self, login: str) -> str:
        """Return a person's id."""
        with self.db.reading() as db:
            found = people.find_by_login(db, login)
        assert found
        return found.id

    def certify(self, person: PersonView, *machine_ids: str) -> None:
        """Certify somebody, on every machine by default."""
        with self.db.transaction() as db:
            for machine in machine_ids or self.config.machines:
                certifications.certify(db, self.clock, person_id=person.id, resource_id=machine)

    def certified(self, login: str, **more: Any) -> PersonView:
        """Add somebody who is certified on every machine."""
        person = self.person(login, **more)
        self.certify(person)
        return person

    def book(
        self, person: PersonView, machine: str, *, after_min: int = 0, minutes: int = 60
    ) -> str:
        """Book a machine for somebody; return the reservation's id."""
        start = self.clock.now() + timedelta(minutes=after_min)
        with self.db.transaction() as db:
            return bookings.book(
                db,
                self.clock,
                self.config.time_zone,
                person_id=person.id,
                resource_id=machine,
                start=start,
                end=start + timedelta(minutes=minutes),
                by=person.id,
            ).id

    def browser(self, address: str = OUTSIDE, language: str = "en") -> Browser:
        """Return a browser at an address of the lab's network."""
        client = self.app.test_client()
        client.environ_base["REMOTE_ADDR"] = address
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
        return Browser(client)

    def files_on_disk(self) -> list[str]:
        """Return every job file and every file on its way in."""
        data = self.config.data_directory
        return sorted(p.name for sub in ("files", "tmp") for p in (data / sub).glob("*"))


@dataclass
class Browser:
    """A test client that fills in forms as a browser does: with the page's form token."""

    client: FlaskClient

    def get(self, path: str, **more: Any) -> TestResponse:
        """Load a page."""
        return self.client.get(path, **more)

    def post(self, path: str, data: Mapping[str, Any] | None = None, *, page: str) -> TestResponse:
        """Send a form of ``page``."""
        fields = {"csrf_token": form_token(self.get(page).get_data(as_text=True)), **(data or {})}
        headers = {"Referer": f"http://localhost{page}"}
        return self.client.post(path, data=fields, headers=headers)

    def upload(self, content: bytes, name: str = "part.gcode", *, page: str) -> TestResponse:
        """Send a file from a machine's page."""
        token = form_token(self.get(page).get_data(as_text=True))
        body, content_type = multipart(content, name, csrf_token=token)
        headers = {"Referer": f"http://localhost{page}"}
        return self.client.post(
            f"{page}/upload", data=body, content_type=content_type, headers=headers
        )

    def sign_in(self, login: str) -> TestResponse:
        """Sign in by password."""
        fields = {"login": login, "password": f"{login}-password"}
        return self.post("/in/password", fields, page="/in?with=password")


def multipart(content: bytes, name: str, **fields: str) -> tuple[bytes, str]:
    """Return the body of a form with a file, and its content type.

    The test client would put a large one into a file of its own and leave that open.
    """
    parts = [
        f'--limit\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'--limit\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    parts += [head.encode(), b"Content-Type: text/plain\r\n\r\n", content, b"\r\n--limit--\r\n"]
    return b"".join(parts), "multipart/form-data; boundary=limit"


def form_token(page: str) -> str:
    """Return the form token of a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, "the page has no form"
    return found[1]


@contextmanager
def web_lab(
    folder: Path,
    clock: Clock | None = None,
    config: LabConfig | None = None,
    *,
    promise_s: int = STATE_MAX_AGE_S,
) -> Iterator[WebLab]:
    """Yield a lab whose machines are idle and which knows nobody yet."""
    clock = clock or ManualClock()
    config = config or lab_config(folder)
    migrated_copy(config.database_url, folder / "backups")
    db = open_database(config.database_url, zone=config.time_zone)
    view = LabView(config.id, {m: p.host for m, p in config.machines.items()}, clock)
    workshop = Workshop(view, LabTopics(config.id), promise_s)
    try:
        with db.transaction() as session:
            machines.sync_resources(session, clock, config.machines.values())
        app = create_app(config, db, view, workshop, clock, SECRET)
        app.testing = True
        app.jinja_env.bytecode_cache = COMPILED
        for machine in config.machines:
            workshop.say(machine, "idle")
        yield WebLab(app, config, db, clock, workshop)
    finally:
        db.close()
