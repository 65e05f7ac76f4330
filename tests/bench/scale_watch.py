"""What the processes of the benchmark of scale take: CPU, memory, threads, descriptors."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import psutil

from tests.bench.figures import show
from tests.bench.scale_lab import Scaled


@dataclass
class Sums:
    """Of all processes of one kind."""

    cpu_s: float = 0.0
    pss_mb: float = 0.0
    threads: int = 0
    descriptors: int = 0
    processes: int = 0


@dataclass
class Watch:
    """Looks at the beginning and the end of its block."""

    lab: Scaled
    screens: int
    """The process id of the screens."""
    before: dict[str, Sums] = field(default_factory=dict)
    after: dict[str, Sums] = field(default_factory=dict)
    seconds: float = 0.0
    idle_s: float = 0.0
    """Of all cores."""

    def __enter__(self) -> Self:
        self.before = self._look()
        self.seconds, self.idle_s = time.monotonic(), psutil.cpu_times().idle
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        self.seconds = time.monotonic() - self.seconds
        self.idle_s = psutil.cpu_times().idle - self.idle_s
        if kind is None:
            self.after = self._look()

    def show(self) -> None:
        """Print each kind's share of one core, its memory, threads and descriptors."""
        print(" % of one core, MB of memory (PSS), threads, descriptors")
        for kind, now in self.after.items():
            cpu = 100 * (now.cpu_s - self.before[kind].cpu_s) / self.seconds
            line = f"{cpu:7.1f} % {now.pss_mb:8.1f} MB {now.threads:5} {now.descriptors:5}"
            print(f"  {f'{kind} ({now.processes})':<24}{line}")
        machines = self.after["machine"]
        cpu = machines.cpu_s - self.before["machine"].cpu_s
        show("CPU of one machine's process", 100 * cpu / self.seconds / machines.processes, "%")
        show("memory of one machine's process", machines.pss_mb / machines.processes, "MB")
        cores = os.cpu_count() or 1
        show(f"nobody used, of {cores} cores", 100 * self.idle_s / self.seconds, "%")

    def _look(self) -> dict[str, Sums]:
        found: dict[str, Sums] = {}
        for kind, process in self._all():
            sums = found.setdefault(kind, Sums())
            with process.oneshot():
                times = process.cpu_times()
                sums.cpu_s += times.user + times.system
                sums.pss_mb += process.memory_full_info().pss / 1e6
                sums.threads += process.num_threads()
                sums.descriptors += process.num_fds()
                sums.processes += 1
        return found

    def _all(self) -> Iterator[tuple[str, psutil.Process]]:
        for kind, started in self.lab.processes.items():
            for one in started:
                yield from _with_children(kind, one.pid)
        yield from _with_children("PostgreSQL", self.lab.postmaster)
        yield "screens", psutil.Process(self.screens)
        yield "this benchmark", psutil.Process()


def _with_children(kind: str, pid: int) -> Iterator[tuple[str, psutil.Process]]:
    process = psutil.Process(pid)
    for one in (process, *process.children(recursive=True)):
        yield kind, one
