"""The port on a real pseudo-terminal, a real socket and pyserial's own loop."""

from __future__ import annotations

import errno
import os
import pty
import socket
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl.errors import DeviceError, PortLostError
from fabctl.units import Seconds
from fabctl_drivers import serial_port
from fabctl_drivers.serial_port import SerialPort

SOON, LATER = Seconds(0.05), Seconds(20.0)


class Terminal:
    """A pseudo-terminal whose far end is ours."""

    def __init__(self) -> None:
        self.far, self._near = pty.openpty()
        tty.setraw(self.far)
        self.name = os.ttyname(self._near)

    def hang_up(self) -> None:
        for descriptor in (self.far, self._near):
            if descriptor >= 0:
                os.close(descriptor)
        self.far = self._near = -1


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    terminal.hang_up()


def read_all(port: SerialPort, wanted: int) -> bytes:
    deadline = time.monotonic() + LATER
    data = b""
    while len(data) < wanted and time.monotonic() < deadline:
        data += port.read(SOON)
    return data


def test_bytes_go_both_ways_at_an_unusual_speed(terminal: Terminal) -> None:
    port = SerialPort.open(terminal.name, 250_000)
    port.write(b"\x00N1 G28*18\n\xff")
    assert os.read(terminal.far, 100) == b"\x00N1 G28*18\n\xff"
    os.write(terminal.far, b"ok\n")
    assert port.read(LATER) == b"ok\n"
    assert port.read(SOON) == b""
    port.close()


def test_a_waiting_read_can_be_woken_from_another_thread(terminal: Terminal) -> None:
    port = SerialPort.open(terminal.name, 115_200)
    threading.Timer(0.05, port.wake).start()
    began = time.monotonic()
    assert port.read(LATER) == b""
    assert time.monotonic() - began < LATER / 2
    port.close()


def test_a_wake_before_the_read_counts_too_but_once(terminal: Terminal) -> None:
    port = SerialPort.open(terminal.name, 115_200)
    for _ in range(100_000):
        port.wake()  # more than the pipe holds
    began = time.monotonic()
    while time.monotonic() - began < 0.2:
        assert port.read(Seconds(0.2)) == b""
    os.write(terminal.far, b"ok\n")
    assert port.read(LATER) == b"ok\n"
    port.close()


def test_the_far_end_hangs_up(terminal: Terminal) -> None:
    port = SerialPort.open(terminal.name, 250_000)
    terminal.hang_up()
    with pytest.raises(PortLostError, match=f"{port.url}: .*check the cable"):
        port.read(LATER)
    port.close()


def test_writing_never_waits_and_loses_nothing(terminal: Terminal) -> None:
    port = SerialPort.open(terminal.name, 250_000)
    data = bytes(range(1, 251)) * 2000  # half a megabyte: no terminal holds that
    began = time.monotonic()
    port.write(data)
    port.write(b"the end")
    assert time.monotonic() - began < LATER / 2
    received = b""
    os.set_blocking(terminal.far, False)
    while len(received) < len(data) + 7:
        assert time.monotonic() - began < LATER
        port.read(Seconds(0.0))
        try:
            received += os.read(terminal.far, 65536)
        except BlockingIOError:
            continue
    assert received == data + b"the end"
    port.close()


def test_a_port_is_ours_alone(terminal: Terminal) -> None:
    port = SerialPort.open(terminal.name, 250_000)
    with pytest.raises(DeviceError, match="another program uses the port"):
        SerialPort.open(terminal.name, 250_000)
    port.close()
    SerialPort.open(terminal.name, 250_000).close()


def test_an_absent_port_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"ttyNOT: there is no such port → plug the machine in"):
        SerialPort.open(str(tmp_path / "ttyNOT"), 250_000)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_forbidden_port_names_the_group(terminal: Terminal) -> None:
    Path(terminal.name).chmod(0)
    with pytest.raises(DeviceError, match="group dialout"):
        SerialPort.open(terminal.name, 250_000)


@pytest.mark.parametrize(
    "url",
    ["nonsense://x", "/dev/null", "socket://127.0.0.1:1", "socket://nowhere", "rfc2217://x:y"],
)
def test_what_is_no_port_is_refused_in_words(url: str) -> None:
    with pytest.raises(DeviceError, match="check the port's name and the baud rate"):
        SerialPort.open(url, 250_000)


def test_a_socket_is_a_port_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = SerialPort.open(f"socket://127.0.0.1:{server.getsockname()[1]}", 250_000)
        far, _ = server.accept()
        port.write(b"M105\n")
        assert far.recv(100) == b"M105\n"
        far.sendall(b"ok T:20\n" * 500)
        assert read_all(port, 4000) == b"ok T:20\n" * 500
        far.close()
        with pytest.raises(PortLostError):
            port.read(LATER)
        port.close()


def test_a_port_without_a_descriptor_is_read_and_woken() -> None:
    port = SerialPort.open("loop://", 115_200)
    port.write(b"hello\n")
    assert read_all(port, 6) == b"hello\n"
    assert port.read(SOON) == b""
    threading.Timer(0.05, port.wake).start()
    began = time.monotonic()
    assert port.read(LATER) == b""
    assert time.monotonic() - began < LATER / 2
    port.close()


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOENT, "there is no such port"),
        (errno.EACCES, "add the user to group dialout"),
        (errno.EPERM, "this user may not open the port"),
        (errno.EBUSY, "another program uses the port"),
        (errno.EAGAIN, "another program uses the port"),
        (errno.EIO, "it cannot be opened at 250000 baud: the port is gone"),
    ],
)
def test_what_the_kernel_answers_becomes_a_sentence(number: int, sentence: str) -> None:
    """Root may open everything, and few machines can refuse in all these ways."""
    error = serial_port._not_opened("/dev/ttyX", 250_000, OSError(number, os.strerror(number)))
    assert str(error).startswith("/dev/ttyX: ")
    assert sentence in str(error)
