"""The cable between a driver and its machine, in our hand: pulled, mended, silent, noisy.

The driver is given the near end; the far end is what the stand-in or the person named. So the
same faults come to every driver, and no stand-in has to know them.
"""

from __future__ import annotations

import os
import re
import select
import socket
import tty
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from fabctl.driver_contract.wire import Wire, wait
from fabctl.errors import DeviceError

_LOOK_EVERY_S = 0.01
"""Nothing wakes us when somebody opens a pseudo-terminal."""
_MOST_KEPT = 1_000_000
_HOST_AND_PORT = re.compile(r"(?<=://)[^/@]+")


class FarEndError(DeviceError):
    """What the driver is tried with is gone: no fault of the driver's."""


class NoCable:
    """The driver has the port itself; nobody is in between."""

    def __init__(self, port: str | None) -> None:
        self.port = port
        self.said = bytearray()

    def turn(self, until: int, seconds: float) -> None:
        """Only wait."""
        wait([until], [], seconds)


class _Kept:
    """What both cables share."""

    def __init__(self) -> None:
        self.said = bytearray()
        self.silent = False

    def _hear(self, data: bytes) -> None:
        if len(self.said) < _MOST_KEPT:
            self.said += data


class PtyCable(_Kept):
    """A pseudo-terminal before a pseudo-terminal; the far end is open while the near one is."""

    def __init__(self, far: str, folder: Path) -> None:
        super().__init__()
        self._far_port = far
        self._link = folder / "near"
        self.port: str | None = str(self._link)
        self._master = -1
        self._far = -1
        self._wire: Wire | None = None
        self.mend()

    @property
    def is_held(self) -> bool:
        """Whether the driver has the near end open, as far as was looked."""
        return self._wire is not None

    def mend(self) -> None:
        """Make a new near end."""
        if self._master >= 0:
            return
        self._master, driver_end = os.openpty()
        tty.setraw(driver_end)
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(os.ttyname(driver_end))
        os.close(driver_end)
        self._poll = select.poll()
        self._poll.register(self._master, select.POLLIN)

    def pull(self) -> None:
        """Close both ends; the link is gone."""
        self._drop()
        self._link.unlink(missing_ok=True)
        if self._master >= 0:
            os.close(self._master)
        self._master = -1

    def hush(self, *, silent: bool) -> None:
        """Hold what comes up."""
        self.silent = silent
        if self._wire is not None:
            self._wire.up.held = silent

    def garble(self, noise: bytes) -> None:
        """Put noise on the way up."""
        if self._wire is not None:
            self._wire.up.put(noise)

    def turn(self, until: int, seconds: float) -> None:
        """Carry bytes."""
        self._look()
        if self._wire is None:
            wait([until], [], min(seconds, _LOOK_EVERY_S))
            return
        reading, writing = self._wire.watched()
        readable, writable = wait([until, *reading], writing, seconds)
        self._look()
        self._carry(readable, writable)

    def _carry(self, readable: Sequence[int], writable: Sequence[int]) -> None:
        if self._wire is not None and not self._wire.serve(readable, writable):
            self._drop()

    def _look(self) -> None:
        """See whether the driver has the near end open."""
        if self._master < 0:
            return
        events = self._poll.poll(0)
        held = not any(event & select.POLLHUP for _, event in events)
        if held == (self._wire is not None):
            return
        if held:
            self._reach()
        else:
            self._last_words()
            self._drop()

    def _reach(self) -> None:
        try:
            self._far = os.open(self._far_port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            raise FarEndError(
                f"the machine's own port cannot be opened: {error.strerror}", device=self._far_port
            ) from error
        self._wire = Wire(self._master, self._far, self._hear)
        self._wire.up.held = self.silent

    def _last_words(self) -> None:
        """What the driver said before it closed is on its way all the same."""
        wire = self._wire
        with suppress(OSError):
            while wire is not None and wire.down.take() and wire.down.gives:
                wire.down.give()

    def _drop(self) -> None:
        if self._far >= 0:
            os.close(self._far)
        self._far = -1
        self._wire = None


class TcpCable(_Kept):
    """A relay before a server: ``http://`` or ``socket://``, as many connections as are made."""

    def __init__(self, far: str) -> None:
        super().__init__()
        parts = urlsplit(far)
        self._to = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._door: socket.socket | None = None
        self._ends: dict[Wire, tuple[socket.socket, socket.socket]] = {}
        self._place = ("127.0.0.1", 0)
        self.mend()
        self.port: str | None = _HOST_AND_PORT.sub(f"127.0.0.1:{self._place[1]}", far, count=1)

    @property
    def is_held(self) -> bool:
        """Whether a connection is open."""
        return bool(self._ends)

    def mend(self) -> None:
        """Listen, at the same address as before."""
        if self._door is None:
            self._door = socket.create_server(self._place)
            self._door.setblocking(False)
            self._place = self._door.getsockname()[:2]

    def pull(self) -> None:
        """Break every connection, take no new one."""
        if self._door is not None:
            self._door.close()
        self._door = None
        for wire in list(self._ends):
            self._drop(wire)

    def hush(self, *, silent: bool) -> None:
        """Hold what comes up."""
        self.silent = silent
        for wire in self._ends:
            wire.up.held = silent

    def garble(self, noise: bytes) -> None:
        """Put noise on the way up, on every connection."""
        for wire in self._ends:
            wire.up.put(noise)

    def turn(self, until: int, seconds: float) -> None:
        """Carry bytes."""
        reading, writing = [until], []
        if self._door is not None:
            reading.append(self._door.fileno())
        for wire in self._ends:
            read, write = wire.watched()
            reading += read
            writing += write
        readable, writable = wait(reading, writing, seconds)
        for wire in list(self._ends):
            if not wire.serve(readable, writable):
                self._drop(wire)
        if self._door is not None and self._door.fileno() in readable:
            self._welcome(self._door)

    def _welcome(self, door: socket.socket) -> None:
        try:
            near, _ = door.accept()
        except OSError:
            return  # gone again
        try:
            far = socket.create_connection(self._to, timeout=5)
        except OSError:
            near.close()
            return
        wire = Wire(near.fileno(), far.fileno(), self._hear)
        wire.up.held = self.silent
        self._ends[wire] = (near, far)

    def _drop(self, wire: Wire) -> None:
        with suppress(OSError):  # the last answer, where the other end still listens
            wire.up.give()
        for end in self._ends.pop(wire):
            end.close()


Cable = PtyCable | TcpCable


def lay_cable(port: str | None, folder: Path) -> Cable | NoCable:
    """Return a cable to a port; one that is not in our hand where the port has no such end.

    A real serial port stays the driver's own: its speed and its modem lines are.
    """
    if port is None:
        return NoCable(None)
    if port.startswith(("http://", "socket://")):
        return TcpCable(port)
    if str(Path(port).resolve()).startswith("/dev/pts/"):
        return PtyCable(port, folder)
    return NoCable(port)
