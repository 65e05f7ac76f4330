"""The OctoPrint driver: a server, a clock and a file around the pure :class:`Watch`."""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import Callable, Sequence
from pathlib import Path

from fabctl.clock import Clock
from fabctl.errors import DeviceError, InputError, LocalError
from fabctl.ports import DriverEvent, JobFile, MachineProfile, Phase
from fabctl.units import Seconds
from fabctl_drivers.octoprint.asking import ask_for_key
from fabctl_drivers.octoprint.client import OctoPrintClient
from fabctl_drivers.octoprint.exchange import Exchange, Server, ServerError, checked_url
from fabctl_drivers.octoprint.place import FilePlace
from fabctl_drivers.octoprint.server_line import ServerLine
from fabctl_drivers.octoprint.settings import settings_of
from fabctl_drivers.octoprint.stages import JOB_STAGES, Stage
from fabctl_drivers.octoprint.status import Printer
from fabctl_drivers.octoprint.watch import Watch
from fabctl_drivers.octoprint.worker import Worker

CLEAR_PATIENCE_S = Seconds(6.0)
CLOSE_PATIENCE_S = Seconds(3.0)


class OctoPrintDriver:
    """A printer behind an OctoPrint server.

    :param profile: its port is the server's address, ``http(s)://host[:port]``; its options are
        :data:`fabctl_drivers.octoprint.settings.OPTIONS`.
    :raises InputError: the address or the key is missing, or an option is wrong.
    """

    _wake_read = _wake_write = -1  # until they are made

    def __init__(self, profile: MachineProfile, clock: Clock) -> None:
        self._settings = settings_of(profile)
        self._clock = clock
        self._prefix = f"fabctl_{profile.id}_"
        self._watch = Watch(self._prefix, self._settings.patience)
        self._place: FilePlace | None = None
        self._line: ServerLine | None = None
        self._was_woken = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)

    def __del__(self) -> None:
        for descriptor in (self._wake_read, self._wake_write):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    # ---- what the core asks

    @property
    def phase(self) -> Phase:
        """What the driver is doing now."""
        return self._watch.phase

    @property
    def confirmed_line(self) -> int:
        """Line in the file that the server has read for sending; 0 without a job of ours."""
        return self._watch.job.line if self._watch.job else 0

    def open(self) -> None:
        """Ask the server who it is, and begin to watch its printer: heaters off once it is free.

        A job that was started elsewhere goes on. Takes up to 8 s where nobody answers.

        :raises DeviceError: there is no OctoPrint, or it refuses the key.
        :raises LocalError: it is open already.
        """
        if self._line is not None:
            raise LocalError("the server is open already", device=self._settings.url)
        try:
            client = OctoPrintClient(self._settings.server())
        except InputError as error:  # the key's file, as it is now
            raise DeviceError(error.what, device=error.device, next_step=error.next_step) from error
        try:
            version = client.version()
        except ServerError:
            client.close()
            raise
        worker = Worker(client, self._clock.monotonic, self._poke)
        self._line = ServerLine(
            worker, self._watch, self._clock.monotonic(), wants_push=self._settings.push
        )
        self._watch.opened(version)

    def pump(self, timeout: Seconds) -> Sequence[DriverEvent]:
        """Listen, decide, ask; return what happened, after at most ``timeout`` s if nothing did."""
        ends_at = self._clock.monotonic() + timeout
        while True:
            now = self._work()
            if self._watch.has_events or self._was_woken or now >= ends_at:
                break
            if self._line is None:
                break
            self._wait(self._line, now, ends_at)
        self._was_woken = False
        return self._watch.take_events()

    def wake(self) -> None:
        """End a waiting pump early. Safe from any thread and from a signal handler."""
        self._was_woken = True
        self._poke()

    def start(self, job: JobFile) -> None:
        """Send a file to the server and have it printed.

        :raises LocalError: the machine is not idle.
        :raises InputError: the file cannot be read.
        """
        place = FilePlace(job.path)
        stamp = self._clock.now().strftime("%Y%m%dT%H%M%S")
        name = f"{self._prefix}{_plain(job.id)}_{stamp}.gcode"
        try:
            self._watch.begin(job, name, place, self._clock.monotonic())
        except LocalError:
            place.close()
            raise
        if self._place is not None:
            self._place.close()
        self._place = place
        self._send_errands()

    @staticmethod
    def ask_for_key(
        url: str,
        ca_file: Path | None,
        app: str,
        tell: Callable[[str], None],
        wait: Callable[[float], bool],
    ) -> str:
        """Ask a server for a key, as :class:`fabctl.ports.AsksForKey` says."""
        with Exchange(Server(checked_url(url, app), "", ca_file)) as exchange:
            return ask_for_key(exchange, app, tell, wait)

    def pause(self) -> None:
        """Pause the running job, as OctoPrint does it (its own scripts lift and park).

        :raises LocalError: no job of ours runs.
        """
        self._watch.pause(self._clock.monotonic())
        self._send_errands()

    def resume(self) -> None:
        """Go on with a paused job.

        :raises LocalError: no job of ours is paused.
        """
        self._watch.resume(self._clock.monotonic())
        self._send_errands()

    def stop(self) -> None:
        """Cancel what is under way, ours or not; heaters off."""
        self._watch.stop(self._clock.monotonic())
        self._send_errands()

    def say(self, line: str) -> None:  # noqa: ARG002  # the protocol's signature
        """Refuse: whether a line is heard, and what it draws, OctoPrint tells only its own pages.

        :raises LocalError: always.
        """
        raise LocalError(
            "single lines go through OctoPrint's own terminal",
            next_step="open OctoPrint in a browser, tab Terminal",
        )

    def clear(self) -> None:
        """A person looked at a broken machine and says that it may be used again.

        Takes up to 6 s: the server is asked.

        :raises LocalError: the server does not answer, or its printer is not ready.
        """
        line = self._line
        if line is None:
            raise LocalError(
                "the server is not open",
                device=self._settings.url,
                next_step="check that OctoPrint's computer is on and in the network",
            )
        line.ask_now(self._clock.monotonic())
        self._work_until(lambda: not line.awaits_answer, CLEAR_PATIENCE_S)
        if line.awaits_answer or line.printer is not Printer.READY:
            raise LocalError(
                f"the printer is not ready: OctoPrint says {line.printer.value}",
                device=self._settings.url,
                next_step="look at OctoPrint's own screen: is the printer connected?",
            )
        self._watch.cleared(self._clock.monotonic())
        self._send_errands()

    def close(self) -> None:
        """Cancel our job where there is one, then leave; other people's jobs go on.

        Takes up to 3 s. What happened is in one last :meth:`pump`.
        """
        if self._line is None:
            return
        if self._watch.stage in JOB_STAGES or self._watch.stage is Stage.FREE:
            self._watch.stop(self._clock.monotonic())
            self._work_until(lambda: self._watch.is_at_rest, CLOSE_PATIENCE_S)
        self._watch.closed(self._clock.monotonic())
        self._let_go()

    # ---- working

    def _work(self) -> float:
        """Do all that can be done without waiting; return the time."""
        now = self._clock.monotonic()
        if self._line is not None:
            self._line.take_in(now)
        self._watch.tick(now)
        self._send_errands()
        if self._line is not None:
            self._line.ask_for_status(now)
        if self._watch.stage is Stage.CLOSED:
            self._let_go()
        return now

    def _work_until(self, done: Callable[[], bool], patience: Seconds) -> None:
        ends_at = self._clock.monotonic() + patience
        now = self._work()
        while self._line is not None and not done() and now < ends_at:
            self._wait(self._line, now, ends_at)
            now = self._work()

    def _wait(self, line: ServerLine, now: float, ends_at: float) -> None:
        """Wait for something to read, an errand's end, a wake, or the next thing due."""
        if line.has_more:
            return
        due = min(ends_at, self._watch.deadline, line.deadline)
        select.select([self._wake_read, *line.descriptors], [], [], max(0.0, due - now))
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_read, 4096)

    def _poke(self) -> None:
        with contextlib.suppress(OSError):  # a full pipe wakes as well
            os.write(self._wake_write, b"!")

    def _send_errands(self) -> None:
        for errand in self._watch.take_errands():
            if self._line is not None:
                self._line.send(errand)

    def _let_go(self) -> None:
        if self._line is not None:
            self._line.close()
        if self._place is not None:
            self._place.close()
        self._line = self._place = None


def _plain(text: str) -> str:
    """Return what of an id may stand in a file's name anywhere."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in text)[:40]
