"""The Marlin driver: a serial port, a clock and a file around the pure :class:`Session`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing

from fabctl.clock import Clock
from fabctl.errors import LocalError
from fabctl.ports import DriverEvent, JobFile, MachineProfile, Phase
from fabctl.units import MmPerMin, Seconds
from fabctl_drivers.marlin import frames, rehearsal
from fabctl_drivers.marlin.session import Session
from fabctl_drivers.marlin.settings import settings_of
from fabctl_drivers.marlin.shell import MarlinShell
from fabctl_drivers.marlin.talk import command_of
from fabctl_drivers.serial_driver import port_of, raw_lines

CLEAR_PATIENCE_S = Seconds(6.0)


class MarlinDriver:
    """A machine with Marlin on a serial port.

    A request (start, pause, stop, ...) is only noted; the next :meth:`pump` says it.

    :param profile: its port, baud rate, work area and options
        (:data:`fabctl_drivers.marlin.settings.OPTIONS`).
    :raises InputError: there is no port, or an option is wrong.
    """

    def __init__(self, profile: MachineProfile, clock: Clock) -> None:
        self._url = port_of(profile)
        self._clock = clock
        self._settings = settings_of(profile)
        self._session = Session(self._settings)
        self._file = ExitStack()
        self._shell = MarlinShell(self._url, clock, self._session, let_go=self._file.close)

    @property
    def phase(self) -> Phase:
        """What the driver is doing now."""
        return self._session.phase

    @property
    def confirmed_line(self) -> int:
        """Line in the file of the running job's last confirmed command; 0 without one."""
        return self._session.confirmed_line

    def open(self) -> None:
        """Open the port and begin to talk: heaters and fan off first.

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
            lines = frames.commands(opening.enter_context(closing(raw_lines(job.path))))
            self._session.start(job, lines, self._clock.monotonic())
            self._file.push(opening.pop_all())

    def pause(self) -> None:
        """Pause the running job: the tool lifts and parks, heaters stay on.

        :raises LocalError: no job runs.
        """
        self._session.pause(self._clock.monotonic())

    def resume(self) -> None:
        """Go on with a paused job exactly where it was.

        :raises LocalError: no job is paused.
        """
        self._session.resume(self._clock.monotonic())

    def stop(self) -> None:
        """End the job as soon as the firmware lets us, heaters and fan off."""
        self._session.stop(self._clock.monotonic())

    def say(self, line: str) -> None:
        """Say one line that a person typed; the answers come as Heard.

        :raises LocalError: the machine is not idle.
        :raises InputError: nothing to send, more than one line, too long, or an M110.
        """
        self._session.say(command_of(line), self._clock.monotonic())

    def rehearse(self, job: JobFile) -> Iterator[bytes]:
        """Yield every piece that would be written for a job, as :func:`rehearsal.rehearse` says."""
        with closing(raw_lines(job.path)) as raw:
            yield from rehearsal.rehearse(self._settings, job, raw)

    def home(self, axes: str = "") -> None:
        """Home ``axes`` (letters of XYZ; empty for all), only in IDLE.

        :raises LocalError: the machine is not idle.
        :raises InputError: there is no such axis.
        """
        self._session.home(axes, self._clock.monotonic())

    def jog(self, by_mm: Mapping[str, float], feed: MmPerMin) -> None:
        """Move by so many mm per axis, only in IDLE, after :meth:`home`, inside the work area.

        :raises LocalError: not idle, not homed, the last jog has not ended, or no work area.
        :raises TargetOutOfRangeError: it would end outside; nothing was sent.
        """
        self._session.jog(by_mm, feed, self._clock.monotonic())

    def emergency(self) -> None:
        """Halt the firmware with M112 where it has EMERGENCY_PARSER; else the same as stop.

        This is no emergency stop: it needs this computer, the cable and a firmware that listens.
        Without EMERGENCY_PARSER the moves in the planner still run. The red button does not wait.
        After M112 the machine is BROKEN until it was switched off and on and a person cleared it.
        """
        self._session.emergency(self._clock.monotonic())

    def clear(self) -> None:
        """A person looked at a broken machine and says that it may be used again.

        Takes up to 6 s where the firmware has to be asked whether it is there.

        :raises LocalError: the port is not open, or the firmware does not answer.
        """
        if not self._shell.is_open:
            raise LocalError(
                "the port is not open",
                device=self._url,
                next_step="check the cable and the machine's power",
            )
        now = self._clock.monotonic()
        if not self._session.is_alive(now):
            self._session.greet_again(now)
            self._shell.exchange_until(self._session.is_alive, CLEAR_PATIENCE_S)
        self._session.clear(self._clock.monotonic())

    def close(self) -> None:
        """Make the machine safe where the port still allows it, then close the port.

        Takes up to 3 s. What happened is in one last :meth:`pump`.
        """
        self._shell.close()
