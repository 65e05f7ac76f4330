"""Lines with fields for systemd's journal, by its native protocol; elsewhere lines on stderr.

Facts: ``JOURNAL_STREAM`` holds the device and inode of a stderr that leads to the journal
(systemd.exec(5)). The native protocol (systemd.io, "Native Journal Protocol"): one datagram of
``NAME=value`` lines; a value with a line feed has its name alone, its length as a little-endian
64-bit number, and itself. Fields: ``journalctl FABCTL_MACHINE=mill -p warning -o json``.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

SOCKET = Path("/run/systemd/journal/socket")
LONGEST = 16_000
"""Bytes of a message; a datagram has a limit, and a line that long helps nobody."""
INFO, WARNING, ERROR = 6, 4, 3
"""syslog(3)."""


def leads_to_journal(descriptor: int, environment: Mapping[str, str]) -> bool:
    """Say whether a descriptor (2: stderr) is what systemd connected to the journal."""
    device, _, inode = environment.get("JOURNAL_STREAM", "").partition(":")
    if not device.isdecimal() or not inode.isdecimal():
        return False
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == (int(device), int(inode))


def encoded(fields: Mapping[str, str]) -> bytes:
    """Return a datagram of fields. Their names: capitals, digits and underscores."""
    parts = []
    for name, text in fields.items():
        value = text.encode("utf-8", "replace")
        if len(value) > LONGEST:  # not within a character
            value = value[:LONGEST].decode("utf-8", "ignore").encode()
        if b"\n" in value:
            parts.append(name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n")
        else:
            parts.append(name.encode() + b"=" + value + b"\n")
    return b"".join(parts)


class Journal:
    """The journal, with what every line of this process says of it."""

    def __init__(self, process: str, machine: str | None = None, path: Path = SOCKET) -> None:
        self._path = path
        self._own = {"SYSLOG_IDENTIFIER": "fabctl", "FABCTL_PROCESS": process}
        if machine is not None:
            self._own["FABCTL_MACHINE"] = machine
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)  # the module's signature

    def write(self, line: str, priority: int = INFO) -> bool:
        """Hand a line over; False: the journal does not take it now."""
        fields = {"MESSAGE": line, "PRIORITY": str(priority), **self._own}
        try:
            self._socket.sendto(encoded(fields), str(self._path))
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Write no more."""
        self._socket.close()


def opened(process: str, machine: str | None = None) -> Journal | None:
    """Return the journal if systemd connected this process's stderr to it."""
    return Journal(process, machine) if leads_to_journal(2, os.environ) else None
