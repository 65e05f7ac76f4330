"""Ports for servers that a test starts and that take no port 0."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
ROOM = 12_000


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody has now and that nobody is given by chance.

    A port that the system hands out (port 0, or where a connection comes from) is given to the
    next one as soon as it is let go: before the server that it was meant for has it.
    """
    lowest = int(RANGE.read_text().split()[0])
    while True:
        port = max(1_024, lowest - 1 - secrets.randbelow(ROOM))
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue  # somebody has it
            return port
