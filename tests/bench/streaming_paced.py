"""Many controllers at the wire's pace, cheaply: ports whose planner must never run dry.

``python -m tests.bench.streaming_paced --folder DIR --machines 12 --move-ms 2``; with SIGTERM it
prints, for every machine, how many moves it ran and how often its planner was empty before the
job's next move came. A model, not the stand-in: bytes take their time on the wire, both ways; a
move waits for one of 16 places; its ``ok`` (ADVANCED_OK) is said when it gets one; from rest the
first move waits 100 ms for company, as in Marlin's ``planner.cpp``.
"""

from __future__ import annotations

import argparse
import contextlib
import heapq
import json
import os
import select
import signal
import time
import tty
from collections import deque
from pathlib import Path
from types import FrameType

from tests.bench.streaming_instant import InstantMarlin

PLACES = 16
FIRST_MOVE_DELAY_S = 0.1


class Machine:
    """One of them. Times are the monotonic clock's."""

    def __init__(self, link: Path, *, baud: int, move_s: float) -> None:
        self.port, self._host_end = os.openpty()
        tty.setraw(self._host_end)
        link.symlink_to(os.ttyname(self._host_end))
        self.moves = self.underruns = 0
        self.longest_gap_s = 0.0
        self._words = InstantMarlin(4)
        self._byte_s, self._move_s = 10.0 / baud, move_s
        self._rest = b""
        self._arrived_at = self._said_at = self._entered_at = 0.0
        self._ends: deque[float] = deque([0.0] * PLACES, PLACES)

    def hear(self, data: bytes, now: float) -> list[tuple[float, bytes]]:
        """Take in bytes; return the answers and when they are whole at the host's end."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        answers = []
        for line in lines:
            self._arrived_at = max(self._arrived_at, now) + (len(line) + 1) * self._byte_s
            ready_at = self._run(line)
            answer = self._words.answer(line + b"\n")
            if answer:
                self._said_at = max(self._said_at, ready_at) + len(answer) * self._byte_s
                answers.append((self._said_at, answer))
        return answers

    def _run(self, line: bytes) -> float:
        """Return when a line leaves the queue."""
        if b" G1 " not in line:
            wait_for = self._ends[-1] if b"M400" in line else 0.0
            return max(self._arrived_at, self._entered_at, wait_for)
        entered = max(self._arrived_at, self._entered_at, self._ends[0])
        begins = self._ends[-1]
        if entered > begins:  # nothing moves any more
            if self.moves:
                self.underruns += 1
                self.longest_gap_s = max(self.longest_gap_s, entered - begins)
            begins = entered + FIRST_MOVE_DELAY_S
        self.moves += 1
        self._entered_at = entered
        self._ends.append(begins + self._move_s)
        return entered


class Pacer:
    """All machines in one loop."""

    def __init__(self, machines: list[Machine]) -> None:
        self._machines = {machine.port: machine for machine in machines}
        self._due: list[tuple[float, int, bytes]] = []
        self._is_over = False
        self.latest_s = 0.0
        """By how much an answer was late at most: this process had no CPU then."""

    def end(self, _number: int, _frame: FrameType | None) -> None:
        """Stop, soon."""
        self._is_over = True

    def run(self) -> None:
        """Answer until the end."""
        while not self._is_over:
            now = time.monotonic()
            while self._due and self._due[0][0] <= now:
                at, port, answer = heapq.heappop(self._due)
                self.latest_s = max(self.latest_s, now - at)
                os.write(port, answer)
            wait_s = min(0.1, max(0.0, self._due[0][0] - now)) if self._due else 0.1
            ready, _, _ = select.select(list(self._machines), [], [], wait_s)
            now = time.monotonic()
            for port in ready:
                for at, answer in self._machines[port].hear(os.read(port, 4096), now):
                    heapq.heappush(self._due, (at, port, answer))


def main() -> None:
    """Read the command line."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--folder", type=Path, required=True)
    words.add_argument("--machines", type=int, default=12)
    words.add_argument("--baud", type=int, default=250_000)
    words.add_argument("--move-ms", type=float, default=2.0)
    asked = words.parse_args()
    machines = [
        Machine(asked.folder / f"ttyPACE{n}", baud=asked.baud, move_s=asked.move_ms / 1000)
        for n in range(asked.machines)
    ]
    pacer = Pacer(machines)
    signal.signal(signal.SIGTERM, pacer.end)
    with contextlib.suppress(PermissionError):  # hardware does not wait for a scheduler
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    (asked.folder / "ready").touch()
    pacer.run()
    told = [
        {"moves": m.moves, "underruns": m.underruns, "longest_gap_s": m.longest_gap_s}
        for m in machines
    ]
    print(json.dumps({"machines": told, "latest_s": pacer.latest_s}), flush=True)


if __name__ == "__main__":
    main()
