"""A driver on a real pseudo-terminal, the stand-in at its other end, and all events so far."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from fabctl.clock import SystemClock
from fabctl.ports import (
    DriverEvent,
    JobEnded,
    JobFile,
    MachineKind,
    MachineProfile,
    Phase,
    PhaseChanged,
    WorkArea,
)
from fabctl.units import Seconds
from fabctl_drivers.grbl.driver import GrblDriver
from fabctl_drivers.marlin.driver import MarlinDriver
from fabctl_sim.control import SimControl
from fabctl_sim.process import SimProcess
from tests.fair_time import FairWatch

PATIENCE_S = 60.0

Event = TypeVar("Event", bound=DriverEvent)
AnyDriver = TypeVar("AnyDriver", MarlinDriver, GrblDriver)


class PtyBench(ABC, Generic[AnyDriver]):
    """What is done on both benches.

    :param folder: a short path: Unix sockets take no long ones.
    :param words: for the stand-in's command line.
    :param options: of the driver.
    """

    DIALECT: ClassVar[str]
    KIND: ClassVar[MachineKind]
    BAUD: ClassVar[int]
    AREA: ClassVar[WorkArea | None] = None
    JOB: ClassVar[str]
    driver: AnyDriver

    def __init__(
        self, folder: Path, words: tuple[str, ...], options: Mapping[str, str | bool]
    ) -> None:
        self.folder = folder
        self.sim = SimProcess(folder, "--boot", "0.2", *words, controller=self.DIALECT).start()
        self.control: SimControl = self.sim.control()
        self.events: list[DriverEvent] = []
        self.options = options
        self.driver = self.new_driver()

    def watch(self) -> FairWatch:
        """Measure how long the driver, here, and the stand-in take."""
        return FairWatch(lambda: [self.sim.pid])

    @abstractmethod
    def new_driver(self) -> AnyDriver:
        """A driver that has not opened the port yet."""

    def profile(self) -> MachineProfile:
        return MachineProfile(
            id="machine-a",
            name="Machine A",
            kind=self.KIND,
            driver=self.DIALECT,
            host="here",
            port=str(self.sim.port),
            baud=self.BAUD,
            work_area=self.AREA,
            options=self.options,
        )

    def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"not in time: {what}; {self.events[-5:]}"
            self.events += self.driver.pump(Seconds(0.05))

    def until_phase(self, phase: Phase) -> None:
        self.until(lambda: self.driver.phase is phase, phase.value)
        self.events += self.driver.pump(Seconds(0.0))

    def until_ended(self) -> JobEnded:
        self.until(lambda: bool(self.of(JobEnded)), "the end of the job")
        (ended,) = self.of(JobEnded)
        return ended

    def connect(self, phase: Phase = Phase.IDLE) -> None:
        self.driver.open()
        self.until_phase(phase)

    def start(self, *lines: str) -> None:
        path = self.folder / self.JOB
        path.write_text("".join(f"{line}\n" for line in lines))
        self.start_file(path, len(lines))

    def start_file(self, path: Path, commands: int) -> None:
        self.driver.start(JobFile("job-1", path, path.name, commands, commands))

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def reasons(self) -> str:
        return "\n".join(e.reason for e in self.of(PhaseChanged) if e.reason)

    def close(self) -> None:
        self.driver.close()
        self.control.close()
        self.sim.end()


class MarlinBench(PtyBench[MarlinDriver]):
    """A printer."""

    DIALECT, KIND, BAUD, JOB = "marlin", MachineKind.PRINTER, 250_000, "job.gcode"
    AREA = WorkArea((0, 250), (0, 210), (0, 210))

    def new_driver(self) -> MarlinDriver:
        return MarlinDriver(self.profile(), SystemClock())

    def ran(self) -> list[str]:
        return self.control.texts(numbered_only=False)


class GrblBench(PtyBench[GrblDriver]):
    """A mill."""

    DIALECT, KIND, BAUD, JOB = "grbl", MachineKind.MILL, 115_200, "job.nc"
    OURS: ClassVar[frozenset[str]] = frozenset({"$I", "$$", "$#", "$X", "$C", "$H", "G4P0"})

    def new_driver(self) -> GrblDriver:
        return GrblDriver(self.profile(), SystemClock())

    def until_state(self, state: str) -> None:
        self.until(lambda: self.control.status()["state"] == state, state)

    def ran(self) -> list[str]:
        return [text for text in self.control.texts() if text not in self.OURS]

    def position(self) -> list[float]:
        found: list[float] = self.control.status()["position"]
        return found

    def lost_bytes(self) -> int:
        return int(self.control.status()["overrun_bytes"])


MakeMarlin = Callable[..., MarlinBench]
MakeGrbl = Callable[..., GrblBench]
