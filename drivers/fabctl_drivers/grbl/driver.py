"""The Grbl driver: a serial port, a clock and a file around the pure :class:`Session`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing

from fabctl.clock import Clock
from fabctl.errors import LocalError
from fabctl.ports import DriverEvent, JobFile, MachineProfile, Override, Phase
from fabctl.units import MmPerMin, Seconds
from fabctl_drivers.grbl import realtime, rehearsal
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
        self._settings = settings_of(profile)
        self._session = Session(self._settings)
        self._file = ExitStack()
        self._shell = SerialShell(
            self._url,
            profile.baud,
            clock,
            self._session,
            shout=realtime.HOLD + realtime.RESET,
            let_go=self._file.close,
            keep_running=self._settings.keep_running,
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

    def home(self, axes: str = "") -> None:
        """Home the machine, only in IDLE; CONNECTING until that is done.

        :param axes: letters of XYZ; empty for all. One alone only where the firmware can.
        :raises LocalError: the machine is not idle, or its homing is switched off ($22).
        :raises InputError: there is no such axis, or not alone.
        """
        self._session.home(axes)

    def jog(self, by_mm: Mapping[str, float], feed: MmPerMin) -> None:
        """Move by hand: axis letter to mm, at ``feed`` mm/min; added to jogs under way.

        Checked against the work area where the machine has homed, or was found open with homing
        on: elsewhere nobody knows where it is, and the person beside it decides.

        :raises LocalError: not idle, or the controller takes no more jogs now.
        :raises InputError: the distances or the feed make no sense.
        :raises TargetOutOfRangeError: it would end outside the work area; nothing was sent.
        """
        self._session.jog(by_mm, feed)

    def cancel_jog(self) -> None:
        """End all jogs at once, the position kept; a no-op where none is under way."""
        self._session.cancel_jog()

    def override(self, which: Override, percent: int) -> None:
        """Set feed or spindle to 10 to 200 %, or rapids to 25, 50 or 100 %, while it works.

        Grbl knows only steps: 30 ms each, the last one looked at in a report and corrected.

        :raises InputError: there is no such percentage.
        :raises LocalError: the controller is not connected.
        """
        self._session.override(which, percent, self._clock.monotonic())

    def toggle_coolant(self, name: str) -> None:
        """Turn ``flood`` or ``mist`` on or off while it works.

        :raises InputError: there is none of that name.
        :raises LocalError: the controller is not connected.
        """
        self._session.toggle_coolant(name)

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

    def say(self, line: str) -> None:
        """Say one line that a person typed; the answers come as Heard.

        ``?``, ``!`` and ``~`` alone are real-time characters and go out at once. Lines wait for
        their turn: ``$`` commands until the controller is Idle, EEPROM writers until all before
        them was answered. In BROKEN it takes ``$X``, ``$H`` and what only asks; when one of the
        two was taken and the controller is Idle, the machine is IDLE: a person said so.

        :raises LocalError: the machine is neither idle nor broken, or takes no such line now.
        :raises InputError: nothing to send, more than one line, or too long.
        """
        self._session.say(line)

    def rehearse(self, job: JobFile) -> Iterator[bytes]:
        """Yield every piece that would be written for a job, as :func:`rehearsal.rehearse` says."""
        with closing(raw_lines(job.path)) as raw:
            yield from rehearsal.rehearse(self._settings, job, raw)

    def close(self) -> None:
        """Make the machine safe where the port still allows it, then close the port.

        Takes up to 3 s. What happened is in one last :meth:`pump`.
        """
        self._shell.close()
