"""What would be said to a Grbl that takes every line at once. Pure but for the file's lines."""

from __future__ import annotations

from collections.abc import Iterator

from fabctl.errors import DeviceError
from fabctl.ports import JobEnded, JobFile, Outcome, Phase
from fabctl_drivers.grbl.job_lines import job_lines
from fabctl_drivers.grbl.session import Session
from fabctl_drivers.grbl.settings import Settings

BANNER = b"Grbl 1.1h ['$' for help]\r\n"
_ANSWERS = {
    b"$I": b"[VER:1.1h.20190825:]\r\n[OPT:V,15,128]\r\nok\r\n",
    b"$C": b"[MSG:Enabled]\r\nok\r\n",
}


def rehearse(settings: Settings, job: JobFile, raw: Iterator[bytes]) -> Iterator[bytes]:
    """Yield every piece that would be written, from the opened port to the confirmed end.

    The firmware imagined here is Grbl 1.1h with 128 bytes, idle, without homing. A real one is
    asked ``?`` as often as time passes, and lines that are longer than 79 bytes are taken by
    grblHAL and FluidNC, which are not imagined.

    :raises InputError: the file cannot be used.
    :raises DeviceError: the job would not finish, with the reason.
    """
    session, machine = Session(settings), _Obliging()
    now, started = 0.0, False
    session.opened(now)
    while True:
        out = session.take_output()
        if out:
            yield out
            session.receive(machine.answer(out), now)
        elif not started and session.phase is Phase.IDLE:
            started = True
            session.start(job, job_lines(raw, session.longest_line), now)
        else:
            now = session.deadline
            session.tick(now)
        for event in session.take_events():
            if isinstance(event, JobEnded):
                if event.outcome is not Outcome.FINISHED:
                    raise DeviceError(event.reason or "the job would not finish")
                return


class _Obliging:
    """Takes every line and is never busy."""

    def __init__(self) -> None:
        self._state = b"Idle"

    def answer(self, said: bytes) -> bytes:
        if b"\x18" in said:
            self._state = b"Idle"
            return BANNER
        report = b"<%b|MPos:0.000,0.000,0.000|FS:0,0>\r\n" % self._state
        heard = report * said.count(b"?")
        for line in said.replace(b"?", b"").splitlines():
            heard += _ANSWERS.get(line, b"ok\r\n")
            if line == b"$C":
                self._state = b"Check"
        return heard
