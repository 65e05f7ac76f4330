"""The people of the benchmark of scale: they print, book and look, over HTTP."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from tests.bench.figures import quantile, show
from tests.bench.scale_lab import Scaled
from tests.lab import wait_for

FIRST = (0.2, 1.0)
"""Such a share of the usual length the first jobs have: they end one by one."""
HEAD = "G28\n"
VISIT_EVERY_S = 1.0


@dataclass(frozen=True)
class EndedJob:
    """A job as its stand-in had it."""

    machine: str
    moves: int
    began: float
    """The monotonic time at which its first move came, s."""
    at: float
    """The monotonic time of its last ok, s."""


@dataclass
class Printing:
    """Starts a job on every machine, and the next one when it has ended."""

    lab: Scaled
    told: Path
    """What the stand-ins say."""
    lines_per_s: float
    job_s: float
    """How long a job takes."""
    ended: threading.Event = field(default_factory=threading.Event)
    refused: int = 0
    ended_jobs: list[EndedJob] = field(default_factory=list)
    start_ms: list[float] = field(default_factory=list)
    _rng: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311  # the same every time
    _read: int = 0
    _running: int = 0

    def all_idle(self) -> bool:
        """Say whether the web knows every machine, at rest."""
        found = requests.get(f"{self.lab.url}/api/v1/machines", timeout=30).json()
        return all(one["state"] == "idle" for one in found["machines"])

    def start_all(self) -> None:
        """Start the first jobs."""
        for machine in self.lab.owners:
            self._start(machine, self.job_s * self._rng.uniform(*FIRST))

    def run(self) -> None:
        """Start the next job of whatever ended, until told to end."""
        while not self.ended.wait(0.25):
            for job in self._news():
                self._start(job.machine, self.job_s)

    def let_them_end(self) -> None:
        """Wait until all that was started has ended."""
        wait_for("the last jobs' end", self._none_runs, 2 * self.job_s + 60, every=0.5)
        time.sleep(5.0)  # for screens and record: what is not there then is late

    def _none_runs(self) -> bool:
        self._news()
        return self._running == 0

    def _news(self) -> list[EndedJob]:
        with self.told.open() as file:
            file.seek(self._read)
            text = file.read()
        whole = text[: text.rfind("\n") + 1]
        self._read += len(whole)
        found = []
        for line in whole.splitlines():
            told = json.loads(line)
            machine = f"printer-{told['port']}"
            found.append(EndedJob(machine, told["moves"], told["began"], told["at"]))
        self.ended_jobs += found
        self._running -= len(found)
        return found

    def _start(self, machine: str, seconds: float) -> None:
        headers = {"Authorization": f"Bearer {self.lab.owners[machine]}"}
        moves = round(seconds * self.lines_per_s)
        lines = (f"G1 X{n % 200} Y{self._rng.randrange(200)} F3000\n" for n in range(moves))
        file = {"file": ("part.gcode", HEAD + "".join(lines))}
        began = time.perf_counter()
        address = f"{self.lab.url}/api/v1/machines/{machine}/jobs"
        made = requests.post(address, files=file, headers=headers, timeout=60)
        if made.status_code == 201:
            job = made.json()["id"]
            address = f"{self.lab.url}/api/v1/jobs/{job}/start"
            made = requests.post(address, headers=headers, timeout=60)
        self.start_ms.append((time.perf_counter() - began) * 1000)
        if made.ok:
            self._running += 1
        else:
            self.refused += 1
            print(f"  {machine}: {made.status_code} {made.text[:300]}")


@dataclass
class Bookers:
    """Book slots of the coming two weeks, so many a minute."""

    lab: Scaled
    a_minute: float
    ended: threading.Event = field(default_factory=threading.Event)
    ms: list[float] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)

    def run(self) -> None:
        """Book until told to end; the next one does not wait for the one before."""
        rng = random.Random(2)  # noqa: S311  # the same requests every time
        under_way = []
        while self.a_minute and not self.ended.wait(rng.expovariate(self.a_minute / 60.0)):
            one = threading.Thread(target=self._book, args=(rng.randrange(2**30),))
            one.start()
            under_way.append(one)
        for one in under_way:
            one.join()

    def _book(self, seed: int) -> None:
        rng = random.Random(seed)  # noqa: S311  # the same
        day = datetime.now(UTC).replace(hour=8, minute=0, second=0, microsecond=0)
        start = day + timedelta(days=rng.randrange(1, 13), minutes=15 * rng.randrange(36))
        body = {
            "resource": rng.choice(sorted(self.lab.config.machines)),
            "start": start.isoformat(),
            "end": (start + timedelta(minutes=15)).isoformat(),
        }
        headers = {"Authorization": f"Bearer {rng.choice(self.lab.bookers)}"}
        began = time.perf_counter()
        address = f"{self.lab.url}/api/v1/reservations"
        answer = requests.post(address, json=body, headers=headers, timeout=60)
        self.ms.append((time.perf_counter() - began) * 1000)
        self.answers[answer.status_code] += 1

    def show(self) -> None:
        """Print what they were answered."""
        print(f" bookings: {sum(self.answers.values())}")
        if not self.ms:
            return
        show("p50", quantile(self.ms, 0.5), "ms")
        show("p95", quantile(self.ms, 0.95), "ms", aim=80)
        show("booked", self.answers[201], "")
        show("refused by the rules (409)", self.answers[409], "")
        others = sum(self.answers.values()) - self.answers[201] - self.answers[409]
        show("other answers", others, "", aim=0)


@dataclass
class Visitor:
    """Loads the board once a second, as somebody does who comes in."""

    lab: Scaled
    ended: threading.Event = field(default_factory=threading.Event)
    ms: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Load until told to end."""
        while not self.ended.wait(VISIT_EVERY_S):
            began = time.perf_counter()
            requests.get(f"{self.lab.url}/", timeout=60).raise_for_status()
            self.ms.append((time.perf_counter() - began) * 1000)

    def show(self) -> None:
        """Print how long a page took."""
        print(f" the board's page, once a second: {len(self.ms)}")
        show("p50", quantile(self.ms, 0.5), "ms")
        show("p95", quantile(self.ms, 0.95), "ms", aim=1000)
