"""A serial port that can be waited for: the only import of pyserial.

Any URL that ``serial.serial_for_url`` takes will do: ``/dev/ttyUSB0``, a pseudo-terminal,
``socket://``, ``rfc2217://``, ``loop://``.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import termios
import threading
from collections import deque

import serial

from fabctl.errors import DeviceError, PortLostError
from fabctl.units import Seconds

_CHUNK = 65536
_NO_DESCRIPTOR_WAIT_S = 0.02
"""Where there is nothing to wait for but a queue of pyserial's, we look this often."""

_GONE = {errno.EIO, errno.ENXIO, errno.ENODEV, errno.EPIPE, errno.ECONNRESET, errno.EBADF}


class SerialPort:
    """An open port. :meth:`read` waits and can be woken; :meth:`write` never blocks."""

    def __init__(self, url: str, port: serial.Serial) -> None:
        self.url = url
        self._port = port
        self._unsent: deque[bytes] = deque()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._descriptor = _descriptor(port)
        self._is_direct = self._descriptor >= 0 and _reads_its_descriptor(url)
        self._poll = select.poll()
        self._poll.register(self._wake_read, select.POLLIN)
        if self._descriptor >= 0:
            self._poll.register(self._descriptor, select.POLLIN)

    @classmethod
    def open(cls, url: str, baud: int, *, keep_running: bool = False) -> SerialPort:
        """Open a port for ourselves alone, with the shortest latency that it offers.

        :param baud: bits per second, > 0.
        :param keep_running: leave DTR as it is when the port closes (HUPCL off), so that a board
            that resets by it is not reset by the opening after. The first opening still does.
        :raises DeviceError: it is absent, busy, forbidden, or not a port.
        """
        try:
            port = serial.serial_for_url(url, baudrate=baud, timeout=0, exclusive=True)
        except (OSError, ValueError) as error:  # SerialException is an OSError
            raise _not_opened(url, baud, error) from error
        # Only Linux's serial drivers know it, and not all of them; nothing depends on it.
        with contextlib.suppress(AttributeError, NotImplementedError, ValueError, OSError):
            port.set_low_latency_mode(True)
        if keep_running:
            try:
                _keep_dtr(port)
            except termios.error as error:
                port.close()
                raise _not_opened(url, baud, error) from error
        return cls(url, port)

    def read(self, timeout: Seconds) -> bytes:
        """Return what arrived, after at most ``timeout`` s; nothing when it took longer, or woken.

        :raises PortLostError: the port is gone.
        """
        try:
            if self._unsent:
                self._send_unsent()
            if self._descriptor < 0:
                return self._read_without_descriptor(timeout)
            for descriptor, what in self._poll.poll(max(0.0, timeout) * 1000.0):
                if descriptor == self._wake_read:
                    self._forget_wakes()
                elif what & (select.POLLIN | select.POLLHUP | select.POLLERR | select.POLLNVAL):
                    return self._take()
        except PortLostError:
            raise
        except OSError as error:  # SerialException is one
            raise self._lost(error) from error
        return b""

    def write(self, data: bytes) -> None:
        """Send bytes without waiting; what the port does not take now goes out with later reads.

        :raises PortLostError: the port is gone.
        """
        try:
            if self._unsent:
                self._unsent.append(data)
                self._send_unsent()
            else:
                sent = self._send(data)
                if sent < len(data):
                    self._unsent.append(data[sent:])
                    self._watch_for_room()
        except OSError as error:
            raise self._lost(error) from error

    def wake(self) -> None:
        """End a waiting :meth:`read`. Safe from any thread and from a signal handler."""
        with contextlib.suppress(OSError):  # a full pipe wakes as well
            os.write(self._wake_write, b"!")

    def close(self) -> None:
        """Close the port; a port that is gone already is closed too."""
        with contextlib.suppress(OSError):
            self._port.close()
        for descriptor in (self._wake_read, self._wake_write):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    # ---- reading

    def _take(self) -> bytes:
        if self._is_direct:
            data = os.read(self._descriptor, _CHUNK)
        else:
            data = self._port.read(self._port.in_waiting or 1)
        if not data:
            raise PortLostError(
                "the other end closed it", device=self.url, next_step=_CHECK_THE_CABLE
            )
        return data

    def _read_without_descriptor(self, timeout: Seconds) -> bytes:
        """Look again and again: such a port cannot be waited for together with a wake."""
        left = max(0.0, timeout)
        while True:
            waiting = self._port.in_waiting
            if waiting:
                return bytes(self._port.read(waiting))
            step = min(left, _NO_DESCRIPTOR_WAIT_S)
            if self._poll.poll(step * 1000.0):
                self._forget_wakes()
                return b""
            left -= step
            if left <= 0:
                return b""

    def _forget_wakes(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_read, 4096)

    # ---- writing

    def _send(self, data: bytes) -> int:
        if not self._is_direct:
            return int(self._port.write(data) or 0)
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return 0

    def _send_unsent(self) -> None:
        while self._unsent:
            data = self._unsent[0]
            sent = self._send(data)
            if sent < len(data):
                self._unsent[0] = data[sent:]
                return
            self._unsent.popleft()
        self._watch_for_room()

    def _watch_for_room(self) -> None:
        """Let :meth:`read` end as soon as the port takes what is unsent."""
        if self._descriptor >= 0:
            room = select.POLLOUT if self._unsent else 0
            self._poll.modify(self._descriptor, select.POLLIN | room)

    def _lost(self, error: OSError) -> PortLostError:
        return PortLostError(_cause(error), device=self.url, next_step=_CHECK_THE_CABLE)


