"""The stand-ins of many printers in one process: ports that take a job's moves at a print's pace.

``python -m tests.bench.scale_hardware --folder DIR --machines 100 --lines-per-s 20``. Every port is
a pseudo-terminal that answers as Marlin does: a move's ``ok`` comes at once while fewer than 16 of
them wait (BLOCK_BUFFER_SIZE in Marlin 2.1's Configuration_adv.h), else when the first of them has
had its time; only M400 waits for all. Its record is on stdout, one JSON object for each job that
came to its end: which port, how many moves it was given, and the monotonic times at which the first
of them came and its last ``ok`` was written.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import resource
import select
import signal
import sys
import time
import tty
from dataclasses import dataclass, field
from pathlib import Path

HEAT = b"ok T:205.0 /205.0 B:60.0 /60.0 @:64 B@:32\n"
WHO = b"FIRMWARE_NAME:Marlin 2.1.2 (scale) PROTOCOL_VERSION:1.0\nCap:AUTOREPORT_TEMP:0\nok\n"
OK = b"ok\n"
WAITING = 16
"""Moves that a printer takes in before the first of them is over."""


@dataclass(order=True)
class Answer:
    """What is said, and when (monotonic clock, s)."""

    due: float
    port: int
    text: bytes = field(compare=False)
    ends_job_of: int = field(compare=False, default=0)
    """More than 0: it ends a job of so many moves."""
    began: float = field(compare=False, default=0.0)
    """When that job's first move came."""


@dataclass
class Printer:
    """One port."""

    number: int
    move_s: float
    moves: int = 0
    began: float = 0.0
    _rest: bytes = b""
    _free_at: float = 0.0
    """When the last move that it took in is over."""
    _said_at: float = 0.0

    def hear(self, port: int, data: bytes, now: float) -> list[Answer]:
        """Take in bytes; return what is said to the whole lines in them."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [self._answer(port, line, now) for line in lines if line]

    def _answer(self, port: int, line: bytes, now: float) -> Answer:
        self._free_at, self._said_at = max(self._free_at, now), max(self._said_at, now)
        if b"G1 " in line:
            if not self.moves:
                self.began = now
            self.moves += 1
            self._free_at += self.move_s
            self._said_at = max(self._said_at, self._free_at - WAITING * self.move_s)
            return Answer(self._said_at, port, OK)
        if b"M400" in line:
            done, self.moves = self.moves, 0
            self._said_at = self._free_at
            return Answer(self._free_at, port, OK, done, self.began)
        text = HEAT if b"M105" in line else WHO if b"M115" in line else OK
        return Answer(self._said_at, port, text)


class Bank:
    """All ports in one loop."""

    def __init__(self, folder: Path, machines: int, move_s: float) -> None:
        self._printers: dict[int, Printer] = {}
        self._poll = select.epoll()
        self._due: list[Answer] = []
        self.is_over = False
        for number in range(machines):
            ours, theirs = os.openpty()  # theirs stays open: a host may come and go
            tty.setraw(theirs)
            (folder / f"port-{number}").symlink_to(os.ttyname(theirs))
            self._printers[ours] = Printer(number, move_s)
            self._poll.register(ours, select.EPOLLIN)

    def run(self) -> None:
        """Answer until the end."""
        while not self.is_over:
            now = time.monotonic()
            while self._due and self._due[0].due <= now:
                self._say(heapq.heappop(self._due))
            wait_s = min(0.2, max(0.0, self._due[0].due - now)) if self._due else 0.2
            for port, _ in self._poll.poll(wait_s):
                data = os.read(port, 4096)
                for answer in self._printers[port].hear(port, data, time.monotonic()):
                    heapq.heappush(self._due, answer)

    def _say(self, answer: Answer) -> None:
        os.write(answer.port, answer.text)
        if answer.ends_job_of:
            number = self._printers[answer.port].number
            told = {"port": number, "moves": answer.ends_job_of, "began": answer.began}
            sys.stdout.write(f"{json.dumps({**told, 'at': time.monotonic()})}\n")
            sys.stdout.flush()


def main() -> None:
    """Read the command line."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--folder", type=Path, required=True)
    words.add_argument("--machines", type=int, default=100)
    words.add_argument("--lines-per-s", type=float, default=20.0)
    asked = words.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    bank = Bank(asked.folder, asked.machines, 1.0 / asked.lines_per_s)
    signal.signal(signal.SIGTERM, lambda *_: setattr(bank, "is_over", True))
    (asked.folder / "ready").touch()
    bank.run()


if __name__ == "__main__":
    main()
