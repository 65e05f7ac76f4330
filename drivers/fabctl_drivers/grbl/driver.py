"""The Grbl driver: a serial port, a clock and a file around the pure :class:`Session`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing

from fabctl.clock import Clock
from fabctl.errors import LocalError
from fabctl.ports import DriverEvent, JobFile, MachineProfile, Phase
from fabctl.units import MmPerMin, Seconds
from fabctl_drivers.grbl import realtime
from fabctl_drivers.grbl.job_lines import job_lines
from fabctl_drivers.grbl.session import Session
from fabctl_drivers.grbl.settings import settings_of
from fabctl_drivers.serial_driver import SerialShell, port_of, raw_lines

CLEAR_PATIENCE_S = Seconds(6.0)


class GrblDriver:
    """A machine with Grbl 1.1, grblHAL or FluidNC on a serial port.

    A request (start, pause, stop, ...) is only noted; the next :meth:`pump` says it.

    :param profile: its port, baud rate and options
        (:data:`fabctl_drivers.grbl.settings.OPTIONS`).
    :raises InputError: there is no port, or an option is wrong.
    """

    def __init__(self, profile: MachineProfile, clock: Clock) -> None:
        self._url = port_of(profile)
        self._clock = clock
        self._session = Session(settings_of(profile))
        self._file = ExitStack()
        self._shell = SerialShell(
            self._url,
            profile.baud,
            clock,
            self._session,
            shout=realtime.HOLD + realtime.RESET,
            let_go=self._file.close,
        )

    @property
    def phase(self) -> Phase:
        """What the driver is doing now."""
        return self._session.phase

    @property
    def confirmed_line(self) -> int:
        """Line in the file of the running job's last confirmed command; 0 without one."""
        return self._session.confirmed_line

    def open(self) -> None:
        """Open the port and begin to talk: bring the machine to rest and reset it first.

        :raises DeviceError: the port is absent, busy or forbidden.
        :raises LocalError: it is open already.
        """
        self._shell.open()

    def pump(self, timeout: Seconds) -> Sequence[DriverEvent]:
        """Read, decide, write; return what happened, after at most ``timeout`` s if nothing did."""
        return self._shell.pump(timeout)

    def wake(self) -> None:
        """End a waiting pump early. Safe from any thread and from a signal handler."""
        self._shell.wake()

    def start(self, job: JobFile) -> None:
        """Begin a job.

        :raises LocalError: the machine is not idle.
        :raises InputError: the file cannot be read.
        """
        if self.phase is Phase.IDLE:
            self._file.close()  # the one of the job before
        with ExitStack() as opening:
            raw = opening.enter_context(closing(raw_lines(job.path)))
            lines = job_lines(raw, self._session.longest_line)
            self._session.start(job, lines, self._clock.monotonic())
            self._file.push(opening.pop_all())

    def pause(self) -> None:
        """Hold the machine where it is; a laser goes off, a spindle turns on.

        :raises LocalError: no job runs.
        """
        self._session.pause(self._clock.monotonic())

    def resume(self) -> None:
        """Go on with a paused job exactly where it was; after a door, too.

        :raises LocalError: no job is paused, the door is open, or the machine still slows down.
        """
        self._session.resume(self._clock.monotonic())

    def stop(self) -> None:
        """End the job: hold, then reset. Spindle, laser and coolant go off; the position stays."""
        self._session.stop(self._clock.monotonic())

    def home(self) -> None:
        """Home the machine; CONNECTING until that is done.

        :raises LocalError: the machine is not idle.
        """
        self._session.home()

    def jog(self, distances_mm: Mapping[str, float], feed: MmPerMin) -> None:
        """Move by hand: axis letter to mm, at ``feed`` mm/min; added to jogs under way.

        :raises LocalError: a job runs, or the controller takes no more jogs now.
        :raises InputError: the distances or the feed make no sense.
        """
        self._session.jog(distances_mm, feed)

    def cancel_jog(self) -> None:
        """End all jogs at once."""
        self._session.cancel_jog()

    def override(self, name: str) -> None:
        """Change feed, rapids, spindle or coolant while it works.

        :param name: one of :data:`fabctl_drivers.grbl.by_hand.OVERRIDES`.
        :raises InputError: there is none of that name.
        :raises LocalError: the controller is not connected.
        """
        self._session.override(name)

    def clear(self) -> None:
        """A person looked at a broken machine and says that it may be used again.

        Takes up to 6 s. A locked machine is unlocked ($X), or homed with ``clear_by = "home"``:
        then it is CONNECTING until that is done.

        :raises LocalError: the port is not open, the controller does not answer or stays locked.
        """
        if not self._shell.is_open:
            raise LocalError(
                "the port is not open",
                device=self._url,
                next_step="check the cable and the machine's power",
            )
        session = self._session
        session.begin_clear(self._clock.monotonic())
        self._shell.exchange_until(session.go_on_clearing, CLEAR_PATIENCE_S)
        session.clear(self._clock.monotonic())

    def say(self, line: str) -> None:  # noqa: ARG002  # the protocol's signature
        """Refuse: this driver takes no single lines yet.

        :raises LocalError: always.
        """
        raise LocalError("the driver grbl takes no single lines yet", device=self._url)

    def close(self) -> None:
        """Make the machine safe where the port still allows it, then close the port.

        Takes up to 3 s. What happened is in one last :meth:`pump`.
        """
        self._shell.close()
