"""The Grbl driver's pure session beside the stand-in's pure core, in simulated time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from fabctl.ports import DriverEvent, JobEnded, JobFile, Phase
from fabctl_drivers.grbl.job_lines import job_lines
from fabctl_drivers.grbl.session import Session
from fabctl_drivers.grbl.settings import Settings
from fabctl_sim.cable import Cable
from fabctl_sim.grbl.board import Board
from fabctl_sim.grbl.firmware import Firmware


class GrblHost:
    """Opens at once and is connected when it is made.

    :param stored: settings of the board at its power-up, by their number.
    """

    def __init__(
        self,
        board: Board | None = None,
        settings: Settings | None = None,
        seed: int = 1,
        *,
        stored: Mapping[int, float] = MappingProxyType({}),
    ) -> None:
        self.firmware = Firmware(board or Board())
        for number in sorted(stored, reverse=True):  # $20 needs $22
            self.firmware.machine.eeprom.set(number, stored[number])
        self.firmware.reset(0.0)
        self.cable = Cable(self.firmware, seed)
        self.session = Session(settings or Settings())
        self.events: list[DriverEvent] = []
        self.said = bytearray()
        """All that the driver wrote, before any cable."""
        self.harm: Callable[[bytes], bytes] = bytes
        """What happens to a piece on its way to the board, beside what the cable does."""
        self.now = 0.0
        self.session.opened(self.now)
        self.until(lambda: self.session.phase is Phase.IDLE, 30.0)

    def start(self, lines: Sequence[bytes]) -> None:
        raw = [line + b"\n" for line in lines]
        job = JobFile("job", Path("job.nc"), "job", len(raw), len(raw))
        self.session.start(job, job_lines(raw, self.session.longest_line), self.now)

    def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Let time pass until ``done()``; return whether it came within ``seconds``."""
        end = self.now + seconds
        while not done():
            self._talk()
            due = min(self.session.deadline, self.cable.next_due())
            if due > end or math.isinf(due):
                self.now = max(self.now, min(end, due))
                return done()
            self.now = max(self.now, due)
            self.cable.advance(self.now)
            heard = self.cable.take_output(self.now)
            if heard:
                self.session.receive(heard, self.now)
            if self.now >= self.session.deadline:
                self.session.tick(self.now)
            self.events += self.session.take_events()
        self._talk()
        return True

    def _talk(self) -> None:
        out = self.session.take_output()
        if out:
            self.said += out
            self.cable.receive(self.harm(out), self.now)
        self.events += self.session.take_events()

    @property
    def ended(self) -> JobEnded | None:
        ends = [event for event in self.events if isinstance(event, JobEnded)]
        assert len(ends) <= 1, "a job ends once"
        return ends[0] if ends else None

    def ran(self) -> list[str]:
        """The job's lines that the firmware took."""
        ours = {"$I", "$$", "$#", "$X", "$C", "$H", "G4P0"}
        log = self.firmware.log.since(0)
        return [e["text"] for e in log if e["text"] not in ours and e["answer"] == "ok"]

    @property
    def lost(self) -> int:
        return self.firmware.machine.rx.lost
