"""What a driver is tried with: a stand-in that its author ships, or a port with a machine on it.

Stand-ins are found through the entry-point group ``fabctl.driver_standins``, under the name of
their driver. An entry names a callable that fits :class:`MakeStandIn`. Nothing has to be imported
from fabctl for that: a stand-in shares no code with what it tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

from fabctl.errors import InputError
from fabctl.installed import DRIVERS, all_entry_points, load
from fabctl.ports import MachineKind

STANDINS = "fabctl.driver_standins"


class StandIn(Protocol):
    """A simulated machine that runs now."""

    @property
    def port(self) -> str | None:
        """What the driver is given: a pseudo-terminal, ``socket://…``, ``http://…``; None: none."""

    @property
    def baud(self) -> int:
        """Bits per second, for the profile."""

    @property
    def kind(self) -> str:
        """``printer``, ``mill``, ``laser`` or ``other``."""

    @property
    def options(self) -> Mapping[str, str | int | float | bool]:
        """The driver's own, as in ``lab.toml``."""

    @property
    def job(self) -> str:
        """The text of a file that takes 1 to 10 s; empty: none."""

    @property
    def long_job(self) -> str:
        """One that takes more than 30 s and soon turns on what can be on; empty: none."""

    @property
    def gives_up_within_s(self) -> float:
        """A job must have failed so long after the machine was lost."""

    @property
    def goes_on_alone(self) -> bool:
        """Whether the machine has the whole file and may go on with it when nobody talks to it."""

    def outputs(self) -> Mapping[str, float] | None:
        """What is on: heaters (°C asked for), spindle, laser; 0 is off. None: it cannot tell."""

    def rest(self) -> None:
        """Bring it to rest, as switching it off and on would."""


class MakeStandIn(Protocol):
    """What an entry of ``fabctl.driver_standins`` names."""

    def __call__(self, folder: Path) -> AbstractContextManager[StandIn]:
        """Start one; its files go into ``folder``, whose path is short. It ends with the block."""


@dataclass
class AtPort:
    """A machine on a port that a person named; it can be told nothing but through its driver."""

    port: str | None
    baud: int
    kind: str = MachineKind.OTHER.value
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    job: str = ""
    long_job: str = ""
    gives_up_within_s: float = 30.0
    goes_on_alone: bool = False

    def outputs(self) -> None:
        """Nobody can tell but the person beside it."""

    def rest(self) -> None:
        """Nothing: the next opening makes it safe."""


def known_drivers() -> list[str]:
    """Return the names of the installed drivers."""
    return sorted(all_entry_points(DRIVERS))


def find_standin(driver: str, named: str | None) -> MakeStandIn:
    """Return what makes stand-ins for a driver.

    :param named: ``module:attribute``; without it, the entry point of the driver's name.
    :raises InputError: there is none, or it cannot be imported.
    """
    values = all_entry_points(STANDINS)
    value = named or values.get(driver)
    if value is None:
        raise InputError(
            f"the driver {driver} brings no stand-in",
            next_step=f"name one with --stand-in MODULE:ATTRIBUTE, or a machine with --port; "
            f"there are stand-ins for: {', '.join(sorted(values)) or 'none'}",
        )
    try:
        return cast("MakeStandIn", load(value))
    except (ImportError, AttributeError) as error:
        raise InputError(f"the stand-in {value} cannot be loaded: {error}") from error
