"""What would be said to a firmware that takes every line at once. Pure but for the file's lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fabctl.errors import DeviceError
from fabctl.ports import JobEnded, JobFile, Outcome, Phase
from fabctl_drivers.marlin import frames
from fabctl_drivers.marlin.session import Session
from fabctl_drivers.marlin.settings import Settings

_NUMBER = re.compile(rb"N(\d+) ")


def rehearse(settings: Settings, job: JobFile, raw: Iterator[bytes]) -> Iterator[bytes]:
    """Yield every piece that would be written, from the opened port to the confirmed end.

    The firmware imagined here has ADVANCED_OK and none of the other capabilities; a real one is
    told ``M155 S2`` too where it can report by itself, and has lines repeated where one is lost.

    :raises InputError: the file cannot be used.
    :raises DeviceError: the job would not finish, with the reason.
    """
    session = Session(settings)
    now = 0.0
    session.opened(now)
    started = False
    while True:
        out = session.take_output()
        if out:
            yield out
            session.receive(b"".join(_answer(line) for line in out.split(b"\n")), now)
        elif session.phase is Phase.CONNECTING:
            now = session.deadline
            session.tick(now)
        elif not started and session.phase is Phase.IDLE:
            started = True
            session.start(job, frames.commands(raw), now)
        for event in session.take_events():
            if isinstance(event, JobEnded):
                if event.outcome is not Outcome.FINISHED:
                    raise DeviceError(event.reason or "the job would not finish")
                return


def _answer(line: bytes) -> bytes:
    if not line:
        return b""
    if line == b"M115":
        return b"FIRMWARE_NAME:nobody\nok\n"
    if b" M105*" in line:
        return b"ok T:20.0 /0.0 B:20.0 /0.0 @:0 B@:0\n"
    number = _NUMBER.match(line)
    return b"ok\n" if number is None else b"ok N%b P15 B3\n" % number[1]
