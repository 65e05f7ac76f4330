"""The lab that runs on three computers: its processes, its people, and who looks on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import requests

from fabctl.clock import SystemClock
from fabctl.keyfile import read_key
from fabctl.messaging.lab_view import LabView
from fabctl.messaging.link import MqttLink, Received
from fabctl.messaging.payloads import EventPayload
from fabctl.messaging.requests import MachineRequests, keys_in
from fabctl.messaging.topics import LabTopics
from fabctl.services import bookings, certifications, hosts, people, tokens
from fabctl.services.machines import sync_resources
from fabctl.store.engine import Database, open_database
from fabctl_sim.control import SimControl
from fabctl_sim.interlock_box.process import CabinetProcess
from tests.brokers import wait_until
from tests.guarded import Guarded
from tests.three_hosts import (
    FRONT,
    PATIENCE_S,
    WEBS,
    ThreeHosts,
    fabctl_command,
    three_hosts,
)
from tests.three_hosts_files import (
    ADDRESSES,
    LAB,
    LASER,
    MACHINES_OF,
    MILL,
    PI_A,
    PI_B,
    PRINTER,
    need_nginx,
    write_proxy,
)

OWNERS = {PRINTER: "lea", LASER: "karim", MILL: "awa"}
"""Who has booked which machine."""
ZONE = ZoneInfo("Europe/Paris")
PASSWORD = "a-long-password"
TOPICS = LabTopics("lab")
PRINTER_FACTOR = 10
"""How many times faster than life the printer works."""


@dataclass
class WholeLab:
    """Everything that runs, and what the tests see of it."""

    hosts: ThreeHosts
    view: LabView
    link: MqttLink
    asking: MachineRequests
    database: Database
    laser: Guarded
    tokens: dict[str, str] = field(default_factory=dict)
    """API tokens by login."""
    events: list[tuple[object, ...]] = field(default_factory=list)
    """(machine, boot, seq) of each event as the broker carried it, repeated ones too."""
    laser_in_use: bool = False
    """Its person has begun with it."""
    started_again: int = 0
    """How many processes of machines were killed, and started once more."""
    armed: int = 0
    """How often the laser's main contact had closed when its person had armed it last."""
    hitches: int = 0
    """How often its interlock or the cabinet had been kept waiting before that."""
    _printer: SimControl | None = None

    # -- the stand-ins ---------------------------------------------------------------------------

    @property
    def printer(self) -> SimControl:
        """The printer's stand-in."""
        if self._printer is None:
            self._printer = SimControl(self.hosts.computers[PI_A].folder / "printer.sock")
        return self._printer

    def printed(self) -> list[str]:
        """Return what the printer has run, as its own record says."""
        record = self.hosts.computers[PI_A].folder / "printer.ran"
        lines = record.read_text().splitlines() if record.exists() else []
        return [line.partition("\t")[2] for line in lines]

    def milled(self) -> list[str]:
        """Return what went to the mill."""
        file = self.hosts.computers[PI_B].folder / "cable.sent"
        return file.read_text().splitlines() if file.exists() else []

    # -- what is seen ------------------------------------------------------------------------------

    def wait_state(self, machine: str, *states: str) -> None:
        """Wait until a machine is shown in one of these states."""
        wait_until(
            lambda: self.view.machine(machine).state in states,
            f"{machine} is shown as {states}; {self.view.machine(machine)}",
            PATIENCE_S,
        )

    def recorded(self, machine: str, job: str | None = None) -> list[str]:
        """Return the kinds of what is on record about a machine, in its order."""
        query = "SELECT kind FROM machine_event WHERE machine = %s"
        values: tuple[object, ...] = (machine,)
        if job is not None:
            query, values = f"{query} AND job_id = %s", (machine, job)
        found = self.hosts.rows(f"{query} ORDER BY id", *values)
        return [str(kind) for (kind,) in found]

    def wait_recorded(self, machine: str, job: str, *kinds: str) -> None:
        """Wait until exactly these are on record of a job, in this order."""

        def instead() -> str:
            host = next(one for one, its in MACHINES_OF.items() if machine in its)
            said = self.hosts.log_of(host, machine)[-3000:]
            return f"{kinds} of {job} on record, but {self.recorded(machine, job)}:\n{said}"

        wait_until(lambda: self.recorded(machine, job) == list(kinds), instead, PATIENCE_S)

    # -- people ------------------------------------------------------------------------------------

    def api(
        self, method: str, path: str, *, at: str = FRONT, who: str = "lea", **more: Any
    ) -> requests.Response:
        """Ask the API as somebody, by default through the proxy before both."""
        return self.hosts.ask(method, f"{at}/api/v1{path}", self.tokens[who], **more)

    def upload(self, machine: str, content: bytes, *, at: str = FRONT) -> str:
        """Send a file; return the job."""
        files = {"file": ("part.gcode", content)}
        path, who = f"/machines/{machine}/jobs", OWNERS[machine]
        answer = self.api("POST", path, at=at, who=who, files=files)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def start_job(self, machine: str, job: str, *, at: str = FRONT) -> None:
        """Start a job that was sent."""
        answer = self.api("POST", f"/jobs/{job}/start", at=at, who=OWNERS[machine])
        assert answer.status_code == 202, answer.text


def moves(count: int, feed: int = 6000) -> bytes:
    """Return a file with so many moves of 100 mm: 1 s each of a printer's time."""
    lines = [f"G1 X{50 + 100 * (n % 2)} F{feed}" for n in range(count - 1)]
    return ("\n".join(["G28", *lines]) + "\n").encode()


