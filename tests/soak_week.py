"""A lab in simulated time, for as long as you like: printers, people, steward, one clock.

What is real: the Marlin driver's session, the machine's host with its journal and files, the
steward, the record in SQLite, every request signed. What is played: the cable's two ends
(:mod:`tests.soak_printer`), the broker, which carries at once what is said, people, and time, which
jumps from one thing that happens to the next. Nothing here measures how long it really takes.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from heapq import heappop, heappush
from pathlib import Path
from zoneinfo import ZoneInfo

from fabctl.clock import ManualClock
from fabctl.gcode.machine import inspect_for
from fabctl.gcode.report import Report
from fabctl.hosting.machine_reports import Stamps
from fabctl.hosting.steward import Steward
from fabctl.messaging.lab_view import LabView
from fabctl.ports import Phase
from fabctl.services import certifications, jobs, people
from fabctl.services.machines import sync_resources
from fabctl.store.engine import Database
from fabctl.units import Seconds
from tests.soak_machine import STEP_S, TOPICS, Broker, Machine, quiet

ZONE = ZoneInfo("Europe/Paris")
PEOPLE = 8
PRINTERS = ("printer-a", "printer-b")
BEFORE, AFTER = ("G28", "M109 S200", "G90", "M83"), "M104 S1"
"""What a job says before and after its moves."""
MOVE_MM, MOVE_S = 90.0, 1.5
"""Of every second move of a job; the others are short."""


@dataclass
class Told:
    """What people did, by their own account."""

    booked: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    never_came: set[str] = field(default_factory=set)
    """Reservations nobody came for."""
    cancelled: int = 0
    visits: int = 0
    prepared: int = 0
    """Jobs, those among them that the house or the machine then refused."""
    started: dict[str, int] = field(default_factory=dict)
    """The moves of each job that was started."""
    ends: dict[str, str] = field(default_factory=dict)
    """How a job was made to end where somebody did that: ``stopped``, ``failed``."""
    pauses: int = 0


Act = Callable[[], None]


class Week:
    """A lab in simulated time.

    :param folder: where all its files go.
    :param seed: of everything that happens by chance.
    """

    def __init__(self, folder: Path, database: Database, seed: int) -> None:
        self.folder, self.database = folder, database
        self.clock = ManualClock()
        self.broker = Broker()
        self.chance = random.Random(seed)  # noqa: S311  # so that the story stays the same
        self.told = Told()
        self._agenda: list[tuple[float, int, Act]] = []
        self._count = 0
        (folder / "files").mkdir()
        self.machines = {
            name: Machine(folder / name, name, number, self.clock, self.broker, self.job_file)
            for number, name in enumerate(PRINTERS, start=1)
        }
        with database.transaction() as session:
            profiles = [one.profile for one in self.machines.values()]
            sync_resources(session, self.clock, profiles)
            self.people = [
                people.add_person(session, self.clock, display_name=f"Person {n}").id
                for n in range(PEOPLE)
            ]
            for person in self.people:
                for name in PRINTERS:
                    certifications.certify(session, self.clock, person_id=person, resource_id=name)
        self.view = LabView(TOPICS.lab, dict.fromkeys(PRINTERS, "pi1"), self.clock)
        self.steward = Steward(
            TOPICS, database, self.broker, self, Stamps(self.clock, "steward"), self.clock,
            quiet, folder / "files", self.view, zone=ZONE,
        )  # fmt: skip
        self._steward_at: float = self.clock.monotonic()

    def job_file(self, sha256: str) -> Path:
        """Return where an uploaded file lies."""
        return self.folder / "files" / f"{sha256}.gcode"

    def add(self, machine: str, boot: str, seq: int) -> None:
        """Tell a machine what is on record, as the steward's acknowledger does."""
        self.machines[machine].reports.recorded([(boot, seq)])

    # -- time --------------------------------------------------------------------------------------

    @property
    def elapsed_s(self) -> float:
        """How long this lab has lived."""
        return self.clock.monotonic() - 1000.0

    def at(self, delay_s: float, act: Act) -> None:
        """Have something done so many seconds from now."""
        self._count += 1
        heappush(self._agenda, (self.clock.monotonic() + delay_s, self._count, act))

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.clock.monotonic() + seconds
        machines = list(self.machines.values())
        while True:
            due = min(self._steward_at, *(one.due() for one in machines))
            if self._agenda:
                due = min(due, self._agenda[0][0])
            if due > end:
                break
            self._go_on(due)
            now = self.clock.monotonic()
            while self._agenda and self._agenda[0][0] <= now:
                heappop(self._agenda)[2]()
            for machine in machines:
                if machine.due() <= now:
                    machine.work(now)
            if now >= self._steward_at or not self.steward._events.empty():
                self._let_steward_work(now)
        self._go_on(end)

    def _go_on(self, until: float) -> None:
        passed = max(0.0, until - self.clock.elapsed)
        self.clock.elapsed = Seconds(max(self.clock.elapsed, until))
        self.clock.wall += timedelta(seconds=passed)

    def _let_steward_work(self, now: float) -> None:
        if now >= self._steward_at:
            self.steward._do_clock_work()
            self._steward_at = now + STEP_S
        while not self.steward._events.empty():
            self.steward._record_next(Seconds(0.0))

    # -- jobs --------------------------------------------------------------------------------------

    def start(self, machine: str, person: str, moves: int) -> str | None:
        """Prepare and start a job as the web does; return its id, None where it was refused."""
        report, sha256, size = self._stored(machine, moves)
        target = self.machines[machine]
        with self.database.transaction() as session:
            job = jobs.prepare(
                session, self.clock, person_id=person, resource_id=machine, name="part.gcode",
                path=self.job_file(sha256), sha256=sha256, size=size, report=report,
            )  # fmt: skip
        self.told.prepared += 1
        with self.database.transaction() as session:
            order = jobs.open_use(
                session, self.clock, ZONE, job_id=job.id, person_id=person,
                machine_state=self.view.machine(machine).state,
            )  # fmt: skip
        answer = target.ask("start", dict(order.body))
        with self.database.transaction() as session:
            jobs.start_answered(
                session, self.clock, job_id=job.id,
                accepted=answer.accepted, code=answer.code, reason=answer.reason,
            )  # fmt: skip
        if not answer.accepted:
            self.told.refused[f"start: {answer.code}"] += 1
            return None
        self.told.started[job.id] = report.commands - len(BEFORE) - 1
        return job.id

    def _stored(self, machine: str, moves: int) -> tuple[Report, str, int]:
        raw = "".join(_part(moves, self.chance)).encode()
        sha256 = hashlib.sha256(raw).hexdigest()
        file = self.job_file(sha256)
        file.write_bytes(raw)
        with file.open("rb") as stream:
            report = inspect_for(stream, self.machines[machine].profile)
        assert report.ok, report.errors
        return report, sha256, len(raw)

    def runs(self, machine: str, job: str) -> bool:
        """Say whether this job is on the machine."""
        on_it = self.machines[machine].host._keeper.job
        return on_it is not None and on_it.id == job

    def is_working(self) -> bool:
        """Say whether any machine has a job."""
        return any(one.host._keeper.busy for one in self.machines.values())

    def look_after(self, machine: str) -> None:
        """Put the cable in, and clear what somebody must have looked at, until all is well."""
        target = self.machines[machine]
        target.driver.plugged = True
        if target.driver.phase is Phase.BROKEN or target.host._keeper.hold:
            target.ask("clear", {"by": self.people[0]})
        if target.driver.phase is not Phase.IDLE or target.host._keeper.hold:
            self.at(30.0, lambda: self.look_after(machine))


def _part(moves: int, chance: random.Random) -> Iterator[str]:
    """Yield a print's lines: hot, long and short moves there and back, cold."""
    yield "".join(f"{line}\n" for line in BEFORE)
    feed = round(MOVE_MM / MOVE_S * 60)
    for number in range(moves // 2):
        x = 10 + (number % 2) * MOVE_MM
        yield f"G1 X{x:g} Y{10 + chance.randrange(150)} E3 F{feed}\nG1 X{x + 0.5:g} E0.02\n"
    yield f"{AFTER}\n"