class Nap:
    """A wait without a port, for one that is to come back; it can be ended early."""

    def __init__(self) -> None:
        self._woken = threading.Event()

    def wait(self, timeout: Seconds) -> None:
        """Wait for ``timeout`` s, or until woken."""
        self._woken.wait(max(0.0, timeout))
        self._woken.clear()

    def wake(self) -> None:
        """End the wait. Safe from any thread."""
        self._woken.set()


_CHECK_THE_CABLE = "check the cable and the machine's power"


def _descriptor(port: serial.Serial) -> int:
    """Return the file descriptor to wait for, -1 where there is none (rfc2217://, loop://)."""
    try:
        return int(port.fileno())
    except (AttributeError, OSError, ValueError):
        return -1


def _keep_dtr(port: serial.Serial) -> None:
    """Clear HUPCL (termios(3): "lower modem control lines after last process closes the device").

    A port without modem lines, such as a socket, has none to keep: ENOTTY is no failure there.
    """
    descriptor = _descriptor(port)
    if descriptor < 0:
        return
    try:
        modes = termios.tcgetattr(descriptor)
        modes[_CONTROL_MODES] &= ~termios.HUPCL
        termios.tcsetattr(descriptor, termios.TCSANOW, modes)
    except termios.error as error:
        if error.args[0] != errno.ENOTTY:
            raise


_CONTROL_MODES = 2
"""The place of c_cflag in what tcgetattr returns."""


def _reads_its_descriptor(url: str) -> bool:
    """Whether bytes may be read from the descriptor itself; spy:// wants to see them first."""
    scheme, separator, _ = url.partition("://")
    return not separator or scheme == "socket"


def _not_opened(url: str, baud: int, error: Exception) -> DeviceError:
    number = getattr(error, "errno", None)
    text = str(error).lower()
    if number == errno.ENOENT or isinstance(error, FileNotFoundError):
        return DeviceError(
            "there is no such port",
            device=url,
            next_step="plug the machine in and switch it on, or correct the port's name",
        )
    if number in {errno.EACCES, errno.EPERM}:
        return DeviceError(
            "this user may not open the port",
            device=url,
            next_step="add the user to group dialout (sudo adduser NAME dialout) and log in again",
        )
    if number in {errno.EBUSY, errno.EAGAIN} or "exclusively lock" in text:
        return DeviceError(
            "another program uses the port",
            device=url,
            next_step="close the other program (OctoPrint, a slicer, another fabctl)",
        )
    return DeviceError(
        f"it cannot be opened at {baud} baud: {_cause(error)}",
        device=url,
        next_step="check the port's name and the baud rate",
    )


def _cause(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number in _GONE:
        return f"the port is gone ({os.strerror(number)})"
    return str(error) or type(error).__name__
