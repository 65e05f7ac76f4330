"""A cable that damages bytes both ways never loses, doubles or reorders a line.

The firmware here is a model of Marlin's ``gcode/queue.cpp``, written for this test: it shares no
code with the driver. It has the differences that are out there: whether an ok follows a Resend
(early 2.0.9 left it out), whether oks carry numbers (``ADVANCED_OK``), and whether a line that
was received already is passed over in silence (2.1).
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import xor
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fabctl_drivers.marlin.answers import Ear
from fabctl_drivers.marlin.conversation import Acked, Ended, LinkEvent, Withdrawn
from fabctl_drivers.marlin.link import Link

BYTE_S = 10 / 250_000
JOB = [f"G1 X{x % 200}.{x % 7} E{x / 50:.2f}".encode() for x in range(60)]
END = [b"M400", b"M105"]


@dataclass
class ModelMarlin:
    """Reads bytes, runs one command at a time, each taking ``run_s``; says what Marlin says."""

    closes_resend: bool = True
    advanced_ok: bool = False
    ignores_repeats: bool = False
    run_s: float = 0.004
    queue_places: int = 4
    last_number: int = 0
    executed: list[bytes] = field(default_factory=list)
    garbage: list[bytes] = field(default_factory=list)
    _wire: deque[tuple[float, int]] = field(default_factory=deque)
    _line: bytearray = field(default_factory=bytearray)
    _queue: deque[bytes] = field(default_factory=deque)
    _done_at: float | None = None
    _busy_at: float = 0.0
    _free_at: float = 0.0

    def send(self, data: bytes, now: float) -> None:
        at = max(now, self._free_at)
        for byte in data:
            at += BYTE_S
            self._wire.append((at, byte))
        self._free_at = at

    def next_due(self) -> float:
        due = float("inf") if self._done_at is None else min(self._done_at, self._busy_at)
        if self._wire and len(self._queue) < self.queue_places:
            due = min(due, self._wire[0][0])
        return due

    def advance(self, now: float) -> bytes:
        said = b""
        while self.next_due() <= now:
            said += self._step(self.next_due())
        return said

    def _step(self, now: float) -> bytes:
        if self._done_at is not None and self._done_at <= now:
            return self._run(now)
        if self._done_at is not None and self._busy_at <= now:
            self._busy_at = now + 2.0
            return b"echo:busy: processing\n"
        byte = self._wire.popleft()[1]
        if byte not in b"\n\r":
            self._line.append(byte)
            return b""
        line, self._line = bytes(self._line[:95]), bytearray()
        return self._take(line, now) if line else b""

    def _take(self, line: bytes, now: float) -> bytes:
        line = line.lstrip(b" ")
        if line.startswith(b"N"):
            digits = line[1:].split(b" ")[0]
            number = int(digits) if digits.isdigit() else 0
            if self.ignores_repeats and number in {self.last_number - 1, self.last_number}:
                return b""
            if number != self.last_number + 1:
                return self._refuse(b"Line Number is not Last Line Number+1", now)
            body, star, check = line.rpartition(b"*")
            if not star:
                return self._refuse(b"No Checksum with line number", now)
            if not check.isdigit() or int(check) != reduce(xor, body, 0):
                return self._refuse(b"checksum mismatch", now)
            self.last_number = number
        self._queue.append(line)
        if self._done_at is None:
            self._begin(now)
        return b""

    def _refuse(self, why: bytes, now: float) -> bytes:
        while self._wire and self._wire[0][0] <= now:
            self._wire.popleft()
        closing = b"ok\n" if self.closes_resend else b""
        again = b"Resend: %d\n" % (self.last_number + 1)
        return b"Error:%b, Last Line: %d\n" % (why, self.last_number) + again + closing

    def _begin(self, now: float) -> None:
        self._done_at = now + self.run_s
        self._busy_at = now + 2.0

    def _run(self, now: float) -> bytes:
        line = self._queue.popleft()
        said = b""
        if line.startswith(b"N"):
            command = line.partition(b" ")[2].rpartition(b"*")[0]
            self.executed.append(command)
        else:
            command = line
            self.garbage.append(line)
            said = b'echo:Unknown command: "%b"\n' % line
        places = self.queue_places - len(self._queue) - 1
        self._done_at = None
        if self._queue:
            self._begin(now)
        if command == b"M105":
            return said + b"ok T:20.0 /0.0 @:0\n"
        if self.advanced_ok and line.startswith(b"N"):
            return said + b"ok %b P15 B%d\n" % (line.split(b" ")[0], places)
        return said + (b"ok P15 B%d\n" % places if self.advanced_ok else b"ok\n")


class Noise:
    """Damages one byte after so many sound ones; the gaps come from the test."""

    def __init__(self, gaps: Sequence[int], seed: int) -> None:
        self._gaps = deque(gaps)
        self._left = self._gaps.popleft() if self._gaps else -1
        self._random = random.Random(seed)  # noqa: S311  # noise is not cryptography

    def damage(self, data: bytes) -> bytes:
        out = bytearray()
        for byte in data:
            if self._left == 0:
                self._left = self._gaps.popleft() if self._gaps else -1
                if self._random.random() < 0.5:
                    continue
                out.append(byte ^ (1 << self._random.randrange(8)))
            else:
                self._left -= 1
                out.append(byte)
        return bytes(out)


class Story:
    """One job over one cable, and what came of it."""

    def __init__(self, link: Link, firmware: ModelMarlin, there: Noise, back: Noise) -> None:
        self.link, self.firmware = link, firmware
        self._there, self._back = there, back
        self._ear = Ear()
        self.confirmed: list[object] = []
        self.ended: Ended | None = None
        self.now = 0.0

    def run(self, limit_s: float = 600.0) -> None:
        lines = deque([*JOB, *END])
        while self.ended is None and self.now < limit_s:
            while lines and self.link.has_room(lines[0]):
                if lines[0] in END and self.link.in_flight:
                    break
                self.link.send(lines[0], lines.popleft(), self.now)
            if not lines and not self.link.in_flight:
                return
            self.firmware.send(self._there.damage(self.link.take_output()), self.now)
            self._wait()

    def _wait(self) -> None:
        due = min(self.firmware.next_due(), self.link.deadline)
        assert due < float("inf"), f"nothing will ever happen again: {self.link.state.name}"
        self.now = max(self.now, due)
        said = self.firmware.advance(self.now)
        for answer in self._ear.hear(self._back.damage(said)):
            self.link.hear(answer, self.now)
        self.link.tick(self.now)
        events, self.link.events = self.link.events, []
        for event in events:
            self._note(event)

    def _note(self, event: LinkEvent) -> None:
        if isinstance(event, Acked):
            self.confirmed.append(event.ref)
        elif isinstance(event, Withdrawn):
            for ref in reversed(event.refs):
                assert self.confirmed.pop() is ref
        else:
            self.ended = event


def job_lines(commands: Sequence[object]) -> list[object]:
    return [command for command in commands if command in JOB]


firmwares = st.fixed_dictionaries(
    {
        "closes_resend": st.booleans(),
        "advanced_ok": st.booleans(),
        "ignores_repeats": st.booleans(),
        "run_s": st.sampled_from([0.0, 0.004, 0.03, 2.5]),
    }
)
# Two faults in one line may cancel out in an 8-bit exclusive or: no host can help that.
gaps_there = st.lists(st.integers(100, 900), max_size=12)
gaps_back = st.lists(st.integers(3, 400), max_size=12)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(firmwares, gaps_there, gaps_back, st.integers(0, 1000), st.sampled_from([0, 120]))
@example({}, [], [0, 2, 5], 1, 0)
@example({"advanced_ok": True}, [200, 100, 100], [], 1, 120)
def test_every_line_runs_once_and_in_order(
    traits: dict[str, Any],
    there: list[int],
    back: list[int],
    seed: int,
    window: int,
) -> None:
    firmware = ModelMarlin(**traits)
    link = Link(last_number=0, baud=250_000, window_bytes=window)
    story = Story(link, firmware, Noise(there, seed), Noise(back, seed + 1))
    story.run()
    assert story.ended is None
    assert job_lines(firmware.executed) == JOB
    assert job_lines(story.confirmed) == JOB


def test_a_window_is_faster_than_one_line_and_keeps_to_its_limits() -> None:
    times = {}
    for window in (0, 120):
        firmware = ModelMarlin(advanced_ok=True, run_s=0.001)
        link = Link(last_number=0, baud=250_000, window_bytes=window)
        story = Story(link, firmware, Noise([], 0), Noise([], 0))
        story.run()
        assert firmware.executed == [*JOB, *END]
        times[window] = story.now
    assert times[120] < 0.7 * times[0]
