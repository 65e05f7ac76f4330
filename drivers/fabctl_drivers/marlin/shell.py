"""What a Marlin machine needs of its port beyond the others. Input and output.

The baud rate may have to be found out, lines are numbered while the firmware is at work, and a
board with USB of its own takes its port away while it resets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fabctl.clock import Clock
from fabctl.errors import DeviceError, LocalError, PortLostError
from fabctl.ports import DriverEvent, Phase
from fabctl.units import Seconds
from fabctl_drivers.marlin import safety
from fabctl_drivers.marlin.session import Session
from fabctl_drivers.serial_driver import SerialShell
from fabctl_drivers.serial_port import Nap

RETURN_S, RETURN_EVERY_S = Seconds(10.0), Seconds(0.2)
"""How long a port may be away while we connect, and how often we look for it."""


class MarlinShell(SerialShell[Session]):
    """Moves bytes between a port and a session, and waits for a port that left while we greeted."""

    def __init__(
        self, url: str, clock: Clock, session: Session, *, let_go: Callable[[], None]
    ) -> None:
        super().__init__(url, session.baud, clock, session, shout=safety.shout(), let_go=let_go)
        self._gone: PortLostError | None = None
        self._gone_until = 0.0
        self._nap = Nap()

    def open(self) -> None:
        """Open the port and begin to talk.

        :raises DeviceError: the port is absent, busy or forbidden.
        :raises LocalError: it is open already.
        """
        if self._gone is not None:
            raise LocalError("the port is open already", device=self._url)
        self._baud = self._session.baud
        super().open()

    def pump(self, timeout: Seconds) -> Sequence[DriverEvent]:
        """Read, decide, write; return what happened, after at most ``timeout`` s if nothing did."""
        if self._gone is None:
            return super().pump(timeout)
        ends_at = self._clock.monotonic() + timeout
        self._look_for_the_port(self._gone, timeout)
        return super().pump(Seconds(ends_at - self._clock.monotonic()))

    def wake(self) -> None:
        """End a waiting pump early. Safe from any thread and from a signal handler."""
        super().wake()
        self._nap.wake()

    def close(self) -> None:
        """Make the machine safe where the port still allows it, then close the port; up to 3 s."""
        super().close()
        if self._gone is not None:
            self._gone = None
            self._session.closed(self._clock.monotonic())

    # ---- input and output

    def _meanwhile(self) -> None:
        self._session.look_ahead()

    def _tick(self, now: float) -> None:
        super()._tick(now)
        if self._session.baud != self._baud:
            self._change_baud()

    def _change_baud(self) -> None:
        """Nobody answered at this rate: open the port anew with the next."""
        if self._port is not None:
            self._port.close()
        self._baud = self._session.baud
        try:
            self._port = self._new_port()
        except DeviceError as error:
            self._port = None
            self._session.port_lost(error.what, self._clock.monotonic())

    def _lose(self, error: PortLostError) -> None:
        if self._session.phase is not Phase.CONNECTING:
            super()._lose(error)
            return
        self._gone = error
        self._gone_until = self._clock.monotonic() + RETURN_S
        self._let_go()

    def _look_for_the_port(self, gone: PortLostError, timeout: Seconds) -> None:
        """Try to open a port that vanished while we greeted."""
        self._nap.wait(min(timeout, RETURN_EVERY_S))
        now = self._clock.monotonic()
        try:
            self._port = self._new_port()
        except DeviceError:
            if now >= self._gone_until:
                self._gone = None
                self._session.port_lost(gone.what, now)
        else:
            self._gone = None
            self._session.greet_again(now)
