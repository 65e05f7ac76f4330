"""The stand-ins that ``fabctl driver-check`` tries the drivers ``marlin`` and ``grbl`` with.

Entry points of the group ``fabctl.driver_standins``; what they must offer is said in fabctl's
docs/driver-development.md. Nothing of fabctl is imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fabctl_sim.process import SimProcess

QUICK = ("--boot", "0.1", "--no-reset-on-open")
"""Without a reset at opening: what was on stays on, and the driver has to turn it off."""


def _moves(count: int, first: int = 0) -> str:
    places = (f"X{5 + n % 4 * 9} Y{5 + (n + first) % 3 * 9}" for n in range(count))
    return "".join(f"G1 {place} F3000\n" for place in places)


@dataclass
class SimulatedMachine:
    """A running stand-in, and the files for it."""

    process: SimProcess
    baud: int
    kind: str
    job: str
    long_job: str
    switches: Mapping[str, str]
    """Of its status → the name of what is on."""
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    gives_up_within_s: float = 10.0
    goes_on_alone: bool = False

    @property
    def port(self) -> str:
        """Its pseudo-terminal."""
        return str(self.process.port)

    def outputs(self) -> Mapping[str, float]:
        """Return what is on; 0 is off."""
        with self.process.control() as control:
            status = control.status()
        return {name: _number(status[key]) for key, name in self.switches.items()}

    def rest(self) -> None:
        """Pull its reset line."""
        with self.process.control() as control:
            control.reset()


def _number(value: object) -> float:
    """Return 0 for what is off: 0, ``M5``."""
    return float(value) if isinstance(value, int | float) else float(value != "M5")


@contextmanager
def marlin(folder: Path) -> Iterator[SimulatedMachine]:
    """A printer with Marlin, four times as fast as a real one."""
    heat = "M140 S60\nM104 S200\n"
    with SimProcess(folder, *QUICK, "--factor", "4") as process:
        yield SimulatedMachine(
            process,
            baud=250_000,
            kind="printer",
            job="G28\nG90\n; a comment\n" + _moves(25),
            long_job="G28\nG90\n" + heat + _moves(2000),
            switches={"nozzle_target_c": "nozzle", "bed_target_c": "bed", "fan": "fan"},
        )


@contextmanager
def grbl(folder: Path) -> Iterator[SimulatedMachine]:
    """A mill with Grbl, eight times as fast as a real one."""
    with SimProcess(folder, *QUICK, "--factor", "8", controller="grbl") as process:
        yield SimulatedMachine(
            process,
            baud=115_200,
            kind="mill",
            job="G21 G90\n(a comment)\nM3 S500\n" + _moves(30) + "M5\n",
            long_job="G21 G90\nM3 S500\n" + _moves(2000) + "M5\n",
            switches={"spindle": "spindle", "power": "power"},
        )
