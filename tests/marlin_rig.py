"""The whole pure Marlin driver, a bad cable and the stand-in's core, in simulated time.

No port, no process, no sleeping: a print of an hour takes as long as the computer needs to
think it through.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from fabctl.ports import DriverEvent, JobEnded, JobFile, Phase, WaitingForPerson
from fabctl_drivers.marlin.frames import commands
from fabctl_drivers.marlin.session import Session
from fabctl_drivers.marlin.settings import Settings
from fabctl_sim.cable import Cable, Faults
from fabctl_sim.marlin.board import Board
from fabctl_sim.marlin.firmware import Firmware
from fabctl_sim.marlin.words import Command

OURS = frozenset(
    {"M104 S0", "M140 S0", "M107", "M105", "M108", "M110 N0", "M113", "M115", "M155 S2", "M400"}
)
"""What the driver says for itself while a job runs, and before it."""
LONGEST_S = 360_000.0

Event = TypeVar("Event", bound=DriverEvent)


@dataclass(frozen=True)
class Ran:
    """A command that the stand-in began to run."""

    number: int | None
    text: str


class Rig:
    """A session and a board, joined by a cable."""

    def __init__(
        self,
        board: Board | None = None,
        *,
        window_bytes: int = 0,
        seed: int = 1,
        baud: int = 250_000,
    ) -> None:
        self.ran: list[Ran] = []
        self.said = bytearray()
        """What the driver wrote, before the cable."""
        self.heard = bytearray()
        """What came back to it, after the cable."""
        self.events: list[DriverEvent] = []
        self.now = 0.0
        self.firmware = Firmware(board or Board(boot_s=0.1), seed=seed, record=self._record)
        self.cable = Cable(self.firmware, seed)
        self.session = Session(Settings(baud=baud, window_bytes=window_bytes))
        self.on_heard: Callable[[bytes], bytes] = lambda data: data
        """May change what comes from the board: an answer that no cable would damage so."""
        self._idle_turns = 0

    def _record(self, command: Command) -> None:
        self.ran.append(Ran(command.number, command.text))

    # ---- time

    def turn(self) -> None:
        """Write what is to be said, go on to the next thing that happens, take it in."""
        session, cable = self.session, self.cable
        self._write()
        session.look_ahead()
        due = min(cable.next_due(), session.deadline)
        assert due < math.inf, f"nothing will ever happen again: {session.phase.value}"
        self._idle_turns = self._idle_turns + 1 if due <= self.now else 0
        assert self._idle_turns < 10_000, "it turns without getting anywhere"
        self._pass(max(self.now, due))

    def _write(self) -> None:
        out = self.session.take_output()
        if out:
            self.said += out
            self.cable.receive(out, self.now)

    def _pass(self, now: float) -> None:
        self.now = now
        self.cable.advance(now)
        data = self.on_heard(self.cable.take_output(now))
        if data:
            self.heard += data
            self.session.receive(data, now)
        if now >= self.session.deadline:
            self.session.tick(now)
        self.events += self.session.take_events()

    def until(self, done: Callable[[], bool], what: str = "it") -> None:
        ends_at = self.now + LONGEST_S
        while not done():
            assert self.now < ends_at, f"not within {LONGEST_S:.0f} s: {what}"
            self.turn()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        ends_at = self.now + seconds
        self._write()
        while min(self.cable.next_due(), self.session.deadline) < ends_at:
            self.turn()
        self._pass(max(ends_at, self.now))

    # ---- what a core does

    def connect(self) -> None:
        """Open, and greet, whatever comes of it: somebody may have to press a button first."""
        self.session.opened(self.now)
        self.until(
            lambda: self.session.phase is not Phase.CONNECTING or bool(self.of(WaitingForPerson)),
            "the greeting",
        )
        self.events += self.session.take_events()

    def start(self, lines: Sequence[str]) -> None:
        self.start_raw(line.encode() + b"\n" for line in lines)

    def start_raw(self, raw: Iterable[bytes]) -> None:
        job = JobFile("job", Path("job.gcode"), "job", lines=1, commands=1)
        self.session.start(job, commands(raw), self.now)

    def run(self, lines: Sequence[str]) -> JobEnded:
        """Connect, send all the lines, return how the job ended."""
        self.connect()
        self.start(lines)
        return self.finish()

    def finish(self) -> JobEnded:
        self.until(lambda: self.ended is not None, "the end of the job")
        assert self.ended is not None
        return self.ended

    @property
    def ended(self) -> JobEnded | None:
        ends = self.of(JobEnded)
        assert len(ends) <= 1, "a job ends once"
        return ends[0] if ends else None

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    # ---- what came of it

    @property
    def texts(self) -> list[str]:
        return [ran.text for ran in self.ran]

    @property
    def job_texts(self) -> list[str]:
        """The numbered commands that the stand-in ran and that are not the driver's own."""
        return [r.text for r in self.ran if r.number is not None and r.text not in OURS]


def spoiled(rig: Rig, faults: Faults, direction: str = "both") -> Rig:
    """Make the rig's cable bad from now on."""
    rig.cable.spoil(faults, direction)
    return rig
