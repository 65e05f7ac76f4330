"""The OctoPrint driver: a server, a clock and a file around the pure :class:`Watch`."""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import Callable, Sequence

from fabctl.clock import Clock
from fabctl.errors import DeviceError, FabError, InputError, LocalError
from fabctl.ports import DriverEvent, JobFile, MachineProfile, Phase
from fabctl.units import Seconds
from fabctl_drivers.octoprint.client import Fault, OctoPrintClient, ServerError
from fabctl_drivers.octoprint.errands import (
    AskHistory,
    Command,
    HeatersOff,
    Listen,
    Poll,
    Sweep,
    Upload,
)
from fabctl_drivers.octoprint.place import FilePlace
from fabctl_drivers.octoprint.push import PushLine
from fabctl_drivers.octoprint.settings import settings_of
from fabctl_drivers.octoprint.status import (
    JOB_STAGES,
    Printer,
    SignInAgain,
    Stage,
    Status,
    read_push,
)
from fabctl_drivers.octoprint.watch import Watch
from fabctl_drivers.octoprint.worker import Done, Worker

POLL_ALONE_S = 1.0
POLL_BESIDE_PUSH_S = 5.0
"""Push does not tell that a key was revoked, nor that the line is cut: we ask all the same."""
LISTEN_FIRST_S = 1.0
LISTEN_MOST_S = 30.0
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
        self._worker: Worker | None = None
        self._push: PushLine | None = None
        self._poll_at = self._listen_at = 0.0
        self._listen_wait = LISTEN_FIRST_S
        self._polling = self._listening = False
        self._last_printer = Printer.UNKNOWN
        self._polls_answered = 0
        self._polled_at = self._pushed_at = 0.0
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
        if self._worker is not None:
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
        self._worker = Worker(client, self._clock.monotonic, self._poke)
        self._polling = self._listening = False
        self._poll_at = self._listen_at = self._clock.monotonic()
        self._watch.opened(version)

    def pump(self, timeout: Seconds) -> Sequence[DriverEvent]:
        """Listen, decide, ask; return what happened, after at most ``timeout`` s if nothing did."""
        ends_at = self._clock.monotonic() + timeout
        while True:
            now = self._work()
            if self._watch.has_events or self._was_woken or now >= ends_at:
                break
            if self._worker is None:
                break
            self._wait(max(0.0, min(ends_at, self._due) - now))
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
        if self._worker is None:
            raise LocalError(
                "the server is not open",
                device=self._settings.url,
                next_step="check that OctoPrint's computer is on and in the network",
            )
        before = self._polls_answered
        self._poll_at = self._clock.monotonic()
        self._work_until(lambda: self._polls_answered > before, CLEAR_PATIENCE_S)
        if self._polls_answered == before or self._last_printer is not Printer.READY:
            raise LocalError(
                f"the printer is not ready: OctoPrint says {self._last_printer.value}",
                device=self._settings.url,
                next_step="look at OctoPrint's own screen: is the printer connected?",
            )
        self._watch.cleared(self._clock.monotonic())
        self._send_errands()

    def close(self) -> None:
        """Cancel our job where there is one, then leave; other people's jobs go on.

        Takes up to 3 s. What happened is in one last :meth:`pump`.
        """
        if self._worker is None:
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
        self._read_push(now)
        self._take_results(now)
        self._watch.tick(now)
        self._send_errands()
        self._ask_for_status(now)
        if self._watch.stage is Stage.CLOSED:
            self._let_go()
        return now

    def _work_until(self, done: Callable[[], bool], patience: Seconds) -> None:
        ends_at = self._clock.monotonic() + patience
        now = self._work()
        while self._worker is not None and not done() and now < ends_at:
            self._wait(min(ends_at, self._due) - now)
            now = self._work()

    @property
    def _due(self) -> float:
        due = self._watch.deadline
        if not self._polling:
            due = min(due, self._poll_at)
        if self._settings.push and self._push is None and not self._listening:
            due = min(due, self._listen_at)
        return due

    def _wait(self, timeout: float) -> None:
        """Wait for the push connection, an errand's end or a wake."""
        push = self._push
        if push is not None and push.has_more:
            return
        wanted: list[int] = [self._wake_read]
        if push is not None:
            wanted.append(push.fileno())
        select.select(wanted, [], [], max(0.0, timeout))
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_read, 4096)

    def _poke(self) -> None:
        with contextlib.suppress(OSError):  # a full pipe wakes as well
            os.write(self._wake_write, b"!")

    def _send_errands(self) -> None:
        for errand in self._watch.take_errands():
            if self._worker is not None:
                self._worker.send(errand)

    def _ask_for_status(self, now: float) -> None:
        worker = self._worker
        if worker is None:
            return
        if not self._polling and now >= self._poll_at:
            self._polling, self._polled_at = True, now
            worker.send(Poll())
        may_listen = self._settings.push and self._push is None and not self._listening
        if may_listen and now >= self._listen_at:
            self._listening = True
            worker.send(Listen())

    # ---- push

    def _read_push(self, now: float) -> None:
        push = self._push
        if push is None:
            return
        try:
            push.tick(now)
            while push.has_more or select.select([push.fileno()], [], [], 0)[0]:
                raw = push.read(now)
                if raw is None:
                    break
                for message in read_push(raw):
                    if isinstance(message, SignInAgain):
                        self._hang_up(now)
                        return
                    self._watch.hear(message, now)
                    self._pushed_at = now
        except DeviceError:
            self._hang_up(now)  # polling goes on, at once and faster

    def _hang_up(self, now: float) -> None:
        if self._push is not None:
            self._push.close()
            self._push = None
        self._poll_at = now
        self._listen_at = now + self._listen_wait
        self._listen_wait = min(self._listen_wait * 2, LISTEN_MOST_S)

    # ---- how errands went

    def _take_results(self, now: float) -> None:
        while self._worker is not None and not self._worker.results.empty():
            self._take(self._worker.results.get(), now)

    def _take(self, done: Done, now: float) -> None:
        error, watch = done.error, self._watch
        why = error.what if error else None
        match done.errand:
            case Poll():
                self._polled(done, now)
            case Listen():
                self._listened(done, now)
            case Upload():
                if error is None:
                    watch.uploaded(prints=done.result is True, now=now)
                else:
                    watch.upload_failed(
                        f"the file could not be sent: OctoPrint {why}",
                        now,
                        certain=not _is_gone(error),
                    )
                self._poll_at = now
            case Command(command=command):
                watch.commanded(command, error=f"OctoPrint {why}" if why else None)
                self._poll_at = now
            case HeatersOff():
                watch.made_safe(now, error=f"OctoPrint {why}" if why else None)
            case AskHistory():
                watch.recorded(done.result if isinstance(done.result, bool) else None, now)
            case Sweep():
                watch.swept(done.result if isinstance(done.result, int) else 1, now)

    def _polled(self, done: Done, now: float) -> None:
        self._polling = False
        self._poll_at = now + (POLL_BESIDE_PUSH_S if self._push else POLL_ALONE_S)
        if done.error is not None:
            self._poll_at = now + POLL_ALONE_S
            refused = not _is_gone(done.error)
            self._watch.silent(f"OctoPrint {done.error.what}", now, refused=refused)
            return
        self._polls_answered += 1
        self._watch.answered()
        for message in done.result if isinstance(done.result, tuple) else ():
            if isinstance(message, Status):
                self._last_printer = message.printer
            # What was pushed since we asked is newer than this answer may be.
            if self._pushed_at < self._polled_at:
                self._watch.hear(message, now)

    def _listened(self, done: Done, now: float) -> None:
        self._listening = False
        if isinstance(done.result, PushLine):
            self._push, self._listen_wait = done.result, LISTEN_FIRST_S
        else:
            self._hang_up(now)

    def _let_go(self) -> None:
        if self._push is not None:
            self._push.close()
        if self._worker is not None:
            self._worker.end()
        if self._place is not None:
            self._place.close()
        self._push = self._worker = self._place = None


def _is_gone(error: FabError | None) -> bool:
    """Whether nobody knows if the errand was done: no answer came."""
    return isinstance(error, ServerError) and error.fault is Fault.GONE


def _plain(text: str) -> str:
    """Return what of an id may stand in a file's name anywhere."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in text)[:40]
