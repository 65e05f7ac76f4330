"""An endpoint that answers at once: a pseudo-terminal that says ``ok`` for every line.

``python -m tests.bench.streaming_instant --link PATH [--grbl | --queue N]``; it ends with SIGTERM.
It has no speed of its own: what it shows is the cost of the host. It reads whatever there is,
counts lines, and writes that many answers at once; only the few lines that ask something are
looked at. ``--queue N``: answers as with ADVANCED_OK, ``ok N<n> P15 B<N - 1>``.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import tty
from pathlib import Path
from typing import Protocol

CHUNK = 65536
LINES_AT_MOST = 400_000
_NUMBER = re.compile(rb"N(-?\d+)")
_TEMPERATURES = b"ok T:20.0 /0.0 B:20.0 /0.0 @:0 B@:0\n"
_WHO = b"FIRMWARE_NAME:Instant 1 PROTOCOL_VERSION:1.0\nCap:AUTOREPORT_TEMP:0\n"


class Firmware(Protocol):
    """Something that answers."""

    def answer(self, data: bytes) -> bytes:
        """Return the answer to these bytes."""


class InstantMarlin:
    """Marlin's answers.

    :param queue: places in its command queue where every ok tells them (ADVANCED_OK), else 0.
    """

    def __init__(self, queue: int) -> None:
        self._plain = b"ok\n" * CHUNK
        self._told = [
            b"ok N%d P15 B%d\n" % (n, queue - 1) for n in range(LINES_AT_MOST * (queue > 0))
        ]
        self._next = 0
        self._rest = b""

    def answer(self, data: bytes) -> bytes:
        """Return the answer to these bytes; half a line waits for its other half."""
        if self._rest:
            data = self._rest + data
        if b"M" in data or b"\n\n" in data or data[:1] == b"\n":
            *lines, self._rest = data.split(b"\n")
            return b"".join(map(self._one, lines))
        self._rest = b"" if data.endswith(b"\n") else data[data.rfind(b"\n") + 1 :]
        count = data.count(b"\n")
        if not self._told:
            return self._plain[: 3 * count]
        self._next += count
        if count == 1:
            return self._told[self._next - 1]
        return b"".join(self._told[self._next - count : self._next])

    def _one(self, line: bytes) -> bytes:
        if not line:
            return b""  # as in Marlin: an empty line draws nothing
        if numbered := _NUMBER.match(line):
            self._next = int(numbered[1]) + 1
        if b"M105" in line:
            return _TEMPERATURES
        if not self._told or not numbered or self._next < 1:
            return (_WHO if b"M115" in line else b"") + b"ok\n"
        return self._told[self._next - 1]


class InstantGrbl:
    """Grbl's answers, as far as senders ask before and while they stream."""

    _ASKED = re.compile(rb"[?$!~\x18]")
    _ANSWERS = {  # noqa: RUF012  # a table
        b"$I": b"[VER:1.1h.20190825:]\r\n[OPT:V,15,128]\r\n",
        b"$G": b"[GC:G0 G54 G17 G21 G90 G94 M5 M9 T0 F0 S0]\r\n",
        b"$$": b"$10=1\r\n$13=0\r\n$22=0\r\n$30=1000\r\n$32=0\r\n",
    }

    def __init__(self) -> None:
        self._plain = b"ok\r\n" * CHUNK
        self._rest = b""
        self._state = b"Idle"

    def answer(self, data: bytes) -> bytes:
        """Return the answer to these bytes; half a line waits for its other half."""
        out = b""
        if self._ASKED.search(data):
            out = b"".join(map(self._real_time, re.findall(rb"[?\x18]", data)))
            data = re.sub(rb"[?!~\x18]", b"", data)
        data = self._rest + data
        if b"$" in data:
            *lines, self._rest = data.split(b"\n")
            return out + b"".join(map(self._one, lines))
        end = data.rfind(b"\n") + 1
        self._rest = data[end:]
        return out + self._plain[: 4 * data.count(b"\n")]

    def _real_time(self, byte: bytes) -> bytes:
        if byte == b"?":
            return b"<%b|MPos:0.000,0.000,0.000|FS:0,0|WCO:0.000,0.000,0.000>\r\n" % self._state
        self._state, self._rest = b"Idle", b""
        return b"\r\nGrbl 1.1h ['$' for help]\r\n"

    def _one(self, line: bytes) -> bytes:
        if line.strip() == b"$C":
            return self._toggle_check()
        return self._ANSWERS.get(line.strip(), b"") + b"ok\r\n"

    def _toggle_check(self) -> bytes:
        if self._state == b"Idle":
            self._state = b"Check"
            return b"[MSG:Enabled]\r\nok\r\n"
        return b"[MSG:Disabled]\r\nok\r\n" + self._real_time(b"\x18")


def serve(link: Path, firmware: Firmware) -> None:
    """Answer for ever."""
    ours, theirs = os.openpty()  # theirs stays open: a host may come and go
    tty.setraw(theirs)
    link.symlink_to(os.ttyname(theirs))
    while True:
        out = firmware.answer(os.read(ours, CHUNK))
        while out:
            out = out[os.write(ours, out) :]


def main() -> None:
    """Read the command line."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--link", type=Path, required=True)
    words.add_argument("--grbl", action="store_true")
    words.add_argument("--queue", type=int, default=0)
    asked = words.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        serve(asked.link, InstantGrbl() if asked.grbl else InstantMarlin(asked.queue))


if __name__ == "__main__":
    main()
