"""From a change in the stand-in to the event in an open SSE stream."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.bench.figures import quantile, show
from tests.lab import RunningLab, running_lab, wait_for

ROUNDS = 60
MACHINE = "printer-b"


@dataclass
class Stream:
    """An open SSE stream: every event's name and data with the monotonic time it came, in s."""

    url: str
    seen: list[tuple[float, str, str]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def follow(self) -> None:
        """Read until told to end (the heartbeat, every 3 s, lets it look)."""
        name, data = "message", ""
        with requests.get(self.url, stream=True, timeout=30) as answer:
            for raw in answer.iter_lines(chunk_size=1, decode_unicode=True):
                line = str(raw)
                if self.ended.is_set():
                    return
                if line.startswith("event:"):
                    name = line[6:].strip()
                elif line.startswith("data:"):
                    data += line[5:].strip()
                elif not line:
                    self.seen.append((time.monotonic(), name, data))
                    name, data = "message", ""

    def first_after(self, since: float, holds: Callable[[str, str], bool]) -> float | None:
        """Return when the first fitting event after ``since`` came."""
        return next(
            (t for t, name, data in list(self.seen) if t >= since and holds(name, data)), None
        )


def main() -> None:
    """Pull and plug a simulated printer's cable; print how long screens take to know."""
    print(f"state change in the stand-in → event in an open SSE stream ({ROUNDS} cables pulled)")
    with tempfile.TemporaryDirectory() as folder, running_lab(Path(folder)) as lab:
        delays = _pull_the_cable(lab)
    show("p50", quantile(delays, 0.5) * 1000, "ms")
    show("p95", quantile(delays, 0.95) * 1000, "ms", aim=250)
    show("slowest", max(delays) * 1000, "ms")


def _pull_the_cable(lab: RunningLab) -> list[float]:
    stream = Stream(f"{lab.url}/events")
    reader = threading.Thread(target=stream.follow)
    reader.start()
    wait_for("the stream is open", lambda: stream.seen)
    delays = []
    with lab.sim(MACHINE) as sim:
        for _ in range(ROUNDS):
            wait_for("the printer is idle", lambda: lab.state(MACHINE) == "idle")
            pulled = time.monotonic()
            sim.ask("unplug")
            came = wait_for(
                "an event after the cable was pulled",
                lambda since=pulled: stream.first_after(since, _is_about_the_machine),  # type: ignore[misc]  # bound now
            )
            delays.append(came - pulled)
            sim.ask("plug")
    stream.ended.set()
    reader.join()
    return delays


def _is_about_the_machine(name: str, data: str) -> bool:
    return MACHINE in name or MACHINE in data
