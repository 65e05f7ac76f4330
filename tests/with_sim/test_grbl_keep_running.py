"""``keep_running``: HUPCL off where the port is a terminal, no failure where it is none."""

from __future__ import annotations

import os
import pty
import socket
import termios

import pytest

from fabctl.errors import DeviceError
from fabctl_drivers.serial_port import SerialPort

CONTROL_MODES = 2


@pytest.mark.parametrize("keep_running", [True, False])
def test_the_modem_lines_stay_only_when_asked_to(keep_running: bool) -> None:
    far, near = pty.openpty()
    modes = termios.tcgetattr(near)
    modes[CONTROL_MODES] |= termios.HUPCL
    termios.tcsetattr(near, termios.TCSANOW, modes)
    port = SerialPort.open(os.ttyname(near), 115_200, keep_running=keep_running)
    hangs_up = bool(termios.tcgetattr(near)[CONTROL_MODES] & termios.HUPCL)
    assert hangs_up is not keep_running
    port.close()
    os.close(far)
    os.close(near)


def test_a_socket_has_no_modem_lines_and_that_is_no_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, number = server.getsockname()
        port = SerialPort.open(f"socket://{host}:{number}", 115_200, keep_running=True)
        port.close()
    loop = SerialPort.open("loop://", 115_200, keep_running=True)
    loop.close()


def test_a_port_that_is_not_there_is_said_so_first() -> None:
    with pytest.raises(DeviceError, match="no such port"):
        SerialPort.open("/dev/no-such-port", 115_200, keep_running=True)
