"""A driver on a cable, and calls to it that are timed and judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fabctl.driver_contract.cable import Cable, FarEndError, NoCable, lay_cable
from fabctl.driver_contract.caller import Caller, HungError
from fabctl.driver_contract.clock import BenchClock
from fabctl.driver_contract.results import NotApplicableError, NotReachedError
from fabctl.driver_contract.standin import StandIn
from fabctl.driver_contract.witness import EventWitness, Witness
from fabctl.errors import DeviceError, FabError, InputError, LocalError
from fabctl.ports import Driver, DriverEvent, DriverFactory, MachineKind, MachineProfile, Phase
from fabctl.units import Seconds


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take, in s. The first five are the contract's."""

    open: float = 12.0
    close: float = 6.0
    clear: float = 10.0
    request: float = 3.0
    """start, pause, resume, stop, say: they only note what is wanted."""
    pump: float = 3.0
    """Beyond its timeout."""
    ready: float = 30.0
    """From opening to idle; a board that resets may take 12 s to say its first word."""
    job: float = 90.0
    """For a job or a part of one."""
    silence: float = 2.0
    """How long it is watched that nothing happens."""


class BenchCalls:
    """A driver on a cable that is in our hand, called from one thread.

    :param folder: short and empty; jobs and the near end of the cable go there.
    """

    def __init__(
        self,
        factory: DriverFactory,
        name: str,
        standin: StandIn,
        folder: Path,
        witness: Witness,
        limits: Limits,
    ) -> None:
        self.standin = standin
        self.limits = limits
        self.clock = BenchClock()
        self.events: list[DriverEvent] = []
        self.phase, self.line = Phase.CLOSED, 0
        self._factory = factory
        self.folder = folder
        self._witness = witness
        self.event_witness = EventWitness(witness)
        self._cable = lay_cable(standin.port, folder)
        self._caller = Caller(self._cable.turn)
        self.profile = MachineProfile(
            id="driver-check",
            name="driver-check",
            kind=MachineKind(standin.kind),
            driver=name,
            host="here",
            port=self._cable.port,
            baud=standin.baud,
            options=dict(standin.options),
        )
        self.driver: Driver | None = None

    @property
    def cable(self) -> Cable:
        """The cable.

        :raises NotApplicableError: nobody has it in hand.
        """
        if isinstance(self._cable, NoCable):
            raise NotApplicableError("nothing is between driver and machine that could be cut")
        return self._cable

    @property
    def said(self) -> bytes:
        """What the driver has said to the machine so far, where there is a cable."""
        return bytes(self._cable.said)

    # ---- calls, all from one thread

    def make(self, profile: MachineProfile | None = None) -> Driver:
        """Make a driver, as the host does.

        :raises InputError: it cannot use the profile.
        """
        made = self._call("making it", lambda: self._factory(profile or self.profile, self.clock))
        self.driver = made
        self.look()
        assert self.driver is not None  # noqa: S101  # for mypy
        return self.driver

    def made(self) -> Driver:
        """Return the driver; make it first."""
        return self.driver or self.make()

    def open(self) -> None:
        """Open it.

        :raises DeviceError: there is nothing to open.
        """
        self._ask("open()", self.made().open, self.limits.open, (DeviceError, LocalError))

    def close(self) -> None:
        """Close it."""
        self._ask("close()", self.made().close, self.limits.close, ())

    def clear(self) -> None:
        """A person looked."""
        self._ask("clear()", self.made().clear, self.limits.clear, (LocalError,))

    def ask(self, name: str, *arguments: Any) -> None:
        """Make a request: start, pause, resume, stop, say, jog, ...

        :raises LocalError: the phase does not allow it.
        :raises InputError: what was given makes no sense.
        """
        method = getattr(self.made(), name)
        meant = () if name == "stop" else (LocalError, InputError)
        self._ask(f"{name}()", lambda: method(*arguments), self.limits.request, meant)

    def whatever(
        self, what: str, function: Callable[[], None], meant: tuple[type[FabError], ...]
    ) -> None:
        """Call something else of the driver's."""
        self._ask(what, function, self.limits.request, meant)

    def look(self) -> Phase:
        """Return the phase as it is now."""
        driver = self.made()
        self.phase, self.line = self._call(
            "reading phase and confirmed_line", lambda: (driver.phase, driver.confirmed_line)
        )
        return self.phase

    def pump(self, timeout: float = 0.05) -> Sequence[DriverEvent]:
        """Pump once and take in what was told."""
        driver, limit = self.made(), timeout + self.limits.pump
        events = self._call(f"pump({timeout:g})", lambda: driver.pump(Seconds(timeout)), limit)
        for event in events:
            self.event_witness.heard(event)
        self.events += events
        self.look()
        return list(events)

    def nap(self, seconds: float) -> None:
        """Let time pass without a pump: the host pumps no closed driver."""
        self._caller.call(lambda: time.sleep(seconds), 1.0 + seconds)

    def settle(self) -> None:
        """Close the driver and take in its last words; never raises what a check would."""
        try:
            if self.driver is not None and not self._caller.is_hung:
                self.close()
                self.pump(0.0)
        except NotReachedError:
            pass  # the witness has it
        finally:
            self._caller.end()
            if not isinstance(self._cable, NoCable):
                self._cable.pull()

    # ---- inside

    def _ask(
        self,
        what: str,
        function: Callable[[], None],
        within: float,
        meant: tuple[type[FabError], ...],
    ) -> None:
        try:
            self._call(what, function, within, meant)
        finally:
            if not self._caller.is_hung:
                self.look()

    def _call(
        self,
        what: str,
        function: Callable[[], Any],
        within: float | None = None,
        meant: tuple[type[FabError], ...] = (),
    ) -> Any:
        limit = within or self.limits.request
        try:
            result, took_s = self._caller.call(function, limit)
        except HungError as error:
            raise self._witness.hung(what, limit) from error
        except FarEndError as error:
            raise NotReachedError(str(error)) from error
        except Exception as error:
            self._witness.raised(what, error, meant or self._meant(what))
            raise
        self._witness.returned(what, took_s, limit)
        return result

    def _meant(self, what: str) -> tuple[type[FabError], ...]:
        return (InputError,) if what == "making it" else ()
