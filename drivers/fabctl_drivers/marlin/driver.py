"""The Marlin driver: a serial port, a clock and a file around the pure :class:`Session`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress

from fabctl.clock import Clock
from fabctl.errors import DeviceError, LocalError, PortLostError
from fabctl.ports import DriverEvent, JobFile, MachineProfile, Phase
from fabctl.units import MmPerMin, Seconds
from fabctl_drivers.marlin import frames, rehearsal, safety
from fabctl_drivers.marlin.session import Session
from fabctl_drivers.marlin.settings import settings_of
from fabctl_drivers.marlin.talk import command_of
from fabctl_drivers.serial_driver import CLOSE_PATIENCE_S, port_of, raw_lines
from fabctl_drivers.serial_port import Nap, SerialPort

CLEAR_PATIENCE_S = Seconds(6.0)
RETURN_S, RETURN_EVERY_S = Seconds(10.0), Seconds(0.2)
"""How long a port may be away while we connect, and how often we look for it."""


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
        self._port: SerialPort | None = None
        self._gone: PortLostError | None = None
        self._gone_until = 0.0
        self._file = ExitStack()
        self._nap = Nap()

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
        if self._port is not None or self._gone is not None:
            raise LocalError("the port is open already", device=self._url)
        self._port = SerialPort.open(self._url, self._session.baud)
        self._session.opened(self._clock.monotonic())

    def pump(self, timeout: Seconds) -> Sequence[DriverEvent]:
        """Read, decide, write; return what happened, after at most ``timeout`` s if nothing did."""
        session = self._session
        now = self._clock.monotonic()
        ends_at = now + timeout
        if self._gone is not None:
            self._look_for_the_port(self._gone, timeout)
        while self._port is not None and not session.has_events:
            now = self._exchange(self._port, Seconds(min(session.deadline, ends_at) - now))
            if now >= ends_at or self._woken:
                break
        self._woken = False
        if session.wants_close and self._port is not None:
            self._shout()
            self._let_go()
        return session.take_events()

    _woken = False

    def wake(self) -> None:
        """End a waiting pump early. Safe from any thread and from a signal handler."""
        self._woken = True
        self._nap.wake()
        port = self._port
        if port is not None:
            port.wake()

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
            self._file = opening.pop_all()

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
        if self._port is None:
            raise LocalError(
                "the port is not open",
                device=self._url,
                next_step="check the cable and the machine's power",
            )
        now = self._clock.monotonic()
        if not self._session.is_alive(now):
            self._session.greet_again(now)
            self._exchange_until(self._session.is_alive, CLEAR_PATIENCE_S)
        self._session.clear(self._clock.monotonic())

    def close(self) -> None:
        """Make the machine safe where the port still allows it, then close the port.

        Takes up to 3 s. What happened is in one last :meth:`pump`.
        """
        if self._port is not None:
            self._session.stop(self._clock.monotonic())
            self._exchange_until(lambda _: not self._session.may_become_safe, CLOSE_PATIENCE_S)
        if self._gone is not None:
            self._gone = None
            self._session.closed(self._clock.monotonic())
        if self._port is not None:
            if not self._session.is_safe:
                self._shout()
            self._session.closed(self._clock.monotonic())
            self._let_go()

    # ---- input and output

    def _exchange(self, port: SerialPort, timeout: Seconds) -> Seconds:
        """Write what is to be said, wait for bytes or for the timeout, take them in.

        :returns: the time now, on the monotonic clock.
        """
        session, monotonic = self._session, self._clock.monotonic
        self._write()
        session.look_ahead()
        try:
            data = port.read(timeout)
        except PortLostError as error:
            self._lose(error)
            return monotonic()
        now = monotonic()
        if data:
            session.receive(data, now)
        if now >= session.deadline:
            baud = session.baud
            session.tick(now)
            if session.baud != baud:
                self._change_baud()
        self._write()
        return now

    def _change_baud(self) -> None:
        """Nobody answered at this rate: open the port anew with the next."""
        if self._port is not None:
            self._port.close()
        try:
            self._port = SerialPort.open(self._url, self._session.baud)
        except DeviceError as error:
            self._port = None
            self._session.port_lost(error.what, self._clock.monotonic())

    def _look_for_the_port(self, gone: PortLostError, timeout: Seconds) -> None:
        """Try to open a port that vanished while we greeted: boards with USB of their own do so."""
        self._nap.wait(min(timeout, RETURN_EVERY_S))
        now = self._clock.monotonic()
        try:
            self._port = SerialPort.open(self._url, self._session.baud)
        except DeviceError:
            if now >= self._gone_until:
                self._gone = None
                self._session.port_lost(gone.what, now)
        else:
            self._gone = None
            self._session.greet_again(now)

    def _exchange_until(self, done: Callable[[float], bool], patience: Seconds) -> None:
        now = self._clock.monotonic()
        ends_at = now + patience
        while self._port is not None and now < ends_at and not done(now):
            wait = min(self._session.deadline, ends_at) - now
            now = self._exchange(self._port, Seconds(wait))

    def _write(self) -> None:
        out = self._session.take_output()
        if out and self._port is not None:
            try:
                self._port.write(out)
            except PortLostError as error:
                self._lose(error)

    def _shout(self) -> None:
        """Say without waiting what makes the machine safe: nobody will listen to the answer."""
        if self._port is not None:
            with suppress(DeviceError):  # a port that fails now is closed next
                self._port.write(safety.shout())

    def _lose(self, error: PortLostError) -> None:
        if self.phase is Phase.CONNECTING:
            self._gone = error
            self._gone_until = self._clock.monotonic() + RETURN_S
            self._let_go()
            return
        self._session.port_lost(error.what, self._clock.monotonic())
        self._let_go()

    def _let_go(self) -> None:
        if self._port is not None:
            self._port.close()
        self._port = None
        self._file.close()