@contextmanager
def whole_lab() -> Iterator[WholeLab]:
    """Run everything; every machine is idle and the laser proved and locked when it begins."""
    need_nginx()
    with three_hosts() as scene:
        database = open_database(scene.database_url, zone=ZONE)
        scene.ends.callback(database.close)
        config = scene.computers[LAB].config
        with database.transaction() as session:
            sync_resources(session, SystemClock(), config.machines.values())
        tokens_of = _people(scene, database)
        laser = _start_all(scene)
        scene.ends.callback(laser.cabinet.end)
        lab = _watched(scene, database, laser)
        lab.tokens = tokens_of
        _wait_all(lab)
        yield lab


def _people(scene: ThreeHosts, database: Database) -> dict[str, str]:
    """Add the owners, who may use their machines now; let both Pis join; return API tokens."""
    clock, secret = SystemClock(), read_key(scene.computers[LAB].config.paths.secret)
    found = {}
    with database.transaction() as session:
        start = clock.now()
        for machine, login in OWNERS.items():
            who = people.add_person(
                session, clock, display_name=login.title(), login=login, password=PASSWORD,
                secret=secret,
            ).id  # fmt: skip
            certifications.certify(session, clock, person_id=who, resource_id=machine)
            if machine != MILL:  # a test does
                bookings.book(
                    session, clock, ZONE, person_id=who, resource_id=machine, by=who,
                    start=start, end=start + timedelta(hours=2),
                )  # fmt: skip
            _, found[login] = tokens.create_token(session, clock, person_id=who, name="tests")
        for pi in (PI_A, PI_B):
            code = hosts.invite(session, clock, secret, host=pi, by="shell:root")
            joined = hosts.join(session, clock, secret, code=code, address=ADDRESSES[pi])
            assert joined is not None
            scene.computers[pi].config.data_directory.joinpath("token").write_text(joined[1])
    return found


def _start_all(scene: ThreeHosts) -> Guarded:
    pi_a, pi_b = scene.computers[PI_A], scene.computers[PI_B]
    folder = pi_a.folder
    scene.start(
        PI_A, "sim", sys.executable, "-m", "fabctl_sim.marlin", "--link", folder / "printer",
        "--control", folder / "printer.sock", "--record", folder / "printer.ran",
        "--factor", str(PRINTER_FACTOR),
    )  # fmt: skip
    (pi_b.folder / "cable").touch()
    profile = pi_a.config.interlocks[LASER]
    profile.folder.mkdir(parents=True)
    with scene.network.inside(PI_A):
        laser = Guarded(pi_a.config, profile, CabinetProcess(profile.cabinet).start())
    laser.cabinet_is_hardware()
    scene.fabctl(LAB, "steward", "steward")
    for computer in WEBS:
        # each in a process namespace of its own: both have the same process ids, as after a boot
        own_ids = ("unshare", "--pid", "--fork", "--kill-child")
        words = (*own_ids, *fabctl_command("web"), "--config")
        file = scene.computers[computer].config.file
        scene.start(computer, f"web-{computer}", *words, file)
        write_proxy(computer, scene.folder / f"nginx-{computer}", scene.folder / "tls")
        start_proxy(scene, computer)
    laser.process = scene.fabctl(PI_A, "interlock", "interlock", LASER)
    for computer, machine in ((PI_A, PRINTER), (PI_A, LASER), (PI_B, MILL)):
        scene.fabctl(computer, machine, "machine", machine)
    return laser


def start_proxy(scene: ThreeHosts, computer: str) -> None:
    """Start the proxy of a computer that serves pages."""
    name = f"nginx-{computer}"
    folder = scene.folder / name
    words = ("-p", folder, "-c", folder / "nginx.conf", "-e", folder / "log")
    scene.start(computer, name, need_nginx(), *words)


def _watched(scene: ThreeHosts, database: Database, laser: Guarded) -> WholeLab:
    config = scene.computers[LAB].config
    link = scene.link("desk", "tester")
    view = LabView(config.id, {id_: m.host for id_, m in config.machines.items()}, SystemClock())
    view.attach(link)
    asking = MachineRequests(link, config.id, keys_in(config.paths))
    lab = WholeLab(scene, view, link, asking, database, laser)

    def heard(message: Received) -> None:
        place = TOPICS.place(message.topic)
        assert place is not None
        stamp = EventPayload.decode(message.payload).stamp
        lab.events.append((place.owner, stamp.boot, stamp.seq))

    link.subscribe(TOPICS.every("event"), heard)
    scene.begin(link)
    return lab


def _wait_all(lab: WholeLab) -> None:
    try:
        _wait_for_each(lab)
    except BaseException:
        for log in sorted(lab.hosts.folder.glob("*/*.log")):
            print(f"--- {log}: {log.read_text()[-2000:]}")  # noqa: T201  # pytest shows it
        raise


def _wait_for_each(lab: WholeLab) -> None:
    laser = lab.laser
    for machine in (PRINTER, MILL):
        lab.wait_state(machine, "idle")
    wait_until(laser.answers, "the interlock answers", PATIENCE_S)
    laser.prove()
    wait_until(lambda: lab.view.steward().online, "the steward is there", PATIENCE_S)
    for url in (*WEBS.values(), FRONT):
        wait_until(lambda url=url: hears_all(lab, url), f"{url} hears the machines", PATIENCE_S)  # type: ignore[misc]  # bound now


def hears_all(lab: WholeLab, url: str) -> bool:
    """Say whether a web process serves, and hears every machine."""
    try:
        answer = lab.hosts.ask("GET", f"{url}/health")
    except requests.RequestException:
        return False
    return answer.status_code == 200 and answer.json()["machines_heard"] == 3
