"""What systemd is told (sd_notify(3)): that a process is ready, and that its loop still turns.

The watchdog is fed from the loop that does the work and from nowhere else: a loop that hangs is a
process that systemd restarts. Without systemd nothing is sent.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from fabctl.units import Seconds


class Notifier:
    """The datagram socket that systemd names in the environment.

    :param environment: ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID`` are read.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        name = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + name[1:] if name.startswith("@") else name
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) if name else None
        if self._socket is not None:
            self._socket.setblocking(False)
        self.every_s = _half_of_the_watchdog(environment)
        """How often the watchdog is fed; None: systemd does not watch."""
        self._fed_at = float("-inf")
        self.unsent = 0
        """Words that systemd could not take; it restarts us when that lasts."""

    def ready(self, status: str) -> None:
        """Say that the work has begun, and in what state."""
        self._send(f"READY=1\nSTATUS={status}")

    def status(self, status: str) -> None:
        """Say in one line what the state is (``systemctl status``)."""
        self._send(f"STATUS={status}")

    def turned(self, now: Seconds) -> None:
        """Feed the watchdog when it is time; called after a completed turn of the loop only.

        :param now: monotonic clock, s.
        """
        if self.every_s is not None and now - self._fed_at >= self.every_s:
            self._fed_at = now
            self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the process ends because it was asked to."""
        self._send("STOPPING=1")

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, words: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto(words.encode(), self._address)
        except OSError:
            self.unsent += 1  # systemd is busy or gone: nobody waits for it


def _half_of_the_watchdog(environment: Mapping[str, str]) -> float | None:
    """Half of the time after which systemd acts (sd_watchdog_enabled(3) recommends it)."""
    microseconds = environment.get("WATCHDOG_USEC", "")
    pid = environment.get("WATCHDOG_PID", "")
    if (
        not microseconds.isascii()
        or not microseconds.isdigit()
        or pid not in {"", str(os.getpid())}
    ):
        return None
    return int(microseconds) / 2e6 or None
