"""One driver, one cable, and the hand that works both: what a check is given."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from fabctl.driver_contract.cable import Cable, NoCable, lay_cable
from fabctl.driver_contract.caller import Caller, HungError
from fabctl.driver_contract.clock import BenchClock
from fabctl.driver_contract.job_text import job_file
from fabctl.driver_contract.results import (
    FailedError,
    NotApplicableError,
    NotReachedError,
    expect,
)
from fabctl.driver_contract.standin import StandIn
from fabctl.driver_contract.witness import EventWitness, Witness
from fabctl.errors import DeviceError, FabError, InputError, LocalError
from fabctl.ports import (
    Driver,
    DriverEvent,
    DriverFactory,
    JobEnded,
    JobFile,
    MachineKind,
    MachineProfile,
    Phase,
    PhaseChanged,
    WatchedOnly,
)
from fabctl.units import Seconds

Event = TypeVar("Event", bound=DriverEvent)
AT_REST = {Phase.CLOSED, Phase.IDLE, Phase.BROKEN}
UNDER_WAY = {Phase.RUNNING, Phase.PAUSING, Phase.PAUSED, Phase.STOPPING}


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


class Bench:
    """A driver on a cable that is in our hand.

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
        self._folder = folder
        self._jobs = 0
        self._witness = witness
        self._event_witness = EventWitness(witness)
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

    # ---- what there is

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

    def of(self, kind: type[Event]) -> list[Event]:
        """Return the events of one kind, oldest first."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def reasons(self) -> str:
        """Why the phase changed, for a message."""
        return "; ".join(e.reason for e in self.of(PhaseChanged) if e.reason) or "no reason told"

    def sends_files(self) -> None:
        """Go on if this driver takes jobs.

        :raises NotApplicableError: it only watches.
        """
        if isinstance(self.made(), WatchedOnly):
            raise NotApplicableError("this driver sends nothing to its machine")

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

    def ask(self, name: str, *arguments: Any) -> None:  # noqa: ANN401  # whatever the request takes
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
            self._event_witness.heard(event)
        self.events += events
        self.look()
        return list(events)

    # ---- longer ways

    def pump_for(self, seconds: float) -> None:
        """Pump for so long."""
        end = self.clock.monotonic() + seconds
        while (left := end - self.clock.monotonic()) > 0:
            if self.phase is Phase.CLOSED:
                nap = min(left, 0.05)
                self._caller.call(lambda: time.sleep(nap), 1.0 + nap)
            else:
                self.pump(min(left, 0.1))

    def until(self, holds: Callable[[], bool], what: str, within: float) -> None:
        """Pump until something holds.

        :raises FailedError: it does not, in time.
        """
        end = self.clock.monotonic() + within
        while not holds():
            told = self.events[-1] if self.events else "nothing"
            expect(
                self.clock.monotonic() < end,
                f"not within {within:g} s: {what}; it is {self.phase}, told last: {told}",
            )
            self.pump()

    def connect(self) -> None:
        """Open, and wait until the machine is idle; a broken one is cleared, as a person would.

        :raises NotReachedError: it does not become idle.
        """
        try:
            self.open()
            self.until(lambda: self.phase in AT_REST | {Phase.RUNNING}, "ready", self.limits.ready)
            if self.phase is Phase.RUNNING:
                self.ask("stop")
                self.until(lambda: self.phase in AT_REST, "stopped", self.limits.ready)
            if self.phase is Phase.BROKEN:
                self.clear()
            self.until(lambda: self.phase is Phase.IDLE, "idle", self.limits.ready)
        except (FailedError, FabError) as error:
            raise NotReachedError(f"the machine did not become idle: {error}") from error
        self.pump(0.0)
        self._event_witness.phase_told(self._told(), self.phase)

    def start(self, text: str) -> JobFile:
        """Connect if need be, and start a job of this text.

        :raises NotApplicableError: there is no such job, or this driver takes none.
        """
        self.sends_files()
        if not text:
            raise NotApplicableError("no job was given to try it with")
        if self.phase is Phase.CLOSED:
            self.connect()
        job = self.job(text)
        try:
            self.ask("start", job)
        except FabError as error:
            raise NotReachedError(f"the job was not taken: {error}") from error
        return job

    def job(self, text: str) -> JobFile:
        """Write a job's file."""
        self._jobs += 1
        job = job_file(self._folder, f"job-{self._jobs}", text)
        self._event_witness.given(job)
        return job

    def start_and_wait(self, text: str) -> JobFile:
        """Start a job and wait until some of it is confirmed.

        :raises NotReachedError: it ended before that.
        """
        job = self.start(text)
        self.until(lambda: self.line >= 1 or bool(self.ends(job)), "progress", self.limits.job)
        if self.ends(job):
            raise NotReachedError(f"the job ended at once: {self.ends(job)[0]}")
        return job

    def ends(self, job: JobFile) -> list[JobEnded]:
        """Return the ends of a job that were told."""
        return [event for event in self.of(JobEnded) if event.job == job.id]

    def until_ended(self, job: JobFile, within: float | None = None) -> JobEnded:
        """Wait for a job's end.

        :raises FailedError: it does not come.
        """
        self.until(lambda: bool(self.ends(job)), "the end of the job", within or self.limits.job)
        return self.ends(job)[0]

    def refuses(self, kinds: tuple[type[FabError], ...], name: str, *arguments: Any) -> None:  # noqa: ANN401  # see ask
        """See that a request is refused, and how.

        :raises FailedError: it is taken, or refused with another error.
        """
        wanted = " or ".join(kind.__name__ for kind in kinds)
        try:
            self.ask(name, *arguments)
        except kinds:
            return
        except FabError as error:
            raise FailedError(f"{name}() raised {type(error).__name__}, not {wanted}") from error
        raise FailedError(f"{name}() was taken in phase {self.phase}; {wanted} was due")

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

    def _told(self) -> Phase:
        changes = self.of(PhaseChanged)
        return changes[-1].phase if changes else Phase.CLOSED

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
    ) -> Any:  # noqa: ANN401  # whatever the driver returns
        limit = within or self.limits.request
        try:
            result, took_s = self._caller.call(function, limit)
        except HungError as error:
            raise self._witness.hung(what, limit) from error
        except Exception as error:
            self._witness.raised(what, error, meant or self._meant(what))
            raise
        self._witness.returned(what, took_s, limit)
        return result

    def _meant(self, what: str) -> tuple[type[FabError], ...]:
        return (InputError,) if what == "making it" else ()


def without_port(profile: MachineProfile) -> MachineProfile:
    """Return the profile of a machine whose port somebody forgot."""
    return replace(profile, port=None)
