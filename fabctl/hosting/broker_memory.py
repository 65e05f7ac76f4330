"""What mosquitto keeps from one start to the next, looked at before it starts.

mosquitto 2.0 does not start with a file that ends too early or holds zeros, and a full disk or a
power cut can leave one: it puts its new file in the place of the old one without asking whether
the last bytes found room (tried with 2.0.11; issues 2639 and 3160 of its tracker). A lab without
its broker until somebody deletes a file is worse than one without the file: machines say their
state again as they connect, and their events until they are on record.

``python -m fabctl.hosting.broker_memory FILE`` is for a unit of systemd: before the broker starts.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import BinaryIO

MEMORY_FILE = "mosquitto.db"
_HEADER = struct.Struct(">15sII")
"""Magic, a checksum that nobody writes, the format's version."""
_CHUNK = struct.Struct(">II")
"""Kind, and how many bytes follow."""
_MAGIC = b"\x00\xb5\x00mosquitto db"
_KNOWN = frozenset({5, 6})
"""Formats of mosquitto 1.6 and 2.0. Of another one nothing is said here."""


def set_aside_if_torn(file: Path) -> str | None:
    """Rename a file that mosquitto cannot read, for a person to look at; return what was done.

    A disk that fails is mosquitto's to report: nothing is done then.
    """
    aside = file.with_name(f"{file.name}.unreadable")
    try:
        with file.open("rb") as opened:
            if _is_whole(opened, file.stat().st_size):
                return None
        file.replace(aside)
    except OSError:
        return None
    return f"{file} was not whole; the broker starts without it. It is kept as {aside.name}"


def _is_whole(file: BinaryIO, size: int) -> bool:
    """Say whether its chunks end where it ends; a format that is not known counts as whole."""
    start = file.read(_HEADER.size)
    if len(start) < _HEADER.size:
        return False
    magic, _, version = _HEADER.unpack(start)
    if magic != _MAGIC:
        return False
    at = _HEADER.size
    while version in _KNOWN and at < size:
        file.seek(at)
        head = file.read(_CHUNK.size)
        if len(head) < _CHUNK.size:
            return False
        at += _CHUNK.size + _CHUNK.unpack(head)[1]
    return version not in _KNOWN or at == size


if __name__ == "__main__":
    if (_done := set_aside_if_torn(Path(sys.argv[1]))) is not None:
        sys.stdout.write(f"{_done}\n")
