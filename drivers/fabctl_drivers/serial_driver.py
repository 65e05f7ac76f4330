"""The I/O shell of a driver on a serial port: a port, a clock and a file round a pure session."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from fabctl.clock import Clock
from fabctl.errors import DeviceError, InputError, LocalError, PortLostError
from fabctl.ports import DriverEvent, MachineProfile, Phase
from fabctl.units import Seconds
from fabctl_drivers.serial_port import SerialPort

LONGEST_RAW_LINE = 65536
"""Bytes of one line of a file, comment included; a file with longer ones is not G-code."""
CLOSE_PATIENCE_S = Seconds(3.0)


class PureSession(Protocol):
    """What the shell needs of a session. Nothing in it reads a clock or a port."""

    wants_close: bool

    @property
    def phase(self) -> Phase:
        """What the machine is doing."""

    @property
    def has_events(self) -> bool:
        """Whether there is something to take."""

    @property
    def deadline(self) -> float:
        """When to tick."""

    @property
    def is_safe(self) -> bool:
        """Whether nothing is on, confirmed."""

    @property
    def is_settling(self) -> bool:
        """Whether it is worth to wait for is_safe."""

    def opened(self, now: float) -> None:
        """The port is open."""

    def receive(self, data: bytes, now: float) -> None:
        """Bytes came."""

    def tick(self, now: float) -> None:
        """The deadline came."""

    def take_output(self) -> bytes:
        """Return what to write."""

    def take_events(self) -> list[DriverEvent]:
        """Return what happened."""

    def port_lost(self, reason: str, now: float) -> None:
        """The port is gone."""

    def stop(self, now: float) -> None:
        """Make it safe."""

    def closed(self, now: float) -> None:
        """The port is closed."""


AnySession = TypeVar("AnySession", bound=PureSession)


def port_of(profile: MachineProfile) -> str:
    """Return the port's name.

    :raises InputError: the profile has none.
    """
    if profile.port is None:
        raise InputError(
            f"the driver {profile.driver} needs a port",
            device=profile.id,
            next_step='give the machine port = "/dev/serial/by-id/…"',
        )
    return profile.port


class SerialShell(Generic[AnySession]):
    """Moves bytes between a port and a session, and tells the session the time.

    :param shout: what to write without waiting where nobody will listen to the answer.
    :param let_go: called when the port was closed.
    :param keep_running: do not reset the board when the port closes.
    """

    def __init__(
        self,
        url: str,
        baud: int,
        clock: Clock,
        session: AnySession,
        *,
        shout: bytes,
        let_go: Callable[[], None],
        keep_running: bool = False,
    ) -> None:
        self._url = url
        self._baud = baud
        self._clock = clock
        self._session = session
        self._shout_bytes = shout
        self._on_let_go = let_go
        self._keep_running = keep_running
        self._port: SerialPort | None = None
        self._woken = False

    @property
    def is_open(self) -> bool:
        """Whether the port is open."""
        return self._port is not None

    def open(self) -> None:
        """Open the port and begin to talk.

        :raises DeviceError: the port is absent, busy or forbidden.
        :raises LocalError: it is open already.
        """
        if self._port is not None:
            raise LocalError("the port is open already", device=self._url)
        self._port = self._new_port()
        self._session.opened(self._clock.monotonic())

    def pump(self, timeout: Seconds) -> Sequence[DriverEvent]:
        """Read, decide, write; return what happened, after at most ``timeout`` s if nothing did."""
        session = self._session
        now = self._clock.monotonic()
        ends_at = now + timeout
        while self._port is not None and not session.has_events:
            now = self._exchange(self._port, Seconds(min(session.deadline, ends_at) - now))
            if now >= ends_at or self._woken:
                break
        self._woken = False
        if session.wants_close and self._port is not None:
            self._shout()
            self._let_go()
        return session.take_events()

    def wake(self) -> None:
        """End a waiting pump early. Safe from any thread and from a signal handler."""
        self._woken = True
        port = self._port
        if port is not None:
            port.wake()

    def close(self) -> None:
        """Make the machine safe where the port still allows it, then close the port; up to 3 s."""
        session = self._session
        if self._port is not None:
            session.stop(self._clock.monotonic())
            self.exchange_until(lambda _: not session.is_settling, CLOSE_PATIENCE_S)
        if self._port is not None:
            if not session.is_safe:
                self._shout()
            session.closed(self._clock.monotonic())
            self._let_go()

    def exchange_until(self, done: Callable[[float], bool], patience: Seconds) -> None:
        """Go on until ``done(now)``, for ``patience`` at most, or until the port is gone."""
        now = self._clock.monotonic()
        ends_at = now + patience
        while self._port is not None and now < ends_at and not done(now):
            wait = min(self._session.deadline, ends_at) - now
            now = self._exchange(self._port, Seconds(wait))

    def _new_port(self) -> SerialPort:
        return SerialPort.open(self._url, self._baud, keep_running=self._keep_running)

    def _exchange(self, port: SerialPort, timeout: Seconds) -> Seconds:
        """Write what is to be said, wait for bytes or for the timeout, take them in."""
        session, monotonic = self._session, self._clock.monotonic
        self._write()
        self._meanwhile()
        try:
            data = port.read(timeout)
        except PortLostError as error:
            self._lose(error)
            return monotonic()
        now = monotonic()
        if data:
            session.receive(data, now)
        if now >= session.deadline:
            self._tick(now)
        self._write()
        return now

    def _meanwhile(self) -> None:
        """What can be done while the firmware is at work: nothing, unless a dialect knows more."""

    def _tick(self, now: float) -> None:
        self._session.tick(now)

    def _write(self) -> None:
        out = self._session.take_output()
        if out and self._port is not None:
            try:
                self._port.write(out)
            except PortLostError as error:
                self._lose(error)

    def _shout(self) -> None:
        if self._port is not None:
            with suppress(DeviceError):  # a port that fails now is closed next
                self._port.write(self._shout_bytes)

    def _lose(self, error: PortLostError) -> None:
        self._session.port_lost(error.what, self._clock.monotonic())
        self._let_go()

    def _let_go(self) -> None:
        if self._port is not None:
            self._port.close()
        self._port = None
        self._on_let_go()


def raw_lines(path: Path) -> Generator[bytes, None, None]:
    """Yield the lines of a file, never the whole file.

    :raises InputError: it cannot be read, or a line of it is no line.
    """
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(iter(partial(file.readline, LONGEST_RAW_LINE), b"")):
                if len(raw) == LONGEST_RAW_LINE and not raw.endswith(b"\n"):
                    raise InputError(f"line {number + 1} does not end; this is no G-code")
                yield raw
    except OSError as error:
        raise InputError(f"the file cannot be read: {error}", device=str(path)) from error
